"""E10: deleting is soft, reaches every list, count, queue and export, and can be undone."""

from collections.abc import Callable

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import ForeignKey

from curation.api.api import api  # noqa: F401 (so that every address is there)
from curation.dashboard.selectors import counts_of
from curation.datasets.services import candidates, order_freeze, verify
from curation.datasets.services import freeze as freeze_now
from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.questions.models import Deletion, Kind, Question
from curation.questions.selectors import add_counts
from curation.questions.selectors import questions as question_list
from curation.rationales.generation.batches import Written, lease_batch, write_batch
from curation.rationales.generation.question_filter import Choice
from curation.rationales.listing.selectors import rationales as rationale_list
from curation.rationales.listing.selectors import teachers
from curation.rationales.models import Group, Rationale, Score, ScoreFlag, SlotStatus
from curation.rationales.scoring.scores import store_scores, waiting_groups
from curation.rationales.semantic_search import searches
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.bench.selectors import history, progress
from curation.reviews.deletion import runner
from curation.reviews.deletion.orders import (
    delete_one,
    order_deletion,
    order_restore,
    preview,
    restore_one,
    run_deletion,
)
from curation.reviews.models import Decision, DecisionLog, QueueItem, Review, Seat
from curation.reviews.queue.claims import claim, next_item, renew, skip
from curation.reviews.queue.controls import make_control
from curation.reviews.queue.items import set_overlap
from curation.reviews.reports.agreement import compared
from curation.reviews.reports.progress import progress_of
from curation.reviews.submission.submit import ReviewInput, submit
from curation.reviews.submission.undo import undo
from tests.curation.reviews.reviewing import outcomes, review, status

pytestmark = pytest.mark.django_db

Rationales = Callable[..., list[Rationale]]
Questions = Callable[..., list[Question]]


def delete(project: Project, admin: User, *what: Question | Rationale) -> list[Deletion]:
    kind = {Question: Kind.QUESTIONS, Rationale: Kind.RATIONALES}
    return [delete_one(project, admin, kind[type(one)], one.pk) for one in what]


@pytest.fixture
def first(questions: list[Question], project: Project, reviewer: User) -> Question:
    """A question whose right rationale is approved and whose wrong one is rejected."""
    review(project, reviewer, questions[0], "approve", "reject")
    return questions[0]


def test_a_deleted_question_is_in_no_list_count_or_choice(
    project: Project, admin_user: User, reviewer: User, first: Question
) -> None:
    rationales = list(Rationale.objects.filter(question=first))
    delete(project, admin_user, first)
    assert first not in question_list(project, {})
    assert first not in question_list(project, {"q": "eggs"})
    assert not rationale_list(project, {"q": "starts"}).filter(pk__in=[c.pk for c in rationales])
    assert rationale_list(project, {}).count() == 4
    counts = counts_of(project, project.rubric, fresh=True)
    assert (counts.questions, counts.rationales, counts.scored, counts.approved) == (2, 4, 4, 0)
    assert [line.written for line in counts.teachers] == [4]
    (line,) = teachers(project)
    assert (line.written, line.graded, line.approved) == (4, 4, 0)
    assert first not in Choice().questions(project)
    approved = {"selection": "approved", "teachers": [], "limit": None, "seed": 0}
    assert not candidates(project, approved)
    assert not candidates(project, {**approved, "selection": "unfiltered"}).filter(question=first)
    assert not list(history(project, reviewer))
    assert progress_of(project).statuses == {"waiting": 2}
    for model in (Score, ScoreFlag, Decision, Group, QueueItem):
        assert not [row for row in model.objects.filter(project=project) if _is_of(row, first)]


def _is_of(row: object, question: Question) -> bool:
    return getattr(row, "question_id", None) == question.pk or (
        hasattr(row, "rationale") and row.rationale.question_id == question.pk
    )


def test_all_that_belongs_to_a_project_and_a_rationale_or_question_goes_with_it() -> None:
    """A table that comes later says here which it is: it loses its project, or it stays as history."""
    goes = {*runner.OF_RATIONALE, *runner.OF_QUESTION, Rationale}
    stays = {"Review", "DecisionLog", "MeaningSearch", "TextCheck"}
    for model in apps.get_models():
        to = {f.related_model for f in model._meta.fields if isinstance(f, ForeignKey)}
        if Project in to and to & {Question, Rationale} and model not in goes:
            assert model.__name__ in stays, f"{model.__name__}: does it go with what is deleted?"
    for model in goes:
        assert model._meta.get_field("project").null, model


def test_a_restored_question_is_as_it_was(
    project: Project, admin_user: User, first: Question
) -> None:
    before = _state(project)
    (deletion,) = delete(project, admin_user, first)
    assert (deletion.deleted, deletion.rationales, deletion.status) == (1, 2, "done")
    assert _state(project) != before
    order_restore(deletion, admin_user)
    assert _state(project) == before
    deletion.refresh_from_db()
    assert (deletion.restored, deletion.restored_by) == (1, admin_user)


def _state(project: Project) -> object:
    counts = counts_of(project, project.rubric, fresh=True)
    counts.stale_groups = 0  # what came back is scored anew
    return (
        counts,
        sorted(Rationale.objects.filter(project=project).values_list("pk")),
        sorted(QueueItem.objects.filter(project=project).values_list("pk", "status", "rank")),
        sorted(
            Seat.objects.filter(project=project).values_list(
                "item", "number", "holder", "done_at", "assigned_to"
            ),
            key=repr,
        ),
        sorted(Decision.objects.filter(project=project).values_list("pk", "outcome", "review")),
    )


def test_the_history_says_nothing_of_decisions_that_only_went_with_a_question(
    project: Project, admin_user: User, first: Question
) -> None:
    before = list(DecisionLog.objects.values())
    (deletion,) = delete(project, admin_user, first)
    order_restore(deletion, admin_user)
    assert list(DecisionLog.objects.values()) == before


def test_a_claim_on_a_deleted_question_ends_with_a_clear_conflict(
    project: Project, admin_user: User, reviewer: User, questions: list[Question]
) -> None:
    seat = claim(project, reviewer, questions[0])
    rationale = to_review(seat.item)[0]
    (deletion,) = delete(project, admin_user, questions[0])
    with pytest.raises(Conflict, match="ada deleted this question"):
        submit(project, reviewer, seat.item_id, [ReviewInput(rationale.pk, "approve")])
    with pytest.raises(Conflict):
        renew(seat.item_id, reviewer)
    with pytest.raises(Conflict):
        skip(seat.item_id, reviewer)
    assert next_item(project, reviewer).item_id != seat.item_id
    order_restore(deletion, admin_user)
    review(project, reviewer, questions[0], "approve", "approve")
    assert outcomes(questions[0]) == ["approved", "approved"]


def test_open_seats_vanish_and_come_back_with_those_to_whom_they_were_assigned(
    project: Project, admin_user: User, reviewer: User, questions: list[Question]
) -> None:
    Seat.objects.filter(item__question=questions[0]).update(assigned_to=reviewer)
    deletions = delete(project, admin_user, *questions)
    assert not Seat.objects.filter(project=project) and next_item(project, reviewer) is None
    for deletion in deletions:
        order_restore(deletion, admin_user)
    assert Seat.objects.filter(project=project).count() == 3
    assert next_item(project, reviewer).item.question_id == questions[0].pk


def test_a_question_that_comes_back_has_the_seats_that_are_wanted_by_then(
    project: Project, admin_user: User, reviewer: User, third: User, questions: list[Question]
) -> None:
    set_overlap(project, 2)
    review(project, reviewer, questions[0], "approve", "approve")
    more, fewer = delete(project, admin_user, questions[1], questions[0])
    set_overlap(project, 3)
    order_restore(more, admin_user)
    assert Seat.objects.filter(item__question=questions[1], done_at=None).count() == 3
    set_overlap(project, 1)
    order_restore(fewer, admin_user)  # its one review is all that is wanted now
    assert status(questions[0]) == "done" and outcomes(questions[0]) == ["approved", "approved"]


def test_what_people_did_stays_counted(
    project: Project, admin_user: User, reviewer: User, first: Question
) -> None:
    assert progress(project, reviewer).today == 1
    delete(project, admin_user, first)
    assert progress(project, reviewer).today == 1
    assert Review.objects.filter(project=project, reviewer=reviewer).count() == 2
    with pytest.raises(Conflict, match="nothing to undo"):
        undo(project, reviewer)


def test_a_dataset_that_was_frozen_before_keeps_its_bytes(
    project: Project, admin_user: User, first: Question
) -> None:
    version = freeze_now(order_freeze(project, admin_user, enqueue=False).pk)
    delete(project, admin_user, first)
    assert version.example_count == 1 and verify(version)
    with pytest.raises(Conflict, match="No rationale is approved"):
        order_freeze(project, admin_user, enqueue=False)


def test_agreement_is_not_counted_of_deleted_questions(
    two_reviews: Project, admin_user: User, reviewer: User, third: User, questions: list[Question]
) -> None:
    for person in (reviewer, third):
        review(two_reviews, person, questions[0], "approve", "reject")
    assert len(list(compared(two_reviews))) == 4
    (deletion,) = delete(two_reviews, admin_user, questions[0])
    assert not list(compared(two_reviews))
    order_restore(deletion, admin_user)
    assert len(list(compared(two_reviews))) == 4


def test_the_same_question_can_be_added_again_and_then_the_old_one_stays_deleted(
    project: Project, admin_user: User, make_questions: Questions
) -> None:
    (old,) = make_questions(1, question="How many?")
    (deletion,) = delete(project, admin_user, old)
    (new,) = make_questions(1, question="How many?")
    assert new.pk != old.pk
    with pytest.raises(Conflict, match="same question was added again"):
        order_restore(deletion, admin_user)
    delete(project, admin_user, new)
    order_restore(deletion, admin_user)
    assert list(question_list(project, {})) == [old]


# Single rationales


def test_a_deleted_rationale_leaves_its_question_and_is_compared_with_no_more(
    project: Project, admin_user: User, first: Question
) -> None:
    right, wrong = to_review(first.queue_item)
    (deletion,) = delete(project, admin_user, wrong)
    assert to_review(first.queue_item) == [right]
    add_counts(project, [found := Question.objects.get(pk=first.pk)])
    assert (found.rationale_count, found.approved_count) == (1, 1)
    (group,) = waiting_groups(project.pk, 10)  # its scores hang on the rationales beside it
    assert group.question_id == first.pk
    order_restore(deletion, admin_user)
    assert to_review(first.queue_item) == [right, wrong] and outcomes(first)[1] == "rejected"


def test_a_question_with_nothing_left_to_decide_leaves_the_queue_and_comes_back(
    project: Project, admin_user: User, reviewer: User, questions: list[Question]
) -> None:
    held = claim(project, reviewer, questions[0])
    rationales = to_review(held.item)
    deletions = delete(project, admin_user, *rationales)
    assert status(questions[0]) == "done"
    assert next_item(project, reviewer).item_id != held.item_id
    for deletion in deletions:
        order_restore(deletion, admin_user)
    assert status(questions[0]) == "waiting"
    review(project, reviewer, questions[0], "approve", "reject")


def test_a_dispute_over_a_deleted_rationale_is_none_and_is_one_again(
    two_reviews: Project, admin_user: User, reviewer: User, third: User, questions: list[Question]
) -> None:
    review(two_reviews, reviewer, questions[0], "approve", "reject")
    review(two_reviews, third, questions[0], "reject", "reject")
    assert status(questions[0]) == "adjudicate"
    disputed = to_review(questions[0].queue_item)[0]
    (deletion,) = delete(two_reviews, admin_user, disputed)
    assert status(questions[0]) == "done"
    order_restore(deletion, admin_user)
    assert status(questions[0]) == "adjudicate"


def test_deciding_on_a_rationale_that_was_deleted_meanwhile_is_a_conflict(
    project: Project, admin_user: User, reviewer: User, questions: list[Question]
) -> None:
    seat = claim(project, reviewer, questions[0])
    one, other = to_review(seat.item)
    delete(project, admin_user, one)
    with pytest.raises(Conflict, match="deleted one of these rationales"):
        submit(
            project,
            reviewer,
            seat.item_id,
            [ReviewInput(one.pk, "approve"), ReviewInput(other.pk, "approve")],
        )
    submit(project, reviewer, seat.item_id, [ReviewInput(other.pk, "approve")])


def test_a_rationale_comes_back_after_its_question_not_before(
    project: Project, admin_user: User, questions: list[Question]
) -> None:
    rationale = to_review(questions[0].queue_item)[0]
    of_rationale, of_question = delete(project, admin_user, rationale, questions[0])
    with pytest.raises(Conflict, match="restore the question first"):
        order_restore(of_rationale, admin_user)
    order_restore(of_question, admin_user)
    assert rationale not in to_review(questions[0].queue_item)  # it was deleted before by itself
    order_restore(of_rationale, admin_user)
    assert rationale in to_review(questions[0].queue_item)


def test_a_deleted_rationale_is_no_part_of_a_control(
    project: Project, admin_user: User, reviewer: User, first: Question
) -> None:
    delete(project, admin_user, to_review(first.queue_item)[1])
    control = make_control(project, admin_user, first)
    assert list(control.verdicts.values()) == ["approve"]


def test_a_file_imported_again_does_not_bring_a_deleted_rationale_back(
    project: Project, admin_user: User, make_questions: Questions
) -> None:
    from curation.questions.formats import RationaleRow, Row
    from curation.rationales.importing import add_imported

    (question,) = make_questions(1)
    row = Row(line=1, question=question.text, rationales=(RationaleRow("strong", "It is 3."),))
    assert add_imported(project, [(question, row)]) == 1
    delete(project, admin_user, Rationale.objects.get(question=question))
    assert add_imported(project, [(question, row)]) == 0
    assert not Rationale.objects.filter(question=question)


# What is under way


def test_a_run_leaves_deleted_questions_out_and_writes_none_of_their_rationales(
    project: Project, admin_user: User, teacher: object, make_questions: Questions
) -> None:
    from curation.rationales.generation.orders import order_run, retry_failed

    first, second = make_questions(2)
    run = order_run(project, admin_user, teachers=[teacher], temperatures=[0.5])
    _, batch, slots = lease_batch(run, 10)
    (deletion,) = delete(project, admin_user, first)
    assert write_batch(run, batch, [Written(slot.pk, "It is 3.") for slot in slots]) == 1
    assert list(Rationale.all_objects.values_list("question", flat=True)) == [second.pk]
    slot = run.slots.get(question=first)
    assert slot.status == SlotStatus.FAILED and slot.error == "Its question was deleted."
    with pytest.raises(Conflict):
        retry_failed(run)
    order_restore(deletion, admin_user)
    assert retry_failed(run) == 1


def test_scores_that_come_after_the_deletion_stay_out_of_the_counts(
    project: Project, admin_user: User, make_questions: Questions, make_rationales: Rationales
) -> None:
    (question,) = make_questions(1)
    kept, gone = make_rationales(question, ["right", "wrong"])
    scores = {one.pk: _score(one) for one in (kept, gone)}
    groups = [Group.objects.get(question=question)]
    delete(project, admin_user, gone)
    store_scores(groups, scores, "new")
    assert set(Score.objects.filter(project=project).values_list("pk", flat=True)) == {kept.pk}


def _score(rationale: Rationale) -> dict:
    from curation.rationales.scoring.scores import SCORES

    return {name: getattr(rationale.score, name) for name in SCORES} | {"flags": [], "steps": []}


def test_a_restored_text_gets_its_vector_anew(
    project: Project, admin_user: User, questions: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searches, "LATE", 0)
    rationales = list(Rationale.objects.order_by("pk"))
    searches.store(project, "rationale", "m", [searches.Vector(c.pk, b"00") for c in rationales])
    (deletion,) = delete(project, admin_user, questions[0])
    assert len(searches.stored(project.pk, "rationale", "m", 0, 99)) == 4
    order_restore(deletion, admin_user)
    assert list(searches.missing(project, "rationale", "m")) == rationales[:2]


# Many at once


def test_all_that_a_filter_keeps_is_previewed_deleted_and_restored_as_one(
    project: Project, admin_user: User, first: Question, make_questions: Questions
) -> None:
    (bakery,) = make_questions(1, domain="bakery")
    told = preview(project, "questions", {"domain": "shop"})
    assert (told.total, told.rationales, told.approved) == (3, 6, 1)
    (late,) = make_questions(1)
    deletion = order_deletion(
        project, admin_user, "questions", {"domain": "shop"}, until=told.until, why="of no use"
    )
    assert set(question_list(project, {})) == {bakery, late}
    restore_one(deletion, admin_user, first.pk)
    assert first in question_list(project, {})
    order_restore(deletion, admin_user)
    deletion.refresh_from_db()
    assert question_list(project, {}).count() == 5 and deletion.restored == 3
    with pytest.raises(Conflict):
        order_restore(deletion, admin_user)


def test_rationales_are_deleted_by_the_filters_of_their_list(
    project: Project, admin_user: User, questions: list[Question]
) -> None:
    told = preview(project, "rationales", {"answer": "wrong"})
    order_deletion(project, admin_user, "rationales", {"answer": "wrong"}, until=told.until)
    assert told.total == 3 and rationale_list(project, {}).count() == 3
    assert not rationale_list(project, {"answer": "wrong"})


def test_many_are_a_workers_who_goes_on_where_another_died(
    project: Project,
    admin_user: User,
    questions: list[Question],
    monkeypatch: pytest.MonkeyPatch,
    wake_ups: Callable[[str], int],
    django_capture_on_commit_callbacks: Callable,
) -> None:
    monkeypatch.setattr("curation.reviews.deletion.orders.INLINE", 0)
    monkeypatch.setattr(runner, "AT_ONCE", 1)
    with django_capture_on_commit_callbacks(execute=True):
        deletion = order_deletion(project, admin_user, "questions", {}, until=questions[-1].pk)
    assert wake_ups("quick") == 1 and question_list(project, {}).count() == 3
    took, dies = runner._take_questions, iter([False, True])

    def take(*args: object) -> tuple[int, int]:
        if next(dies, False):
            raise KeyboardInterrupt
        return took(*args)

    monkeypatch.setattr(runner, "_take_questions", take)
    with pytest.raises(KeyboardInterrupt):
        run_deletion(deletion.pk)
    assert question_list(project, {}).count() == 2
    Deletion.objects.filter(pk=deletion.pk).update(status="waiting")
    run_deletion(deletion.pk)
    deletion.refresh_from_db()
    assert (deletion.status, deletion.deleted) == ("done", 3) and not question_list(project, {})


def test_who_is_no_admin_any_more_deletes_nothing(
    project: Project, admin_user: User, reviewer: User, stranger: User, questions: list[Question]
) -> None:
    for user in (reviewer, stranger):
        with pytest.raises(PermissionDenied):
            delete_one(project, user, "questions", questions[0].pk)
    (deletion,) = delete(project, admin_user, questions[0])
    with pytest.raises(PermissionDenied):
        order_restore(deletion, reviewer)
    Deletion.objects.filter(pk=deletion.pk).update(
        status="waiting", created_by=reviewer, last=None, one=None, until=questions[-1].pk
    )
    run_deletion(deletion.pk)
    deletion.refresh_from_db()
    assert deletion.status == "failed" and question_list(project, {}).count() == 2


def test_what_cannot_be_deleted_is_said(
    project: Project, admin_user: User, stranger: User, questions: list[Question]
) -> None:
    with pytest.raises(Invalid):
        preview(project, "teachers", {})
    with pytest.raises(Invalid):
        preview(project, "questions", {"split": "nowhere"})
    with pytest.raises(Invalid):
        delete_one(project, admin_user, "questions", questions[0].pk, why="x" * 301)
    elsewhere = Project.objects.get(slug="elsewhere")
    with pytest.raises(Conflict, match="nothing to delete"):
        delete_one(elsewhere, stranger, "questions", questions[0].pk)
    assert Question.objects.filter(pk=questions[0].pk)


def test_a_double_click_deletes_once(
    project: Project, admin_user: User, questions: list[Question]
) -> None:
    pk = questions[0].pk
    one = delete_one(project, admin_user, "questions", pk, order_key="k")
    assert delete_one(project, admin_user, "questions", pk, order_key="k") == one
    with pytest.raises(Conflict), transaction.atomic():
        delete_one(project, admin_user, "questions", pk)
