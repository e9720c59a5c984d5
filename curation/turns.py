"""Whose turn it is on a queue: jobs of one project take turns with those of the others.

A wake-up says that a job is ready; which job a worker takes up then is decided here, from the rows.
Of the projects with a ready job the one whose last turn is longest ago is next, and of its jobs the
one that had the fewest turns. When a project had its last turn is kept beside the queue, in the
broker: where that is lost, the oldest job is next.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import redis
from django.apps import apps
from django.db.models import F, Q, QuerySet

from curation import celery_app
from curation.evaluations.models import Evaluation
from curation.jobs import Job, Status, to_begin
from curation.rationales.generation.parts import live_batches
from curation.rationales.generation.parts import to_begin as to_begin_runs
from curation.rationales.models import Backend, GenerationRun
from curation.training.models import TrainingJob

log = logging.getLogger(__name__)

# The task of each kind of work. A run has one for each part, see
# `curation.rationales.generation.parts`; so has an evaluation, see `queue_of`.
TASK_OF: dict[str, str] = {
    "questions.QuestionImport": celery_app.RUN_IMPORT,
    "questions.Deletion": celery_app.RUN_DELETION,
    "rationales.ScoringRun": celery_app.SCORE_PROJECT,
    "reviews.AgreementCount": celery_app.COUNT_AGREEMENT,
    "reviews.BulkAction": celery_app.RUN_BULK,
    "datasets.DatasetVersion": celery_app.FREEZE_DATASET,
    "datasets.DatasetCheck": celery_app.CHECK_DATASET,
    "datasets.GateRun": celery_app.RUN_GATES,
    "training.TrainingJob": celery_app.TRAIN,
    "evaluations.Evaluation": celery_app.EVALUATE,
    "rationales.GenerationRun": celery_app.FILL_RUN,
}
# Seconds that a job keeps its worker while others wait for it. A model of this machine takes seconds
# to load, and a file is read again from its beginning up to where the job was.
SECONDS = {
    celery_app.CPU: 5.0,
    celery_app.QUICK: 5.0,
    celery_app.NETWORK: 15.0,
    celery_app.FILES: 15.0,
    celery_app.GPU: 30.0,
}
# What keeps its worker to its end.
IN_ONE = (
    "DatasetVersion",
    "DatasetCheck",
    "GateRun",
    "AgreementCount",
    "TrainingJob",
    "Evaluation",
)
# So many jobs of one project at once in all workers of a queue, where several are worked at in one
# process: the rest is for others. On `network` a job is what one teacher of a run is asked.
PROJECT_AT_ONCE = {
    celery_app.FILES: 2,
    celery_app.QUICK: 2,
    celery_app.NETWORK: celery_app.CONCURRENCY[celery_app.NETWORK] // 2,
}


@dataclass(frozen=True)
class ReadyJob:
    """A row that is ready for a worker of the queue.

    workers  how many could take it up now: for a run one for each teacher at an address
    """

    model: type[Job]
    pk: int
    project_id: int
    turns: int
    created_at: datetime
    workers: int = 1

    @property
    def in_one(self) -> bool:
        """Whether it keeps its worker to its end."""
        return self.model.__name__ in IN_ONE


def models_on(name: str) -> list[type[Job]]:
    """The kinds of work of which some is done on the queue."""
    kinds = [
        apps.get_model(label)
        for label, task in TASK_OF.items()
        if celery_app.QUEUE_OF[task] == name
    ]
    return [*kinds, GenerationRun, Evaluation] if name == celery_app.NETWORK else kinds


def waiting_on(model: type[Job], name: str) -> QuerySet[Job]:
    """Rows of the kind that a worker of the queue may begin; not for runs, see `ready_jobs`."""
    rows = model.objects.filter(to_begin())
    if model is TrainingJob:
        rows = rows.filter(dataset__status=Status.DONE)
    if model is Evaluation:
        rows = rows.filter(asks_addresses=name == celery_app.NETWORK)
    return rows


def ready_jobs(name: str) -> Iterator[ReadyJob]:
    """All jobs that a worker of the queue could take up now."""
    for model in models_on(name):
        if model is GenerationRun:
            yield from _ready_runs(name)
            continue
        rows = waiting_on(model, name).values_list("pk", "project_id", "turns", "created_at")
        for row in rows:
            yield ReadyJob(model, *row)


def _ready_runs(name: str) -> Iterator[ReadyJob]:
    fields = ("generationrun_id", "project_id", "turns", "created_at")
    rows = to_begin_runs(name).values_list(
        fields[0], *(f"generationrun__{field}" for field in fields[1:])
    )
    teachers = Counter(rows)  # each run once for each teacher
    for row, n in teachers.items():
        yield ReadyJob(GenerationRun, *row, workers=n if name == celery_app.NETWORK else 1)


def at_work(name: str) -> list[ReadyJob]:
    """The jobs that workers of the queue are at now; a run once for each teacher who is asked."""
    jobs = []
    for model in models_on(name):
        if model is GenerationRun:
            at_addresses = Q(teacher__backend=Backend.OPENAI)
            mine = live_batches().filter(run__status=Status.RUNNING)
            mine = mine.filter(at_addresses if name == celery_app.NETWORK else ~at_addresses)
            fields = ("run_id", "run__project_id", "run__turns", "run__created_at")
        else:
            mine = model.objects.filter(status=Status.RUNNING).exclude(to_begin())
            if model is Evaluation:
                mine = mine.filter(asks_addresses=name == celery_app.NETWORK)
            fields = ("pk", "project_id", "turns", "created_at")
        jobs += [ReadyJob(model, *row) for row in mine.values_list(*fields)]
    return jobs


@dataclass(frozen=True)
class Full:
    """What may get no further worker of a queue now.

    projects  of which as many jobs are worked at as one may have at once
    long      projects of which a job that keeps its worker to its end is worked at; none of any
              project begins where `no_more_long`, so that a worker is left for what takes turns
    """

    projects: frozenset[int] = frozenset()
    long: frozenset[int] = frozenset()
    no_more_long: bool = False

    def holds_back(self, job: ReadyJob) -> bool:
        if job.project_id in self.projects:
            return True
        return job.in_one and (self.no_more_long or job.project_id in self.long)


def full(name: str, busy: list[ReadyJob] | None = None) -> Full:
    """What has no share of the queue's workers left; `busy`: `at_work`, where it is known."""
    most = PROJECT_AT_ONCE.get(name)
    if most is None:
        return Full()
    busy = at_work(name) if busy is None else busy
    counts = Counter(job.project_id for job in busy)
    projects = frozenset(pk for pk, n in counts.items() if n >= most)
    if name != celery_app.FILES:
        return Full(projects)
    long = [job.project_id for job in busy if job.in_one]
    threads = celery_app.CONCURRENCY[name] * max(1, (celery_app.listeners() or {}).get(name, 1))
    return Full(projects, frozenset(long), len(long) >= threads - 1)


def in_order(name: str) -> list[ReadyJob]:
    """The ready jobs in the order in which they get their turns."""
    jobs = sorted(ready_jobs(name), key=lambda job: (job.turns, job.created_at, job.pk))
    last = last_turns(name)
    place: dict[int, int] = {}
    ranked = []
    for job in jobs:
        rank = place[job.project_id] = place.get(job.project_id, 0) + 1
        ranked.append(((rank, last.get(job.project_id, 0), job.created_at), job))
    ranked.sort(key=lambda one: one[0])
    return [job for _, job in ranked]


@contextmanager
def alone(name: str) -> Iterator[None]:
    """One worker of the queue at a time, for moments. Without a broker, and after some seconds, it goes
    on all the same: rows say who begins, and a wake-up too many does nothing."""
    lock = celery_app.broker().lock(f"{_key(name)}:lock", timeout=10, blocking_timeout=5)
    held = False
    try:
        held = lock.acquire()
    except redis.RedisError as error:
        log.warning("workers choose beside each other: %s", error)
    try:
        yield
    finally:
        try:
            if held:
                lock.release()
        except redis.RedisError:
            pass  # it has run out


def take_next(name: str, asked: tuple[type[Job], int]) -> ReadyJob | None:
    """The job that a worker takes up on a wake-up for `asked`; None where that is not ready (any more),
    or where all that is ready is held back. Its project's turn is noted.

    A run of which nothing can be written now is taken up itself, without counting as a turn: it may be
    to be ended.
    """
    with alone(name):
        jobs = in_order(name)
        if not any((job.model, job.pk) == asked for job in jobs):
            return _as_it_is(*asked) if asked[0] is GenerationRun else None
        shares = full(name)
        job = next((job for job in jobs if not shares.holds_back(job)), None)
        if job is not None:
            note_turn(name, job)
        return job


def _as_it_is(model: type[Job], pk: int) -> ReadyJob | None:
    row = model.objects.filter(pk=pk).values_list("pk", "project_id", "turns", "created_at").first()
    return ReadyJob(model, *row, workers=0) if row else None


def wake_ready(name: str) -> int:
    """After a turn: send a wake-up for each job that a worker could take up now and for which none lies
    in the queue; returns how many were sent. The one place that does so, see also `workers.requeue`."""
    try:
        with alone(name):
            lying = celery_app.wake_ups_in(name)
            if lying.total() >= celery_app.LONGEST_LOOK:
                return 0  # more than all workers can take; what they take wakes the rest
            shares, sent = full(name), 0
            for job in ready_jobs(name):
                if shares.holds_back(job):
                    continue
                task = task_on(job.model, name)
                for _ in range(job.workers - lying[task, (job.pk,)]):
                    celery_app.send(task, job.pk)
                    sent += 1
            return sent
    except redis.RedisError as error:
        log.warning("no worker is woken, the beat will do so: %s", error)
        return 0


def others_wait(name: str, mine: tuple[type[Job], int] | None = None) -> bool:
    """Whether another job than `mine` waits for a worker of the queue, which are all busy: its wake-up
    lies there, and it is ready. What takes no turns, such as the check of a text, waits too."""
    try:
        lying = celery_app.wake_ups_in(name)
    except redis.RedisError:
        return False  # nobody can be asked to wait
    if not lying:
        return False
    in_turns = {task_on(model, name) for model in models_on(name)}
    if any(task not in in_turns for task, _ in lying):
        return True
    # What waits for a worker of this project's own share waits for this turn to end as well.
    return any((job.model, job.pk) != mine for job in ready_jobs(name))


def task_on(model: type[Job], name: str) -> str:
    """The task that works at rows of the kind on this queue."""
    if name == celery_app.NETWORK:
        return celery_app.ASK_ADDRESSES if model is GenerationRun else celery_app.EVALUATE_ADDRESSES
    return TASK_OF[model._meta.label]


def _key(name: str) -> str:
    return f"chainwright:turns:{name}"


def last_turns(name: str) -> dict[int, int]:
    """By project, the number of its last turn on the queue; a higher one was later."""
    try:
        return {
            int(pk): int(n)
            for pk, n in celery_app.broker().hgetall(_key(name)).items()
            if pk != b"n"
        }
    except redis.RedisError:
        return {}


def note_turn(name: str, job: ReadyJob) -> None:
    """A worker takes the job up: others of its project, and itself, come after other projects now."""
    if job.model is GenerationRun:
        GenerationRun.objects.filter(pk=job.pk).update(turns=F("turns") + 1)
    try:
        client = celery_app.broker()
        client.hset(_key(name), str(job.project_id), client.hincrby(_key(name), "n", 1))
    except redis.RedisError as error:
        log.warning("whose turn it was is not kept: %s", error)
