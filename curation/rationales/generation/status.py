"""Reads for the pages of runs: how one stands, what it took, what its engines said."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from curation.db.adaptive_cache import remembered
from curation.figures.intervals import clustered
from curation.progress import Progress, progress_of
from curation.projects.models import Project
from curation.rationales.generation.budgets import Spent, spent_in
from curation.rationales.models import (
    GenerationRun,
    Rationale,
    Slot,
    SlotStatus,
    TeacherPart,
    count_resting,
    is_not_read,
    is_read,
    is_right,
    passes,
)
from curation.rationales.scoring.clusters import question_clusters


@dataclass(frozen=True)
class RunState:
    """Where a run stands: its `progress`, and beside it what only the run's page shows. `saved`: slots
    that an adaptive run did not need."""

    progress: Progress
    saved: int
    cut_off: int
    token_rate: float | None
    spent: Spent
    by_teacher: list[dict[str, Any]]
    failures: list[dict[str, Any]]
    newest: list[Rationale]
    parts: list[TeacherPart]

    @property
    def is_complete(self) -> bool:
        """No slot is empty."""
        return self.progress.done + self.progress.failed >= (self.progress.total or 0)


def run_state(run: GenerationRun) -> RunState:
    """What is counted over many rows is some seconds old while a large run works: many may look at it."""
    if run.is_active:
        details = remembered(f"run-details:{run.pk}", lambda: _details(run), seconds=0)
    else:
        details = _details(run)
    counts, progress = run.slot_counts, progress_of(run)
    parts = list(run.parts.defer("log"))
    token_rate = counts.token_rate
    if not run.is_active and progress.seconds:
        token_rate = sum(part.completion_tokens for part in parts) / progress.seconds
    return RunState(
        progress=progress,
        saved=counts.saved,
        cut_off=sum(part.truncated for part in parts),
        token_rate=token_rate,
        spent=spent_in(parts),
        parts=parts,
        **details,
    )


def _details(run: GenerationRun) -> dict[str, Any]:
    failures = (
        Slot.objects.filter(run=run, status=SlotStatus.FAILED)
        .order_by()
        .values("error")
        .annotate(n=Count("id"))
        .order_by("-n")[:10]
    )
    written = Rationale.objects.filter(slot__run=run).order_by("-id")
    return {
        "by_teacher": _by_teacher(run),
        "failures": list(failures),
        "newest": list(written.select_related("question", "teacher", "score")[:6]),
    }


def _by_teacher(run: GenerationRun) -> list[dict[str, Any]]:
    """A line a teacher and temperature, with the intervals of its shares: several samples of one question
    are alike, so these count questions."""
    score = "rationale__score__"
    right, good = is_right(score), passes(run.project.rubric, score)
    rows = list(
        Slot.objects.filter(run=run)
        .order_by()
        .values("teacher_id", "teacher__name", "temperature")
        .annotate(
            total=Count("id"),
            filled=Count("id", filter=Q(status=SlotStatus.FILLED)),
            failed=Count("id", filter=Q(status=SlotStatus.FAILED)),
            saved=Count("id", filter=Q(status=SlotStatus.SAVED)),
            graded=Count("id", filter=is_read(score)),
            right=Count("id", filter=right),
            not_read=Count("id", filter=is_not_read(score)),
            scored=Count("rationale__score"),
            passing=Count("id", filter=good),
        )
        .order_by("teacher_id", "temperature")
    )
    clusters = question_clusters(
        run.project,
        Slot.objects.filter(run=run, rationale__score__isnull=False),
        ("teacher_id", "temperature"),
        keys=[(row["teacher_id"], row["temperature"]) for row in rows if row["scored"]],
        right=(Count("id", filter=is_read(score)), Count("id", filter=right)),
        passing=(Count("id"), Count("id", filter=good)),
    )
    for row in rows:
        key = row["teacher_id"], row["temperature"]
        row["right_interval"] = clustered(row["right"], row["graded"], clusters["right"].get(key))
        row["passing_interval"] = clustered(
            row["passing"], row["scored"], clusters["passing"].get(key)
        )
    return rows


def runs(project: Project) -> list[GenerationRun]:
    """The latest runs, with their `progress` on them."""
    rows = list(
        GenerationRun.objects.for_project(project)
        .select_related("created_by")
        .prefetch_related("teachers")
        .order_by("-id")[:50]
    )
    count_resting(rows)
    for row in rows:
        row.project = project
        row.progress = progress_of(row)
    return rows
