"""Many people who draw, decide and change settings in the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.questions.models import Question
from curation.rationales.models import Rationale
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.models import QueueItem, QueueStatus
from curation.reviews.queue.claims import next_item
from curation.reviews.queue.items import enqueue, pull_forward, set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from tests.conftest import person

Rationales = Callable[..., list[Rationale]]
Questions = Callable[..., list[Question]]


@pytest.mark.django_db(transaction=True)
def test_more_reviews_scoring_and_submissions_at_once_end_without_a_deadlock(
    project: Project, make_questions: Questions, make_rationales: Rationales
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
                    rationales = to_review(seat.item)
                    submit(
                        mine, people[n], seat.item_id, [ReviewInput(rationales[0].pk, "approve")]
                    )
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(10)))
    for item in QueueItem.objects.all():
        is_open = item.seats.filter(done_at__isnull=True).exists()
        assert is_open == (item.status == QueueStatus.WAITING)


@pytest.mark.django_db(transaction=True)
def test_twenty_people_who_draw_at_once_share_the_seats(
    project: Project, make_questions: Questions, make_rationales: Rationales
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
