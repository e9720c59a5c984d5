"""Claims: which of them live on, and what goes to others."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from curation.errors import Conflict
from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.questions.models import Question
from curation.rationales.models import Rationale
from curation.reviews.models import Seat
from curation.reviews.queue.assignments import assign
from curation.reviews.queue.claims import (
    ahead,
    claim,
    free_seat,
    held_by,
    leave,
    next_item,
    renew,
    skip,
)
from tests.conftest import person

Rationales = Callable[..., list[Rationale]]
Questions = Callable[..., list[Question]]


def test_renewing_the_question_in_hand_does_not_revive_another_claim_that_ran_out(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    now = next_item(project, reviewer)
    coming = ahead(project, reviewer, now.item_id)
    Seat.objects.filter(pk=coming.pk).update(held_until=timezone.now() - timedelta(seconds=1))
    renew(now.item_id, reviewer)
    assert next_item(project, admin_user).item == coming.item


def test_a_skipped_question_that_was_set_aside_goes_to_others(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    assign(project, reviewer, Question.objects.filter(pk=questions[2].pk))
    seat = next_item(project, reviewer)
    assert seat.item.question == questions[2]
    skip(seat.item_id, reviewer)
    given = []
    while seat := next_item(project, admin_user):  # from the queue: they need not know of it
        given.append(seat.item.question)
        skip(seat.item_id, admin_user)
    assert questions[2] in given


def test_a_refused_claim_keeps_what_one_holds(
    project: Project, questions: list[Question], reviewer: User
) -> None:
    tina = person("tina")
    add_member(project, "tina", "reviewer")
    mine = claim(project, reviewer, questions[0])
    claim(project, tina, questions[1])
    with pytest.raises(Conflict, match="works on this question"):
        claim(project, reviewer, questions[1])
    held = held_by(project, reviewer)
    assert held is not None and held.pk == mine.pk


def test_leaving_does_not_lengthen_a_claim_that_ends_sooner(
    project: Project, reviewer: User, questions: list[Question]
) -> None:
    seat = next_item(project, reviewer)
    soon = timezone.now() + timedelta(seconds=5)
    Seat.objects.filter(pk=seat.pk).update(held_until=soon)
    leave(seat.item_id, reviewer)
    assert Seat.objects.get(pk=seat.pk).held_until == soon


def test_a_claim_that_ran_out_is_nobodys_to_take_away(
    project: Project, reviewer: User, questions: list[Question]
) -> None:
    """The one who was slow may still send what they typed, where nobody else has begun."""
    seat = next_item(project, reviewer)
    Seat.objects.filter(pk=seat.pk).update(held_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Conflict, match="Nobody holds"):
        free_seat(project, seat.pk)
    assert Seat.objects.get(pk=seat.pk).holder == reviewer


@pytest.mark.parametrize("split", ["eval", "ood"])
def test_a_held_out_question_is_nobodys_to_review(
    split: str,
    project: Project,
    reviewer: User,
    make_questions: Questions,
    make_rationales: Rationales,
) -> None:
    (held_out,) = make_questions(1, split=split)
    make_rationales(held_out, ["right", "wrong"])
    assert next_item(project, reviewer) is None
    with pytest.raises(Conflict, match="not in the queue"):
        claim(project, reviewer, held_out)
