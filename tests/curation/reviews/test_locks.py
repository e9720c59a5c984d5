"""Work that changes many rows at once locks them in one order, so that none stops another's: on
PostgreSQL, where two that lock crosswise end with an error."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Group
from curation.rationales.scoring.scores import mark_stale, note_tries, store_scores, to_score_again
from curation.reviews.models import QueueItem, Seat
from curation.reviews.queue.assignments import assign, unassign
from curation.reviews.queue.items import lock_items, pull_forward

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]


def at_once(*works: Callable[[], None]) -> list[str]:
    """What the database refused, of works that run beside each other."""
    refused: list[str] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except OperationalError as error:
            refused.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


def test_setting_questions_aside_beside_a_new_order(
    project: Project, make_questions: Callable[..., list[Question]], reviewer: User
) -> None:
    made = make_questions(1200)
    QueueItem.objects.bulk_create(
        QueueItem(project=project, question=one, rank=random.random()) for one in made
    )
    Seat.objects.bulk_create(
        Seat(project=project, item=item, number=1, rank=item.rank)
        for item in QueueItem.objects.order_by("pk")
    )

    def set_aside() -> None:
        for _ in range(12):
            assign(project, reviewer, Question.objects.filter(project=project))
            unassign(project, reviewer)

    def put_in_front() -> None:
        for _ in range(12):
            with transaction.atomic():
                lock_items(one.pk for one in made)
                QueueItem.objects.update(pinned_reason="")
            pull_forward(project, ["shop"], "x")

    assert at_once(set_aside, put_in_front) == []


def test_scoring_everything_again_beside_scores_that_are_stored(
    project: Project, make_questions: Callable[..., list[Any]]
) -> None:
    mark_stale(project, [one.pk for one in make_questions(1500)])

    def again() -> None:
        for _ in range(20):
            to_score_again(Group.objects.filter(project=project))

    def store() -> None:
        for _ in range(150):
            groups = random.sample(list(Group.objects.filter(project=project)), 50)
            note_tries(groups)
            store_scores(groups, {}, "1")

    assert at_once(again, store) == []
