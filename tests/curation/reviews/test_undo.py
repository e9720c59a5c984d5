"""What is taken back, and what stands again then."""

from collections.abc import Callable

import pytest

from curation.errors import Conflict
from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.questions.models import Question
from curation.rationales.models import Rationale
from curation.reviews.adjudication.adjudicate import adjudicate, undo_adjudication
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import Decision, Outcome, QueueStatus
from curation.reviews.queue.claims import claim
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from curation.reviews.submission.undo import undo
from tests.curation.reviews.reviewing import outcomes, review, status

Rationales = Callable[..., list[Rationale]]


def test_undo_before_the_last_review_and_after_it(
    two_reviews: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    review(two_reviews, reviewer, questions[0], "approve", "reject")
    review(two_reviews, admin_user, questions[0], "approve", "reject")
    assert undo(two_reviews, reviewer).item.question == questions[0]
    assert not Decision.objects.exists() and status(questions[0]) == QueueStatus.WAITING
    review(two_reviews, reviewer, questions[0], "reject", "reject")
    assert outcomes(questions[0]) == [None, Outcome.REJECTED]


def test_what_the_rule_had_approved_stands_again_after_an_undo(
    project: Project, reviewer: User, questions: list[Question]
) -> None:
    apply_rule(project)
    review(project, reviewer, questions[0], "reject", "reject")
    undo(project, reviewer)
    assert outcomes(questions[0]) == [Outcome.APPROVED, None]
    assert Decision.objects.get(rationale__question=questions[0]).rule == project.rubric


def test_an_undo_leaves_what_the_rule_decided_while_others_were_still_to_review(
    two_reviews: Project, reviewer: User, questions: list[Question]
) -> None:
    review(two_reviews, reviewer, questions[0], "reject", "reject")
    apply_rule(two_reviews)
    undo(two_reviews, reviewer)
    assert outcomes(questions[0]) == [Outcome.APPROVED, None]


def test_what_the_rule_had_approved_stands_again_after_an_admin_takes_their_word_back(
    two_reviews: Project, reviewer: User, third: User, admin_user: User, questions: list[Question]
) -> None:
    apply_rule(two_reviews)
    item = review(two_reviews, reviewer, questions[0], "approve", "-").item
    review(two_reviews, third, questions[0], "reject", "-")
    adjudicate(
        two_reviews,
        admin_user,
        item.pk,
        [ReviewInput(to_review(item)[0].pk, "reject", ["unclear"])],
    )
    undo_adjudication(two_reviews, admin_user, item.pk)
    assert outcomes(questions[0]) == [Outcome.APPROVED, None]


def test_an_undo_after_more_reviews_are_wanted_makes_room_for_them(
    project: Project, reviewer: User, questions: list[Question]
) -> None:
    review(project, reviewer, questions[0], "edit", "reject")
    set_overlap(project, 2)
    undo(project, reviewer)
    review(project, reviewer, questions[0], "edit", "reject")
    assert status(questions[0]) == QueueStatus.WAITING and not Decision.objects.exists()


def test_undo_leaves_what_was_said_when_the_question_was_here_before(
    project: Project, reviewer: User, questions: list[Question], make_rationales: Rationales
) -> None:
    review(project, reviewer, questions[0], "approve", "reject")
    (late,) = make_rationales(questions[0], ["A late one.\nAnswer: 3"])
    seat = claim(project, reviewer, questions[0])
    submit(project, reviewer, seat.item_id, [ReviewInput(late.pk, "approve")])
    undo(project, reviewer)
    assert not Decision.objects.filter(rationale=late).exists()
    assert Decision.objects.count() == 2


def test_an_admin_takes_back_their_own_last_word_and_nobody_elses(
    two_reviews: Project, reviewer: User, third: User, admin_user: User, questions: list[Question]
) -> None:
    item = review(two_reviews, reviewer, questions[0], "approve", "approve").item
    review(two_reviews, third, questions[0], "reject", "approve")
    disputed = to_review(item)[0]
    adjudicate(two_reviews, admin_user, item.pk, [ReviewInput(disputed.pk, "approve")])
    add_member(two_reviews, third.username, "admin")
    with pytest.raises(Conflict, match="nothing of yours"):
        undo_adjudication(two_reviews, third, item.pk)
    assert outcomes(questions[0]) == ["approved", "approved"]
    undo_adjudication(two_reviews, admin_user, item.pk)
    assert outcomes(questions[0]) == [None, "approved"]
