"""What an admin does to all rationales that a filter keeps: preview, doing, undoing, and what stays."""

import pytest

from curation import celery_app
from curation.errors import Conflict, Invalid
from curation.jobs import Status
from curation.projects.models import Membership, Rubric
from curation.projects.services import remove_member
from curation.rationales.models import Group, Rationale, ScoringRun
from curation.reviews.bulk import orders, runner
from curation.reviews.bulk.orders import order_bulk, order_undo, preview
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import BulkAction, Decision, DecisionLog, QueueItem, Seat
from curation.reviews.queue.claims import claim, next_item
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from curation.reviews.submission.undo import undo


@pytest.fixture
def questions(make_questions, make_rationales):
    made = make_questions(4)
    for question in made:
        make_rationales(question, ["right", "wrong"])
    return made


def outcomes(**filters):
    rows = Decision.objects.filter(**filters).order_by("pk")
    return {row.rationale_id: (row.outcome, row.review_id, row.rule_id) for row in rows}


def say(project, user, rationale, verdict="approve", **fields):
    seat = claim(project, user, rationale.question)
    return submit(project, user, seat.item_id, [ReviewInput(rationale.pk, verdict, **fields)])[0]


def do(project, user, kind, filters=(), **fields):
    filters = dict(filters)
    until = preview(project, kind, filters).until
    return order_bulk(project, user, kind, filters, until=until, **fields)


def right(project):
    return Rationale.objects.filter(project=project, score__verdict="right").order_by("pk")


def test_the_preview_says_what_would_change_and_what_stays(
    project, admin_user, reviewer, questions, make_questions, make_rationales
):
    first, second = right(project)[:2]
    say(project, reviewer, first, "reject", reasons=["unclear"])
    rule = project.rubric
    Decision.objects.create(rationale=second, project=project, outcome="approved", rule=rule)
    make_rationales(make_questions(1, split="eval")[0], ["right"])
    counted = preview(project, "approve", {"answer": "right"})
    assert (counted.total, counted.changed) == (5, 2)
    assert counted.kept == [
        (1, "decided by people"),
        (1, "of held out questions"),
        (1, "that already"),
    ]
    assert preview(project, "reject", {"answer": "right"}).changed == 3
    assert preview(project, "rescore", {}).questions == 5


def test_a_bulk_decision_does_what_was_previewed_and_names_its_admin(
    project, admin_user, reviewer, questions
):
    first, *others = right(project)
    said = say(project, reviewer, first, "reject", reasons=["unclear"])
    action = do(project, admin_user, "approve", {"answer": "right"}, comment="sure")
    assert (action.status, action.seen, action.changed, action.expected) == ("done", 4, 3, 3)
    assert outcomes() == {
        first.pk: ("rejected", said.pk, None),
        **{one.pk: ("approved", None, None) for one in others},
    }
    assert others[0].decision.decided_by == "ada, with many others"
    assert set(DecisionLog.objects.filter(bulk=action).values_list("rationale", flat=True)) == {
        one.pk for one in others
    }


def test_undo_puts_back_what_it_changed_and_nothing_that_was_changed_since(
    project, admin_user, reviewer, questions
):
    apply_rule(project)
    by_rule = outcomes()
    assert len(by_rule) == 4
    one, two, *_ = right(project)
    undecided = Rationale.objects.filter(project=project, score__verdict="wrong").first()
    seat = claim(project, reviewer, one.question)
    action = do(project, admin_user, "reject", {}, reasons=["unclear"])
    assert action.changed == 8
    (review,) = submit(project, reviewer, seat.item_id, [ReviewInput(one.pk, "approve")])
    later = do(project, admin_user, "approve", {"q": '"2 + 2 = 4"'})
    assert Decision.objects.get(pk=two.pk).bulk_id == later.pk
    order_undo(action, admin_user)
    action.refresh_from_db()
    after = outcomes()
    assert after.pop(one.pk) == ("approved", review.pk, None)
    assert Decision.objects.get(pk=two.pk).bulk_id == later.pk and after.pop(two.pk)
    assert undecided.pk not in after
    assert after == {pk: by_rule[pk] for pk in by_rule if pk not in (one.pk, two.pk)}
    assert action.put_back == 6 and action.undone_by == admin_user
    with pytest.raises(Conflict):
        order_undo(action, admin_user)
    order_undo(later, admin_user)
    # What stood before both, not what the undone one had made of it.
    assert outcomes()[two.pk] == by_rule[two.pk]


def test_what_it_cleared_comes_back(project, admin_user, reviewer, questions):
    apply_rule(project)
    before = list(Decision.objects.order_by("pk").values())
    action = do(project, admin_user, "clear")
    assert action.changed == 4 and not Decision.objects.exists()
    assert DecisionLog.objects.filter(bulk=action, outcome="").count() == 4
    review = say(project, reviewer, right(project)[0], "approve")
    order_undo(action, admin_user)
    after = list(Decision.objects.order_by("pk").values())
    assert after[0]["review_id"] == review.pk
    for was, now in zip(before[1:], after[1:], strict=True):
        assert {**was, "decided_at": None} == {**now, "decided_at": None}
        assert abs((was["decided_at"] - now["decided_at"]).total_seconds()) < 5


def test_questions_leave_the_queue_with_their_last_rationale_and_come_back_by_undo(
    project, admin_user, reviewer, questions
):
    action = do(project, admin_user, "reject", {"answer": "wrong"}, reasons=["wrong_answer"])
    assert QueueItem.objects.filter(status="waiting").count() == 4
    second = do(project, admin_user, "approve", {"answer": "right"})
    assert QueueItem.objects.filter(status="done").count() == 4
    assert next_item(project, reviewer) is None
    order_undo(second, admin_user)
    assert QueueItem.objects.filter(status="waiting").count() == 4
    assert next_item(project, reviewer) is not None and action.changed == 4


def test_undo_reopens_a_question_that_had_one_of_its_two_reviews(
    project, admin_user, reviewer, questions
):
    set_overlap(project, 2)
    first, *_ = questions
    seat = claim(project, reviewer, first)
    rationale = first.rationales.first()
    submit(project, reviewer, seat.item_id, [ReviewInput(rationale.pk, "approve")])
    item = QueueItem.objects.get(question=first)
    action = do(project, admin_user, "approve", {})
    assert QueueItem.objects.get(pk=item.pk).status != "waiting"
    order_undo(action, admin_user)
    item.refresh_from_db()
    seats = [(s.number, s.holder, s.done_at is None) for s in item.seats.order_by("number")]
    assert item.status == "waiting"
    assert seats == [(1, reviewer, False), (2, None, True)]
    assert QueueItem.objects.filter(status="waiting").count() == 4


def test_undo_leaves_a_question_that_people_had_done(project, admin_user, reviewer, questions):
    first, *_ = questions
    seat = claim(project, reviewer, first)
    submit(project, reviewer, seat.item_id, [ReviewInput(first.rationales.first().pk, "approve")])
    order_undo(do(project, admin_user, "approve", {}), admin_user)
    assert QueueItem.objects.get(question=first).status == "done"


def test_a_persons_word_replaces_it_until_it_is_taken_back(
    project, admin_user, reviewer, questions
):
    rationale = right(project)[0]
    action = do(project, admin_user, "reject", {"answer": "right"}, reasons=["unclear"])
    review = say(project, reviewer, rationale, "approve")
    assert Decision.objects.get(pk=rationale.pk).review_id == review.pk
    undo(project, reviewer)
    assert Decision.objects.get(pk=rationale.pk).bulk_id == action.pk


def test_rationales_that_came_after_the_preview_stay_out(
    project, admin_user, questions, make_questions, make_rationales
):
    until = preview(project, "approve", {}).until
    (later,) = make_rationales(make_questions(1)[0], ["right"])
    action = order_bulk(project, admin_user, "approve", {}, until=until)
    assert action.changed == 8 and later.pk not in outcomes()


def test_many_are_a_workers_and_go_on_where_one_died(
    project, admin_user, questions, monkeypatch, wake_ups, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(orders, "INLINE", 2)
    monkeypatch.setattr(runner, "AT_ONCE", 3)
    with django_capture_on_commit_callbacks(execute=True):
        action = do(project, admin_user, "approve", {"answer": "right"})
    assert action.status == "waiting" and not outcomes() and wake_ups(celery_app.QUICK) == 1

    with monkeypatch.context() as dying:
        dying.setattr(runner, "enqueue", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            orders.run_bulk(action.pk)
    assert not outcomes() and BulkAction.objects.get().seen == 0
    BulkAction.objects.update(status=Status.WAITING)

    came_to = runner._came_to

    def cancelled_after(*given, **counts):
        came_to(*given, **counts)
        BulkAction.objects.update(status=Status.CANCELLED)

    with monkeypatch.context() as cancelling:
        cancelling.setattr(runner, "_came_to", cancelled_after)
        orders.run_bulk(action.pk)
    assert len(outcomes()) == 3  # the step after that changed nothing
    orders.resume_bulk(action)
    orders.run_bulk(action.pk)
    action.refresh_from_db()
    assert (action.status, action.changed, action.seen) == ("done", 4, 4) and len(outcomes()) == 4


def test_rescoring_and_assigning_many(project, admin_user, reviewer, questions):
    action = do(project, admin_user, "rescore", {"answer": "wrong"})
    assert action.changed == 4 and ScoringRun.objects.filter(project=project).count() == 1
    assert all(group.revision > group.scored for group in Group.objects.all())
    with pytest.raises(Conflict):
        order_undo(action, admin_user)
    action = do(project, admin_user, "assign", {"answer": "right"}, person=reviewer)
    assert Seat.objects.filter(assigned_to=reviewer).count() == action.changed == 4
    seat = next_item(project, reviewer)
    Seat.objects.filter(pk=seat.pk).update(done_at=action.created_at)
    order_undo(action, admin_user)
    action.refresh_from_db()
    assert Seat.objects.filter(assigned_to=reviewer).count() == 1 and action.put_back == 3


def test_what_makes_no_sense_is_refused(project, admin_user, stranger, questions):
    with pytest.raises(Invalid):
        do(project, admin_user, "delete")
    with pytest.raises(Invalid):
        do(project, admin_user, "reject")
    with pytest.raises(Invalid):
        do(project, admin_user, "assign", person=stranger)
    with pytest.raises(Invalid):
        do(project, admin_user, "approve", {"text__regex": "."} | {"answer": "maybe"})
    with pytest.raises(Conflict):
        do(project, admin_user, "approve", {"q": "nowhere"})
    assert not BulkAction.objects.exists()


def test_who_lost_the_right_meanwhile_changes_nothing(
    project, admin_user, reviewer, questions, monkeypatch
):
    Membership.objects.filter(user=reviewer).update(role="admin")
    monkeypatch.setattr(orders, "INLINE", 2)
    action = do(project, reviewer, "approve")
    remove_member(project, reviewer.pk)
    orders.run_bulk(action.pk)
    action.refresh_from_db()
    assert action.status == "failed" and "no longer" in action.error and not outcomes()


def test_a_decision_has_one_origin_and_the_rule_keeps_its_rubric(project, admin_user, questions):
    apply_rule(project)
    action = do(project, admin_user, "reject", {"answer": "right"}, reasons=["unclear"])
    assert {row.rule_id for row in Decision.objects.all()} == {None}
    assert Rubric.objects.count() == 1 and action.changed == 4


def test_a_persons_word_that_comes_between_the_look_and_the_deed_stays(
    project, admin_user, reviewer, questions, monkeypatch
):
    rationale = right(project)[0]
    lock = runner.lock_items

    def said_meanwhile(ids):
        monkeypatch.setattr(runner, "lock_items", lock)
        said_meanwhile.review = say(project, reviewer, rationale, "approve")
        lock(ids)

    monkeypatch.setattr(runner, "lock_items", said_meanwhile)
    action = do(project, admin_user, "reject", {"answer": "right"}, reasons=["unclear"])
    decision = Decision.objects.get(pk=rationale.pk)
    assert (decision.outcome, decision.review) == ("approved", said_meanwhile.review)
    assert (action.expected, action.changed) == (4, 3)
