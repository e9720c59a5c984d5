"""How far a piece of long work has come: one reckoning for pages, API, commands and dashboard.

Each kind of work counts its own rows (`Work.counted`); `progress_of` makes the shown figures of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curation.jobs import Job


@dataclass(frozen=True)
class Counted:
    """What the rows of a piece of work say. `done` and `failed` are disjoint; `total` holds both, and is
    None while nobody knows it. `rate` (a second) and `seconds_left` where the kind knows them better
    than from all that was done in all the time."""

    done: int = 0
    total: int | None = None
    failed: int = 0
    unit: str = ""
    rate: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True)
class Progress:
    """The figures to show. `rate`: units a second; `seconds_left`: never negative, None where it cannot
    be known; `seconds`: the time worked so far, see `Work.seconds`."""

    done: int = 0
    total: int | None = None
    failed: int = 0
    unit: str = ""
    rate: float | None = None
    seconds_left: float | None = None
    seconds: float | None = None

    @property
    def dealt_with(self) -> int:
        """Done or failed: as far as a bar is drawn."""
        return self.done + self.failed

    @property
    def share(self) -> float | None:
        """What has been dealt with, done or failed, from 0 to 1; None where the total is not known."""
        return self.dealt_with / self.total if self.total else None

    @property
    def percent(self) -> int | None:
        """The share in percent, rounded down: 100 is all of it."""
        return int(100 * self.dealt_with / self.total) if self.total else None


def progress_of(work: Job) -> Progress:
    """Where the work stands now, in figures that fit each other."""
    counted, seconds = work.counted(), work.seconds
    dealt_with = counted.done + counted.failed
    total = None if counted.total is None else max(counted.total, dealt_with)
    rate = counted.rate
    if rate is None and seconds and dealt_with:
        rate = dealt_with / seconds
    left = None
    # Of work whose worker is silent or away, and of what comes after the last unit, nobody knows it.
    if work.is_alive and total is not None and total > dealt_with:
        left = counted.seconds_left
        if left is None and rate:
            left = (total - dealt_with) / rate
    return Progress(
        counted.done,
        total,
        counted.failed,
        counted.unit,
        rate,
        None if left is None else max(0.0, left),
        seconds,
    )
