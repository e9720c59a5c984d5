"""Areas under the ROC curve with 95% intervals, where rationales of one question are alike.

The variance is that of Obuchowski 1997 (Nonparametric analysis of clustered ROC curve data, Biometrics
53, 567-578); with one rationale a question it is DeLong's (DeLong, DeLong and Clarke-Pearson 1988, Biometrics
44, 837-845). The interval is taken on the logit, so that it stays within 0 and 1 (Pepe 2003, The
Statistical Evaluation of Medical Tests, section 5.2.3).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from scipy.stats import norm, rankdata


@dataclass(frozen=True)
class Area:
    """An area under the ROC with its interval; both ends None where no rationale is out of order."""

    value: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3f} (no interval)"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def clustered_area(
    wrong: Sequence[bool], scores: Sequence[float], clusters: Sequence[Hashable]
) -> Area:
    """The area of `scores` (larger for wrong ones), with rationales of one cluster taken together.

    Raises ValueError where there are not at least one wrong and one right entry.
    """
    bad, values = np.asarray(wrong, dtype=bool), np.asarray(scores, dtype=float)
    m, n = int(bad.sum()), int((~bad).sum())
    if not m or not n:
        raise ValueError("An area under the ROC needs wrong and right entries.")
    # How much of the other side each entry is above (below, for right ones), ties half.
    ranks = rankdata(values)
    above = (ranks[bad] - rankdata(values[bad])) / n
    below = 1 - (ranks[~bad] - rankdata(values[~bad])) / m
    area = float(above.mean())
    _, places = np.unique(np.asarray([str(one) for one in clusters]), return_inverse=True)
    size = places.max() + 1
    excess_bad = np.bincount(places[bad], weights=above - area, minlength=size)
    excess_good = np.bincount(places[~bad], weights=below - area, minlength=size)
    with_bad, with_good = len(set(places[bad])), len(set(places[~bad]))
    variance = (
        _corrected(excess_bad @ excess_bad, with_bad) / m**2
        + _corrected(excess_good @ excess_good, with_good) / n**2
        + 2 * _corrected(excess_bad @ excess_good, size) / (m * n)
    )
    if not 0 < area < 1 or variance <= 0:
        return Area(area, None, None)
    half = float(norm.ppf(0.975)) * sqrt(variance) / (area * (1 - area))
    middle = log(area / (1 - area))
    low, high = (1 / (1 + exp(-end)) for end in (middle - half, middle + half))
    return Area(area, low, high)


def _corrected(total: float, count: int) -> float:
    return float(total) * count / (count - 1) if count > 1 else float(total)
