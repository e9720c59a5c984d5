"""Claims and decisions: one person at a time, one decision a rationale, nothing lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, Score, ScoringRun
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import Decision, Outcome, QueueItem, QueueStatus, Reason, Review, Skip
from curation.reviews.queue.claims import claim, next_item, others_hold, release, renew, skip
from curation.reviews.queue.items import enqueue, pull_forward
from curation.reviews.submission.submit import ReviewInput, submit
from curation.reviews.submission.undo import undo
from tests.conftest import score_now
from workers.scoring.tasks import score

Rationales = Callable[..., list[Rationale]]


@pytest.fixture
def question(
    make_questions: Callable[..., list[Question]], make_rationales: Rationales
) -> Question:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong"])
    return made


@pytest.fixture
def second(
    question: Question, make_questions: Callable[..., list[Question]], make_rationales: Rationales
):
    (made,) = make_questions(1)
    make_rationales(made, ["right", "right"])
    return made


def lease_runs_out(item: QueueItem) -> None:
    item.seats.update(held_until=timezone.now() - timedelta(seconds=1))


def approve_all(project: Project, user: User) -> list[Review]:
    item = next_item(project, user).item
    return submit(project, user, item.pk, [ReviewInput(r.pk, "approve") for r in to_review(item)])


def test_where_teachers_disagree_comes_first(
    project: Project, reviewer: User, second: Question, question: Question
) -> None:
    item = next_item(project, reviewer).item
    assert item.question == question and item.reason == "teachers disagree"


def test_two_people_never_get_the_same_question(
    project: Project, reviewer: User, admin_user: User, question: Question, second: Question
) -> None:
    assert next_item(project, reviewer).item != next_item(project, admin_user).item


def test_a_person_keeps_the_question_they_hold(
    project: Project, reviewer: User, question: Question, second: Question
) -> None:
    assert next_item(project, reviewer) == next_item(project, reviewer)


def test_nothing_free_says_when_a_claim_may_come_back(
    project: Project, reviewer: User, admin_user: User, question: Question
) -> None:
    held = next_item(project, reviewer)
    assert next_item(project, admin_user) is None
    assert others_hold(project, admin_user) == held.held_until
    lease_runs_out(held.item)
    assert next_item(project, admin_user) == held


def test_a_claim_is_renewed_by_its_holder_only(
    project: Project, reviewer: User, admin_user: User, question: Question
) -> None:
    item = next_item(project, reviewer).item
    assert renew(item.pk, reviewer) > timezone.now()
    with pytest.raises(Conflict):
        renew(item.pk, admin_user)
    release(project, reviewer)
    assert next_item(project, admin_user).item == item


def test_a_skipped_question_goes_to_somebody_else_and_not_back(
    project: Project, reviewer: User, admin_user: User, question: Question
) -> None:
    item = next_item(project, reviewer).item
    skip(item.pk, reviewer, "too hard")
    assert Skip.objects.get().reason == "too hard"
    assert next_item(project, reviewer) is None
    assert next_item(project, admin_user).item == item


def test_a_question_that_somebody_holds_cannot_be_claimed(
    project: Project, reviewer: User, admin_user: User, question: Question
) -> None:
    next_item(project, reviewer)
    with pytest.raises(Conflict, match="rudi"):
        claim(project, admin_user, question)


def test_decisions_follow_and_the_question_is_done(
    project: Project, reviewer: User, question: Question
) -> None:
    item = next_item(project, reviewer).item
    right, wrong = to_review(item)
    submit(
        project,
        reviewer,
        item.pk,
        [
            ReviewInput(right.pk, "approve"),
            ReviewInput(wrong.pk, "reject", ["wrong_answer"], step_labels={"1": -1}),
        ],
        seconds=20,
    )
    outcomes = dict(Decision.objects.values_list("rationale_id", "outcome"))
    assert outcomes == {right.pk: Outcome.APPROVED, wrong.pk: Outcome.REJECTED}
    assert set(Review.objects.values_list("seconds", flat=True)) == {10.0}
    assert next_item(project, reviewer) is None


def test_the_same_submission_again_is_a_conflict_and_one_row(
    project: Project, reviewer: User, question: Question
) -> None:
    item = next_item(project, reviewer).item
    says = [ReviewInput(r.pk, "approve") for r in to_review(item)]
    submit(project, reviewer, item.pk, says)
    with pytest.raises(Conflict):
        submit(project, reviewer, item.pk, says)
    assert Review.objects.count() == 2


def test_who_no_longer_holds_the_question_cannot_decide(
    project: Project, reviewer: User, admin_user: User, question: Question
) -> None:
    item = next_item(project, reviewer).item
    says = [ReviewInput(to_review(item)[0].pk, "approve")]
    lease_runs_out(item)
    next_item(project, admin_user)
    with pytest.raises(Conflict, match="ran out"):
        submit(project, reviewer, item.pk, says)
    assert not Review.objects.exists()


def test_a_decided_rationale_cannot_be_decided_again_and_the_first_is_named(
    project: Project,
    reviewer: User,
    admin_user: User,
    question: Question,
    make_rationales: Rationales,
) -> None:
    approve_all(project, reviewer)
    make_rationales(question, ["right, and new\nAnswer: 3"])
    item = next_item(project, admin_user).item
    decided = next(r for r in to_review(item) if hasattr(r, "decision"))
    with pytest.raises(Conflict, match="rudi has decided"):
        submit(project, admin_user, item.pk, [ReviewInput(decided.pk, "reject", ["unclear"])])


def test_an_edit_is_a_new_rationale_with_its_parent_and_supersedes_it(
    project: Project, reviewer: User, question: Question
) -> None:
    item = next_item(project, reviewer).item
    wrong = to_review(item)[1]
    submit(
        project,
        reviewer,
        item.pk,
        [ReviewInput(wrong.pk, "edit", edited_text="1 + 2 = 3.\nAnswer: 3")],
    )
    edit = Rationale.objects.get(parent=wrong)
    assert (edit.author, edit.source) == (reviewer, "person")
    assert edit.decision.outcome == Outcome.APPROVED
    wrong = Rationale.objects.get(pk=wrong.pk)
    assert wrong.decision.outcome == Outcome.SUPERSEDED
    assert "1 + 2" not in wrong.text


def test_a_superseded_rationale_cannot_be_approved(
    project: Project,
    reviewer: User,
    admin_user: User,
    question: Question,
    make_rationales: Rationales,
) -> None:
    item = next_item(project, reviewer).item
    wrong = to_review(item)[1]
    submit(
        project,
        reviewer,
        item.pk,
        [ReviewInput(wrong.pk, "edit", edited_text="Better.\nAnswer: 3")],
    )
    make_rationales(question, ["Another way.\nAnswer: 3"])
    again = claim(project, admin_user, question)
    with pytest.raises(Conflict, match="edit"):
        submit(project, admin_user, again.item_id, [ReviewInput(wrong.pk, "approve")])


@pytest.mark.parametrize(
    ("say", "message"),
    [
        ({"verdict": "maybe"}, "no verdict"),
        ({"verdict": "reject"}, "Say why"),
        ({"verdict": "reject", "reasons": ["ugly"]}, "no such reason"),
        ({"verdict": "reject", "reasons": ["other"]}, "needs a comment"),
        ({"verdict": "edit"}, "empty"),
        ({"verdict": "approve", "comment": "a\0b"}, "NUL"),
        ({"verdict": "approve", "step_labels": {"1": 7}}, "labelled"),
        ({"verdict": "reject", "reasons": ["unclear"], "is_best": True}, "rejected one"),
    ],
)
def test_what_is_no_decision_is_refused_and_changes_nothing(
    project: Project, reviewer: User, question: Question, say: dict, message: str
) -> None:
    item = next_item(project, reviewer).item
    with pytest.raises(Invalid, match=message):
        submit(project, reviewer, item.pk, [ReviewInput(to_review(item)[0].pk, **say)])
    assert not Review.objects.exists()


def test_only_one_rationale_of_a_question_is_the_best(
    project: Project, reviewer: User, question: Question
) -> None:
    item = next_item(project, reviewer).item
    with pytest.raises(Invalid, match="one rationale is the best"):
        submit(
            project, reviewer, item.pk,
            [ReviewInput(rationale.pk, "approve", is_best=True) for rationale in to_review(item)],
        )  # fmt: skip
    assert not Review.objects.exists()


@pytest.mark.parametrize("reason", [one for one in Reason if one != Reason.OTHER])
def test_every_reason_of_a_rejection_is_kept_with_its_comment(
    reason: str, project: Project, reviewer: User, question: Question
) -> None:
    item = next_item(project, reviewer).item
    first = to_review(item)[0]
    submit(
        project,
        reviewer,
        item.pk,
        [ReviewInput(first.pk, "reject", [reason, "other"], "own words")],
    )
    said = Review.objects.get()
    assert (said.reasons, said.comment) == ([reason, "other"], "own words")


def test_step_labels_are_those_of_prm800k_and_kept_by_step(
    project: Project, reviewer: User, question: Question
) -> None:
    item = next_item(project, reviewer).item
    labels = {"1": 1, "2": 0, "3": -1}
    submit(
        project,
        reviewer,
        item.pk,
        [ReviewInput(to_review(item)[0].pk, "approve", step_labels=labels)],
    )
    assert Review.objects.get().step_labels == labels


def test_an_edit_is_scored_at_once(
    project: Project,
    reviewer: User,
    question: Question,
    wake_ups: Callable[[str], int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    item = next_item(project, reviewer).item
    wrong = to_review(item)[1]
    with django_capture_on_commit_callbacks(execute=True):
        edit = ReviewInput(wrong.pk, "edit", edited_text="1 + 2 = 3.\nAnswer: 3")
        (said,) = submit(project, reviewer, item.pk, [edit])
    assert wake_ups("cpu") == 1
    score(ScoringRun.objects.get(status="waiting").pk)
    assert Score.objects.get(rationale=said.edited).correctness == 1
    assert Score.objects.get(rationale=wrong).correctness == 0


def test_a_rationale_of_another_question_is_refused_whole(
    project: Project, reviewer: User, question: Question, second: Question
) -> None:
    item = next_item(project, reviewer).item
    mine, foreign = to_review(item)[0], Rationale.objects.exclude(question=item.question).first()
    with pytest.raises(Invalid, match="does not belong"):
        submit(
            project,
            reviewer,
            item.pk,
            [ReviewInput(mine.pk, "approve"), ReviewInput(foreign.pk, "approve")],
        )
    assert not Review.objects.exists()


def test_undo_gives_the_question_back_and_keeps_the_history(
    project: Project, reviewer: User, question: Question
) -> None:
    approve_all(project, reviewer)
    seat = undo(project, reviewer)
    assert seat.item.question == question and seat.holder == reviewer
    assert not Decision.objects.exists()
    assert Review.objects.filter(withdrawn_at__isnull=False).count() == 2
    approve_all(project, reviewer)
    assert Review.objects.count() == 4


def test_undo_of_an_edit_takes_the_edit_out(
    project: Project, reviewer: User, question: Question
) -> None:
    item = next_item(project, reviewer).item
    first = to_review(item)[0]
    submit(
        project,
        reviewer,
        item.pk,
        [ReviewInput(first.pk, "edit", edited_text="Other words.\nAnswer: 3")],
    )
    item = undo(project, reviewer).item
    assert {r.parent_id for r in to_review(item)} == {None}


def test_undo_reaches_back_over_several_questions(
    project: Project, reviewer: User, question: Question, second: Question
) -> None:
    approve_all(project, reviewer)
    approve_all(project, reviewer)
    assert undo(project, reviewer).item.question == second
    assert undo(project, reviewer).item.question == question
    with pytest.raises(Conflict, match="nothing to undo"):
        undo(project, reviewer)


def test_the_rule_approves_what_passes_and_says_so(project: Project, question: Question) -> None:
    assert apply_rule(project) == 1
    decision = Decision.objects.get()
    assert decision.outcome == Outcome.APPROVED and decision.rule == project.rubric
    assert decision.decided_by.startswith("rule")
    assert apply_rule(project) == 0


def test_a_persons_word_replaces_the_rules_and_the_rule_does_not_come_back(
    project: Project, reviewer: User, question: Question
) -> None:
    apply_rule(project)
    item = claim(project, reviewer, question).item
    right = to_review(item)[0]
    submit(project, reviewer, item.pk, [ReviewInput(right.pk, "reject", ["unclear"])])
    right.refresh_from_db()
    assert (right.decision.outcome, right.decision.rule) == (Outcome.REJECTED, None)
    assert apply_rule(project) == 0


def test_new_rationales_bring_a_done_question_back(
    project: Project, reviewer: User, question: Question, make_rationales: Rationales
) -> None:
    approve_all(project, reviewer)
    make_rationales(question, ["Another way.\nAnswer: 3"])
    assert next_item(project, reviewer).item.question == question


def test_rescoring_changes_no_decision(
    project: Project, reviewer: User, question: Question
) -> None:
    approve_all(project, reviewer)
    before = list(Decision.objects.values_list("rationale_id", "outcome"))
    enqueue(project, [question.pk])
    assert list(Decision.objects.values_list("rationale_id", "outcome")) == before
    assert QueueItem.objects.get().status == QueueStatus.DONE


def test_an_edit_that_was_taken_back_does_not_bring_its_question_back(
    project: Project, reviewer: User, question: Question
) -> None:
    item = next_item(project, reviewer).item
    edited = to_review(item)[0]
    submit(
        project,
        reviewer,
        item.pk,
        [ReviewInput(edited.pk, "edit", edited_text="So: 3.\nAnswer: 3")],
    )
    score_now(project)
    undo(project, reviewer)
    approve_all(project, reviewer)
    enqueue(project, [question.pk])
    assert QueueItem.objects.get().status == QueueStatus.DONE


def test_a_kind_at_which_the_student_fails_comes_to_the_front_once(
    project: Project, question: Question
) -> None:
    rank = QueueItem.objects.get().rank
    pull_forward(project, ["shop"], "the student fails at this kind")
    pull_forward(project, ["shop"], "the student fails at this kind")
    item = QueueItem.objects.get()
    assert item.rank == rank + 2 and item.reason == "the student fails at this kind"
