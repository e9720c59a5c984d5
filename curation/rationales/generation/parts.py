"""Who can fill which slots of a run.

A teacher whose model runs on the worker is the part of the `gpu` queue; a teacher at an address is the
part of the `network` queue, which waits for no processor. Each part has its own wake-ups and takes its
own slots, so a run with both kinds of teachers goes on with both at once.
"""

from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from curation import celery_app
from curation.jobs import Status
from curation.rationales.generation.budgets import LEASE
from curation.rationales.models import Backend, Batch, GenerationRun, Slot, SlotStatus, Teacher

PARTS = (celery_app.GPU, celery_app.NETWORK)
TASK_OF_PART = {celery_app.GPU: celery_app.FILL_RUN, celery_app.NETWORK: celery_app.ASK_ADDRESSES}


def part_of(teacher: Teacher) -> str:
    """The queue whose workers ask this teacher."""
    return celery_app.NETWORK if teacher.backend == Backend.OPENAI else celery_app.GPU


def teachers_of(run: GenerationRun, part: str) -> list[int]:
    """The ids of the run's teachers that this part asks."""
    return list(run.teachers.filter(_asked_by(part)).order_by("id").values_list("id", flat=True))


def _asked_by(part: str, teacher: str = "") -> Q:
    at_addresses = Q(**{f"{teacher}backend": Backend.OPENAI})
    return at_addresses if part == celery_app.NETWORK else ~at_addresses


def is_free(run: GenerationRun) -> Q:
    """Slots that a worker may take now: empty, in no batch that is renewed, their round begun."""
    return _free() & Q(round__lte=run.round) if run.enough else _free()


def _free() -> Q:
    gone = Q(batch__renewed_at__lt=timezone.now() - LEASE)
    return Q(status=SlotStatus.EMPTY) & (Q(batch__isnull=True) | gone)


def live_batches() -> QuerySet[Batch]:
    """Batches that a worker fills now."""
    return Batch.objects.filter(renewed_at__gte=timezone.now() - LEASE)


def to_begin(part: str, runs: Q | None = None) -> QuerySet[Any]:
    """Pairs of a run and a teacher for whom a worker of the part can begin now, by one query: rows of
    the table between both, in order. `runs` says which; by default those that wait or run.

    At an address one worker asks for a run and teacher: it has as many requests on their way as the
    teacher allows, and a second one would only take its slots away.
    """
    if runs is None:
        runs = Q(generationrun__status__in=(Status.WAITING, Status.RUNNING))
    pair = {"run": OuterRef("generationrun"), "teacher": OuterRef("teacher")}
    begun = Q(run__enough=0) | Q(round__lte=F("run__round"))
    pairs = GenerationRun.teachers.through.objects.filter(
        runs, _asked_by(part, "teacher__"), Exists(Slot.objects.filter(_free(), begun, **pair))
    )
    if part == celery_app.NETWORK:
        pairs = pairs.exclude(Exists(live_batches().filter(**pair)))
    return pairs.order_by("generationrun_id", "teacher_id")


def teachers_with_work(run: GenerationRun, part: str) -> list[int]:
    """The part's teachers for whom a worker can begin at this run now."""
    return list(to_begin(part, Q(generationrun=run.pk)).values_list("teacher_id", flat=True))


def wake_run(run: GenerationRun) -> None:
    """Wake the workers of every part that has empty slots, also where others are at them now: they may
    be about to stop. A run without an empty slot is woken to be ended."""
    empty = Slot.objects.filter(run=run, status=SlotStatus.EMPTY)
    woken = False
    for part in PARTS:
        used = [pk for pk in teachers_of(run, part) if empty.filter(teacher=pk).exists()]
        for _ in used if part == celery_app.NETWORK else used[:1]:
            celery_app.send(TASK_OF_PART[part], run.pk)
            woken = True
    if not woken:
        part = celery_app.GPU if teachers_of(run, celery_app.GPU) else celery_app.NETWORK
        celery_app.send(TASK_OF_PART[part], run.pk)


def queues_of(run: GenerationRun) -> list[str]:
    """The queues on which the run's empty slots are filled, for pages; `gpu` where none is known."""
    empty = Slot.objects.filter(run=run, status=SlotStatus.EMPTY)
    used = [
        part
        for part in PARTS
        if any(empty.filter(teacher=pk).exists() for pk in teachers_of(run, part))
    ]
    return used or [part for part in PARTS if teachers_of(run, part)][:1] or [celery_app.GPU]
