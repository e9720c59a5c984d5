"""Control questions: their verdicts are known, they look like any other, and they decide nothing."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from curation.errors import Conflict
from curation.projects.models import Membership, Project, User
from curation.projects.viewers import viewer_of
from curation.questions.models import Question
from curation.questions.selectors import questions as question_list
from curation.rationales.listing.selectors import rationales as rationale_list
from curation.rationales.models import Rationale
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.bench.selectors import bench_of
from curation.reviews.models import Decision, QueueStatus, Seat
from curation.reviews.queue import claims
from curation.reviews.queue.claims import claim, next_item, skip
from curation.reviews.queue.controls import drop_control, make_control, next_control, window
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from curation.reviews.submission.undo import undo
from tests.conftest import person, score_now
from tests.curation.reviews.reviewing import review, status

Rationales = Callable[..., list[Rationale]]
Questions = Callable[..., list[Question]]


@pytest.fixture
def control(
    project: Project, admin_user: User, make_questions: Questions, make_rationales: Rationales
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
        assert len(shown.rationales) == 2 and not any(
            rationale.locked for rationale in shown.rationales
        )
        got.append(seat.item.question)
        if seat.item.question == control:
            says = [ReviewInput(c.rationale.pk, "reject", ["unclear"]) for c in shown.rationales]
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
    submit(project, reviewer, seat.item_id, [ReviewInput(to_review(seat.item)[0].pk, "approve")])
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
    project: Project,
    admin_user: User,
    reviewer: User,
    third: User,
    questions: list[Question],
    make_questions: Questions,
    make_rationales: Rationales,
) -> None:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong"])
    review(project, reviewer, made, "approve", "reject")
    make_control(project, admin_user, made)
    set_overlap(project, 3)
    project.control_percent = 50
    met = {}
    for user in (admin_user, reviewer, third):
        met[user.username] = []
        while seat := next_item(project, user):
            review(project, user, seat.item.question, "approve", "reject")
            met[user.username].append(seat.item.question)
    assert all(set(questions) <= set(got) for got in met.values())
    # ada made it, rudi decided it
    assert [name for name, got in met.items() if made in got] == ["tina"]


def many(
    project: Project,
    make_questions: Questions,
    make_rationales: Rationales,
    *,
    controls: int,
    others: int,
) -> list[Question]:
    """Scored questions of which the first `controls` are controls that nobody here made or decided."""
    known, rest = make_questions(controls), make_questions(others)
    for question in [*known, *rest]:
        make_rationales(question, ["right"], scored=False)
    score_now(project)
    zoe = person("zoe")
    for question in known:
        review(project, zoe, question, "approve")
        make_control(project, zoe, question)
    return known


def at(project: Project, percent: int) -> None:
    Project.objects.filter(pk=project.pk).update(control_percent=percent)
    project.refresh_from_db()


def worked(project: Project, user: User, count: int, controls: list[Question]) -> list[bool]:
    """Whether each of the next `count` questions that the queue hands out is a control."""
    got = []
    for _ in range(count):
        question = next_item(project, user).item.question
        review(project, user, question, "approve")
        got.append(question in controls)
    return got


@pytest.mark.parametrize("percent", [0, 1, 10, 30, 40, 50, 66, 100])
def test_controls_come_at_the_chosen_rate(
    percent: int,
    project: Project,
    reviewer: User,
    make_questions: Questions,
    make_rationales: Rationales,
) -> None:
    count = 100
    controls = many(
        project, make_questions, make_rationales, controls=percent, others=count - percent
    )
    at(project, percent)
    got = worked(project, reviewer, count, controls)
    assert sum(got) == percent
    for so_far in range(1, count + 1):  # and never far from it on the way
        assert abs(sum(got[:so_far]) - percent * so_far / 100) <= 1


def test_the_schedule_holds_for_every_percentage_and_hundreds_of_questions(
    project: Project, reviewer: User
) -> None:
    for percent in range(1, 101):
        project.control_percent = percent
        places = {window(project, reviewer, count) for count in range(500)}
        assert len(places) == 5 * percent
        assert len({place for _, place in places}) == 5 * percent  # one in each, no two at one
        assert sum(place < 300 for _, place in places) in range(3 * percent - 1, 3 * percent + 1)


def test_when_a_control_comes_is_drawn_for_each_person_with_the_secret_key(
    project: Project, reviewer: User, third: User, settings: Any
) -> None:
    project.control_percent = 10

    def places(user: User) -> list[int]:
        return [
            place - first for first, place in sorted({window(project, user, n) for n in range(600)})
        ]

    mine = places(reviewer)
    assert places(reviewer) == mine  # the same whenever it is asked
    assert places(third) != mine and set(mine) > {0, 9} and len(set(mine)) == 10
    # No rule of the last places gives the next: each step between them occurs at any place.
    assert len({(b - a) % 10 for a, b in itertools.pairwise(mine)}) == 10
    settings.SECRET_KEY = "another installation"
    assert places(reviewer) != mine


def test_controls_that_ran_out_are_not_made_up_for_in_a_row(
    project: Project, reviewer: User, make_questions: Questions, make_rationales: Rationales
) -> None:
    controls = many(project, make_questions, make_rationales, controls=12, others=70)
    late = controls[2:]
    zoe = User.objects.get(username="zoe")
    for question in late:
        drop_control(project, question)
    at(project, 20)
    assert sum(worked(project, reviewer, 40, controls[:2])) == 2  # both, then there are no more
    for question in late:
        make_control(project, zoe, question)
    got = worked(project, reviewer, 40, late)
    assert sum(got) == 8
    assert all(sum(got[n : n + 5]) <= 2 for n in range(36))


def test_a_higher_percentage_brings_no_row_of_controls(
    project: Project, reviewer: User, make_questions: Questions, make_rationales: Rationales
) -> None:
    controls = many(project, make_questions, make_rationales, controls=20, others=40)
    at(project, 10)
    assert sum(worked(project, reviewer, 20, controls)) == 2
    at(project, 50)
    got = worked(project, reviewer, 20, controls)
    assert sum(got) == 10 and all(sum(got[n : n + 3]) <= 2 for n in range(18))


def test_the_question_in_hand_counts_when_the_next_is_chosen(
    project: Project, reviewer: User, make_questions: Questions, make_rationales: Rationales
) -> None:
    controls = many(project, make_questions, make_rationales, controls=10, others=12)
    at(project, 50)
    got, seat = [], next_item(project, reviewer)
    for _ in range(20):
        following = claims.ahead(project, reviewer, seat.item_id)
        got.append(seat.item.question in controls)
        rationales = to_review(seat.item)
        submit(
            project, reviewer, seat.item_id, [ReviewInput(one.pk, "approve") for one in rationales]
        )
        seat = following
    assert sum(got) == 10 and all(sum(got[n : n + 2]) == 1 for n in range(0, 20, 2))


def test_a_half_decided_question_is_no_control_since_it_would_show_fewer_rationales(
    project: Project, admin_user: User, questions: list[Question]
) -> None:
    review(project, admin_user, questions[0], "approve", "-")
    with pytest.raises(Conflict, match="every rationale"):
        make_control(project, admin_user, questions[0])


def test_a_question_that_became_a_control_keeps_its_decision(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    review(project, reviewer, questions[0], "approve", "reject")
    make_control(project, admin_user, questions[0])
    with pytest.raises(Conflict, match="control"):
        undo(project, reviewer)
    assert status(questions[0]) == QueueStatus.CONTROL and Decision.objects.count() == 2


def test_who_decided_a_question_before_it_was_a_control_does_not_meet_it_again(
    project: Project,
    reviewer: User,
    admin_user: User,
    third: User,
    control: Question,
    make_rationales: Rationales,
) -> None:
    drop_control(project, control)
    (late,) = make_rationales(control, ["A late one.\nAnswer: 6"])
    seat = claim(project, reviewer, control)
    submit(project, reviewer, seat.item_id, [ReviewInput(late.pk, "approve")])
    (later,) = make_rationales(control, ["A later one.\nAnswer: 7"])  # and another round with it
    seat = claim(project, admin_user, control)
    submit(project, admin_user, seat.item_id, [ReviewInput(later.pk, "approve")])
    assert not Seat.objects.filter(item=seat.item, holder=reviewer).exists()
    make_control(project, admin_user, control)
    project.control_percent = 100  # one is due for whoever has not had it
    assert next_item(project, reviewer) is None
    assert next_item(project, third).item.question == control


@pytest.mark.parametrize("which", ["control", "usual"])
def test_after_it_a_control_looks_as_any_other_question(
    project: Project,
    admin_user: User,
    reviewer: User,
    reviewer_client: Client,
    questions: list[Question],
    which: str,
) -> None:
    """Where one review decides a question, lists and pages show it as the reviewer's word left it."""
    question = questions[0]
    if which == "control":
        review(project, admin_user, question, "approve", "reject")
        make_control(project, admin_user, question)
        project.control_percent = 50
        project.save()
    assert _looks(reviewer_client, question) == ["waits", "undecided", "undecided", None, None]
    seat = _met(project, reviewer, question)
    good, bad = to_review(question.queue_item)
    submit(
        project,
        reviewer,
        seat.item_id,
        [ReviewInput(good.pk, "reject", ["unclear"]), ReviewInput(bad.pk, "approve")],
    )
    assert _looks(reviewer_client, question) == [
        *("reviewed", "rejected", "approved"),
        ("rejected", "rudi"),
        ("approved", "rudi"),
    ]
    viewer = viewer_of(Membership.objects.get(project=project, user=reviewer))
    found = {
        state: [row.pk for row in question_list(project, {"state": state}, viewer)]
        for state in ("waiting", "done", "approved")
    }
    assert question.pk not in found["waiting"]
    assert question.pk in found["done"] and question.pk in found["approved"]
    for decision, rationales in (("approved", [bad]), ("rejected", [good]), ("none", [])):
        rows = rationale_list(project, {"decision": decision}, viewer)
        assert list(rows.filter(question=question)) == rationales
    page = reviewer_client.get(f"/projects/eggs/questions/{question.pk}/").content.decode()
    assert "control" not in page and "rejected by rudi" in page and ">done " in page


def _met(project: Project, user: User, question: Question) -> Seat:
    """The person draws questions until they get this one."""
    for _ in range(10):
        seat = next_item(project, user)
        if seat.item.question_id == question.pk:
            return seat
        submit(project, user, seat.item_id, [ReviewInput(to_review(seat.item)[0].pk, "approve")])
    raise AssertionError("they never got it")


def _looks(client: Client, question: Question) -> list[Any]:
    """What a person sees of it: in the list of questions, in that of rationales, and through the API."""
    rows = client.get("/projects/eggs/questions/").context["page"].rows
    (state,) = (one.queue_status for one in rows if one.pk == question.pk)
    listed = client.get("/projects/eggs/rationales/").context["page"].rows
    rationales = sorted(
        (one for one in listed if one.question_id == question.pk), key=lambda c: c.pk
    )
    assert not any(one.is_silent for one in rationales)
    api = client.get("/api/v1/projects/eggs/rationales").json()["items"]
    told = {one["id"]: one["decision"] for one in api}
    words = {"waiting": "waits", "done": "reviewed"}
    return [
        words[state],
        *(one.outcome or "undecided" for one in rationales),
        *(told[c.pk] and (told[c.pk]["outcome"], told[c.pk]["reviewer"]) for c in rationales),
    ]


def test_a_control_that_is_dropped_while_it_is_handed_out_is_not(
    project: Project,
    questions: list[Question],
    reviewer: User,
    admin_user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    review(project, admin_user, questions[0], "approve", "reject")
    make_control(project, person("zoe"), questions[0])
    Project.objects.filter(pk=project.pk).update(control_percent=100)
    project.refresh_from_db()

    def dropped_meanwhile(project: Project, user: User) -> Seat | None:
        found = next_control(project, user)
        if found is not None and found.pk is None:
            drop_control(project, questions[0])
        return found

    monkeypatch.setattr(claims, "next_control", dropped_meanwhile)
    assert next_item(project, reviewer).item.question != questions[0]
    assert not Seat.objects.filter(number=None).exists()
