"""Several people review a question without seeing each other's words; an admin settles what they
disagree on; questions set aside for a person."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.questions.models import Question
from curation.rationales.models import Rationale, Score
from curation.reviews.adjudication.adjudicate import (
    adjudicate,
    flag_question,
    settle_flag,
    undo_adjudication,
    withdraw_flag,
)
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.bench.selectors import bench_of, nothing_for
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import (
    Decision,
    Outcome,
    QuestionFlag,
    QueueItem,
    QueueStatus,
    Review,
    Seat,
)
from curation.reviews.queue.assignments import assign, unassign
from curation.reviews.queue.claims import ahead, claim, next_item, others_hold, release, renew, skip
from curation.reviews.queue.items import enqueue, set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from curation.reviews.submission.undo import undo
from tests.conftest import person, score_now
from tests.curation.reviews.reviewing import outcomes, review, status

Rationales = Callable[..., list[Rationale]]
Questions = Callable[..., list[Question]]


def test_a_question_goes_to_as_many_people_as_the_project_wants_and_to_no_more(
    two_reviews: Project, reviewer: User, admin_user: User, third: User, questions: list[Question]
) -> None:
    first = [next_item(two_reviews, user).item for user in (reviewer, admin_user)]
    assert first[0] == first[1]
    assert next_item(two_reviews, third).item != first[0]
    with pytest.raises(Conflict, match=r"(ada|rudi) and (ada|rudi) work"):
        claim(two_reviews, third, first[0].question)


def test_the_data_base_refuses_a_seat_too_many_and_a_person_twice(
    two_reviews: Project, reviewer: User, questions: list[Question]
) -> None:
    seat = next_item(two_reviews, reviewer)
    other = seat.item.seats.exclude(pk=seat.pk).get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Seat.objects.filter(pk=other.pk).update(holder=reviewer, held_until=seat.held_until)
    with pytest.raises(IntegrityError), transaction.atomic():
        Seat.objects.create(project=two_reviews, item=seat.item, number=2)


def test_nobody_gets_what_they_have_reviewed(
    two_reviews: Project, reviewer: User, questions: list[Question]
) -> None:
    got = []
    while seat := next_item(two_reviews, reviewer):
        got.append(seat.item.question_id)
        submit(
            two_reviews,
            reviewer,
            seat.item_id,
            [ReviewInput(to_review(seat.item)[0].pk, "approve")],
        )
    assert sorted(got) == sorted(q.pk for q in questions)
    assert nothing_for(two_reviews, reviewer, others_hold(two_reviews, reviewer)).state == "others"
    with pytest.raises(Conflict, match="have reviewed"):
        claim(two_reviews, reviewer, questions[0])


def test_nothing_is_decided_before_the_last_review_and_nobody_sees_the_others(
    two_reviews: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    review(two_reviews, reviewer, questions[0], "edit", "reject")
    assert not Decision.objects.exists()
    seen = bench_of(claim(two_reviews, admin_user, questions[0]))
    assert len(seen.rationales) == 2 and not any(rationale.locked for rationale in seen.rationales)
    assert not any("rudi" in rationale.rationale.text for rationale in seen.rationales)


def test_what_all_say_is_decided(
    two_reviews: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    review(two_reviews, reviewer, questions[0], "approve", "reject")
    review(two_reviews, admin_user, questions[0], "approve", "reject")
    assert outcomes(questions[0]) == [Outcome.APPROVED, Outcome.REJECTED]
    assert status(questions[0]) == QueueStatus.DONE


@pytest.mark.parametrize(
    ("one", "other", "decided"),
    [
        (("approve", "reject"), ("approve", "approve"), [Outcome.APPROVED, None]),
        (("edit", "reject"), ("approve", "reject"), [None, Outcome.REJECTED]),
        (("approve", "-"), ("approve", "reject"), [Outcome.APPROVED, None]),
    ],
)
def test_what_they_do_not_agree_on_waits_for_an_admin(
    two_reviews: Project,
    reviewer: User,
    third: User,
    admin_user: User,
    questions: list[Question],
    one: tuple[str, str],
    other: tuple[str, str],
    decided: list[str | None],
) -> None:
    review(two_reviews, reviewer, questions[0], *one)
    review(two_reviews, third, questions[0], *other)
    assert outcomes(questions[0]) == decided
    assert status(questions[0]) == QueueStatus.ADJUDICATE
    with pytest.raises(Conflict, match="an admin decides"):
        claim(two_reviews, admin_user, questions[0])


def test_an_admin_has_the_last_word_once_and_can_take_it_back(
    two_reviews: Project, reviewer: User, third: User, admin_user: User, questions: list[Question]
) -> None:
    item = review(two_reviews, reviewer, questions[0], "approve", "reject").item
    review(two_reviews, third, questions[0], "reject", "reject")
    first = to_review(item)[0]
    with pytest.raises(PermissionDenied):
        adjudicate(two_reviews, reviewer, item.pk, [ReviewInput(first.pk, "approve")])
    adjudicate(two_reviews, admin_user, item.pk, [ReviewInput(first.pk, "approve")])
    assert outcomes(questions[0]) == [Outcome.APPROVED, Outcome.REJECTED]
    assert status(questions[0]) == QueueStatus.DONE
    with pytest.raises(Conflict):
        adjudicate(two_reviews, admin_user, item.pk, [ReviewInput(first.pk, "reject", ["unclear"])])
    with pytest.raises(Conflict, match="An admin has decided"):
        undo(two_reviews, third)
    undo_adjudication(two_reviews, admin_user, item.pk)
    assert outcomes(questions[0]) == [None, Outcome.REJECTED]
    assert status(questions[0]) == QueueStatus.ADJUDICATE
    assert Review.objects.filter(is_adjudication=True, withdrawn_at__isnull=False).count() == 1


def test_an_edit_needs_another_admin_and_takes_its_rationales_place(
    two_reviews: Project, reviewer: User, admin_user: User, third: User, questions: list[Question]
) -> None:
    item = review(two_reviews, admin_user, questions[0], "edit", "reject").item
    review(two_reviews, reviewer, questions[0], "edit", "reject")
    own, other = (Rationale.objects.get(author=user) for user in (admin_user, reviewer))
    with pytest.raises(Conflict, match="You wrote this"):
        adjudicate(two_reviews, admin_user, item.pk, [ReviewInput(own.pk, "approve")])
    adjudicate(two_reviews, admin_user, item.pk, [ReviewInput(other.pk, "approve")])
    assert Decision.objects.get(rationale=other).outcome == Outcome.APPROVED
    assert Decision.objects.get(rationale=other.parent).outcome == Outcome.SUPERSEDED
    assert Decision.objects.get(rationale=own).outcome == Outcome.REJECTED
    assert status(questions[0]) == QueueStatus.DONE


def test_a_rationale_of_ones_own_is_approved_or_waits_where_two_must_agree(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    own = ReviewInput(None, "approve", edited_text="1 + 2 = 3.\nAnswer: 3", is_best=True)
    seat = claim(project, reviewer, questions[0])
    (said,) = submit(project, reviewer, seat.item_id, [own])
    assert said.rationale.author == reviewer and said.rationale.parent is None and said.is_best
    assert said.rationale.decision.outcome == Outcome.APPROVED
    score_now(project)
    assert Rationale.objects.get(pk=said.rationale_id).score.correctness == 1
    set_overlap(project, 2)
    seat = claim(project, reviewer, questions[1])
    (said,) = submit(project, reviewer, seat.item_id, [own])
    review(project, admin_user, questions[1], "approve", "reject")
    assert status(questions[1]) == QueueStatus.ADJUDICATE
    assert apply_rule(project) and not Decision.objects.filter(rationale=said.rationale).exists()


def test_more_or_fewer_reviews_count_from_now_on(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    review(project, reviewer, questions[0], "approve", "reject")
    set_overlap(project, 3)
    assert questions[0].queue_item.seats.count() == 1  # what is done stays done
    assert questions[1].queue_item.seats.count() == 3
    review(project, reviewer, questions[1], "approve", "reject")
    set_overlap(project, 1)
    assert outcomes(questions[1]) == [Outcome.APPROVED, Outcome.REJECTED]
    assert status(questions[1]) == QueueStatus.DONE and status(questions[2]) == QueueStatus.WAITING
    assert questions[2].queue_item.seats.count() == 1


def test_the_next_question_is_held_ahead_and_both_come_back(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    held = Seat.objects.filter(holder=reviewer, done_at=None)
    now = next_item(project, reviewer)
    coming = ahead(project, reviewer, now.item_id)
    assert coming.item != now.item
    assert ahead(project, reviewer, now.item_id).item == coming.item  # asked twice, held once
    soon = timezone.now() + timedelta(seconds=5)
    Seat.objects.filter(holder=reviewer).update(held_until=soon)
    renew(now.item_id, reviewer)  # of both, and the one in hand stays the first
    assert all(until > soon for until in held.values_list("held_until", flat=True))
    assert next_item(project, reviewer).item == now.item
    submit(project, reviewer, now.item_id, [ReviewInput(to_review(now.item)[0].pk, "approve")])
    assert next_item(project, reviewer).item == coming.item
    release(project, reviewer)
    assert ahead(project, reviewer, coming.item_id) is None  # nothing in hand, nothing ahead
    assert next_item(project, admin_user).item == coming.item


def test_a_question_set_aside_comes_to_its_person_first_and_to_nobody_else(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    last = Question.objects.filter(pk=questions[2].pk)
    assert assign(project, reviewer, last) == 1
    assert assign(project, reviewer, last) == 0
    others = [next_item(project, admin_user).item.question, None]
    skip(questions[0].queue_item.pk, admin_user)
    others[1] = next_item(project, admin_user).item.question
    assert questions[2] not in others
    assert next_item(project, reviewer).item.question == questions[2]
    release(project, reviewer)
    assert unassign(project, reviewer) == 1
    skip(others[1].queue_item.pk, admin_user)
    assert next_item(project, admin_user).item.question == questions[2]


def test_shuffled_blind_and_hidden_as_the_project_wants(
    project: Project, reviewer: User, make_questions: Questions, make_rationales: Rationales
) -> None:
    Project.objects.filter(pk=project.pk).update(is_blind=True, is_shuffled=True)
    project.refresh_from_db()
    (question,) = make_questions(1)
    make_rationales(question, ["right", "wrong", "right", "wrong", "right", "wrong"])
    seat = claim(project, reviewer, question)
    first, again = bench_of(seat), bench_of(seat)
    order = [rationale.rationale.pk for rationale in first.rationales]
    assert order == [rationale.rationale.pk for rationale in again.rationales]
    assert order != [rationale.pk for rationale in to_review(seat.item)]
    assert {rationale.wrote for rationale in first.rationales} == {""} and first.is_shuffled


def test_each_reviewer_has_an_order_of_their_own(
    project: Project, reviewer: User, admin_user: User, third: User, make_questions: Questions,
    make_rationales: Rationales,
) -> None:  # fmt: skip
    Project.objects.update(is_shuffled=True)
    set_overlap(project, 3)
    project.refresh_from_db()
    (question,) = make_questions(1)
    make_rationales(question, ["right", "wrong", "right", "wrong", "right", "wrong"])
    orders = {
        tuple(
            rationale.rationale.pk
            for rationale in bench_of(claim(project, user, question)).rationales
        )
        for user in (reviewer, admin_user, third)
    }
    assert len(orders) == 3


def test_the_likeliest_good_rationale_stands_first_unless_shuffled(
    project: Project, reviewer: User, make_questions: Questions, make_rationales: Rationales
) -> None:
    (question,) = make_questions(1)
    made = make_rationales(question, ["wrong", "right", "wrong"])
    for rationale, overall in zip(made, (0.4, 0.9, 0.6), strict=True):
        Score.objects.filter(pk=rationale.pk).update(overall=overall)
    seen = bench_of(claim(project, reviewer, question)).rationales
    assert [rationale.rationale.pk for rationale in seen] == [made[1].pk, made[2].pk, made[0].pk]
    assert [rationale.likely_best for rationale in seen] == [True, False, False]


def test_nobody_reviews_their_own_edit_nor_sees_it_again(
    two_reviews: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    item = review(two_reviews, reviewer, questions[0], "edit", "reject").item
    edit = Rationale.objects.get(author=reviewer)
    assert next_item(two_reviews, reviewer).item != item
    for user in (reviewer, admin_user):  # also whoever names it in a request of their own
        if user == admin_user:
            claim(two_reviews, user, questions[0])
        with pytest.raises(Conflict):
            submit(two_reviews, user, item.pk, [ReviewInput(edit.pk, "approve")])
    assert not Review.objects.filter(rationale=edit).exists()


def test_a_flag_counts_once_and_is_settled_or_taken_back(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    flag = flag_question(project, reviewer, questions[0], "ambiguous")
    again = flag_question(project, reviewer, questions[0], "ambiguous", "Which Ann?")
    assert again.pk == flag.pk and QuestionFlag.objects.get().comment == "Which Ann?"
    with pytest.raises(Invalid, match="own words"):
        flag_question(project, reviewer, questions[0], "other")
    with pytest.raises(PermissionDenied):
        settle_flag(project, reviewer, flag.pk, "so be it")
    settle_flag(project, admin_user, flag.pk, "asked the author")
    with pytest.raises(Conflict):
        withdraw_flag(project, reviewer, flag.pk)
    withdraw_flag(project, reviewer, flag_question(project, reviewer, questions[1], "duplicate").pk)


def test_scoring_that_ends_late_does_not_open_what_was_settled_meanwhile(
    two_reviews: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    review(two_reviews, reviewer, questions[0], "approve", "reject")
    review(two_reviews, admin_user, questions[0], "reject", "reject")
    enqueue(two_reviews, [questions[0].pk])
    assert status(questions[0]) == QueueStatus.ADJUDICATE


def test_what_one_reviewer_said_is_not_lost_when_the_rest_is_decided_otherwise(
    two_reviews: Project, reviewer: User, questions: list[Question]
) -> None:
    review(two_reviews, reviewer, questions[0], "edit", "reject")
    rationales = Rationale.objects.filter(question=questions[0], source="teacher")
    for rationale in rationales:
        Decision.objects.update_or_create(
            rationale=rationale,
            defaults={
                "project": two_reviews, "outcome": "approved", "rule": two_reviews.rubric,
            },
        )  # fmt: skip
    enqueue(two_reviews, [questions[0].pk])
    assert status(questions[0]) == QueueStatus.ADJUDICATE


def test_a_long_scoring_run_that_began_before_makes_the_seats_that_are_wanted_now(
    project: Project, make_questions: Questions, make_rationales: Rationales
) -> None:
    Project.objects.filter(pk=project.pk).update(overlap=2)  # `project` still says 1
    (question,) = make_questions(1)
    make_rationales(question, ["right", "wrong"])
    assert question.queue_item.seats.count() == 2


def test_a_rationale_that_came_while_somebody_decided_brings_the_question_back(
    project: Project, reviewer: User, questions: list[Question], make_rationales: Rationales
) -> None:
    seat = claim(project, reviewer, questions[0])
    seen = to_review(seat.item)
    make_rationales(questions[0], ["A late one.\nAnswer: 3"])
    submit(project, reviewer, seat.item_id, [ReviewInput(seen[0].pk, "approve")])
    assert status(questions[0]) == QueueStatus.DONE
    enqueue(project, [questions[0].pk])  # what scoring the late one does in the end
    assert status(questions[0]) == QueueStatus.WAITING


def test_a_seat_that_is_left_when_fewer_reviews_are_enough_goes(
    project: Project,
    questions: list[Question],
    reviewer: User,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    tina = person("tina")
    add_member(project, "tina", "reviewer")
    set_overlap(project, 2)
    seat = claim(project, reviewer, questions[0])
    submit(
        project,
        reviewer,
        seat.item_id,
        [ReviewInput(c.pk, "approve") for c in to_review(seat.item)],
    )
    claim(project, tina, questions[0])
    set_overlap(project, 1)
    item = QueueItem.objects.get(pk=seat.item_id)
    assert item.status == "waiting"  # tina sits there
    with django_capture_on_commit_callbacks(execute=True):
        skip(item.pk, tina)
    item.refresh_from_db()
    assert item.status == "done" and item.seats.count() == 1


def test_an_admin_cannot_take_an_edit_that_its_author_took_back(
    two_reviews: Project, questions: list[Question], reviewer: User, third: User, admin_user: User
) -> None:
    """As from a page that was opened before."""
    seat = claim(two_reviews, reviewer, questions[0])
    first = to_review(seat.item)[0]
    submit(two_reviews, reviewer, seat.item_id, [ReviewInput(first.pk, "approve")])
    claim(two_reviews, third, questions[0])
    for text in ("Wrong.", "Right."):
        say = ReviewInput(first.pk, "edit", edited_text=f"{first.text} {text}")
        submit(two_reviews, third, seat.item_id, [say])
        if text == "Wrong.":
            undo(two_reviews, third)
    old, new = Rationale.objects.filter(parent=first).order_by("pk")
    with pytest.raises(Conflict, match="taken this rationale back"):
        adjudicate(two_reviews, admin_user, seat.item_id, [ReviewInput(old.pk, "approve")])
    adjudicate(two_reviews, admin_user, seat.item_id, [ReviewInput(new.pk, "approve")])
    told = dict(Decision.objects.values_list("rationale", "outcome"))
    assert told[new.pk] == Outcome.APPROVED and told.get(old.pk) != Outcome.APPROVED
