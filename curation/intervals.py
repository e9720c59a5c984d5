"""Intervals that pages show beside shares, without the weight of a statistics library in the web."""

from math import sqrt

Z = 1.959963984540054  # the normal's 97.5% point


def wilson(successes: int, n: int) -> tuple[float, float] | None:
    """Wilson's 95% score interval of a share (Wilson 1927), both ends in [0, 1]; None for n = 0."""
    if n == 0:
        return None
    p, z2 = successes / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
