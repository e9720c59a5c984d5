"""What a reviewer may not know makes no difference to anything they get: not to a count, an order, a chip
or what a filter keeps. The worlds differ in one secret alone, and every place looks the same in all of them.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction

from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.reviews.queue.claims import claim
from curation.reviews.submission.submit import ReviewInput, submit
from tests.conftest import person, score_now
from tests.curation.api.api_calls import no_brake
from tests.curation.reviews.test_visibility import as_often_as_they_like, looked_at
from tests.curation.reviews.visible_places import Eyes
from tests.curation.reviews.visible_world import OPEN, World, made_world, rationales_of

__all__ = ["as_often_as_they_like", "no_brake"]  # fixtures for every test of this file
Make = Callable[..., list[Any]]
# What is another in each answer: moments, tokens against forgery, keys of orders.
MOMENTS = re.compile(
    r"\d{4}-\d\d-\d\d[T ][0-9:.,+Z]*|\b[A-Za-z0-9]{64}\b|\b[0-9a-f]{32}\b|[\d.,]+ ?s\b"
)
# An edit is scored, and that scores are made is no secret; the pages of the lists say so.
SCORING = re.compile(r"page|API GET \S+/scoring")


def says(world: World, who: User, verdict: str) -> None:
    """One more person says something of the open question, for which one more is asked then."""
    first, second = rationales_of(world.questions[OPEN])
    seat = claim(world.project, who, world.questions[OPEN])
    other = "approve" if verdict == "reject" else "reject"
    said = [
        ReviewInput(first.pk, verdict, ["unclear"] * (verdict == "reject"), edited_text="It is 3."),
        ReviewInput(second.pk, other, ["wrong_step"] * (other == "reject"), comment="Look at it."),
    ]
    submit(world.project, who, seat.item_id, said)
    score_now(world.project)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="ids of other databases are not rolled back"
)
@pytest.mark.parametrize("verdicts", [("approve", "reject"), ("approve", "edit")], ids="-".join)
def test_what_another_reviewer_said_of_an_open_question_makes_no_difference(
    verdicts: tuple[str, str],
    project: Project,
    admin_user: User,
    reviewer: User,
    make_questions: Make,
) -> None:
    world = made_world(project, admin_user, reviewer, make_questions)
    olga = person("olga")
    add_member(project, "olga", "reviewer")
    places = [one for one in looked_at(world) if one.verb == "GET"]
    if "edit" in verdicts:
        places = [one for one in places if not SCORING.match(one.name)]
    eyes = Eyes(world.people["nina"], world.tokens["nina"])
    seen: list[list[str]] = []
    for verdict in verdicts:
        cache.clear()
        with transaction.atomic():
            says(world, olga, verdict)
            seen.append([MOMENTS.sub("", eyes.look(place)) for place in places])
            transaction.set_rollback(True)
    different = {
        f"{place.name} {place.query}: {_difference(*told)}"
        for place, *told in zip(places, *seen, strict=True)
        if len(set(told)) > 1
    }
    assert not different, "\n".join(sorted(different))


def _difference(one: str, other: str) -> str:
    """Where they part, in a few words of each."""
    place = next(
        (n for n, pair in enumerate(zip(one, other, strict=False)) if len(set(pair)) > 1), 0
    )
    return f"{one[place - 30 : place + 50]!r} or {other[place - 30 : place + 50]!r}"
