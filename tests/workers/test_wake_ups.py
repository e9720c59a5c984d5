"""How many wake-ups lie in a queue, and who gets a worker: delivered from the real broker."""

import asyncio
import io
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from curation import celery_app, turns
from curation.datasets.models import DatasetVersion
from curation.jobs import Status
from curation.projects.models import Project, User
from curation.projects.services import create_project
from curation.questions.models import QuestionImport
from curation.questions.services import order_import
from curation.rationales.generation.orders import order_run
from curation.rationales.models import GenerationRun, Rationale, Teacher, TeacherTry
from curation.rationales.teachers.trial import order_try
from tests import event_loop
from tests.workers.generation.generation_server import Reply, Server, chat
from tests.workers.test_turns import Make, deliver, drain, far, file_of, local_addresses  # noqa: F401
from tests.workers.test_turns import impatient as impatient
from workers.generation.chat.address_pool import Room
from workers.requeue import put_back
from workers.turns import take_turn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def projects(admin_user: User) -> list[Project]:
    return [
        create_project(admin_user, f"Project {n}", f"project-{n}", use_embeddings=False)
        for n in range(4)
    ]


def lying(name: str) -> int:
    return celery_app.broker().llen(name)


def ready(name: str) -> int:
    return sum(job.workers for job in turns.ready_jobs(name))


def test_each_ready_job_has_one_wake_up_and_none_has_two(
    projects: list[Project], admin_user: User, make_questions: Make, impatient: None
) -> None:
    for n, project in enumerate(projects[:3]):
        for part in range(2):
            file = io.BytesIO(file_of(450, start=1000 * n + 500 * part))
            order_import(project, admin_user, file, f"{n}-{part}.jsonl")
    taken = 0
    while task := deliver(celery_app.FILES):
        if task == celery_app.RUN_IMPORT:
            taken += 1
            # One that ended on another's wake-up leaves its own, which does nothing.
            wake_ups = celery_app.wake_ups_in(celery_app.FILES)
            imports = [n for (name, _), n in wake_ups.items() if name == celery_app.RUN_IMPORT]
            assert set(imports) <= {1}
            ready_ones = {job.pk for job in turns.ready_jobs(celery_app.FILES)}
            assert ready_ones <= {ids[0] for name, ids in wake_ups if name == celery_app.RUN_IMPORT}
    attempts = sum(QuestionImport.objects.values_list("attempt", flat=True))
    assert 12 <= attempts <= taken <= attempts + 6
    assert set(QuestionImport.objects.values_list("status", flat=True)) == {Status.DONE}


def test_runs_leave_no_wake_ups_and_end_their_turns(
    projects: list[Project], admin_user: User, make_questions: Make, impatient: None
) -> None:
    with Server(lambda n, r: chat()) as server:
        for project in projects[:2]:
            make_questions(30, to=project)
            teachers = [far(project, server, name, concurrency=2) for name in ("a", "b")]
            order_run(project, admin_user, teachers=teachers, temperatures=[0.5])
        first, second = GenerationRun.objects.order_by("id")
        filled = lambda run: run.slots.filter(status="filled").count()  # noqa: E731
        deliver(celery_app.NETWORK)
        assert 0 < filled(first) <= 8 and filled(second) == 0, "what is leased keeps two busy"
        deliver(celery_app.NETWORK)
        assert 0 < filled(second) <= 8
        assert lying(celery_app.NETWORK) == ready(celery_app.NETWORK) == 4
        for _ in range(100):
            if not deliver(celery_app.NETWORK):
                break
            wake_ups = celery_app.wake_ups_in(celery_app.NETWORK)
            assert all(n <= 2 for n in wake_ups.values()) and wake_ups.total() <= 4
        assert len(server.received) == 120
    assert set(GenerationRun.objects.values_list("status", flat=True)) == {Status.DONE}


def test_four_workers_at_once_lease_each_slot_once_and_leave_nothing_behind(
    projects: list[Project], admin_user: User, make_questions: Make, impatient: None
) -> None:
    """They choose at the same moment, from the same rows."""
    with Server(lambda n, r: chat()) as server:
        for project in projects:
            make_questions(12, to=project)
            teacher = far(project, server, concurrency=2)
            order_run(project, admin_user, teachers=[teacher], temperatures=[0.5])
        barrier, taken, errors = threading.Barrier(4), [], []

        def work() -> None:
            try:
                while True:
                    barrier.wait(timeout=120)
                    raw = celery_app.broker().rpop(celery_app.NETWORK)
                    if raw is not None:
                        pk = celery_app.read_wake_up(raw)[1][0]
                        taken.append(pk)
                    barrier.wait(timeout=120)
                    if raw is not None:
                        take_turn(celery_app.NETWORK, GenerationRun, pk)
                    barrier.wait(timeout=120)
                    left = lying(celery_app.NETWORK)
                    barrier.wait(timeout=120)
                    if not left:
                        return
            except Exception as error:
                errors.append(error)
                barrier.abort()
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors
        assert len(server.received) == Rationale.objects.count() == 4 * 12
    assert set(GenerationRun.objects.values_list("status", flat=True)) == {Status.DONE}
    assert lying(celery_app.NETWORK) == 0
    # Each turn but a last one that finds nothing writes four of a run's twelve.
    assert len(taken) <= 4 * 5
    assert sum(GenerationRun.objects.values_list("turns", flat=True)) <= len(taken)


def test_a_wake_up_for_a_run_that_has_ended_is_no_turn(
    projects: list[Project], admin_user: User, make_questions: Make
) -> None:
    make_questions(2, to=projects[0])
    with Server(lambda n, r: chat()) as server:
        teacher = far(projects[0], server)
        run = order_run(projects[0], admin_user, teachers=[teacher], temperatures=[0.5])
        drain(celery_app.NETWORK)
    run.refresh_from_db()
    before, last = run.turns, turns.last_turns(celery_app.NETWORK)
    celery_app.send(celery_app.ASK_ADDRESSES, run.pk)
    drain(celery_app.NETWORK)
    run.refresh_from_db()
    assert run.turns == before == 1 and turns.last_turns(celery_app.NETWORK) == last


def test_where_no_worker_listens_the_beat_sends_each_wake_up_once(
    projects: list[Project], admin_user: User, make_questions: Make
) -> None:
    """A run to be ended, and one to be gone on with."""
    for project in projects[:2]:
        make_questions(2, to=project)
        teacher = Teacher.objects.create(
            project=project, name="far", backend="openai", model="m", base_url="http://127.0.0.1:9"
        )
        order_run(project, admin_user, teachers=[teacher], temperatures=[0.5])
    first = GenerationRun.objects.order_by("id").first()
    first.slots.update(status="failed")
    ago = timezone.now() - timedelta(hours=1)
    GenerationRun.objects.update(
        status=Status.RUNNING, attempt=1, heartbeat_at=ago, begun_at=ago, created_at=ago
    )
    celery_app.broker().delete(celery_app.NETWORK)
    for _ in range(4):
        put_back()
    assert lying(celery_app.NETWORK) == 2
    assert set(celery_app.wake_ups_in(celery_app.NETWORK).values()) == {1}


def freezing(project: Project, number: int, status: str = Status.WAITING) -> DatasetVersion:
    running = {"heartbeat_at": timezone.now()} if status == Status.RUNNING else {}
    return DatasetVersion.objects.create(
        project=project, number=number, recipe={}, status=status, **running
    )


def test_freezing_leaves_workers_for_what_takes_turns(
    projects: list[Project], admin_user: User
) -> None:
    taken = lambda work: turns.take_next(celery_app.FILES, (type(work), work.pk))  # noqa: E731
    freezing(projects[0], 1, Status.RUNNING)
    assert taken(freezing(projects[0], 2)) is None, "one of a project at once"
    second = freezing(projects[1], 1)
    assert taken(second).pk == second.pk
    for project in projects[1:3]:
        DatasetVersion.objects.filter(project=project).delete()
        freezing(project, 1, Status.RUNNING)
    fourth = freezing(projects[3], 1)
    assert taken(fourth) is None, "one of four threads is left"
    file = order_import(projects[3], admin_user, io.BytesIO(file_of(3)), "short.jsonl")
    assert (taken(fourth).model, taken(file).pk) == (QuestionImport, file.pk)
    drain(celery_app.FILES)
    file.refresh_from_db()
    assert file.status == Status.DONE
    assert not celery_app.wake_ups_in(celery_app.FILES)


def test_choosing_takes_as_many_queries_for_many_runs_as_for_one(
    projects: list[Project], admin_user: User, make_questions: Make, django_assert_num_queries: Any
) -> None:
    project = projects[0]
    make_questions(2, to=project)
    teacher = Teacher.objects.create(
        project=project, name="far", backend="openai", model="m", base_url="http://127.0.0.1:9"
    )
    order = {"teachers": [teacher], "temperatures": [0.5]}
    order_run(project, admin_user, **order)
    for count in (1, 20):
        while GenerationRun.objects.count() < count:
            order_run(project, admin_user, seed=GenerationRun.objects.count(), **order)
        for name in (celery_app.NETWORK, celery_app.GPU):
            with django_assert_num_queries(2 if name == celery_app.NETWORK else 3):
                found = turns.in_order(name)
            assert len(found) == (count if name == celery_app.NETWORK else 0)


def test_a_try_keeps_the_limits_of_an_address_beside_a_run(
    projects: list[Project], admin_user: User, make_questions: Make
) -> None:
    """One request at once, also where a run and something else ask."""
    project = projects[0]
    make_questions(3, to=project)
    second = threading.Event()

    def behave(number: int, received: Any) -> Reply:
        if number > 0:
            second.set()
        else:
            other.start()
            second.wait(1.5)  # without the limit it comes at once
        return chat()

    def ask() -> None:
        try:
            deliver(celery_app.NETWORK)
        finally:
            connection.close()

    other = threading.Thread(target=ask)
    with Server(behave) as server:
        teacher = far(project, server, concurrency=1)
        run = order_run(project, admin_user, teachers=[teacher], temperatures=[0.5])
        celery_app.broker().rpop(celery_app.NETWORK)
        order_try(project, admin_user, teacher, "How many?")
        take_turn(celery_app.NETWORK, GenerationRun, run.pk)
        other.join()
        assert len(server.received) == 4 and server.most_in_flight == 1
    assert TeacherTry.objects.get().status == Status.DONE


def test_a_place_that_is_given_up_as_another_leaves_is_nobodys_error() -> None:
    async def crowd() -> int:
        room, go_on = Room(1), asyncio.Event()

        async def enter() -> None:
            async with room.place():
                await go_on.wait()

        tasks = [asyncio.create_task(enter()) for _ in range(4)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        tasks[0].cancel()
        tasks[2].cancel()
        go_on.set()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(end) for end in ends[:3]] == [asyncio.CancelledError] * 3 and ends[3] is None
        return room.inside

    assert event_loop.run(crowd()) == 0
