"""Intervals (95%) and tests of an evaluation. All are closed forms or roots of one equation: nothing
is resampled, so the same answers give the same report.

- Share of right answers: Wilson's score interval (Wilson 1927; Newcombe 1998, doi
  10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, method 3).
- Mean of bounded values: the same interval with the variance that the values have instead of p(1-p)
  (quasi-binomial score interval) and Student's t. Where all values are equal they show no spread,
  however few they are: then at most a share u of all questions is different (Wilson's upper bound
  for 0 of n), and may lie anywhere within the bounds.
- Two models on the same questions: McNemar's exact test; Tango's score interval of the difference
  (Tango 1998, doi 10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B) and Tang's of the
  ratio (Tang, Tang and Chan 2003, doi 10.1002/sim.1456). Fagerland, Lydersen and Laake 2014 (doi
  10.1002/sim.6148) compare both with their alternatives.
- Ratio of two mean amounts, such as lengths: Student's t on the logarithm, linearised.

How often these intervals contain the true value is simulated by `make bench-intervals`
(tests/benchmarks/intervals.py); the table is in docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, log, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm, t
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from workers.evaluation.types import Estimate

LEVEL = 0.95
Z = float(norm.ppf(0.5 + LEVEL / 2))
MIN_FOR_INTERVAL = 10  # of measured values; their spread is not known well enough below
ROUNDING = 1e-6  # values that are nearer to each other, or to a bound, count as the same
NOTHING = Estimate(None, None, None, 0)


def share(successes: int, n: int) -> Estimate:
    """A share with Wilson's interval."""
    if n == 0:
        return NOTHING
    low, high = proportion_confint(successes, n, alpha=1 - LEVEL, method="wilson")
    return Estimate(successes / n, float(low), float(high), n)


def mean(values: Sequence[float], bounds: tuple[float, float] = (0.0, 1.0)) -> Estimate:
    """A mean with its score interval; no interval below ten values.

    `bounds`: the smallest and largest value that there can be. Raises ValueError where a value lies
    outside by more than rounding.
    """
    data = np.asarray(values, dtype=float)
    n, (least, most) = len(data), bounds
    if n == 0:
        return NOTHING
    # Turned round, so that what is no number is refused too.
    if not (data.min() >= least - ROUNDING and data.max() <= most + ROUNDING):
        raise ValueError(f"A value lies outside {least:g} to {most:g}: no interval can be given.")
    data = data.clip(least, most)
    value = float(data.mean())
    if n < MIN_FOR_INTERVAL:
        return Estimate(value, None, None, n)
    if np.ptp(data) <= ROUNDING * (most - least):
        u = share(0, n).high
        low, high = (value + u * (bound - value) for bound in bounds)
        return Estimate(value, low, high, n)
    middle = min(1.0, max(0.0, (value - least) / (most - least)))
    spread = middle * (1 - middle)
    # Times the binomial variance; 1 + 1/(n-1) for values at the two bounds.
    dispersion = float(data.var(ddof=1)) / (most - least) ** 2 / spread
    k = t.ppf(0.5 + LEVEL / 2, n - 1) ** 2 * dispersion / n
    centre, half = (middle + k / 2) / (1 + k), sqrt(k * spread + k * k / 4) / (1 + k)
    low, high = (least + (most - least) * end for end in (centre - half, centre + half))
    return Estimate(value, float(max(least, low)), float(min(most, high)), n)


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Estimate:
    """The ratio of two sums over the same questions.

    Outcomes (0 and 1) have Tang's interval for any number of questions. Amounts have one from ten
    questions on, unless one is the same multiple of the other throughout: then nothing shows how
    far another question may be from it.
    """
    top, bottom = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    if len(top) != len(bottom):
        raise ValueError("A ratio needs as many numerators as denominators.")
    n = len(bottom)
    if n == 0 or bottom.sum() <= 0:
        return NOTHING
    value = float(top.sum() / bottom.sum())
    if np.isin(top, (0, 1)).all() and np.isin(bottom, (0, 1)).all():
        low, high = _ratio_of_shares(*_table(top == 1, bottom == 1))
        return Estimate(value, low, high, n)
    rest = top - value * bottom
    error = float(rest.std(ddof=1)) / sqrt(n) / float(top.mean()) if n > 1 and value > 0 else 0.0
    if n < MIN_FOR_INTERVAL or error < 1e-9:
        return Estimate(value, None, None, n)
    half = float(t.ppf(0.5 + LEVEL / 2, n - 1)) * error
    return Estimate(value, value * exp(-half), value * exp(half), n)


def share_of_gain(gains: Sequence[tuple[float, float]]) -> Estimate:
    """How much of one gain another reaches: the ratio of the mean of the first of each pair to that of the
    second, with Fieller's interval (Fieller 1954) by Student's t.

    `gains` are differences of outcomes, from -1 to 1. No interval below ten pairs, nor where the second
    gain is not above zero for certain. Where the first gain is the same multiple of the second in every
    pair, nothing shows how far another pair may be from it: then at most a share u of all pairs is
    different (Wilson's upper bound for 0 of n), each by at most 1.
    """
    pairs = np.asarray(gains, dtype=float).reshape(-1, 2)
    n = len(pairs)
    if n == 0 or pairs[:, 1].sum() <= 0:
        return NOTHING
    part, whole = pairs.mean(0)
    if n < MIN_FOR_INTERVAL:
        return Estimate(float(part / whole), None, None, n)
    covariance = np.cov(pairs, rowvar=False) / n * t.ppf(0.5 + LEVEL / 2, n - 1) ** 2
    square = whole**2 - covariance[1, 1]
    if square <= 0:
        return Estimate(float(part / whole), None, None, n)
    value = float(part / whole)
    if np.ptp(pairs[:, 0] - value * pairs[:, 1]) <= ROUNDING:
        half = share(0, n).high / float(whole)
        return Estimate(value, value - half, value + half, n)
    linear = part * whole - covariance[0, 1]
    rest = sqrt(max(0.0, linear**2 - square * (part**2 - covariance[0, 0])))
    ends = (linear - rest) / square, (linear + rest) / square
    return Estimate(value, float(ends[0]), float(ends[1]), n)


def difference(a: Sequence[bool], b: Sequence[bool]) -> tuple[Estimate, int, int, float]:
    """Accuracy of ``a`` minus that of ``b`` on the same questions.

    Returns the difference with Tango's interval, how many ``a`` alone and ``b`` alone got right, and
    the p-value of McNemar's exact test.
    """
    left, right = np.asarray(a, dtype=bool), np.asarray(b, dtype=bool)
    if len(left) != len(right):
        raise ValueError("A paired difference needs the same questions on both sides.")
    both, only_a, only_b, neither = _table(left, right)
    n = len(left)
    if n == 0:
        return NOTHING, 0, 0, 1.0
    test = mcnemar([[both, only_a], [only_b, neither]], exact=True)
    # Nothing discordant: nothing speaks for a difference (and the binomial of zero is undefined).
    p_value = float(test.pvalue) if only_a + only_b else 1.0
    low, high = _difference_of_shares(only_a, only_b, n)
    return Estimate((only_a - only_b) / n, low, high, n), only_a, only_b, p_value


def _table(left: np.ndarray, right: np.ndarray) -> tuple[int, int, int, int]:
    """(both, left alone, right alone, neither)."""
    both, only = int((left & right).sum()), int((left & ~right).sum())
    other = int((~left & right).sum())
    return both, only, other, len(left) - both - only - other


def _difference_of_shares(only_a: int, only_b: int, n: int) -> tuple[float, float]:
    """Tango's interval. The score of a difference d is (x - n d) / sd, with the variance under the
    most likely table in which the difference is d."""

    def score(d: float) -> float:
        linear = -only_a - only_b + (2 * n - only_a + only_b) * d
        product = -only_b * d * (1 - d)
        alone = (sqrt(max(0.0, linear**2 - 8 * n * product)) - linear) / (4 * n)
        variance = n * (2 * alone + d * (1 - d))
        return _standardised(only_a - only_b - n * d, variance)

    value = (only_a - only_b) / n
    return (
        _crossing(score, Z, -1.0, value) if value > -1 else -1.0,
        _crossing(score, -Z, value, 1.0) if value < 1 else 1.0,
    )


def _ratio_of_shares(both: int, only_a: int, only_b: int, neither: int) -> tuple[float, float]:
    """Tang's interval of (both + only_a) / (both + only_b), in the logarithm of the ratio."""
    a, b, n = both + only_a, both + only_b, both + only_a + only_b + neither

    def score(log_ratio: float) -> float:
        r = exp(log_ratio)
        linear = b * r * r - (a + 2 * only_b)
        product = only_b * (1 - r) * (a + only_b) / n
        square = n * (1 + r)
        alone = (sqrt(max(0.0, linear**2 - 4 * square * product)) - linear) / (2 * square)
        variance = n * (1 + r) * alone + (a + only_b) * (r - 1)
        return _standardised(a - r * b, variance)

    far = 20.0  # e^20: no count here has such a ratio, and the variance is still more than rounding
    middle = log(a / b) if a else -far
    low = exp(_crossing(score, Z, -far, middle)) if a else 0.0
    return low, exp(_crossing(score, -Z, middle, far))


def _standardised(distance: float, variance: float) -> float:
    """`distance` in standard deviations; endless where there is none."""
    if variance > 0:
        return distance / sqrt(variance)
    return 0.0 if distance == 0 else float("inf") * distance


def _crossing(score: Callable[[float], float], level: float, low: float, high: float) -> float:
    """Where the falling `score` passes `level`; the end of the range that it does not pass within."""

    def above(x: float) -> float:
        return max(-1e9, min(1e9, score(x) - level))

    if above(low) <= 0:
        return low
    if above(high) >= 0:
        return high
    return float(brentq(above, low, high, xtol=1e-12, rtol=1e-12))
