"""Intervals (95%) that pages show beside shares and means, without a statistics library in the web.

Rationales of one question are alike: a question that a teacher finds hard is hard in every sample. So
where a question has several, the interval counts questions, not rationales: the variance of the share is
that of the questions' own sums (the ratio estimator for clusters, Cochran 1977, section 9.4), what it
exceeds the binomial variance by is the design effect (Kish 1965), and Wilson's interval is taken of n
divided by it, with Student's t of the number of questions (Korn and Graubard 1998; Franco, Little, Louis
and Slud 2019, doi 10.1093/jssam/smy019, compare such intervals). `make bench-intervals` simulates how
often they contain the true share.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054  # the normal's 97.5% point
# Student's 97.5% points for 1 to 30 degrees of freedom.
STUDENT = (
    *(12.7062047, 4.3026527, 3.1824463, 2.7764451, 2.5705818, 2.4469118, 2.3646243, 2.3060041),
    *(2.2621572, 2.2281389, 2.2009852, 2.1788128, 2.1603687, 2.1447867, 2.1314495, 2.1199053),
    *(2.1098156, 2.1009220, 2.0930241, 2.0859634, 2.0796138, 2.0738731, 2.0686576, 2.0638986),
    *(2.0595386, 2.0555294, 2.0518305, 2.0484071, 2.0452296, 2.0422725),
)

Interval = tuple[float, float]


def wilson(successes: float, n: float, z: float = Z) -> Interval | None:
    """Wilson's 95% score interval of a share (Wilson 1927), both ends in [0, 1]; None for n = 0.

    Neither count need be whole, so that it serves an effective number as well.
    """
    if n == 0:
        return None
    p, z2 = successes / n, z * z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def student(df: int) -> float:
    """Student's 97.5% point for `df` degrees of freedom, 1 or more; above 30 by the expansion in 1/df
    (Abramowitz and Stegun 1964, 26.7.5), right to seven digits there."""
    if df <= len(STUDENT):
        return STUDENT[df - 1]
    z3, z5, z7 = Z**3, Z**5, Z**7
    return (
        Z
        + (z3 + Z) / (4 * df)
        + (5 * z5 + 16 * z3 + 3 * Z) / (96 * df**2)
        + (3 * z7 + 19 * z5 + 17 * z3 - 15 * Z) / (384 * df**3)
    )


@dataclass(frozen=True)
class Clusters:
    """Sums over questions, of each its number of rationales s and the sum y of their values."""

    questions: int = 0
    n: float = 0.0
    total: float = 0.0
    nn: float = 0.0
    ny: float = 0.0
    yy: float = 0.0

    @property
    def alone(self) -> bool:
        """Whether no question has more than one rationale: then they are independent."""
        return self.nn == self.n

    @property
    def mean(self) -> float:
        return self.total / self.n

    def variance(self) -> float | None:
        """Of the mean; None where a single question shows no spread."""
        if self.questions < 2:
            return None
        m, mean = self.questions, self.mean
        squares = self.yy - 2 * mean * self.ny + mean * mean * self.nn
        return max(0.0, squares) / self.n**2 * m / (m - 1)

    def effect(self) -> float:
        """By how much a share's variance exceeds that of independent rationales: at least 1, and at most
        as if all rationales of a question were one. That most is also taken where all values are the same,
        since nothing then shows how far rationales of one question may differ."""
        most = self.nn / self.n
        variance, binomial = self.variance(), self.mean * (1 - self.mean) / self.n
        if variance is None or binomial <= 1e-12:
            return most
        return min(most, max(1.0, variance / binomial))


def clusters_of(rows: Iterable[tuple[Hashable, float, float]]) -> dict[Hashable, Clusters]:
    """The clusters by key, from one row a key and question: (key, rationales, sum of their values)."""
    found: dict[Hashable, list[float]] = defaultdict(lambda: [0, 0.0, 0.0, 0.0, 0.0, 0.0])
    for key, n, y in rows:
        if not n:
            continue
        sums = found[key]
        for place, value in enumerate((1, n, y, n * n, n * y, y * y)):
            sums[place] += value
    return {key: Clusters(*sums) for key, sums in found.items()}


def clustered(successes: float, n: float, clusters: Clusters | None) -> Interval | None:
    """The interval of a share of `n` rationales, None for n = 0.

    `clusters` are those of the same rationales, or of a sample of their questions: of these the design
    effect is taken.
    """
    if not n or clusters is None or not clusters.questions or clusters.alone:
        return wilson(successes, n)
    effect = clusters.effect()
    # What a sample says of all: all have as many questions more as they have rationales more.
    questions = max(clusters.questions, round(clusters.questions * n / clusters.n))
    return wilson(successes / effect, n / effect, student(max(1, questions - 1)))


def mean_interval(mean: float, n: float, clusters: Clusters | None) -> Interval | None:
    """The interval of a mean of `n` rationales' values, by Student's t over questions; None where it
    rests on a single question. `clusters` as in `clustered`."""
    variance = clusters.variance() if clusters and n else None
    if variance is None:
        return None
    questions = max(clusters.questions, round(clusters.questions * n / clusters.n))
    half = student(max(1, questions - 1)) * sqrt(variance * clusters.n / n)
    return mean - half, mean + half
