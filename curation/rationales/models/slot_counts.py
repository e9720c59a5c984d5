"""The slots of a run, counted, and the pace at which they are filled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count
from django.utils import timezone

from curation.jobs import Status

if TYPE_CHECKING:
    from curation.rationales.models.generation import GenerationRun

RATE_OVER = 200  # rationales: a pace is that of the latest


@dataclass(frozen=True)
class SlotCounts:
    """How many slots of a run have which status. `rate`, `token_rate`: rationales and written tokens a
    second, lately; None where it is not at work, or that says nothing yet."""

    filled: int = 0
    failed: int = 0
    saved: int = 0
    rate: float | None = None
    token_rate: float | None = None


STATUSES = ("filled", "failed", "saved")


def count_slots(run: GenerationRun) -> SlotCounts:
    rows = run.slots.filter(status__in=STATUSES).order_by().values_list("status")
    rate, token_rate = _lately(run)
    return SlotCounts(**dict(rows.annotate(n=Count("id"))), rate=rate, token_rate=token_rate)


def count_resting(runs: Iterable[GenerationRun]) -> None:
    """Count the slots of those that nobody fills now, all in one query."""
    resting = {run.pk: run for run in runs if run.status != Status.RUNNING}
    if not resting:
        return
    slots = next(iter(resting.values())).slots.model.objects.filter(run__in=list(resting))
    rows = slots.filter(status__in=STATUSES).order_by().values_list("run", "status")
    counts: dict[int, dict[str, int]] = {}
    for pk, status, n in rows.annotate(n=Count("id")):
        counts.setdefault(pk, {})[status] = n
    for pk, run in resting.items():
        run.known_counts = SlotCounts(**counts.get(pk, {}))


def _lately(run: GenerationRun) -> tuple[float | None, float | None]:
    """Over the last RATE_OVER that this attempt wrote: a pause before it is no part of its pace."""
    if run.status != Status.RUNNING or run.begun_at is None:
        return None, None
    written = run.project.rationales.filter(slot__run=run, created_at__gte=run.begun_at)
    latest = list(
        written.order_by("-id").values_list("created_at", "completion_tokens")[:RATE_OVER]
    )
    if len(latest) < 2:
        return None, None
    span = (timezone.now() - latest[-1][0]).total_seconds()
    if span <= 0:
        return None, None
    return len(latest) / span, sum(tokens or 0 for _, tokens in latest) / span
