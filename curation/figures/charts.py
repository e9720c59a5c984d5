"""Numbers by day as bars that a template draws: inline SVG takes attributes, and no style."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, FLOOR, TALLEST = (
    420,
    96,
    78,
)  # of the drawing, in its own units; below the floor stand the days


@dataclass(frozen=True)
class Bar:
    """One day: where its bar stands. `named`: its day is written below it,
    with its middle at `label_x`, so that it stays within the drawing."""

    day: date
    n: int
    x: float
    middle: float
    width: float
    height: float
    y: float
    today: bool
    named: bool
    label_x: float


def day_bars(days: Sequence[tuple[date, int]]) -> list[Bar]:
    """Bars of an SVG of 420 by 116, the last one today's; a day without anything gets a thin line."""
    highest = max((n for _, n in days), default=0) or 1
    step = WIDTH / max(1, len(days))
    bars = []
    for place, (day, n) in enumerate(days):
        height = TALLEST * n / highest if n else 1.5
        bars.append(
            Bar(
                day,
                n,
                round(place * step + step * 0.14, 1),
                round(place * step + step / 2, 1),
                round(step * 0.72, 1),
                round(height, 1),
                round(FLOOR - height, 1),
                today=place == len(days) - 1,
                named=place in (0, len(days) // 2, len(days) - 1),
                label_x=min(max(round(place * step + step / 2, 1), 20), WIDTH - 20),
            )
        )
    return bars
