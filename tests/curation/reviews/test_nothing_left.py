"""“Nothing left” is never said while something may still come to a person; each end says which it is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.rationales.scoring.scores import mark_stale
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.bench.selectors import nothing_for
from curation.reviews.models import Seat
from curation.reviews.queue.assignments import assign
from curation.reviews.queue.claims import claim, free_seat, next_item, others_hold, release, skip
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from tests.conftest import person

Make = Callable[..., list[Any]]


@pytest.fixture
def question(make_questions: Make, make_rationales: Make) -> Any:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong"])
    return made


def say(project: Project, user: User, question: Any, *verdicts: str) -> None:
    seat = claim(project, user, question)
    says = [
        ReviewInput(rationale.pk, verdict, ["unclear"] if verdict == "reject" else [])
        for rationale, verdict in zip(to_review(seat.item), verdicts, strict=True)
    ]
    submit(project, user, seat.item_id, says)


def state(project: Project, user: User) -> str:
    assert next_item(project, user) is None
    return nothing_for(project, user, others_hold(project, user)).state


def test_what_another_holds_may_come_back_with_its_time(
    project: Project, question: Any, admin_user: User, reviewer: User
) -> None:
    seat = next_item(project, admin_user)
    assert state(project, reviewer) == "held"
    assert others_hold(project, reviewer) == seat.held_until


def test_what_was_given_back_between_asking_and_looking_is_no_end(
    project: Project, question: Any, admin_user: User, reviewer: User
) -> None:
    next_item(project, admin_user)
    assert next_item(project, reviewer) is None
    release(project, admin_user)  # just now: the seat is free, and nobody holds anything
    until = others_hold(project, reviewer)
    assert until <= timezone.now() and nothing_for(project, reviewer, until).state == "held"
    assert next_item(project, reviewer).item.question == question


@pytest.mark.parametrize("how", ["ran out", "freed by an admin"])
def test_a_claim_that_ended_is_there_for_the_next(
    how: str, project: Project, question: Any, admin_user: User, reviewer: User
) -> None:
    seat = next_item(project, admin_user)
    if how == "ran out":
        past = timezone.now() - timedelta(seconds=1)
        Seat.objects.filter(pk=seat.pk).update(held_until=past)
    else:
        free_seat(project, seat.pk)
    assert next_item(project, reviewer).item_id == seat.item_id


def test_what_another_holds_of_a_question_that_i_have_reviewed_does_not_come_to_me(
    project: Project, question: Any, admin_user: User, reviewer: User
) -> None:
    set_overlap(project, 2)
    say(project, reviewer, question, "approve", "reject")
    assert next_item(project, admin_user) is not None
    assert state(project, reviewer) == "others"


def test_what_is_set_aside_for_another_does_not_come_to_me(
    project: Project, question: Any, admin_user: User, reviewer: User
) -> None:
    assign(project, admin_user, project.questions.all())
    next_item(project, admin_user)
    assert state(project, reviewer) == "others"


def test_what_i_skipped_does_not_come_to_me(
    project: Project, question: Any, admin_user: User, reviewer: User
) -> None:
    seat = next_item(project, reviewer)
    skip(seat.item_id, reviewer)
    next_item(project, admin_user)
    assert state(project, reviewer) == "skipped"


def test_rationales_that_are_being_scored_are_on_their_way(
    project: Project, question: Any, reviewer: User, reviewer_client: Client
) -> None:
    say(project, reviewer, question, "approve", "reject")
    assert state(project, reviewer) == "done"
    mark_stale(project, [question.pk])
    assert state(project, reviewer) == "scoring"
    answer = reviewer_client.get(reverse("review_next", args=["eggs"])).json()
    assert "More is being scored" in answer["html"] and answer["state"]["poll"]


def test_a_disagreement_that_waits_for_an_admin_is_not_done(
    project: Project,
    question: Any,
    admin_user: User,
    reviewer: User,
    admin_client: Client,
    reviewer_client: Client,
) -> None:
    set_overlap(project, 2)
    tina = person("tina")
    add_member(project, "tina", "reviewer")
    say(project, reviewer, question, "approve", "reject")
    say(project, tina, question, "reject", "approve")
    assert state(project, reviewer) == "adjudicate"
    bench, address = reverse("review", args=["eggs"]), reverse("adjudication", args=["eggs"])
    assert address in admin_client.get(bench).content.decode()
    assert address not in reviewer_client.get(bench).content.decode()
