"""How often the 95% intervals of evaluations and pages contain the truth: `make bench-intervals`.

For each cell of a grid, samples are drawn from a known truth (seeded), the shipped functions give their
intervals, and the share of intervals that contain the truth is printed, as Markdown. Shares are exact
sums over the binomial; the others have `--samples` samples a cell, so that a coverage of 95% is known to
about 0.7 points at 4,000. Cells outside 93 to 97% are marked.

Methods were chosen on other cells than these (n of 12, 25, 70 and 300; shares of 0.55, 0.75, 0.92 and
0.98; correlations of 0.1 and 0.45): for paired outcomes Tang's and Tango's score intervals against Bonett
and Price's, and Newcombe's (MOVER) against both; for means the quasi-binomial score against Student's t,
Hall's transformation and BCa; for lengths the linearised logarithm against Fieller and BCa.
"""

import argparse
import platform
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache

import numpy as np
from scipy.stats import binom

from curation.figures.intervals import clustered, clusters_of
from workers.evaluation import statistics

SIZES = (10, 20, 50, 100, 200, 500)
SHARES = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
PAIRS = ((0.5, 0.5), (0.5, 1.0), (0.7, 0.9), (0.8, 0.8), (0.9, 0.9), (0.9, 0.95), (0.95, 0.95),
         (0.95, 1.0), (1.0, 1.0))  # fmt: skip
CORRELATION = 0.3
Ends = tuple[float | None, float | None]
Line = tuple[str, list[float]]
Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def contains(ends: Ends, truth: float) -> bool:
    """Whether there is an interval and it holds the truth, up to rounding."""
    low, high = ends
    if low is None or high is None:
        return False
    return low <= truth + 1e-9 and truth - 1e-9 <= high


def shares() -> Iterator[Line]:
    for p in SHARES:
        line = []
        for n in SIZES:
            hit = [k for k in range(n + 1) if contains(_ends(statistics.share(k, n)), p)]
            line.append(float(sum(binom.pmf(k, n, p) for k in hit)))
        yield f"{p:g}", line


def _ends(found: statistics.Estimate) -> Ends:
    return found.low, found.high


def tables(rng: np.random.Generator, n: int, a: float, b: float, samples: int) -> np.ndarray:
    """Counts of (both, a alone, b alone, neither) right, [samples, 4], at the chosen correlation or the
    nearest that these shares allow."""
    both = a * b + CORRELATION * np.sqrt(a * (1 - a) * b * (1 - b))
    both = min(both, a, b)
    cells = np.clip([both, a - both, b - both, 1 - a - b + both], 0, None)
    return rng.multinomial(n, cells / cells.sum(), size=samples)


@lru_cache(maxsize=200_000)
def _paired(table: tuple[int, int, int, int]) -> tuple[Ends, Ends]:
    """The intervals of ratio and difference."""
    both, first, second, neither = table
    left = [True] * (both + first) + [False] * (second + neither)
    right = [True] * both + [False] * first + [True] * second + [False] * neither
    return _ends(statistics.ratio(left, right)), _ends(statistics.difference(left, right)[0])


def paired(which: int, samples: int) -> Iterator[Line]:
    """Coverage of the ratio (0) or the difference (1), for the student's and the teacher's share."""
    for a, b in PAIRS:
        line = []
        for n in SIZES:
            rng = np.random.default_rng([which, n, round(100 * a), round(100 * b)])
            truth = a - b if which else a / b
            found, counts = np.unique(tables(rng, n, a, b, samples), axis=0, return_counts=True)
            held = [contains(_paired(tuple(map(int, one)))[which], truth) for one in found]
            line.append(float(counts @ np.array(held)) / samples)
        yield f"student {a:g}, teacher {b:g}", line


MEANS: dict[str, Draw] = {
    "even (Beta 2, 2)": lambda rng, size: rng.beta(2, 2, size),
    "high (Beta 8, 2)": lambda rng, size: rng.beta(8, 2, size),
    "near the top (Beta 20, 1)": lambda rng, size: rng.beta(20, 1, size),
    "four in five at 1, the rest Beta 4, 4": lambda rng, size: np.where(
        rng.random(size) < 0.8, 1.0, rng.beta(4, 4, size)
    ),
    "a quarter bad (Beta 3, 5), the rest Beta 60, 2": lambda rng, size: np.where(
        rng.random(size) < 0.75, rng.beta(60, 2, size), rng.beta(3, 5, size)
    ),
    "one in twelve bad (Beta 2, 5), the rest Beta 200, 8": lambda rng, size: np.where(
        rng.random(size) < 0.92, rng.beta(200, 8, size), rng.beta(2, 5, size)
    ),
}


def means(samples: int) -> Iterator[Line]:
    for place, (name, draw) in enumerate(MEANS.items()):
        truth = float(draw(np.random.default_rng([9, place]), (4_000_000,)).mean())
        line = []
        for n in SIZES:
            rows = draw(np.random.default_rng([1, place, n]), (samples, n))
            held = [contains(_ends(statistics.mean(row)), truth) for row in rows]
            line.append(float(np.mean(held)))
        yield name, line


LENGTHS = {
    "alike (log sd 0.3, correlation 0.5), ratio 1": (0.3, 0.3, 0.5, 1.0),
    "closely alike (0.3, 0.95), ratio 0.7": (0.3, 0.3, 0.95, 0.7),
    "wide (0.6, 0.3), ratio 0.7": (0.6, 0.6, 0.3, 0.7),
    "very wide (0.9, 0.6), ratio 1": (0.9, 0.9, 0.6, 1.0),
}


def lengths(samples: int) -> Iterator[Line]:
    for place, (name, (student, teacher, alike, ratio)) in enumerate(LENGTHS.items()):

        def draw(rng, size, student=student, teacher=teacher, alike=alike, ratio=ratio):
            a = rng.standard_normal(size)
            b = alike * a + np.sqrt(1 - alike**2) * rng.standard_normal(size)
            top = ratio * 50 * np.exp(student * a - student**2 / 2)
            return top, 50 * np.exp(teacher * b - teacher**2 / 2)

        line = []
        for n in SIZES:
            top, bottom = draw(np.random.default_rng([2, place, n]), (samples, n))
            held = [
                contains(_ends(statistics.ratio(x, y)), ratio)
                for x, y in zip(top, bottom, strict=True)
            ]
            line.append(float(np.mean(held)))
        yield name, line


GAINS = (
    *((0.05, 0.45, 0.9, 0.0), (0.03, 0.88, 0.91, 0.0), (0.3, 0.5, 0.6, 0.0)),
    *((0.05, 0.9, 0.9, 0.95), (0.05, 0.9, 0.9, 0.99), (0.05, 0.9, 0.9, 1.0)),
)


def gains(samples: int) -> Iterator[Line]:
    """The share of a gain: base, control and student right with these chances, one from the other; on a
    share of the questions, the last, control and student answer alike."""
    for place, (base, control, student, alike) in enumerate(GAINS):
        truth = (control - base) / (student - base)
        line = []
        for n in SIZES:
            seed = [3, n, round(100 * control), *([place] if alike else [])]
            rng = np.random.default_rng(seed)
            hard = rng.random(
                (samples, n)
            )  # what one answers, all that are better answer mostly too
            own = rng.random((3, samples, n))
            at = np.where(rng.random((3, samples, n)) < 0.7, hard, own)
            if alike:
                at[2] = np.where(rng.random((samples, n)) < alike, at[1], at[2])
            right = at < np.array([base, control, student])[:, None, None]
            held = []
            for b, c, s in zip(*right.astype(int), strict=True):
                held.append(
                    contains(_ends(statistics.share_of_gain(np.stack([c - b, s - b], 1))), truth)
                )
            line.append(float(np.mean(held)))
        same = f", the same on {alike:.0%} of the questions" if alike else ""
        yield f"base {base:g}, control {control:g}, student {student:g}{same}", line


def of_questions(samples: int) -> Iterator[Line]:
    """Shares over 1 to 8 rationales a question, as pages show them; beside them Wilson's of rationales."""
    for p in (0.5, 0.8, 0.95):
        for alike in (0.0, 0.3, 0.8, 1.0):
            ours = []
            for n in SIZES:
                rng = np.random.default_rng([4, n, round(100 * p), round(10 * alike)])
                sizes = rng.integers(1, 9, (samples, n))
                if alike in (0.0, 1.0):
                    chance = np.full(sizes.shape, p) if not alike else rng.random(sizes.shape) < p
                else:
                    k = (1 - alike) / alike
                    chance = rng.beta(p * k, (1 - p) * k, sizes.shape)
                right = rng.binomial(sizes, chance)
                held = []
                for n_each, y_each in zip(sizes.tolist(), right.tolist(), strict=True):
                    clusters = clusters_of((0, a, b) for a, b in zip(n_each, y_each, strict=True))
                    ends = clustered(sum(y_each), sum(n_each), clusters[0])
                    held.append(contains(ends or (None, None), p))
                ours.append(float(np.mean(held)))
            yield f"share {p:g}, correlation within a question {alike:g}", ours


def show(title: str, head: str, lines: Iterator[Line]) -> tuple[int, int]:
    """Print a table; how many cells lie within 93 to 97%, and how many there are."""
    print(f"\n{title}\n\n| {head} | {' | '.join(f'n = {n}' for n in SIZES)} |")
    print(f"| --- |{' --- |' * len(SIZES)}")
    cells = []
    for name, line in lines:
        cells += [_shown(one) / 100 for one in line]  # judged as they are shown
        print(f"| {name} | {' | '.join(_cell(one) for one in line)} |", flush=True)
    inside = sum(93 <= round(100 * one, 1) <= 97 for one in cells)
    short = sum(round(100 * one, 1) < 93 for one in cells)
    print(f"\n{inside} of {len(cells)} cells within 93 to 97%; {short} below, "
          f"{len(cells) - inside - short} above; mean {100 * np.mean(cells):.1f}%.")  # fmt: skip
    return inside, len(cells)


def _shown(coverage: float) -> float:
    return round(100 * coverage, 1)


def _cell(coverage: float) -> str:
    shown = _shown(coverage)
    return f"{shown:.1f}" if 93 <= shown <= 97 else f"*{shown:.1f}*"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=4000, help="samples a cell")
    options = parser.parse_args()
    began, samples = time.process_time(), options.samples
    print(
        f"{platform.machine()}, Python {platform.python_version()}, {date.today()}; {samples:,} samples"
    )
    show("**Share of right answers** (Wilson, exact)", "share", shares())
    show("**Ratio of paired outcomes** (Tang)", "shares", paired(0, samples))
    show("**Difference of paired outcomes** (Tango)", "shares", paired(1, samples))
    show("**Mean of bounded values** (quasi-binomial score)", "values", means(samples))
    show("**Ratio of lengths** (t on the logarithm)", "lengths", lengths(samples))
    show("**Share of a gain** (Fieller; without spread, a bound)", "shares", gains(samples // 2))
    show("**Shares over rationales** (n questions)", "truth", of_questions(samples // 2))
    print(f"\n{time.process_time() - began:.0f} s of processor time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
