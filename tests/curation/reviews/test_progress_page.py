"""How a project's review goes: by day and person, what is left, when it may be done, who holds what."""

import itertools
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.errors import Conflict
from curation.projects.models import Project, User
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.bench.selectors import progress
from curation.reviews.models import Seat
from curation.reviews.queue.claims import claim, next_item, renew
from curation.reviews.queue.items import set_overlap
from curation.reviews.reports.my_work import work_of
from curation.reviews.reports.progress import DAYS, Progress, burning, forecast_of, progress_of
from curation.reviews.submission.submit import ReviewInput, submit

Make = Callable[..., list[Any]]
PAGE = "/projects/eggs/progress/"
TODAY = date(2026, 11, 20)


@pytest.fixture
def questions(project: Project, make_questions: Make, make_rationales: Make) -> list[Any]:
    made = make_questions(5)
    for question in made:
        make_rationales(question, ["right", "wrong"])
    return made


def say(project: Project, user: User, question: Any, back: int = 0, seconds: float = 30) -> None:
    """`back`: so many days ago."""
    seat = claim(project, user, question)
    first, second = to_review(seat.item)
    says = [ReviewInput(first.pk, "approve"), ReviewInput(second.pk, "reject", ["unclear"])]
    submit(project, user, seat.item_id, says, seconds)
    Seat.objects.filter(pk=seat.pk).update(done_at=timezone.now() - timedelta(days=back))


def shown(client: Client) -> str:
    cache.clear()
    return " ".join(client.get(PAGE).content.decode().split())


def test_the_work_is_counted_by_person_and_by_day(
    project: Project, questions: list[Any], admin_user: User, reviewer: User, admin_client: Client
) -> None:
    say(project, reviewer, questions[0], seconds=20)
    say(project, reviewer, questions[1], back=3, seconds=40)
    say(project, admin_user, questions[2], back=10)
    made = progress_of(project)
    rudi, ada = made.people
    assert (rudi.person, rudi.today, rudi.week, rudi.total, rudi.pace) == (reviewer, 1, 2, 2, 30)
    assert (rudi.rationales, rudi.approved) == (4, 2)
    assert (ada.person, ada.today, ada.week, ada.total) == (admin_user, 0, 0, 1)
    assert made.open == 2 and made.statuses == {"waiting": 2, "done": 3}
    assert [n for _, n in made.days if n] == [1, 1, 1] and len(made.days) == DAYS
    # Counted back: 2 now, 3 before today's, 4 before that of three days ago, 5 at first.
    left = [n for _, n in made.left]
    assert (left[-1], left[-2], left[-5], left[0]) == (2, 3, 4, 5)
    page = shown(admin_client)
    assert "rudi" in page and "<dt>questions done</dt><dd>3</dd>" in page


def test_each_review_that_a_question_waits_for_counts(
    project: Project, questions: list[Any], reviewer: User, admin_client: Client
) -> None:
    set_overlap(project, 3)
    say(project, reviewer, questions[0])
    page = shown(admin_client)
    assert "<dt>reviews of questions to be made, 3 for each</dt><dd>14</dd>" in page


def test_a_reviewer_sees_the_whole_and_their_own_line(
    project: Project,
    questions: list[Any],
    admin_user: User,
    reviewer: User,
    reviewer_client: Client,
) -> None:
    say(project, reviewer, questions[0])
    say(project, admin_user, questions[1])
    next_item(project, admin_user)
    page = shown(reviewer_client)
    assert "<dt>questions done</dt><dd>2</dd>" in page
    assert "<td>rudi</td>" in page and "ada" not in page and "Who holds what" not in page


def days(*numbers: int) -> list[tuple[date, int]]:
    """The last of `numbers` are today's."""
    first = TODAY - timedelta(days=len(numbers) - 1)
    return [(first + timedelta(days=n), number) for n, number in enumerate(numbers)]


def test_an_even_pace_gives_one_day_and_an_uneven_one_a_range() -> None:
    even = forecast_of(days(0, 0, 10, 10, 10, 10, 3), 40)
    assert (even.rate, even.days) == (10, 4)
    assert even.earliest == even.latest == TODAY + timedelta(days=4)
    uneven = forecast_of(days(5, 15, 8, 12, 10, 0), 40)
    assert uneven.earliest < TODAY + timedelta(days=4) < uneven.latest
    wild = forecast_of(days(40, 0, 0, 0, 0), 200)
    assert wild.earliest is not None and wild.latest is None


def test_a_forecast_holds_what_comes_as_often_as_it_says() -> None:
    import random

    chance = random.Random(5)
    held, tries = 0, 400
    for _ in range(tries):
        past = [chance.randint(0, 40) for _ in range(14)]
        forecast = forecast_of(days(*past, 0), 300)
        left, day = 300, TODAY
        while left > 0:
            day += timedelta(days=1)
            left -= chance.randint(0, 40)
        held += forecast.earliest <= day and (forecast.latest is None or day <= forecast.latest)
    assert 0.9 < held / tries < 0.99


@pytest.mark.parametrize(
    ("numbers", "remaining", "why"),
    [((0, 0, 5), 10, "needs 3 whole days"), ((5, 5, 5, 5), 0, "Nothing waits.")],
)
def test_too_little_for_a_forecast_says_why(
    numbers: tuple[int, ...], remaining: int, why: str
) -> None:
    forecast = forecast_of(days(*numbers), remaining)
    assert why in forecast.why and forecast.earliest is None


def test_the_burn_down_stays_within_its_drawing(
    project: Project, questions: list[Any], reviewer: User
) -> None:
    for back, question in enumerate(questions[:4], 1):
        say(project, reviewer, question, back=back)
    made = progress_of(project)
    assert made.forecast.latest is not None
    drawn = burning(made)
    points = [tuple(map(float, one.split(","))) for one in f"{drawn.line} {drawn.fan}".split()]
    assert all(0 <= x <= 420 and 0 <= y <= 96 for x, y in points)


def test_an_admin_frees_a_seat_and_somebody_else_gets_it(
    project: Project,
    questions: list[Any],
    admin_user: User,
    reviewer: User,
    admin_client: Client,
    reviewer_client: Client,
) -> None:
    seat = next_item(project, reviewer)
    free = reverse("seat_free", args=["eggs", seat.pk])
    assert free in shown(admin_client)
    assert reviewer_client.post(free).status_code == 403
    assert admin_client.post(free).url == PAGE
    with pytest.raises(Conflict, match="Your claim on this question has ended"):
        renew(seat.item_id, reviewer)
    assert next_item(project, admin_user).item_id == seat.item_id
    with pytest.raises(Conflict, match="ada works on this question now"):
        renew(seat.item_id, reviewer)
    # It is ada's now; freed twice, the second finds nobody.
    assert admin_client.post(free).status_code == 302
    assert admin_client.post(free).status_code == 409


def test_an_empty_project_says_so(project: Project, admin_client: Client) -> None:
    page = shown(admin_client)
    assert "Nothing has come into the queue yet" in page and "Nobody holds a question." in page


def test_the_page_takes_a_bounded_number_of_queries(
    project: Project,
    questions: list[Any],
    admin_user: User,
    reviewer: User,
    admin_client: Client,
    stranger_client: Client,
    django_assert_max_num_queries: Any,
) -> None:
    for question, user in zip(questions, (admin_user, reviewer) * 2, strict=False):
        say(project, user, question)
    next_item(project, reviewer)
    cache.clear()
    with django_assert_max_num_queries(12):
        assert re.search("Who holds what", admin_client.get(PAGE).content.decode())
    assert stranger_client.get(PAGE).status_code == 404


@pytest.mark.parametrize("counts", [[0, 3, 2, 0], [9, 9, 9, 9, 9, 9, 9], [1, 20, 1, 20, 1, 2]])
@pytest.mark.parametrize("left", [0, 1, 40, 4000])
def test_the_days_below_the_drawing_stay_within_it_and_apart(counts: list[int], left: int) -> None:
    past = days(*[0] * (DAYS - len(counts)), *counts)
    drawn = burning(Progress({}, left, past, [], forecast_of(past, left)))
    wide = {"start": (0, 45), "middle": (16, 16), "end": (45, 0)}
    spans = [(x - wide[anchor][0], x + wide[anchor][1]) for x, anchor, _ in drawn.labels]
    assert spans[0][0] >= 0 and spans[-1][1] <= 412
    assert all(one[1] <= other[0] + 1 for one, other in itertools.pairwise(spans))
    assert drawn.labels[1][2] == TODAY


def test_what_people_did_stays_counted_when_the_question_comes_back(
    project: Project,
    reviewer: User,
    reviewer_client: Client,
    questions: list[Any],
    make_rationales: Make,
) -> None:
    say(project, reviewer, questions[0])
    before = _counted(project, reviewer)
    make_rationales(questions[0], ["A late one.\nAnswer: 3"])  # it waits again, with empty seats
    assert Seat.objects.get(item__question=questions[0]).holder is None
    assert _counted(project, reviewer) == before
    rationales = to_review(claim(project, reviewer, questions[0]).item)
    (late,) = (rationale for rationale in rationales if not hasattr(rationale, "decision"))
    submit(project, reviewer, questions[0].queue_item.pk, [ReviewInput(late.pk, "approve")])
    assert _counted(project, reviewer) == [n + 1 for n in before]


def _counted(project: Project, user: User) -> list[int]:
    """The person's questions of today: at the bench, in the project's progress, on their home page."""
    cache.clear()
    (line,) = progress_of(project).people
    return [progress(project, user).today, line.today, work_of(user, [project.pk]).today]
