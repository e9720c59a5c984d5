"""The loss curves as the numbers of an SVG: 700 wide, 330 high, both lines named at their ends."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEFT, RIGHT, TOP, BOTTOM = 44.0, 575.0, 18.0, 292.0
MAX_POINTS = 300
LABEL_GAP = 17.0

Point = tuple[int, float]


@dataclass
class Line:
    """One curve. `x`, `y` are its end, `label_y` where its name stands."""

    name: str
    kind: str
    path: str
    x: float
    y: float
    last: float
    label_y: float = 0.0

    @property
    def label_x(self) -> float:
        return round(self.x + 10, 1)


@dataclass(frozen=True)
class Curves:
    lines: list[Line]
    ticks: list[tuple[float, str]]
    last_step: int


def curves(training: Sequence[Point], held_out: Sequence[Point], total_steps: int) -> Curves | None:
    """The picture of (step, loss) points; None while there is nothing to draw."""
    values = [loss for _, loss in (*training, *held_out) if math.isfinite(loss)]
    if not values:
        return None
    last_step = max(total_steps, *(step for step, _ in (*training, *held_out)), 1)
    low, high, ticks = _scale(min(values), max(values))

    def place(point: Point) -> tuple[float, float]:
        step, loss = point
        x = LEFT + (RIGHT - LEFT) * step / last_step
        return round(x, 1), round(BOTTOM - (BOTTOM - TOP) * (loss - low) / (high - low), 1)

    lines = [
        _line(name, kind, points, place)
        for name, kind, points in (
            ("training", "training", training),
            ("held out", "held-out", held_out),
        )
        if points
    ]
    _keep_apart(lines)
    return Curves(lines, [(place((0, value))[1], label) for value, label in ticks], last_step)


def _line(name, kind, points, place) -> Line:
    kept = [point for point in _thinned(points) if math.isfinite(point[1])]
    spots = [place(point) for point in kept]
    path = "M" + "L".join(f"{x} {y}" for x, y in spots)
    return Line(name, kind, path, *spots[-1], kept[-1][1], label_y=spots[-1][1] + 4)


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most MAX_POINTS: the mean of each run of neighbours, and the last one as it is."""
    width = math.ceil(len(points) / MAX_POINTS)
    if width == 1:
        return list(points)
    runs = [points[i : i + width] for i in range(0, len(points), width)]
    means = [(run[len(run) // 2][0], sum(loss for _, loss in run) / len(run)) for run in runs]
    return [points[0], *means[1:-1], points[-1]]


def _scale(low: float, high: float) -> tuple[float, float, list[tuple[float, str]]]:
    """Ends of the axis and three to six round ticks between them."""
    span = max(high - low, abs(high) * 0.05, 1e-6)
    rough = span / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    digits = max(0, -math.floor(math.log10(step))) + (step / power == 2.5)
    ticks = [(n * step, f"{n * step:.{digits}f}") for n in range(first, last + 1)]
    return first * step, last * step, ticks


def _keep_apart(lines: list[Line]) -> None:
    """Names of lines that end close to each other are moved apart, upper above lower."""
    if len(lines) < 2:
        return
    upper, lower = sorted(lines, key=lambda line: line.y)
    overlap = LABEL_GAP - (lower.label_y - upper.label_y)
    # Only where they end in the same place: a line that ended earlier has its name there.
    if overlap > 0 and abs(upper.x - lower.x) < 120:
        upper.label_y -= overlap / 2
        lower.label_y += overlap / 2
