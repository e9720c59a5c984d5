"""The interval of a share whose items come in groups, such as the rationales of one question.

Items of a group are alike, so the interval counts groups: the share's variance over groups (Cochran 1977,
section 9.4) against that of independent items is the design effect (Kish 1965), and Wilson's interval is
taken of the counts divided by it, by Student's t of the number of groups. It is the interval that pages
show beside shares over rationales.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm, t
from statsmodels.stats.proportion import proportion_confint

LEVEL = 0.95


def share_interval(hits: Sequence[Sequence[bool]]) -> tuple[float, float]:
    """The 95% interval of the share of hits; `hits`: one sequence a group, at least one item in all."""
    sizes = np.array([len(group) for group in hits], dtype=float)
    rights = np.array([sum(group) for group in hits], dtype=float)
    n, right, groups = sizes.sum(), rights.sum(), len(sizes)
    if n == groups:
        low, high = proportion_confint(right, n, alpha=1 - LEVEL, method="wilson")
        return float(low), float(high)
    share = right / n
    # As if all items of a group were one: also where all are the same, which shows no spread.
    effect = most = float((sizes**2).sum() / n)
    binomial = share * (1 - share) / n
    if groups > 1 and binomial > 1e-12:
        spread = ((rights - share * sizes) ** 2).sum() / n**2 * groups / (groups - 1)
        effect = min(most, max(1.0, float(spread / binomial)))
    alpha = 2 * norm.sf(t.ppf(0.5 + LEVEL / 2, max(1, groups - 1)))  # Wilson's with t for z
    low, high = proportion_confint(right / effect, n / effect, alpha=alpha, method="wilson")
    return float(low), float(high)
