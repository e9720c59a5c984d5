"""What is in front of a piece of work that waits for a worker, and about how long that takes.

Counted from the rows: what the queue's workers are at, and what waits there in the order in which jobs
get their turns (`curation.turns`). How long a job takes is estimated from the last ones of its kind.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from curation import celery_app, turns
from curation.dashboard.selectors import Running, running_in
from curation.jobs import Job, Status
from curation.projects.models import Membership, Role
from curation.rationales.generation.parts import PARTS, live_batches, part_of, to_begin
from curation.rationales.models import GenerationRun, MeaningSearch, TeacherTry
from curation.rationales.teachers.trial import task_of, teacher_of
from curation.training.models import TrainingJob
from curation.turns import ReadyJob

# By the name that stands in the address of `views.waiting`.
KINDS: dict[str, type[Any]] = {
    model._meta.model_name: model
    for model in (*map(apps.get_model, turns.TASK_OF), TeacherTry, MeaningSearch)
}
# Of these the pages are an admin's alone, and these are one person's own, named by this field.
OF_ADMINS = ("bulkaction", "deletion", "teachertry", "gaterun")
OWNERS = {"teachertry": "created_by", "meaningsearch": "user"}
RECENT = 20  # jobs of a kind whose times are averaged
# Fields of how far a job is and how much there is, by kind; the others are estimated as a whole.
PROGRESS = {
    "ScoringRun": ("done", "total"),
    "Evaluation": ("done", "total"),
    "TrainingJob": ("step", "total_steps"),
    "BulkAction": ("seen", "expected"),
}


@dataclass(frozen=True)
class Waiting:
    """Work that waits on a queue.

    jobs_in_front  of all projects: what is worked at, and what gets its turn before
    seconds        until it begins, about; None where nothing is known of what is in front
    workers        processes that listen on the queue; None where the broker does not answer
    mine           of those in front, the project's own
    """

    queue: str
    jobs_in_front: int
    seconds: float | None
    workers: int | None
    mine: tuple[ReadyJob, ...] = ()

    @property
    def others(self) -> int:
        """How many in front are of other projects: no more is said of them."""
        return self.jobs_in_front - len(self.mine)

    @property
    def command(self) -> str:
        return celery_app.start_command(self.queue)


RunsOfParts = dict[str, set[int]]


@dataclass(frozen=True)
class Line:
    """A queue as it is now: `busy` jobs and `ready` ones in the order of their turns; `takes`: how long
    each holds a worker, in seconds, None where unknown; `full`: what gets no further worker now."""

    name: str
    workers: int | None
    busy: list[ReadyJob]
    ready: list[ReadyJob]
    takes: dict[tuple[type[Job], int], float | None]
    full: turns.Full

    def front_of(self, model: type[Any], pk: int) -> Waiting:
        """What is in front of this row."""
        ids = [(job.model, job.pk) for job in self.ready]
        place = ids.index((model, pk)) if (model, pk) in ids else None
        row = None if place is None else self.ready[place]
        busy = [job for job in self.busy if (job.model, job.pk) != (model, pk)]
        before = self.ready[: place or 0]
        at_once = max(1, self.workers or 0) * celery_app.CONCURRENCY[self.name]
        if len(busy) + len(before) < at_once:  # a worker is free, but perhaps not for its project
            share = self._share_of(row) if row else []
            if not share and not (row and self.full.holds_back(row)):
                return Waiting(self.name, 0, 0.0, self.workers)
            if share:  # the others are no matter to it
                at_once = len(share)
                busy, before = share, [job for job in before if job.project_id == row.project_id]
        front = [*busy, *before]
        takes = [self.takes.get((job.model, job.pk)) for job in front]
        known = None if None in takes else sum(takes) / at_once
        project = row.project_id if row else _project_of(model, pk)
        mine = tuple(job for job in front if job.project_id == project)
        return Waiting(self.name, len(front), known, self.workers, mine)

    def _share_of(self, row: ReadyJob) -> list[ReadyJob]:
        """What its project has at work, where that is why it gets no worker."""
        if row.project_id in self.full.projects:
            return [job for job in self.busy if job.project_id == row.project_id]
        if row.in_one and row.project_id in self.full.long:
            return [job for job in self.busy if job.project_id == row.project_id and job.in_one]
        return []


def seen_by(membership: Membership, kind: str) -> QuerySet[Any]:
    """The rows of the kind that this person may ask about: those whose pages they may open."""
    if kind not in KINDS:
        raise Http404
    rows = KINDS[kind].objects.filter(project=membership.project)
    if kind in OF_ADMINS and membership.role != Role.ADMIN:
        return rows.none()
    return rows.filter(**{OWNERS[kind]: membership.user}) if kind in OWNERS else rows


class Board:
    """The queues as they are while one page or answer is made: each is read once."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}
        self._runs: tuple[RunsOfParts, RunsOfParts] | None = None

    def waiting(self, work: Any) -> list[Waiting]:
        """Where the work waits now; empty where it does not. A run waits in two places where models of
        the worker and addresses write for it."""
        names = self._places_of_run(work) if isinstance(work, GenerationRun) else places_of(work)
        return [self._line(name).front_of(type(work), work.pk) for name in names]

    def _places_of_run(self, run: GenerationRun) -> list[str]:
        if not run.is_active:
            return []
        if self._runs is None:
            self._runs = _parts_of_runs()
        begun, free = self._runs
        return [part for part in PARTS if run.pk in free[part] - begun[part]]

    def _line(self, name: str) -> Line:
        if name not in self._lines:
            busy, ready = turns.at_work(name), turns.in_order(name)
            listening = celery_app.listeners()
            workers = None if listening is None else listening[name]
            takes, full = _takes(name, [*busy, *ready]), turns.full(name, busy)
            self._lines[name] = Line(name, workers, busy, ready, takes, full)
        return self._lines[name]


def places_of(work: Any) -> list[str]:
    """The queues on which the work waits now; a `Board` knows it of runs."""
    if isinstance(work, MeaningSearch):
        return [celery_app.CPU] if work.answered_at is None else []
    if work.status != Status.WAITING:
        return []
    if isinstance(work, TeacherTry):
        return [celery_app.QUEUE_OF[task_of(teacher_of(work))]]
    if isinstance(work, TrainingJob) and work.dataset.status != Status.DONE:
        return []  # it waits for its dataset, which waits on a queue of its own
    if getattr(work, "asks_addresses", False):
        return [celery_app.NETWORK]
    return [celery_app.QUEUE_OF[turns.TASK_OF[work._meta.label]]]


def _parts_of_runs() -> tuple[RunsOfParts, RunsOfParts]:
    """Of all active runs, by part: those that a worker fills now, and those with a teacher for whom one
    can begin. One query a part and one for the batches, however many runs there are."""
    begun: RunsOfParts = {part: set() for part in PARTS}
    for batch in live_batches().filter(teacher__isnull=False).select_related("teacher"):
        begun[part_of(batch.teacher)].add(batch.run_id)
    free = {part: set(to_begin(part).values_list("generationrun_id", flat=True)) for part in PARTS}
    return begun, free


def _project_of(model: type[Any], pk: int) -> int | None:
    return model.objects.filter(pk=pk).values_list("project_id", flat=True).first()


def _takes(name: str, jobs: Iterable[ReadyJob]) -> dict[tuple[type[Job], int], float | None]:
    by_model: dict[type[Job], list[int]] = defaultdict(list)
    for job in jobs:
        by_model[job.model].append(job.pk)
    found = {}
    for model, pks in by_model.items():
        left = _left(model, pks)
        for pk in pks:
            seconds = left.get(pk)
            if model.__name__ not in turns.IN_ONE:
                most = turns.SECONDS[name]
                seconds = most if seconds is None else min(seconds, most)
            found[model, pk] = seconds
    return found


def _left(model: type[Job], pks: list[int]) -> dict[int, float | None]:
    """Seconds that these jobs still take, as far as earlier ones tell."""
    progress = PROGRESS.get(model.__name__)
    done = model.objects.filter(status=Status.DONE, started_at__isnull=False)
    recent = list(done.order_by("-id").values_list("worked", *(progress or ()))[:RECENT])
    seconds = sum(row[0].total_seconds() for row in recent)
    rows = model.objects.filter(pk__in=pks)
    if progress:
        units = sum(row[2] for row in recent)
        each = seconds / units if units else None
        return {
            pk: None if each is None or not total else max(0, total - so_far) * each
            for pk, so_far, total in rows.values_list("pk", *progress)
        }
    mean = seconds / len(recent) if recent else None
    return {pk: _rest(mean, began) for pk, began in rows.values_list("pk", "begun_at")}


def _rest(mean: float | None, began: datetime | None) -> float | None:
    if mean is None or began is None:
        return mean
    return max(1.0, mean - (timezone.now() - began).total_seconds())


def named(project: Any, waiting: Waiting) -> list[Running]:
    """The project's own jobs in front, as they are called on pages."""
    if not waiting.mine:
        return []
    known = {(type(one.work), one.work.pk): one for one in running_in(project)}
    found = []
    for job in dict.fromkeys((one.model, one.pk) for one in waiting.mine):
        model, pk = job
        name = f"{model._meta.verbose_name} {pk}".capitalize()
        found.append(known.get(job) or Running(name, "", None, model.objects.get(pk=pk)))
    return found
