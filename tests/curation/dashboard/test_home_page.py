"""My work: what waits for me in which project, what I did, and how far others said the same."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from curation.figures.charts import day_bars
from curation.projects.models import Project, User
from curation.reviews.adjudication.adjudicate import adjudicate, flag_question
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.models import Seat
from curation.reviews.queue.assignments import assign
from curation.reviews.queue.claims import claim, next_item
from curation.reviews.queue.controls import make_control
from curation.reviews.queue.items import set_overlap
from curation.reviews.reports import my_work
from curation.reviews.reports.my_work import met_lately, streak_of, work_of
from curation.reviews.submission.submit import ReviewInput, submit

Make = Callable[..., list[Any]]
SATURDAY = date(2026, 11, 21)


@pytest.fixture
def questions(project: Project, make_questions: Make, make_rationales: Make) -> list[Any]:
    made = make_questions(4)
    for question in made:
        make_rationales(question, ["right", "wrong"])
    return made


def say(project: Project, user: User, question: Any, *verdicts: str, seconds: float = 20) -> None:
    seat = claim(project, user, question)
    says = [
        ReviewInput(rationale.pk, verdict, ["unclear"] if verdict == "reject" else [])
        for rationale, verdict in zip(to_review(seat.item), verdicts, strict=True)
    ]
    submit(project, user, seat.item_id, says, seconds)


def home(client: Client) -> str:
    cache.clear()
    return " ".join(client.get("/").content.decode().split())


def tile(page: str, words: str) -> str:
    return re.search(rf"<dt>{words}</dt><dd>(.*?)</dd>", page)[1]


def test_what_i_did_is_counted_by_day_with_my_pace(
    project: Project, questions: list[Any], reviewer: User, reviewer_client: Client
) -> None:
    say(project, reviewer, questions[0], "approve", "reject", seconds=30)
    say(project, reviewer, questions[1], "approve", "reject", seconds=50)
    page = home(reviewer_client)
    assert (tile(page, "today"), tile(page, "in seven days")) == ("2", "2")
    assert tile(page, "a question, in seven days") == "40 s"
    assert tile(page, "day in a row") == "1"
    assert 'aria-label="Questions that I reviewed a day: ' in page
    work = work_of(reviewer, [project.pk])
    assert work.days[-1] == (timezone.localdate(), 2) and len(work.days) == 14


def test_older_days_count_for_the_streak_and_not_for_the_pace(
    project: Project, questions: list[Any], reviewer: User
) -> None:
    for back, question in enumerate(questions):
        say(project, reviewer, question, "approve", "reject", seconds=10 * (1 + 9 * (back == 3)))
        at = timezone.now() - timedelta(days=(0, 1, 2, 30)[back])
        Seat.objects.filter(item__question=question).update(done_at=at)
    work = work_of(reviewer, [project.pk])
    assert (work.today, work.week, work.total, work.pace) == (1, 3, 3, 10)
    assert work.streak == 3


@pytest.mark.parametrize(
    ("worked", "today", "streak"),
    [
        ([], SATURDAY, 0),
        ([0], SATURDAY, 1),
        ([1, 2, 3], SATURDAY, 3),  # nothing yet today
        ([1, 2, 4], SATURDAY, 2),
        ([3, 4, 5], SATURDAY + timedelta(days=2), 3),  # Monday; the weekend off between
        ([4, 5], SATURDAY + timedelta(days=3), 0),  # Tuesday; Monday was a day off
    ],
)
def test_a_weekend_off_does_not_end_a_streak(worked: list[int], today: date, streak: int) -> None:
    assert streak_of({today - timedelta(days=back) for back in worked}, today) == streak


@pytest.fixture
def no_lumps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(my_work, "LUMP", 1)


def test_decisions_are_compared_in_whole_tens(
    project: Project,
    admin_user: User,
    reviewer: User,
    make_questions: Make,
    make_rationales: Make,
) -> None:
    """Else the count would grow at once with a control question, and with no other."""
    set_overlap(project, 2)
    seen = []
    for question in make_questions(6):
        make_rationales(question, ["right", "wrong"])
        for user in (reviewer, admin_user):
            say(project, user, question, "approve", "reject")
        seen.append(met_lately(reviewer, [project.pk]).n)
    assert seen == [0, 0, 0, 0, 10, 10]


def test_my_decisions_are_compared_once_a_question_is_settled(
    project: Project, questions: list[Any], admin_user: User, reviewer: User, no_lumps: None
) -> None:
    set_overlap(project, 2)
    here = [project.pk]
    say(project, reviewer, questions[0], "approve", "reject")
    assert met_lately(reviewer, here).n == 0
    say(project, admin_user, questions[0], "approve", "approve")
    # Both approve the first rationale; the second waits for an admin, so it is not compared yet.
    met = met_lately(reviewer, here)
    assert (met.n, met.same, met.run) == (1, 1, 1)
    item = questions[0].queue_item
    second = to_review(item)[1]
    adjudicate(project, admin_user, item.pk, [ReviewInput(second.pk, "approve")])
    assert (met_lately(reviewer, here).n, met_lately(reviewer, here).same) == (2, 1)
    assert met_lately(admin_user, here).same == 2


def test_a_control_question_tells_too(
    project: Project, questions: list[Any], admin_user: User, reviewer: User, no_lumps: None
) -> None:
    say(project, admin_user, questions[0], "approve", "reject")
    assert met_lately(admin_user, [project.pk]).n == 0  # nobody else judged these
    make_control(project, admin_user, questions[0])
    project.control_percent = 50
    project.save()
    for _ in range(4):
        seat = next_item(project, reviewer)
        submit(
            project,
            reviewer,
            seat.item_id,
            [ReviewInput(c.pk, "approve") for c in to_review(seat.item)],
        )
    met = met_lately(reviewer, [project.pk])
    assert (met.n, met.same) == (2, 1)


def test_what_waits_for_me_is_told_by_kind(
    project: Project,
    questions: list[Any],
    admin_user: User,
    reviewer: User,
    admin_client: Client,
    reviewer_client: Client,
) -> None:
    set_overlap(project, 2)
    assign(project, reviewer, project.questions.filter(pk=questions[3].pk))
    say(project, reviewer, questions[0], "approve", "reject")
    say(project, admin_user, questions[0], "reject", "approve")
    flag_question(project, reviewer, questions[0], "ambiguous")
    mine, led = home(reviewer_client), home(admin_client)
    assert tile(mine, "of them for me") == "3" and tile(mine, "set aside for me") == "1"
    assert "Adjudicate" not in mine and "Flags" not in mine
    assert 'Adjudicate <span class="num">1</span>' in led
    assert 'Flags <span class="num">1</span>' in led
    assert "set aside for me" not in led


def test_nobody_sees_what_another_did(
    project: Project,
    questions: list[Any],
    reviewer: User,
    admin_client: Client,
    stranger_client: Client,
) -> None:
    say(project, reviewer, questions[0], "approve", "reject")
    for client in (admin_client, stranger_client):
        assert "Nothing in the last two weeks." in home(client)


def test_the_page_takes_as_many_queries_for_much_work(
    project: Project,
    questions: list[Any],
    reviewer: User,
    reviewer_client: Client,
    django_assert_max_num_queries: Any,
) -> None:
    for question in questions:
        say(project, reviewer, question, "approve", "reject")
    cache.clear()
    with django_assert_max_num_queries(20):
        reviewer_client.get("/")
    with django_assert_max_num_queries(12):
        reviewer_client.get("/", headers={"hx-request": "true"})


@pytest.mark.parametrize("count", [1, 14, 28])
def test_bars_and_the_days_below_them_stay_within_the_drawing(count: int) -> None:
    days = [(SATURDAY + timedelta(days=n), n * n) for n in range(count)]
    bars = day_bars(days)
    assert all(bar.x >= 0 and bar.x + bar.width <= 420 and 0 < bar.y <= 96 for bar in bars)
    assert all(20 <= bar.label_x <= 400 for bar in bars if bar.named)
    assert bars[-1].today and len([bar for bar in bars if bar.today]) == 1
