"""Several people review a question without seeing each other's words; an admin settles what they
disagree on; control questions and questions set aside for a person."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.questions.models import Question
from curation.rationales.models import Rationale
from curation.reviews.adjudication import (
    adjudicate,
    flag_question,
    settle_flag,
    undo_adjudication,
    withdraw_flag,
)
from curation.reviews.claims import ahead, claim, next_item, others_hold, release, renew, skip
from curation.reviews.controls import drop_control, make_control
from curation.reviews.models import (
    Decision,
    Outcome,
    QuestionFlag,
    QueueItem,
    QueueStatus,
    Review,
    Seat,
)
from curation.reviews.queueing import assign, enqueue, pull_forward, set_overlap, unassign
from curation.reviews.selectors import bench_of, nothing_for
from curation.reviews.services import Say, apply_rule, submit, to_review, undo
from tests.conftest import person, score_now

Chains = Callable[..., list[Rationale]]
Questions = Callable[..., list[Question]]


@pytest.fixture
def third(project: Project) -> User:
    made = person("tina")
    add_member(project, "tina", "reviewer")
    return made


@pytest.fixture
def questions(make_questions: Questions, make_rationales: Chains) -> list[Question]:
    made = make_questions(3)
    for question in made:
        make_rationales(question, ["right", "wrong"])
    return made


@pytest.fixture
def two_reviews(project: Project, questions: list[Question]) -> Project:
    set_overlap(project, 2)
    return project


def review(project: Project, user: User, question: Question, *verdicts: str) -> Seat:
    """`user` says one verdict of each chain of the question, best scored first; "-" says nothing."""
    seat = claim(project, user, question)
    says = []
    for chain, verdict in zip(to_review(seat.item), verdicts, strict=False):
        if verdict == "edit":
            says.append(Say(chain.pk, "edit", edited_text=f"{user} says 3.\nAnswer: 3"))
        elif verdict != "-":
            why = ["unclear"] if verdict == "reject" else []
            says.append(Say(chain.pk, verdict, why))
    submit(project, user, seat.item_id, says)
    return seat


def outcomes(question: Question) -> list[str | None]:
    """What is decided of the teachers' chains, in the order of `review`."""
    chains = Rationale.objects.filter(question=question, source="teacher")
    found = {c.pk: getattr(c, "decision", None) for c in chains.select_related("decision")}
    order = [c.pk for c in to_review(question.queue_item) if c.pk in found]
    return [found[pk] and found[pk].outcome for pk in order]


def status(question: Question) -> str:
    return QueueItem.objects.get(question=question).status


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
        submit(two_reviews, reviewer, seat.item_id, [Say(to_review(seat.item)[0].pk, "approve")])
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
    assert len(seen.chains) == 2 and not any(chain.locked for chain in seen.chains)
    assert not any("rudi" in chain.rationale.text for chain in seen.chains)


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
        adjudicate(two_reviews, reviewer, item.pk, [Say(first.pk, "approve")])
    adjudicate(two_reviews, admin_user, item.pk, [Say(first.pk, "approve")])
    assert outcomes(questions[0]) == [Outcome.APPROVED, Outcome.REJECTED]
    assert status(questions[0]) == QueueStatus.DONE
    with pytest.raises(Conflict):
        adjudicate(two_reviews, admin_user, item.pk, [Say(first.pk, "reject", ["unclear"])])
    with pytest.raises(Conflict, match="An admin has decided"):
        undo(two_reviews, third)
    undo_adjudication(two_reviews, admin_user, item.pk)
    assert outcomes(questions[0]) == [None, Outcome.REJECTED]
    assert status(questions[0]) == QueueStatus.ADJUDICATE
    assert Review.objects.filter(is_adjudication=True, withdrawn_at__isnull=False).count() == 1


def test_an_edit_needs_another_admin_and_takes_its_chains_place(
    two_reviews: Project, reviewer: User, admin_user: User, third: User, questions: list[Question]
) -> None:
    item = review(two_reviews, admin_user, questions[0], "edit", "reject").item
    review(two_reviews, reviewer, questions[0], "edit", "reject")
    own, other = (Rationale.objects.get(author=user) for user in (admin_user, reviewer))
    with pytest.raises(Conflict, match="You wrote this"):
        adjudicate(two_reviews, admin_user, item.pk, [Say(own.pk, "approve")])
    adjudicate(two_reviews, admin_user, item.pk, [Say(other.pk, "approve")])
    assert Decision.objects.get(rationale=other).outcome == Outcome.APPROVED
    assert Decision.objects.get(rationale=other.parent).outcome == Outcome.SUPERSEDED
    assert Decision.objects.get(rationale=own).outcome == Outcome.REJECTED
    assert status(questions[0]) == QueueStatus.DONE


def test_undo_before_the_last_review_and_after_it(
    two_reviews: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    review(two_reviews, reviewer, questions[0], "approve", "reject")
    review(two_reviews, admin_user, questions[0], "approve", "reject")
    assert undo(two_reviews, reviewer).item.question == questions[0]
    assert not Decision.objects.exists() and status(questions[0]) == QueueStatus.WAITING
    review(two_reviews, reviewer, questions[0], "reject", "reject")
    assert outcomes(questions[0]) == [None, Outcome.REJECTED]


def test_a_chain_of_ones_own_is_approved_or_waits_where_two_must_agree(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    own = Say(None, "approve", edited_text="1 + 2 = 3.\nAnswer: 3", is_best=True)
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
    now = next_item(project, reviewer)
    coming = ahead(project, reviewer, now.item_id)
    assert coming.item != now.item
    assert ahead(project, reviewer, now.item_id).item == coming.item  # asked twice, held once
    renew(now.item_id, reviewer)
    assert next_item(project, reviewer).item == now.item
    submit(project, reviewer, now.item_id, [Say(to_review(now.item)[0].pk, "approve")])
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


@pytest.fixture
def control(
    project: Project, admin_user: User, make_questions: Questions, make_rationales: Chains
) -> Question:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong"])
    review(project, admin_user, made, "approve", "reject")
    make_control(project, admin_user, made)
    Project.objects.filter(pk=project.pk).update(control_percent=50)
    project.refresh_from_db()
    return made


def test_a_control_looks_like_any_question_and_decides_nothing(
    project: Project, reviewer: User, control: Question, questions: list[Question]
) -> None:
    before = list(Decision.objects.order_by("pk").values())
    got = []
    while seat := next_item(project, reviewer):
        shown = bench_of(seat)
        assert len(shown.chains) == 2 and not any(chain.locked for chain in shown.chains)
        got.append(seat.item.question)
        if seat.item.question == control:
            says = [Say(c.rationale.pk, "reject", ["unclear"]) for c in shown.chains]
            assert all(r.is_control for r in submit(project, reviewer, seat.item_id, says))
            assert (
                list(Decision.objects.filter(rationale__question=control).order_by("pk").values())
                == before
            )
        else:
            review(project, reviewer, seat.item.question, "approve", "reject")
    assert got.count(control) == 1 and len(got) == 4


def test_a_control_can_be_taken_back_skipped_and_dropped(
    project: Project,
    reviewer: User,
    admin_user: User,
    control: Question,
    questions: list[Question],
    make_questions: Questions,
) -> None:
    while (seat := next_item(project, reviewer)).item.question != control:
        review(project, reviewer, seat.item.question, "approve", "reject")
    submit(project, reviewer, seat.item_id, [Say(to_review(seat.item)[0].pk, "approve")])
    assert undo(project, reviewer).item.question == control
    skip(seat.item_id, reviewer)
    assert next_item(project, reviewer).item.question != control
    drop_control(project, control)
    assert status(control) == QueueStatus.DONE
    with pytest.raises(Conflict, match="no control"):
        drop_control(project, control)
    with pytest.raises(Conflict, match="decided"):
        make_control(project, admin_user, make_questions(1)[0])


def test_who_made_the_control_does_not_meet_it(
    project: Project, admin_user: User, control: Question
) -> None:
    assert next_item(project, admin_user) is None


def test_a_half_decided_question_is_no_control_since_it_would_show_fewer_chains(
    project: Project, admin_user: User, questions: list[Question]
) -> None:
    review(project, admin_user, questions[0], "approve", "-")
    with pytest.raises(Conflict, match="every chain"):
        make_control(project, admin_user, questions[0])


def test_shuffled_blind_and_hidden_as_the_project_wants(
    project: Project, reviewer: User, make_questions: Questions, make_rationales: Chains
) -> None:
    Project.objects.filter(pk=project.pk).update(is_blind=True, is_shuffled=True)
    project.refresh_from_db()
    (question,) = make_questions(1)
    make_rationales(question, ["right", "wrong", "right", "wrong", "right", "wrong"])
    seat = claim(project, reviewer, question)
    first, again = bench_of(seat), bench_of(seat)
    order = [chain.rationale.pk for chain in first.chains]
    assert order == [chain.rationale.pk for chain in again.chains]
    assert order != [chain.pk for chain in to_review(seat.item)]
    assert {chain.wrote for chain in first.chains} == {""} and first.is_shuffled


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
        two_reviews, admin_user, item.pk, [Say(to_review(item)[0].pk, "reject", ["unclear"])]
    )
    undo_adjudication(two_reviews, admin_user, item.pk)
    assert outcomes(questions[0]) == [Outcome.APPROVED, None]


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
    chains = Rationale.objects.filter(question=questions[0], source="teacher")
    for chain in chains:
        Decision.objects.update_or_create(
            rationale=chain,
            defaults={
                "project": two_reviews, "outcome": "approved", "rule": two_reviews.rubric,
            },
        )  # fmt: skip
    enqueue(two_reviews, [questions[0].pk])
    assert status(questions[0]) == QueueStatus.ADJUDICATE


def test_an_undo_after_more_reviews_are_wanted_makes_room_for_them(
    project: Project, reviewer: User, questions: list[Question]
) -> None:
    review(project, reviewer, questions[0], "edit", "reject")
    set_overlap(project, 2)
    undo(project, reviewer)
    review(project, reviewer, questions[0], "edit", "reject")
    assert status(questions[0]) == QueueStatus.WAITING and not Decision.objects.exists()


def test_a_long_scoring_run_that_began_before_makes_the_seats_that_are_wanted_now(
    project: Project, make_questions: Questions, make_rationales: Chains
) -> None:
    Project.objects.filter(pk=project.pk).update(overlap=2)  # `project` still says 1
    (question,) = make_questions(1)
    make_rationales(question, ["right", "wrong"])
    assert question.queue_item.seats.count() == 2


def test_a_question_that_became_a_control_keeps_its_decision(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    review(project, reviewer, questions[0], "approve", "reject")
    make_control(project, admin_user, questions[0])
    with pytest.raises(Conflict, match="control"):
        undo(project, reviewer)
    assert status(questions[0]) == QueueStatus.CONTROL and Decision.objects.count() == 2


def test_a_skipped_question_that_was_set_aside_goes_to_others(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    assign(project, reviewer, Question.objects.filter(pk=questions[2].pk))
    seat = next_item(project, reviewer)
    assert seat.item.question == questions[2]
    skip(seat.item_id, reviewer)
    claim(project, admin_user, questions[2])


def test_a_chain_that_came_while_somebody_decided_brings_the_question_back(
    project: Project, reviewer: User, questions: list[Question], make_rationales: Chains
) -> None:
    seat = claim(project, reviewer, questions[0])
    seen = to_review(seat.item)
    make_rationales(questions[0], ["A late one.\nAnswer: 3"])
    submit(project, reviewer, seat.item_id, [Say(seen[0].pk, "approve")])
    assert status(questions[0]) == QueueStatus.DONE
    enqueue(project, [questions[0].pk])  # what scoring the late one does in the end
    assert status(questions[0]) == QueueStatus.WAITING


def test_undo_leaves_what_was_said_when_the_question_was_here_before(
    project: Project, reviewer: User, questions: list[Question], make_rationales: Chains
) -> None:
    review(project, reviewer, questions[0], "approve", "reject")
    (late,) = make_rationales(questions[0], ["A late one.\nAnswer: 3"])
    seat = claim(project, reviewer, questions[0])
    submit(project, reviewer, seat.item_id, [Say(late.pk, "approve")])
    undo(project, reviewer)
    assert not Decision.objects.filter(rationale=late).exists()
    assert Decision.objects.count() == 2


def test_who_decided_a_question_before_it_was_a_control_does_not_meet_it_again(
    project: Project, reviewer: User, control: Question, make_rationales: Chains
) -> None:
    drop_control(project, control)
    (late,) = make_rationales(control, ["A late one.\nAnswer: 6"])
    seat = claim(project, reviewer, control)
    submit(project, reviewer, seat.item_id, [Say(late.pk, "approve")])
    Seat.objects.filter(item=seat.item).delete()  # another round would empty them
    make_control(project, reviewer, control)
    assert next_item(project, reviewer) is None


@pytest.mark.django_db(transaction=True)
def test_more_reviews_scoring_and_submissions_at_once_end_without_a_deadlock(
    project: Project, make_questions: Questions, make_rationales: Chains
) -> None:
    made = make_questions(6)
    for question in made:
        make_rationales(question, ["right", "wrong"])
    people = [person(f"p{n}") for n in range(6)]
    for user in people:
        add_member(project, user.username, "reviewer")
    ids = [question.pk for question in made]

    def work(n: int) -> None:
        try:
            mine = Project.objects.get(pk=project.pk)
            if n == 6:
                set_overlap(mine, 3)
            elif n == 7:
                pull_forward(mine, ["shop"], "fails")
            elif n > 7:
                enqueue(mine, ids)
            else:
                while seat := next_item(mine, people[n]):
                    chains = to_review(seat.item)
                    submit(mine, people[n], seat.item_id, [Say(chains[0].pk, "approve")])
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(10)))
    for item in QueueItem.objects.all():
        is_open = item.seats.filter(done_at__isnull=True).exists()
        assert is_open == (item.status == QueueStatus.WAITING)


@pytest.mark.django_db(transaction=True)
def test_twenty_people_who_draw_at_once_share_the_seats(
    project: Project, make_questions: Questions, make_rationales: Chains
) -> None:
    for question in make_questions(8):
        make_rationales(question, ["right", "wrong"])
    set_overlap(project, 2)
    people = [person(f"p{n}") for n in range(20)]
    for user in people:
        add_member(project, user.username, "reviewer")

    def draw(user: User) -> int | None:
        try:
            seat = next_item(Project.objects.get(pk=project.pk), user)
            return seat and seat.item_id
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        drawn = list(pool.map(draw, [*people, *people]))  # everybody in two tabs at once
    assert drawn[:20] == drawn[20:]
    got = [item for item in drawn[:20] if item is not None]
    assert len(got) == 16 and all(got.count(item) == 2 for item in got)
