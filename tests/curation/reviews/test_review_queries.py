"""How many queries the bench takes, and which: the same whatever stands in the queue.

`queries/*.txt` hold their shapes for each database. After a change that is meant:
CHAINWRIGHT_REWRITE_QUERIES=1 make test ARGS=tests/curation/reviews/test_review_queries.py
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.reviews.queue import claims
from tests.conftest import person, signed_in

FOLDER = Path(__file__).parent / "queries"
MORE = "…"


def shape(sql: str) -> str:
    """A query without what changes with the rows: its columns, its values, how many there are."""
    sql = re.sub(r"%\(\w+\)s", "%s", re.sub(r"\s+", " ", sql).strip())
    sql = re.sub(r'^SELECT ".*? FROM ', f"SELECT {MORE} FROM ", sql)
    sql = re.sub(r"^(INSERT INTO \S+) .*?(?= ON CONFLICT| RETURNING|$)", rf"\1 {MORE}", sql)
    sql = re.sub(r" RETURNING .*$", f" RETURNING {MORE}", sql)
    sql = re.sub(r"\((%s, )*%s\)", f"({MORE})", sql)
    return re.sub(r'SAVEPOINT "?s\w+"?', "SAVEPOINT", sql)


def shapes_of(work: Callable[[], Any]) -> list[str]:
    found: list[str] = []

    def note(execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
        found.append(shape(sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        work()
    return found


@pytest.fixture
def fill(make_questions: Callable, make_rationales: Callable) -> Callable[[int, int], None]:
    """fill(questions, rationales): into the queue."""

    def make(questions: int, rationales: int) -> None:
        for question in make_questions(questions):
            kinds = [f"She has {n} eggs.\nAnswer: {n}" for n in range(rationales - 1)]
            make_rationales(question, ["right", *kinds])

    return make


def next_of(client: Client) -> dict[str, Any]:
    answer = client.get("/projects/eggs/review/next")
    assert answer.status_code == 200, answer.content
    return answer.json()


def post(client: Client, what: str, body: dict[str, Any]) -> dict[str, Any]:
    address = f"/projects/eggs/review/{what}"
    answer = client.post(address, json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def measure(client: Client) -> dict[str, list[str]]:
    """The queries of a "next" that finds the person without a question, of having another in hand, and
    of a submission, which is answered with the one after that."""
    cache.clear()
    shown: dict[str, Any] = {}
    told = {"next": shapes_of(lambda: shown.update(next_of(client)))}
    hand: dict[str, Any] = {}
    body = {"item": shown["state"]["item"]}
    told["ahead"] = shapes_of(lambda: hand.update(post(client, "ahead", body)["ahead"]))
    says = [{"rationale": int(n), "verdict": "approve"} for n in shown["state"]["texts"]]
    body |= {"seconds": 4, "says": says, "shown": hand["state"]["item"]}
    answer: dict[str, Any] = {}
    told["submit"] = shapes_of(lambda: answer.update(post(client, "submit", body)))
    assert answer["ahead"]["state"]["item"] not in (None, *body.values())
    return told


def test_the_number_of_queries_is_the_same_for_any_queue(
    project: Project, reviewer: User, reviewer_client: Client, admin_user: User, fill: Callable
) -> None:
    fill(3, 2)
    few = measure(reviewer_client)
    fill(30, 12)
    for _ in range(8):
        name = f"busy{User.objects.count()}"
        busy = person(name)
        add_member(project, name, "reviewer")
        claims.next_item(project, busy)
        claims.skip(claims.next_item(project, reviewer).item_id, reviewer)
    claims.release(project, reviewer)
    claims.next_item(project, admin_user)
    many = measure(reviewer_client)
    assert many == few


@pytest.mark.parametrize("what", ["next", "ahead", "submit"])
def test_the_queries_are_the_ones_that_are_committed(
    project: Project, reviewer: User, fill: Callable, what: str
) -> None:
    fill(4, 4)
    lines = measure(signed_in(reviewer))[what]
    text = "".join(f"{line}\n" for line in lines)
    file = FOLDER / f"{what}.{connection.vendor}.txt"
    if os.environ.get("CHAINWRIGHT_REWRITE_QUERIES"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text)
    assert file.exists(), f"{file.name} is not there: see the top of this file for how to write it"
    assert text == file.read_text()
