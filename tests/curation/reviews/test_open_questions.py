"""How many questions are open: the bench, home, the dashboard, the page of progress and the API say the
same after everything that can become of a question, and it is what the rows say."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.projects.models import Project, User
from curation.questions.models import Kind, Question
from curation.reviews.bench import open_questions as counting
from curation.reviews.deletion.orders import delete_one
from curation.reviews.models import QueueItem, QueueStatus, Seat
from curation.reviews.queue.assignments import assign
from curation.reviews.queue.claims import claim, release, skip
from curation.reviews.queue.controls import make_control
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.undo import undo
from tests.curation.reviews.reviewing import review

Make = Callable[..., list[Any]]


@pytest.fixture
def queue(make_questions: Make, make_rationales: Make) -> list[Question]:
    made = make_questions(8)
    for question in made:
        make_rationales(question, ["right", "wrong"])
    return made


@pytest.fixture
def shown(
    project: Project, reviewer: User, reviewer_client: Client, admin_client: Client
) -> Callable[[], dict[str, int]]:
    """What each place says, and what of them this reviewer may get."""

    def look() -> dict[str, int]:
        bench = reviewer_client.get(reverse("review", args=[project.slug])).content.decode()
        release(project, reviewer)  # the bench gave them a question
        home = reviewer_client.get(reverse("home")).content.decode()
        progress = admin_client.get(reverse("progress", args=[project.slug])).content.decode()
        board = admin_client.get(reverse("dashboard_live", args=[project.slug]))
        work = reviewer_client.get("/api/v1/me/work").json()["projects"][0]
        told = reviewer_client.get(f"/api/v1/projects/{project.slug}/progress").json()
        return {
            "bench": int(re.search(r"([\d,]+) open in all", bench)[1]),
            "home": int(re.search(r"open questions?</dt><dd>(\d+)<", home)[1]),
            "progress": int(re.search(r"open questions?</dt><dd>(\d+)<", progress)[1]),
            "dashboard": board.context["pace"].waiting,
            "my work": work["open"],
            "api": told["statuses"].get("waiting", 0),
        }

    return look


def everywhere(shown: Callable[[], dict[str, int]], wanted: int) -> None:
    waiting = QueueItem.objects.filter(project__isnull=False, status=QueueStatus.WAITING)
    to_make = waiting.filter(seats__done_at__isnull=True, seats__number__isnull=False).distinct()
    assert waiting.count() == to_make.count() == wanted
    found = shown()
    assert found == dict.fromkeys(found, wanted)


def test_it_moves_on_every_page_at_once(
    project: Project, reviewer: User, admin_user: User, third: User, queue: list[Question],
    shown: Callable[[], dict[str, int]],
) -> None:  # fmt: skip
    everywhere(shown, 8)
    review(project, reviewer, queue[0], "approve", "reject")
    everywhere(shown, 7)
    undo(project, reviewer)
    everywhere(shown, 8)
    review(project, reviewer, queue[0], "approve", "reject")
    # Somebody still reviews what was skipped, is held, or is set aside for one person.
    skip(claim(project, reviewer, queue[1]).item_id, reviewer)
    everywhere(shown, 7)
    claim(project, third, queue[2])
    everywhere(shown, 7)
    assign(project, third, Question.objects.filter(pk=queue[3].pk))
    everywhere(shown, 7)
    make_control(project, admin_user, queue[0])
    everywhere(shown, 7)
    delete_one(project, admin_user, Kind.QUESTIONS, queue[4].pk)
    everywhere(shown, 6)


def test_with_two_reviews_it_falls_with_the_last_of_them(
    project: Project, reviewer: User, third: User, queue: list[Question],
    shown: Callable[[], dict[str, int]],
) -> None:  # fmt: skip
    set_overlap(project, 2)
    everywhere(shown, 8)
    review(project, third, queue[0], "approve", "reject")
    everywhere(shown, 8)
    review(project, reviewer, queue[0], "reject", "approve")  # an admin decides it
    everywhere(shown, 7)
    review(project, third, queue[1], "approve", "reject")
    set_overlap(project, 1)
    everywhere(shown, 6)


def test_of_the_open_ones_home_says_which_i_may_get(
    project: Project, reviewer: User, third: User, queue: list[Question], reviewer_client: Client
) -> None:
    def for_me() -> tuple[int, int]:
        told = reviewer_client.get("/api/v1/me/work").json()["projects"][0]
        html = reviewer_client.get(reverse("home")).content.decode()
        assert f"of them for me</dt><dd>{told['waiting']}<" in html
        return told["open"], told["waiting"]

    assert for_me() == (8, 8)
    skip(claim(project, reviewer, queue[0]).item_id, reviewer)
    assert for_me() == (8, 7)
    claim(project, third, queue[1])
    assert for_me() == (8, 6)
    Seat.objects.filter(holder=third).update(held_until=timezone.now() - timedelta(seconds=1))
    assert for_me() == (8, 7)
    assign(project, third, Question.objects.filter(pk=queue[2].pk))
    assert for_me() == (8, 6)
    review(project, reviewer, queue[3], "approve", "reject")
    assert for_me() == (7, 5)


def test_a_long_queue_shows_one_count_everywhere_too(
    project: Project, queue: list[Question], monkeypatch: pytest.MonkeyPatch,
    shown: Callable[[], dict[str, int]],
) -> None:  # fmt: skip
    monkeypatch.setattr(counting, "EXACT", 5)
    found = shown()
    assert found == dict.fromkeys(found, 8)
