"""How figures are rounded wherever they are shown: halves away from zero, in decimal.

Python's own formatting rounds halves to even and in binary, so that 12.5% and 13.5% would be shown as
12% and 14%. `curation.figures.rounding` does the same on pages; neither may import the other, and a test
compares them.
"""

from decimal import ROUND_HALF_UP, Decimal


def half_up(value: float, digits: int = 0, *, times: int = 1, sign: str = "") -> str:
    """`value` times a power of ten `times`, with so many digits; never "-0". `sign="+"` shows a plus."""
    scaled = Decimal(repr(float(value))) * times
    rounded = scaled.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return format(rounded or abs(rounded), f"{sign}f")


def in_percent(share: float, digits: int = 0, sign: str = "") -> str:
    """0.125 as "13", or "12.5" with one digit."""
    return half_up(share, digits, times=100, sign=sign)
