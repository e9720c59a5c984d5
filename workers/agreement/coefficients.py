"""Agreement between reviewers, with intervals; coefficients by statsmodels and NLTK.

- Two people: Cohen's kappa (Cohen 1960), over the items that both judged. Decisions have no order;
  step labels (-1, 0, 1) do, so `ordered` weighs a difference by its square (Cohen 1968).
- All people: Krippendorff's alpha (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"),
  nominal or interval, which takes items that only some judged.
- A person against control items: the share that meets the known verdict, with an interval that counts
  questions (see `workers.agreement.intervals`).

Intervals are percentile bootstraps over groups (questions), not items: rationales of one question are
read in one sitting by the same people, so items by themselves would promise more than is known.
What was said of an item is one of a handful of patterns, so a resample only weighs the patterns
anew: a hundred thousand items cost little more than a hundred.

It stands in the workers because statsmodels brings pandas and NLTK takes seconds to import, which
the web process is too small for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from nltk.metrics.agreement import AnnotationTask
from nltk.metrics.distance import binary_distance, interval_distance
from statsmodels.stats.inter_rater import cohens_kappa

from workers.agreement.intervals import LEVEL, share_interval

RESAMPLES = 1000
MIN_GROUPS = 10  # below it, a bootstrap interval promises more than it knows
SEED = 20261121

Value = str | int
# What was said of one item: how many said each value (alpha), or which two values were said (kappa).
Pattern = tuple[int, ...]
# From the weight of each pattern, shape [patterns], to the coefficient; None where it is 0/0.
Statistic = Callable[[np.ndarray], float | None]


@dataclass(frozen=True, slots=True)
class Rating:
    """What one person said of one item. `group`: the question that the item belongs to."""

    group: Hashable
    item: Hashable
    person: Hashable
    value: Value


@dataclass(frozen=True)
class Figure:
    """A coefficient. `value` is None where it is not defined, `low` and `high` where too little is
    known for an interval; `why` says the reason in words, else it is empty. `n` counts the items
    that at least two people judged (for controls: the control items), `same` those of them on which
    all of these people said the same (for controls: what is known)."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    same: int
    why: str = ""


def overall(ratings: Iterable[Rating], *, ordered: bool = False) -> Figure:
    """Krippendorff's alpha of all people. Raises ValueError where a person rates an item twice."""
    by_item, values = _by_item(ratings)
    places = {value: place for place, value in enumerate(values)}
    units = []
    for (group, _), said in by_item.items():
        if len(said) > 1:
            counts = [0] * len(values)
            for value in said.values():
                counts[places[value]] += 1
            units.append((group, tuple(counts)))
    same = sum(max(counts) == sum(counts) for _, counts in units)
    return _figure(units, same, lambda patterns: _alpha(patterns, values, ordered))


def pairs(
    ratings: Iterable[Rating], *, ordered: bool = False
) -> dict[tuple[Hashable, Hashable], Figure]:
    """Cohen's kappa of each two people who judged an item in common; keys sorted by `str`.
    Raises ValueError where a person rates an item twice."""
    by_item, values = _by_item(ratings)
    places = {value: place for place, value in enumerate(values)}
    common: dict[tuple[Hashable, Hashable], list[tuple[Hashable, Pattern]]] = {}
    for (group, _), said in by_item.items():
        for a, b in combinations(sorted(said, key=str), 2):
            cell = places[said[a]], places[said[b]]
            common.setdefault((a, b), []).append((group, cell))
    return {
        pair: _figure(
            units,
            sum(a == b for _, (a, b) in units),
            lambda cells: _kappa(cells, values, ordered),
        )
        for pair, units in sorted(common.items(), key=lambda one: tuple(map(str, one[0])))
    }


def against_controls(
    ratings: Iterable[Rating], known: Mapping[tuple[Hashable, Hashable], Value]
) -> dict[Hashable, Figure]:
    """The share of each person's ratings of control items that meets the known verdict. `known`:
    (group, item) to value. People who saw no control are left out."""
    met: dict[Hashable, dict[Hashable, list[bool]]] = {}
    for one in ratings:
        if (one.group, one.item) in known:
            hit = one.value == known[one.group, one.item]
            met.setdefault(one.person, {}).setdefault(one.group, []).append(hit)
    figures = {}
    for person, by_group in sorted(met.items(), key=lambda one: str(one[0])):
        low, high = share_interval(list(by_group.values()))
        n, same = sum(map(len, by_group.values())), sum(map(sum, by_group.values()))
        figures[person] = Figure(same / n, low, high, n, same)
    return figures


def _by_item(
    ratings: Iterable[Rating],
) -> tuple[dict[tuple[Hashable, Hashable], dict[Hashable, Value]], list[Value]]:
    """({(group, item): {person: value}}, all values in their order)."""
    by_item: dict[tuple[Hashable, Hashable], dict[Hashable, Value]] = {}
    for one in ratings:
        said = by_item.setdefault((one.group, one.item), {})
        if one.person in said:
            raise ValueError(
                f"{one.person!r} rates item {one.item!r} of {one.group!r} twice: "
                "give only the standing rating."
            )
        said[one.person] = one.value
    return by_item, sorted({value for said in by_item.values() for value in said.values()})


def _alpha(patterns: Sequence[Pattern], values: Sequence[Value], ordered: bool) -> Statistic:
    """Alpha is 1 - observed/expected disagreement; NLTK gives both from how often each value was
    said, the observed one for each pattern once, the expected one for all values together."""
    task = AnnotationTask(distance=interval_distance if ordered else binary_distance)
    counts = np.array(patterns)
    sizes = counts.sum(axis=1)
    within = np.array([task.Disagreement(_said(values, one)) for one in counts]) * sizes

    def of(weights: np.ndarray) -> float | None:
        totals = weights @ counts
        # One value alone leaves no disagreement to be expected: 0/0.
        if (totals > 0).sum() < 2:
            return None
        observed = float(weights @ within) / float(weights @ sizes)
        return float(1 - observed / task.Disagreement(_said(values, totals)))

    return of


def _said(values: Sequence[Value], counts: np.ndarray) -> dict[Value, int]:
    return {value: int(n) for value, n in zip(values, counts, strict=True) if n}


def _kappa(cells: Sequence[Pattern], values: Sequence[Value], ordered: bool) -> Statistic:
    """`cells`: the (row, column) of each pattern in the cross table of two people."""
    rows, columns = np.array(cells).T
    scale = {"wt": "quadratic", "weights": np.array(values)} if ordered else {}

    def of(weights: np.ndarray) -> float | None:
        table = np.zeros((len(values), len(values)))
        table[rows, columns] = weights
        expected = table.sum(axis=0) @ table.sum(axis=1) / table.sum() ** 2
        if expected == 1:  # both said one and the same value throughout: 0/0
            return None
        return float(cohens_kappa(table, return_results=False, **scale))

    return of


def _figure(
    units: Sequence[tuple[Hashable, Pattern]],
    same: int,
    make: Callable[[Sequence[Pattern]], Statistic],
) -> Figure:
    """The statistic of all units, with the bootstrap interval over their groups."""
    n = len(units)
    if not n:
        return Figure(None, None, None, 0, 0, "No item was judged by two people.")
    patterns = list({pattern: None for _, pattern in units})
    place = {pattern: column for column, pattern in enumerate(patterns)}
    groups: dict[Hashable, Counter[int]] = {}
    for group, pattern in units:
        groups.setdefault(group, Counter())[place[pattern]] += 1
    statistic = make(patterns)
    table = np.zeros((len(groups), len(patterns)))
    for row, seen in enumerate(groups.values()):
        table[row, list(seen)] = list(seen.values())
    value = statistic(table.sum(axis=0))
    if value is None:
        return Figure(None, None, None, n, same, "Everybody always said the same one thing.")
    if len(groups) < MIN_GROUPS:
        why = f"Fewer than {MIN_GROUPS} questions: no interval."
        return Figure(value, None, None, n, same, why)
    found = _resampled(table, statistic)
    if len(found) < 0.9 * RESAMPLES:
        why = "Too little variety in what was said: no interval."
        return Figure(value, None, None, n, same, why)
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(value, float(low), float(high), n, same)


def _resampled(table: np.ndarray, statistic: Statistic) -> list[float]:
    """The statistic of RESAMPLES draws of groups with replacement. `table`: [groups, patterns]."""
    random, size = np.random.default_rng(SEED), len(table)
    found = []
    for _ in range(RESAMPLES):
        drawn = np.bincount(random.integers(size, size=size), minlength=size)
        again = statistic(drawn @ table)
        if again is not None:
            found.append(again)
    return found
