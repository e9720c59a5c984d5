"""Intervals and tests, all by statsmodels and scipy.

- Shares: Wilson's score interval (Wilson 1927; Newcombe 1998, doi 10.1002/(SICI)1097-0258(19980430)
  17:8<857::AID-SIM777>3.0.CO;2-E, method 3).
- Means and ratios: bootstrap by question, bias-corrected and accelerated (Efron 1987). Where all
  values are the same, resampling shows no spread, however few they are: then at most a share u of
  all questions is otherwise (Wilson's upper bound for 0 of n), and may lie anywhere in the bounds.
- Two models on the same questions: McNemar's exact test, and the bootstrap of the paired difference.

Everything is seeded: the same answers give the same report.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import DegenerateDataWarning, bootstrap
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from workers.evaluation.types import Estimate

LEVEL = 0.95
RESAMPLES = 4000
MIN_FOR_BOOTSTRAP = 10  # below it, a bootstrap interval promises more than it knows
NOTHING = Estimate(None, None, None, 0)


def share(successes: int, n: int) -> Estimate:
    """A share with Wilson's interval."""
    if n == 0:
        return NOTHING
    low, high = proportion_confint(successes, n, alpha=1 - LEVEL, method="wilson")
    return Estimate(successes / n, float(low), float(high), n)


def mean(values: Sequence[float], bounds: tuple[float, float] = (0.0, 1.0)) -> Estimate:
    """A mean with a bootstrap interval; no interval below ten values. `bounds`: the smallest and
    largest value that there can be."""
    data = np.asarray(values, dtype=float)
    found = _estimate((data,), lambda x, axis: x.mean(axis))
    if found.low is None or np.any(data != data[0]):
        return found
    u = share(0, found.n).high
    low, high = (found.value + u * (bound - found.value) for bound in bounds)
    return Estimate(found.value, float(low), float(high), found.n)


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Estimate:
    """The ratio of two sums over the same questions, resampled by question."""
    top, bottom = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    if len(top) != len(bottom):
        raise ValueError("A ratio needs as many numerators as denominators.")
    if len(bottom) == 0 or bottom.sum() <= 0:
        return NOTHING
    return _estimate((top, bottom), lambda x, y, axis: x.sum(axis) / y.sum(axis))


def difference(a: Sequence[bool], b: Sequence[bool]) -> tuple[Estimate, int, int, float]:
    """Accuracy of ``a`` minus that of ``b`` on the same questions.

    Returns the difference with its interval, how many ``a`` alone and ``b`` alone got right, and
    the p-value of McNemar's exact test.
    """
    left, right = np.asarray(a, dtype=bool), np.asarray(b, dtype=bool)
    if len(left) != len(right):
        raise ValueError("A paired difference needs the same questions on both sides.")
    only_a, only_b = int((left & ~right).sum()), int((~left & right).sum())
    both, neither = int((left & right).sum()), int((~left & ~right).sum())
    test = mcnemar([[both, only_a], [only_b, neither]], exact=True)
    # Nothing discordant: nothing speaks for a difference (and the binomial of zero is undefined).
    p_value = float(test.pvalue) if only_a + only_b else 1.0
    differences = mean(left.astype(float) - right.astype(float), bounds=(-1.0, 1.0))
    return differences, only_a, only_b, p_value


def _estimate(samples: tuple[np.ndarray, ...], statistic: Callable) -> Estimate:
    n = len(samples[0])
    if n == 0:
        return NOTHING
    value = float(statistic(*samples, axis=0))
    if n < MIN_FOR_BOOTSTRAP:
        return Estimate(value, None, None, n)
    if all(np.all(sample == sample[0]) for sample in samples):
        return Estimate(value, value, value, n)
    low, high = _interval(samples, statistic, "BCa")
    if not (np.isfinite(low) and np.isfinite(high)):  # BCa has none on nearly constant data
        low, high = _interval(samples, statistic, "percentile")
    if not (np.isfinite(low) and np.isfinite(high)):  # resamples whose denominator is zero
        return Estimate(value, None, None, n)
    return Estimate(value, float(low), float(high), n)


def _interval(samples, statistic, method: str) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateDataWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        found = bootstrap(
            samples,
            statistic,
            paired=len(samples) > 1,
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=500,  # bounds memory: 500 resamples x questions at a time
            confidence_level=LEVEL,
            method=method,
            rng=np.random.default_rng(20_260),
        )
    return found.confidence_interval.low, found.confidence_interval.high
