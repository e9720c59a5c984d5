"""Who may see what, at every place there is: each page, operation, fragment, download and filter, found
by itself, is looked at by each kind of person, and what they find there is compared with the table
of rules in curation/reviews/visibility.py.

A new page or operation is covered as it is; one whose address cannot be filled in fails with its name
(see visible_places.py). A new kind of secret is a mark in visible_world.py and a row in the table.
"""

import itertools
import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from curation.projects.models import Project, User
from curation.reviews import visibility
from curation.web import rate_limit
from curation.webhooks.models import WebhookDelivery
from tests.curation.api.api_calls import no_brake
from tests.curation.reviews.visible_places import ALIKE, Eyes, Place, places
from tests.curation.reviews.visible_world import (
    ARE_SETTLED,
    OPEN,
    RUDI_SAID,
    WAIT,
    Mark,
    World,
    made_world,
)

__all__ = ["no_brake"]  # a fixture for every test of this file
Make = Callable[..., list[Any]]

BENCH = re.compile(
    r"page (review|adjudicate_question)|API \w+ \S+/(review/|adjudications/)|\S+/claim$"
)
BENCH_JSON = re.compile(r"API POST \S+(/review/|/claim$)")
EVALUATIONS = re.compile(r"page (evaluation|dashboard)|API GET \S+/evaluations")
# What a cell allows, by the name of the place.
CELLS: dict[str, Callable[[str, Mark], bool]] = {
    "never": lambda place, mark: False,
    "-": lambda place, mark: False,
    "yes": lambda place, mark: True,
    "may": lambda place, mark: True,
    "settled": lambda place, mark: mark.state in ARE_SETTLED,
    "figures": lambda place, mark: EVALUATIONS.match(place) is not None,
    "no bench": lambda place, mark: BENCH.match(place) is None,
    "no JSON": lambda place, mark: BENCH_JSON.match(place) is None,
}
MUST_BE_FOUND = {"yes", "no bench", "figures", "no JSON", "settled"}
LOOKERS = ("rudi", "nina", "ada", "sam", "fred", "nobody")
OF_NO_PROJECT = {"name of a token"}  # so a former member has it as before
# Words are looked for that stand in texts: one of each kind and state.
SEARCHED = {"edit", "own rationale", "deleted text", "comment", "thought"}


def table() -> dict[tuple[str, str], str]:
    """The rules by kind of mark and column, as curation/reviews/visibility.py states them."""
    lines = iter((visibility.__doc__ or "").partition("\n::\n\n")[2].splitlines())
    text = itertools.takewhile(str.strip, lines)
    head, *rows = [re.split(r"\s{2,}", line.strip()) for line in text]
    return {(row[0], column): cell for row in rows for column, cell in zip(head, row, strict=True)}


def column_of(who: str, mark: Mark) -> str:
    if mark.author == who and (who != "fred" or mark.kind in OF_NO_PROJECT):
        return "author"
    if who not in ("ada", "rudi", "nina"):
        return "stranger"
    if who == "ada":
        return "admin"
    if mark.state in ARE_SETTLED:
        return "settled"
    return "after" if who == "rudi" and mark.state in RUDI_SAID else "before"


@pytest.fixture(autouse=True)
def as_often_as_they_like(no_brake: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for limit in vars(rate_limit).values():
        if isinstance(limit, rate_limit.Limit):
            monkeypatch.setattr(limit, "most", 10**9)
    logging.disable(logging.WARNING)  # of the many requests that are refused
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def world(project: Project, admin_user: User, reviewer: User, make_questions: Make) -> World:
    return made_world(project, admin_user, reviewer, make_questions)


def looked_at(world: World) -> list[Place]:
    words = {(m.kind, m.state): m.asked for m in world.marks if m.kind in SEARCHED}
    reviewers = {mark.state: mark.author for mark in world.marks if mark.kind == "reviewer"}
    return places(sorted(words.values()), sorted({*reviewers.values(), "rudi"}))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("who", LOOKERS)
def test_everybody_finds_what_the_table_says_and_nothing_else(who: str, world: World) -> None:
    rules, found = table(), Counter[Mark]()
    assert {mark.kind for mark in world.marks} == {kind for kind, _ in rules}
    eyes = Eyes(world.people.get(who), world.tokens.get(who, ""))
    wrong = set()
    is_stranger, seen = column_of(who, world.marks[0]) == "stranger", Counter[str]()
    for place in looked_at(world):
        seen[place.name] += 1
        if is_stranger and seen[place.name] > ALIKE:
            continue  # nothing below the project is theirs, whichever object it is
        for mark in world.marks_in(eyes.look(place)):
            found[mark] += 1
            cell = rules[mark.kind, column_of(who, mark)]
            if not CELLS[cell](place.name, mark):
                wrong.add(f"{place.name} {place.query}: {mark.kind} {mark.state} ({cell})")
    assert not wrong, "\n".join(sorted(wrong))
    shown = {(mark.kind, column_of(who, mark)) for mark in found}
    must = {(mark.kind, column_of(who, mark)) for mark in world.marks}
    must = {(kind, column) for kind, column in must if rules[kind, column] in MUST_BE_FOUND}
    assert must <= shown, f"{who} does not find {sorted(must - shown)}"


def test_webhooks_are_told_what_the_table_says(world: World) -> None:
    rules = table()
    bodies = "\n".join(WebhookDelivery.objects.values_list("body", flat=True))
    found = world.marks_in(bodies)
    wrong = [m for m in found if not CELLS[rules[m.kind, "webhook"]]("webhook", m)]
    assert found and not wrong
    told = [
        one for body in bodies.splitlines() for one in json.loads(body)["data"].get("decisions", ())
    ]
    silent = [world.questions[state].pk for state in (OPEN, WAIT)]
    assert told and not {one["question"] for one in told} & set(silent)
