"""Reads for the pages of runs: how one stands, what it took, what its engines said."""

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q
from django.utils import timezone

from curation.intervals import clustered
from curation.projects.models import Project
from curation.rationales.budgets import Spent, spent_in
from curation.rationales.clusters import question_clusters
from curation.rationales.models import (
    GenerationRun,
    Rationale,
    Slot,
    SlotStatus,
    TeacherPart,
    passes,
)

RATE_OVER = 200
RUN_SECONDS = 2
# Counting a million slots takes about a second: such a run's page is a little older.
LARGE_RUN, LARGE_RUN_SECONDS = 100_000, 15


@dataclass(frozen=True)
class RunState:
    """Where a run stands. `rate` and `token_rate`: a second, lately; `left`: seconds; None when
    unknown. `saved`: slots that an adaptive run did not need, `extra` of them spent again."""

    filled: int
    failed: int
    saved: int
    total: int
    cut_off: int
    rate: float | None
    token_rate: float | None
    left: float | None
    spent: Spent
    by_teacher: list[dict[str, Any]]
    failures: list[dict[str, Any]]
    newest: list[Rationale]
    parts: list[TeacherPart]

    @property
    def done(self) -> int:
        return self.filled + self.failed + self.saved

    @property
    def asked_for(self) -> int:
        """Slots that are to be written, without those that turned out not to be needed."""
        return self.total - self.saved


def run_state(run: GenerationRun) -> RunState:
    """A few seconds old at most while the run works: many pages may look at one run."""
    if not run.is_active:
        return _run_state(run)
    seconds = LARGE_RUN_SECONDS if run.slot_count > LARGE_RUN else RUN_SECONDS
    return cache.get_or_set(f"run:{run.pk}", lambda: _run_state(run), seconds)


def _run_state(run: GenerationRun) -> RunState:
    slots = Slot.objects.filter(run=run)
    by_teacher = _by_teacher(run)
    filled, failed, saved = (
        sum(row[name] for row in by_teacher) for name in ("filled", "failed", "saved")
    )
    failures = list(
        slots.filter(status=SlotStatus.FAILED)
        .order_by()
        .values("error")
        .annotate(n=Count("id"))
        .order_by("-n")[:10]
    )
    written = Rationale.objects.filter(slot__run=run).order_by("-id")
    newest = list(written.select_related("question", "teacher", "score")[:6])
    latest = list(written.values_list("created_at", "completion_tokens")[:RATE_OVER])
    rate, token_rate = _rates(run, latest)
    empty = run.slot_count - filled - failed - saved
    parts = list(run.parts.defer("log"))
    return RunState(
        filled=filled,
        failed=failed,
        saved=saved,
        total=run.slot_count,
        cut_off=sum(part.truncated for part in parts),
        rate=rate,
        token_rate=token_rate,
        left=empty / rate if rate and run.is_active else None,
        spent=spent_in(parts),
        by_teacher=by_teacher,
        failures=failures,
        newest=newest,
        parts=parts,
    )


def _by_teacher(run: GenerationRun) -> list[dict[str, Any]]:
    """A line a teacher and temperature, with the intervals of its shares: several samples of one question
    are alike, so these count questions."""
    right, good = (
        Q(rationale__score__correctness=1),
        passes(run.project.rubric, "rationale__score__"),
    )
    rows = list(
        Slot.objects.filter(run=run)
        .order_by()
        .values("teacher_id", "teacher__name", "temperature")
        .annotate(
            total=Count("id"),
            filled=Count("id", filter=Q(status=SlotStatus.FILLED)),
            failed=Count("id", filter=Q(status=SlotStatus.FAILED)),
            saved=Count("id", filter=Q(status=SlotStatus.SAVED)),
            graded=Count("rationale__score__correctness"),
            right=Count("id", filter=right),
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
        right=(Count("rationale__score__correctness"), Count("id", filter=right)),
        passing=(Count("id"), Count("id", filter=good)),
    )
    for row in rows:
        key = row["teacher_id"], row["temperature"]
        row["right_interval"] = clustered(row["right"], row["graded"], clusters["right"].get(key))
        row["passing_interval"] = clustered(
            row["passing"], row["scored"], clusters["passing"].get(key)
        )
    return rows


def _rates(
    run: GenerationRun, latest: list[tuple[Any, int | None]]
) -> tuple[float | None, float | None]:
    """Rationales and written tokens a second over the last RATE_OVER ones, the newest first."""
    if len(latest) < 2:
        return None, None
    end = timezone.now() if run.is_active else latest[0][0]
    span = (end - latest[-1][0]).total_seconds()
    if span <= 0:
        return None, None
    return len(latest) / span, sum(tokens or 0 for _, tokens in latest) / span


def runs(project: Project) -> list[GenerationRun]:
    """The latest runs, with `filled`, `failed` and `asked_for` on them."""
    rows = list(
        GenerationRun.objects.for_project(project)
        .select_related("created_by")
        .prefetch_related("teachers")
        .order_by("-id")[:50]
    )
    counted = (
        Slot.objects.filter(run__in=rows)
        .exclude(status=SlotStatus.EMPTY)
        .order_by()
        .values_list("run", "status")
        .annotate(n=Count("id"))
    )
    counts = {(run, status): n for run, status, n in counted}
    for row in rows:
        row.filled = counts.get((row.pk, SlotStatus.FILLED), 0)
        row.failed = counts.get((row.pk, SlotStatus.FAILED), 0)
        row.asked_for = row.slot_count - counts.get((row.pk, SlotStatus.SAVED), 0)
    return rows
