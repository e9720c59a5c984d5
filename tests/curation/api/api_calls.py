"""Calls of the API as a script makes them: with a token, and JSON both ways."""

import json
from typing import Any

import pytest
from django.test import Client

from curation import celery_app
from curation.api.core.tokens import make_token
from curation.api.models import ApiToken
from curation.projects.models import Project, User
from curation.web import rate_limit

ROOT = "/api/v1"


@pytest.fixture(autouse=True)
def no_brake(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Tests call often and at once; where the brake itself is tried, its minute is a day."""
    client = celery_app.broker()
    client.delete("none", *client.scan_iter("chainwright:count:*"))
    for limit in (rate_limit.API_REQUESTS, rate_limit.WRONG_TOKENS):
        monkeypatch.setattr(limit, "window", 24 * 3600)
    monkeypatch.setattr(rate_limit.WRONG_TOKENS, "most", 10_000)
    settings.API_REQUESTS_PER_MINUTE = 10_000


def token(user: User, scope: str = "admin", project: Project | None = None) -> str:
    """A new token's secret."""
    name = f"{scope} {ApiToken.objects.count()}"
    return make_token(user, name, scope=scope, days=1, project=project)[1]


class Caller:
    """A person's script. Paths begin below the project “eggs”; with a leading slash, below the API.
    Each call expects `status` (200) and gives the JSON of the answer."""

    def __init__(self, user: User, scope: str = "admin") -> None:
        self.headers = {"authorization": f"Bearer {token(user, scope)}"}
        self.client = Client()

    def call(self, verb: str, path: str, body: Any = None, status: int = 200) -> Any:
        if path.startswith(ROOT):
            place = path
        else:
            place = ROOT + (path if path.startswith("/") else f"/projects/eggs/{path}".rstrip("/"))
        answer = self.client.generic(
            verb,
            place,
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers=self.headers,
        )
        assert answer.status_code == status, (verb, place, answer.status_code, answer.content)
        return answer.json() if answer.content else None

    def get(self, path: str, status: int = 200) -> Any:
        return self.call("GET", path, status=status)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        return self.call("POST", path, body, status)
