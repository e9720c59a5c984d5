"""What is done to a whole project by a worker: another overlap, approval by rule. Its worker may be
killed, it may be ordered twice, and people review meanwhile."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from curation import celery_app
from curation.errors import Conflict
from curation.jobs import Status
from curation.projects.models import Project, User
from curation.projects.services import change_rubric
from curation.questions.models import Question
from curation.rationales.models import Rationale
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.bulk import orders, runner
from curation.reviews.models import BulkAction, Decision, DecisionLog, QueueItem, Seat
from curation.reviews.queue import items
from curation.reviews.queue.claims import claim, next_item
from curation.reviews.queue.items import enqueue, set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from tests.conftest import REPOSITORY, person
from workers.data.tasks import run_bulk_task
from workers.requeue import put_back

MANY = 60


@pytest.fixture
def questions(make_questions: Any, make_rationales: Any) -> list[Question]:
    made = make_questions(MANY)
    for question in made:
        make_rationales(question, ["right", "wrong"], scored=question is made[-1])
    return made


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands here counts as many, and is done in small steps."""
    monkeypatch.setattr(orders, "INLINE", 10)
    monkeypatch.setattr(runner, "AT_ONCE", 7)
    monkeypatch.setattr(items.arrange, "__defaults__", (7,))


def review(project: Project, user: User, question: Question, verdict: str = "approve") -> None:
    seat = claim(project, user, question)
    reasons = ["wrong_step"] if verdict == "reject" else []
    submit(
        project,
        user,
        seat.item_id,
        [ReviewInput(c.pk, verdict, reasons) for c in to_review(seat.item)],
    )


def worker_dies(action: BulkAction) -> None:
    """A process takes the action and is killed in the middle of it."""
    code = (
        "import os, sys, time; os.environ['DJANGO_SETTINGS_MODULE'] = 'curation.settings'\n"
        "import django; django.setup()\n"
        "from curation.reviews.bulk import runner\n"
        "from curation.reviews.queue import items\n"
        "runner.AT_ONCE = 7; items.arrange.__defaults__ = (7,)\n"
        "came_to = runner._came_to\n"
        "def slowly(*args, **kwargs):\n"
        "    came_to(*args, **kwargs); time.sleep(0.2)\n"  # within the step's transaction
        "runner._came_to = slowly\n"
        "runner.run_bulk(int(sys.argv[1]))"
    )
    name = connection.settings_dict["NAME"]
    address = {"sqlite": f"sqlite:///{name}"}.get(connection.vendor)
    if address is None:
        server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
        address = f"{server}/{name}"
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(action.pk)],
        cwd=REPOSITORY,
        env={**os.environ, "DATABASE_URL": address},
    )
    until = time.monotonic() + 60
    while not BulkAction.objects.get(pk=action.pk).seen and time.monotonic() < until:
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    row = BulkAction.objects.get(pk=action.pk)
    assert row.status == Status.RUNNING and 0 < row.seen < MANY
    BulkAction.objects.update(heartbeat_at=timezone.now() - timedelta(hours=1))
    celery_app.broker().delete(celery_app.QUICK)  # its wake-up went with the worker


def goes_on(action: BulkAction) -> BulkAction:
    """The beat finds it silent, and a worker takes it again."""
    before = celery_app.broker().llen(celery_app.QUICK)
    assert put_back() >= 1 and celery_app.broker().llen(celery_app.QUICK) > before
    run_bulk_task(action.pk)
    return BulkAction.objects.get(pk=action.pk)


@pytest.mark.django_db(transaction=True)
def test_a_smaller_overlap_settles_all_that_is_complete_though_its_worker_is_killed(
    project: Project, admin_user: User, reviewer: User, questions: list[Question], small_steps: None
) -> None:
    set_overlap(project, 3)
    for question in questions[:-10]:
        review(project, reviewer, question)
        review(project, admin_user, question, "approve" if question.pk % 2 else "reject")
    held = claim(project, person("third"), questions[-1])  # who sits there stays
    assert not Decision.objects.exists()
    action = orders.order_overlap(project, admin_user, 2)
    assert action.status == Status.WAITING and not Decision.objects.exists()
    assert celery_app.broker().llen(celery_app.QUICK) == 1
    with pytest.raises(Conflict, match="in force"):
        orders.cancel_bulk(action)
    worker_dies(action)
    # Rights that were lost meanwhile change nothing: the setting is in force.
    BulkAction.objects.update(created_by=reviewer)
    done = goes_on(action)
    assert (done.status, done.seen, done.changed) == (Status.DONE, MANY, MANY - 10)
    for question in questions[:-10]:
        item = QueueItem.objects.get(question=question)
        assert item.status == ("done" if question.pk % 2 else "adjudicate")
        assert item.seats.count() == 2 and not item.seats.filter(done_at=None).exists()
    agreed = [q for q in questions[:-10] if q.pk % 2]
    assert Decision.objects.count() == DecisionLog.objects.count() == 2 * len(agreed)
    left = Seat.objects.filter(item__question__in=questions[-10:])
    assert left.filter(number__lte=2).count() == 20 and not left.filter(number=3).exists()
    assert Seat.objects.get(pk=held.pk).holder_id == held.holder_id
    run_bulk_task(action.pk)  # a wake-up that comes twice
    assert Decision.objects.count() == 2 * len(agreed)


def test_a_change_takes_the_place_of_one_that_is_under_way(
    project: Project, admin_user: User, reviewer: User, questions: list[Question], small_steps: None
) -> None:
    first = orders.order_overlap(project, admin_user, 4)
    assert orders.order_overlap(project, admin_user, 4) is None
    second = orders.order_overlap(project, admin_user, 2)
    for action in (first, second):
        run_bulk_task(action.pk)
    states = BulkAction.objects.order_by("pk").values_list("status", flat=True)
    assert list(states) == [Status.CANCELLED, Status.DONE]
    assert {item.seats.count() for item in QueueItem.objects.all()} == {2}
    # What comes into the queue while that is done has what is wanted now.
    third = orders.order_overlap(project, admin_user, 3)
    Seat.objects.filter(item__question=questions[0]).delete()
    QueueItem.objects.filter(question=questions[0]).delete()
    enqueue(project, [questions[0].pk])
    assert questions[0].queue_item.seats.count() == 3
    run_bulk_task(third.pk)
    assert {item.seats.count() for item in QueueItem.objects.all()} == {3}


@pytest.mark.django_db(transaction=True)
def test_the_rule_approves_each_rationale_once_though_its_worker_is_killed(
    project: Project, admin_user: User, reviewer: User, questions: list[Question], small_steps: None
) -> None:
    review(project, reviewer, questions[-1], "reject")
    action = orders.order_rule(project, admin_user)
    assert orders.order_rule(project, admin_user) == action  # a double click
    assert (action.status, action.expected) == (Status.WAITING, MANY - 1)
    rule = action.rule
    worker_dies(action)
    change_rubric(project, admin_user, min_validity=0.99, min_structure=0.99)
    done = goes_on(action)
    assert (done.status, done.changed) == (Status.DONE, MANY - 1)
    by_rule = Decision.objects.filter(review=None)
    assert by_rule.count() == MANY - 1 and {one.rule_id for one in by_rule} == {rule.pk}
    assert DecisionLog.objects.filter(rule=rule).count() == MANY - 1
    with pytest.raises(Conflict, match="undecided instead"):
        orders.order_undo(done, admin_user)


def test_the_rule_can_be_stopped_and_goes_on_and_asks_for_rights(
    project: Project, admin_user: User, questions: list[Question], small_steps: None
) -> None:
    action = orders.order_rule(project, admin_user)
    orders.cancel_bulk(action)
    run_bulk_task(action.pk)
    assert not Decision.objects.exists()
    orders.resume_bulk(action)
    other = person("other")
    BulkAction.objects.update(created_by=other)
    run_bulk_task(action.pk)
    action.refresh_from_db()
    assert action.status == Status.FAILED and "only an admin" in action.error
    BulkAction.objects.update(created_by=admin_user)
    orders.resume_bulk(action)
    run_bulk_task(action.pk)
    assert Decision.objects.count() == MANY
    assert orders.order_rule(project, admin_user) is None


def test_the_pages_tell_how_far_it_came(
    project: Project,
    admin_client: Client,
    reviewer: User,
    questions: list[Question],
    small_steps: None,
) -> None:
    form = {"overlap": 2, "control_percent": 0}
    answer = admin_client.post("/projects/eggs/settings/review/", form, follow=True)
    page = answer.content.decode()
    assert "all questions that wait: 2 reviews of each" in page and "Waits for a worker." in page
    assert "<button>Stop</button>" not in page
    run_bulk_task(BulkAction.objects.get().pk)
    page = admin_client.get(answer.redirect_chain[-1][0]).content.decode()
    assert "questions settled" in page and "<button>Undo</button>" not in page
    answer = admin_client.post("/projects/eggs/approve-by-rule", follow=True)
    page = answer.content.decode()
    assert (
        "undecided training rationales that pass rubric 1" in page
        and "<button>Stop</button>" in page
    )
    run_bulk_task(BulkAction.objects.latest("pk").pk)
    page = admin_client.get("/projects/eggs/bulk/").content.decode()
    assert "Overlap changed" in page and "Approved by the rule" in page
    assert Rationale.objects.filter(decision__outcome="approved").count() == MANY
    assert next_item(project, reviewer) is not None
