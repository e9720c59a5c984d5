"""What the bench's page asks the server for, without a browser."""

import json
from typing import Any

from django.test import Client
from django.urls import reverse


def at(name: str, project: str = "eggs") -> str:
    return reverse(name, args=[project])


def post(client: Client, name: str, body: Any, project: str = "eggs") -> Any:
    return client.post(at(name, project), json.dumps(body), content_type="application/json")


def begin(client: Client) -> dict[str, Any]:
    """The answer to "next": the question's html and its state."""
    answer = client.get(at("review_next"))
    assert answer.status_code == 200
    return answer.json()


def approve_all(state: dict[str, Any]) -> dict[str, Any]:
    """The body of a submission that approves every rationale of the question."""
    says = [{"rationale": int(pk), "verdict": "approve"} for pk in state["texts"]]
    return {"item": state["item"], "says": says, "seconds": 12}
