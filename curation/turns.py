"""Whose turn it is on a queue: jobs of one project take turns with those of the others.

A wake-up says that a job is ready; which job a worker takes up then is decided here, from the rows.
Of the projects with a ready job the one whose last turn is longest ago is next, and of its jobs the
one that had the fewest turns. When a project had its last turn is kept beside the queue, in the
broker: where that is lost, the oldest job is next.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import redis
from django.apps import apps
from django.db.models import F, Q, QuerySet

from curation import celery_app
from curation.evaluations.models import Evaluation
from curation.jobs import Job, Status, to_begin
from curation.rationales.generation.parts import live_batches, teachers_with_work
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
IN_ONE = ("DatasetVersion", "DatasetCheck", "AgreementCount", "TrainingJob", "Evaluation")
# So many jobs of one project at once in all workers of a queue, where several are worked at in one
# process: the rest is for others. On `network` a job is what one teacher of a run is asked.
PROJECT_AT_ONCE = {
    celery_app.FILES: 2,
    celery_app.QUICK: 2,
    celery_app.NETWORK: celery_app.CONCURRENCY[celery_app.NETWORK] // 2,
}


@dataclass(frozen=True)
class ReadyJob:
    """A row that is ready for a worker of the queue."""

    model: type[Job]
    pk: int
    project_id: int
    turns: int
    created_at: datetime


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
    runs = GenerationRun.objects.filter(status__in=(Status.WAITING, Status.RUNNING))
    for run in runs.defer("examples", "filters").order_by("id"):
        if teachers_with_work(run, name):
            yield ReadyJob(GenerationRun, run.pk, run.project_id, run.turns, run.created_at)


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


def held_back(name: str) -> set[int]:
    """Projects of which as many jobs are worked at as one may have at once."""
    most = PROJECT_AT_ONCE.get(name)
    if most is None:
        return set()
    counts = Counter(job.project_id for job in at_work(name))
    return {pk for pk, n in counts.items() if n >= most}


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


def next_job(name: str, asked: tuple[type[Job], int]) -> ReadyJob | None:
    """The job that a worker takes up on a wake-up for `asked`; None where that is not ready (any more),
    or where all that is ready is held back.

    A run of which nothing can be written now is taken up itself: it may be to be ended.
    """
    jobs, full = in_order(name), held_back(name)
    if not any((job.model, job.pk) == asked for job in jobs):
        return _as_it_is(*asked) if asked[0] is GenerationRun else None
    return next((job for job in jobs if job.project_id not in full), None)


def _as_it_is(model: type[Job], pk: int) -> ReadyJob | None:
    row = model.objects.filter(pk=pk).values_list("pk", "project_id", "turns", "created_at").first()
    return ReadyJob(model, *row) if row else None


def held_back_job(name: str, project_id: int) -> ReadyJob | None:
    """After a turn of a project: its job that had to wait for it and has no worker yet."""
    if name not in PROJECT_AT_ONCE:
        return None
    mine = [job for job in in_order(name) if job.project_id == project_id]
    return mine[0] if mine else None


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
