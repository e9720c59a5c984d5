"""In how many ways people may have meant the two sides of an equality, and where none can be checked."""

import re
from fractions import Fraction

from workers.scoring.equations.calculations import Side
from workers.scoring.numbers.arithmetic import value_of
from workers.scoring.numbers.units import UNITS

# A wrong result that is off by one of these may be a change of units, where units are named.
_CONVERSIONS = frozenset(
    Fraction(n)
    for n in (
        10,
        12,
        16,
        24,
        7,
        52,
        60,
        100,
        365,
        1000,
        3600,
        1440,
        3,
        36,
        4,
        30,
        8,
        2,
        5280,
        2000,
        1000000,
        10000,
        25,
        5,
        20,
    )
)
_UNIT_HINT = re.compile(
    r"cent|dollar|minute|hour|second|day|week|month|year|inch|feet|foot|yard|mile|meter|metre|\bc?k?m?m\b|"
    r"gram|\bk?g\b|ounce|\boz|pound|\blbs?\b|lit(?:er|re)|\bm?l\b|cup|pint|quart|gallon|dozen|quarter|"
    r"dime|nickel|penn|coin|decade|thousand|million|percent|%|score|pair",
    re.I,
)
_PARTS = frozenset(
    "half halves third thirds quarter quarters fourth fourths fifth fifths dozens".split()
)
_SCALE = {
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "hundred": 100,
    "dozen": 12,
    "trillion": 10**12,
    "k": 1000,
}


def agree(
    expected: Fraction, given: Fraction, right: str, loose: bool = False
) -> tuple[bool, bool]:
    """(holds, only after rounding): a result may be rounded or cut to the digits it shows."""
    if expected == given:
        return True, False
    places = _places(right)
    unit = Fraction(1, 10**places)
    difference = abs(expected - given)
    if places and difference < unit:
        return True, True
    if not places and difference < 1 and expected.denominator != 1 and abs(expected) > 1:
        return True, True
    if loose and difference <= max(Fraction(abs(expected)) / 20, unit):
        return True, True
    return False, False


def _places(right: str) -> int:
    at = right.rfind(".")
    if at < 0:
        return 0
    end = at + 1
    while end < len(right) and right[end].isdecimal():
        end += 1
    return min(end - at - 1, 12)


def other_readings(left: Side, right: Side) -> tuple[bool, bool]:
    """Per cent and scale words can be meant in more than one way; true in any is true.

    People write 20% * 50 = 1000%, 0.2 = 20%, 3/4 = 75 (per cent), 16 + 12 = 28 million.
    """
    scales = {_SCALE[w] for w in (*left.words, *right.words) if w in _SCALE}
    percent = any(kind == "%" for kind, _ in (*left.tokens, *right.tokens)) or (
        "percent" in left.words or "percent" in right.words or "percentage" in right.words
    )
    by_fraction = _division_by_fraction(left.tokens)
    if by_fraction:
        holds = agree(value_of(by_fraction), value_of(right.tokens), right.text, right.loose)
        if holds[0]:
            return holds
    if not percent and not scales:
        return False, False
    factors = {Fraction(1), Fraction(100), Fraction(1, 100)} if percent else {Fraction(1)}
    factors |= {Fraction(s) for s in scales} | {Fraction(1, s) for s in scales}
    for left_plain in (True, False):
        for right_plain in (True, False):
            a, b = value_of(left.tokens, left_plain), value_of(right.tokens, right_plain)
            for factor in factors:
                holds = agree(a * factor, b, right.text, right.loose)
                if holds[0]:
                    return holds
    return False, False


def _division_by_fraction(tokens: list) -> list | None:
    """ "3 / 1/4" with brackets around the fraction, or None where nothing is divided by one."""
    kinds = [kind for kind, _ in tokens]
    for i in range(1, len(kinds) - 3):
        if kinds[i : i + 4] == ["/", "n", "/", "n"] and tokens[i + 1][1] < tokens[i + 3][1]:
            open_, close = ("(", None), (")", None)
            return [*tokens[: i + 1], open_, *tokens[i + 1 : i + 4], close, *tokens[i + 4 :]]
    return None


def runs_on(expected: Fraction, right: Side) -> bool:
    """ "7 * 60 = 420 + 23 = 443": a running total, written as people speak."""
    if not right.calculates:
        return False
    first = (
        right.tokens[:3]
        if [k for k, _ in right.tokens[:4]] == ["n", "/", "n", "*"]
        else right.tokens[:1]
    )
    return first[0][1] is not None and value_of(first) == expected


def counts_parts(left: Side, right: Side) -> bool:
    """ "5 * 1/2 = 10 halves": the result counts parts."""
    return any(w in _PARTS for w in right.words) and any(kind == "/" for kind, _ in left.tokens)


def _mixes_units(words: tuple[str, ...]) -> bool:
    """Whether a sum adds, say, hours and minutes."""
    units = {UNITS[word] for word in words if word in UNITS}
    return len(units) > len({unit.dimension for unit in units})


def changes_units(expected: Fraction, given: Fraction, left: Side, right: Side) -> bool:
    """Off by a factor that turns one unit into another, and units are named: not checkable."""
    if not expected or not given:
        return False
    if any(kind in "+-" for kind, _ in left.tokens[1:]) and _mixes_units(left.words):
        return True
    ratio = abs(Fraction(expected) / given)
    if ratio not in _CONVERSIONS and 1 / ratio not in _CONVERSIONS:
        return False
    words = " ".join((*left.words, *right.words))
    if 100 in (ratio, 1 / ratio) and "cent" in words:
        return True
    mixed = len({w.rstrip("s") for w in (*left.words, *right.words) if _UNIT_HINT.search(w)}) > 1
    return bool(words) and mixed
