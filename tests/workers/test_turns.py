"""Work takes turns: a wake-up is delivered as a worker gets it, one at a time, from the real broker."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation import celery_app, turns
from curation.jobs import Status
from curation.projects.models import Project, User
from curation.projects.services import create_project
from curation.questions.models import QuestionImport
from curation.questions.services import order_import
from curation.rationales.generation.orders import order_run
from curation.rationales.importing import run_import
from curation.rationales.models import Batch, GenerationRun, Rationale, ScoringRun, Teacher
from curation.rationales.scoring.scores import order_scoring
from curation.reviews.bulk import orders, runner
from tests.workers.generation.generation_server import Server, chat
from tests.workers.generation.test_generation_runs import cold_afterwards  # noqa: F401
from workers.app import app
from workers.requeue import put_back

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., list[Any]]


@pytest.fixture(autouse=True)
def local_addresses(settings: Any) -> None:
    settings.MODEL_HOSTS = ["127.0.0.1"]
    app.loader.import_default_modules()


def deliver(name: str) -> str:
    """Let a worker take the next wake-up of the queue; the task's name, "" where there was none."""
    raw = celery_app.broker().rpop(name)
    if raw is None:
        return ""
    task, ids = celery_app.read_wake_up(raw)
    app.tasks[task].apply(args=ids, throw=True)
    return task


def drain(name: str, most: int = 200) -> None:
    for _ in range(most):
        if not deliver(name):
            return
    raise AssertionError(f"{name} is never empty")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn ends at the first good moment when others wait."""
    for name in celery_app.QUEUES:
        monkeypatch.setitem(turns.SECONDS, name, 0.0)


@pytest.fixture
def other(admin_user: User) -> Project:
    return create_project(admin_user, "Other", "other", use_embeddings=False)


def far(project: Project, server: Server, name: str = "far", **fields: Any) -> Teacher:
    return Teacher.objects.create(
        project=project, name=name, backend="openai", model="m", base_url=server.url, **fields
    )


def test_ten_runs_of_one_project_do_not_starve_one_of_another(
    project: Project, other: Project, admin_user: User, make_questions: Make
) -> None:
    make_questions(3)
    make_questions(3, to=other)
    with Server(lambda n, r: chat()) as server:
        mine, theirs = far(project, server), far(other, server)
        order = {"temperatures": [0.5]}
        ten = [order_run(project, admin_user, teachers=[mine], seed=n, **order) for n in range(10)]
        one = order_run(other, admin_user, teachers=[theirs], **order)
        deliver(celery_app.NETWORK)
        deliver(celery_app.NETWORK)
        one.refresh_from_db()
        assert one.status == Status.DONE
        assert GenerationRun.objects.filter(project=project, status=Status.DONE).count() == 1
        drain(celery_app.NETWORK)
    assert {run.status for run in GenerationRun.objects.all()} == {Status.DONE}
    assert Rationale.objects.count() == 3 * len(ten) + 3


def test_a_long_scoring_gives_way_to_a_short_one_and_goes_on(
    project: Project, other: Project, make_questions: Make, make_rationales: Make, impatient: None
) -> None:
    for where, count in ((project, 120), (other, 5)):
        for question in make_questions(count, to=where):
            make_rationales(question, ["right"], scored=False)
    long, short = order_scoring(project, None), order_scoring(other, None)
    deliver(celery_app.CPU)
    long.refresh_from_db()
    assert long.is_between_turns and long.done == 50
    deliver(celery_app.CPU)
    short.refresh_from_db()
    long.refresh_from_db()
    assert (short.status, short.done) == (Status.DONE, 5) and long.done == 50
    drain(celery_app.CPU)
    long.refresh_from_db()
    assert (long.status, long.done, long.total) == (Status.DONE, 120, 120)
    assert long.lost_workers == 1, "giving way is no loss of a worker"
    assert not ScoringRun.objects.exclude(status=Status.DONE).exists()


def file_of(count: int, start: int = 0) -> bytes:
    rows = (
        {"question": f"How many are {n} and {n}?", "reference_answer": str(2 * n)}
        for n in range(start, start + count)
    )
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_an_import_gives_way_between_two_batches_and_adds_nothing_twice(
    project: Project, other: Project, admin_user: User, impatient: None
) -> None:
    long = order_import(project, admin_user, io.BytesIO(file_of(700)), "long.jsonl")
    short = order_import(other, admin_user, io.BytesIO(file_of(10)), "short.jsonl")
    deliver(celery_app.FILES)
    long.refresh_from_db()
    assert long.is_between_turns and (long.rows_read, long.questions_added) == (700, 200)
    deliver(celery_app.FILES)
    short.refresh_from_db()
    assert (short.status, short.questions_added) == (Status.DONE, 10)
    drain(celery_app.FILES)
    long.refresh_from_db()
    assert (long.status, long.questions_added, long.questions_known) == (Status.DONE, 700, 0)
    assert project.questions.filter(reference_problem__isnull=True).count() == 0


def test_a_killed_import_goes_on_with_its_own_figures(project: Project, admin_user: User) -> None:
    job = order_import(project, admin_user, io.BytesIO(file_of(500)), "long.jsonl")
    calls = iter([False, True])

    class Killed(BaseException):
        pass

    def die() -> bool:
        if next(calls):
            raise Killed
        return False

    with pytest.raises(Killed):
        run_import(job.pk, is_over=die)
    QuestionImport.objects.update(heartbeat_at=timezone.now() - timedelta(hours=1))
    put_back()
    drain(celery_app.FILES)
    job.refresh_from_db()
    assert (job.status, job.questions_added, job.questions_known) == (Status.DONE, 500, 0)


def test_what_is_done_to_many_gives_way(
    project: Project, other: Project, admin_user: User, make_questions: Make,
    make_rationales: Make, impatient: None, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(runner, "AT_ONCE", 10)
    monkeypatch.setattr(orders, "INLINE", 5)
    for where, count in ((project, 30), (other, 6)):
        for question in make_questions(count, to=where):
            make_rationales(question, ["right"])
    until = Rationale.objects.latest("pk").pk
    long = orders.order_bulk(project, admin_user, "approve", {}, until=until)
    short = orders.order_bulk(other, admin_user, "approve", {}, until=until)
    deliver(celery_app.QUICK)
    long.refresh_from_db()
    assert long.is_between_turns and long.changed == 10
    deliver(celery_app.QUICK)
    short.refresh_from_db()
    assert (short.status, short.changed) == (Status.DONE, 6)
    for _ in range(4):
        deliver(celery_app.QUICK)
    long.refresh_from_db()
    assert (long.status, long.changed) == (Status.DONE, 30)


def test_a_project_has_no_more_than_its_share_of_the_threads(
    project: Project, other: Project, admin_user: User
) -> None:
    for n in range(3):
        file = io.BytesIO(file_of(3, start=10 * n))
        order_import(project, admin_user, file, f"{n}.jsonl")
    QuestionImport.objects.filter(file_name__in=["0.jsonl", "1.jsonl"]).update(
        status=Status.RUNNING, heartbeat_at=timezone.now()
    )
    for _ in range(3):
        deliver(celery_app.FILES)
    third = QuestionImport.objects.get(file_name="2.jsonl")
    assert third.status == Status.WAITING
    theirs = order_import(other, admin_user, io.BytesIO(file_of(3)), "theirs.jsonl")
    deliver(celery_app.FILES)
    theirs.refresh_from_db()
    assert theirs.status == Status.DONE
    QuestionImport.objects.filter(file_name="0.jsonl").update(status=Status.DONE)
    QuestionImport.objects.filter(pk=third.pk).update(
        created_at=timezone.now() - timedelta(hours=1)
    )
    put_back()
    drain(celery_app.FILES)
    third.refresh_from_db()
    assert third.status == Status.DONE


def test_the_addresses_of_a_mixed_run_do_not_wait_for_the_gpu(
    project: Project, admin_user: User, teacher: Teacher, make_questions: Make
) -> None:
    make_questions(4)
    with Server(lambda n, r: chat()) as server:
        away = [far(project, server, name) for name in ("far", "farther")]
        run = order_run(
            project, admin_user, teachers=[teacher, *away], temperatures=[0.5], samples=2
        )
        assert {name for name, _ in celery_app.wake_ups_in(celery_app.GPU)} == {celery_app.FILL_RUN}
        drain(celery_app.NETWORK)
        run.refresh_from_db()
        assert run.status == Status.RUNNING
        filled = run.slots.filter(status="filled")
        assert set(filled.values_list("teacher__name", flat=True)) == {"far", "farther"}
        assert filled.count() == 16
        asked = len(server.received)
        drain(celery_app.GPU)
        run.refresh_from_db()
        assert run.status == Status.DONE and run.slots.filter(status="filled").count() == 24
        assert len(server.received) == asked == 16


def test_a_wake_up_of_before_is_handed_on(
    project: Project, admin_user: User, make_questions: Make
) -> None:
    """An order that was on its way while the program was changed lies in the queue of the GPU."""
    make_questions(2)
    with Server(lambda n, r: chat()) as server:
        run = order_run(project, admin_user, teachers=[far(project, server)], temperatures=[0.5])
        celery_app.broker().delete(celery_app.NETWORK)
        celery_app.send(celery_app.FILL_RUN, run.pk)
        drain(celery_app.GPU)
        assert not server.received
        drain(celery_app.NETWORK)
    run.refresh_from_db()
    assert run.status == Status.DONE


def test_the_beat_wakes_the_part_that_lost_its_worker_and_doubles_no_wake_up(
    project: Project, admin_user: User, teacher: Teacher, make_questions: Make
) -> None:
    make_questions(2)
    with Server(lambda n, r: chat()) as server:
        away = far(project, server)
        run = order_run(project, admin_user, teachers=[teacher, away], temperatures=[0.5])
        ago = timezone.now() - timedelta(minutes=5)
        # The gpu worker is at it; the network worker died, and its wake-up with it.
        GenerationRun.objects.update(
            status=Status.RUNNING, attempt=1, heartbeat_at=timezone.now(), created_at=ago
        )
        ours = Batch.objects.create(run=run, teacher=teacher)
        run.slots.filter(teacher=teacher).update(batch=ours)
        dead = Batch.objects.create(run=run, teacher=away, renewed_at=ago)
        run.slots.filter(teacher=away).update(batch=dead, attempts=1)
        celery_app.broker().delete(*celery_app.QUEUES)
        for _ in range(3):
            put_back()
        one = (celery_app.ASK_ADDRESSES, (run.pk,))
        assert celery_app.wake_ups_in(celery_app.NETWORK) == {one: 1}
        assert not celery_app.wake_ups_in(celery_app.GPU)
        drain(celery_app.NETWORK)
    assert run.slots.filter(status="filled", teacher=away).count() == 2
