r"""Recomputes every calculation that a step shows: "16 - 3 = 12" should be 13.

An equality is checkable when both its sides are plain numbers and operators once units, currency,
calculator marks and simple LaTeX are taken off. What is not surely plain arithmetic is left alone: a
checker that cries wolf is switched off by its readers.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from workers.scoring.arithmetic import NotArithmetic, value_of
from workers.scoring.calculations import Side, Token, left_side, right_side, tokenise
from workers.scoring.units import UNITS

MAX_EQUATIONS = 400  # in one text; the rest is not checked
MAX_CHARS = 20_000  # of one text
MAX_MARK = 200


@dataclass(frozen=True, slots=True)
class Equation:
    """One checked equality.

    left, right: as shown; expected: the exact value of the left side; given: that of the right;
    holds: whether they agree (rounding and truncation to the digits shown are allowed);
    rounded: they agree only after rounding; start, end: its span in the normalised text;
    operands: the numbers of the left side; single: the right side is a single number.
    """

    left: str
    right: str
    expected: Fraction
    given: Fraction
    holds: bool
    rounded: bool
    start: int
    end: int
    operands: tuple[Fraction, ...] = ()
    single: bool = True

    @property
    def message(self) -> str:
        """A sentence for a reviewer: "16 - 3 is 13, not 12."."""
        if self.left.replace(",", "") == show(self.expected).replace(
            ",", ""
        ):  # "27^3 is 19,683, not 729."
            return f"{self.right} is {show(self.given)}, not {self.left}."
        approx = "about " if not _terminates(self.expected) else ""
        return f"{self.left} is {approx}{show(self.expected)}, not {self.right}."


def show(value: Fraction) -> str:
    """A number for people: exact where it is short, else to 4 decimals."""
    if abs(value) >= 10**15 or (value.denominator != 1 and abs(value) > 10**12):
        return (
            f"{value.numerator // value.denominator:.6e}"
            if value.numerator.bit_length() < 1_000
            else "very large"
        )
    if value.denominator == 1:
        return f"{value.numerator:,}"
    text = f"{float(value):,.6f}" if _terminates(value) else f"{float(value):,.4f}"
    return text.rstrip("0").rstrip(".")


def _terminates(value: Fraction) -> bool:
    bottom = value.denominator
    while bottom % 2 == 0:
        bottom //= 2
    while bottom % 5 == 0:
        bottom //= 5
    return bottom == 1


_MARK = re.compile(r"<<([^<>\n]{1,200})>>")
_SIGNS = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "×": "*",
        "÷": "/",
        "·": "*",
        "⋅": "*",
        "∙": "*",
        "•": "*",
        "✕": "*",
        "✖": "*",
        "∗": "*",
        "⁄": "/",
        "≈": "~",
        "≅": "~",
        " ": " ",
        "％": "%",
        "$": " ",
        "€": " ",
        "£": " ",
        "[": "(",
        "]": ")",
        "²": "^2",
        "³": "^3",
        "½": " 1/2",
        "¼": " 1/4",
        "¾": " 3/4",
        "⅓": " 1/3",
        "⅔": " 2/3",
    }
)
_PLAIN_SIGNS = str.maketrans("$[]", " ()")
_LATEX = re.compile(
    r"\\(?:times|cdot|div|left|right|approx|[$%]|text(?:bf)?\{[^{}]*\}"
    r"|mathrm\{[^{}]*\}|[,;!: ]|[()\[\]])"
)
_LATEX_TO = {"\\times": "*", "\\cdot": "*", "\\div": "/", "\\approx": "~", "\\%": "%"}
_FRAC = re.compile(r"\\[dt]?frac\s*\{([^{}]{1,60})\}\s*\{([^{}]{1,60})\}")
_FRAC2 = re.compile(r"\\[dt]?frac\s*(\d)\s*(\d)")
_MIXED = re.compile(r"(?<![\d.}])(\d{1,6})\s?\\[dt]?frac\s*\{(\d{1,6})\}\s*\{(\d{1,6})\}")
_POWER_BRACE = re.compile(r"\^\s*\{([^{}]{1,12})\}")
_UNIT_POWER = re.compile(r"(?<=[a-z]m|\bin|\bft|.\bm)(?:\^\s?\(?[23]\)?|[²³])")
_WORDED = re.compile(
    r"\b(?:(equals|is equal to|equal to)|(plus)|(minus)|(times|multiplied by)"
    r"|(divided by))\b",
    re.I,
)
# "7 * 301 is 2107": only where a calculation stands before it and a number follows.
_IS = re.compile(r"(?<=[\d)])\$?\s+is\s+(?=\$?\d)")
_WORDED_TO = ("=", "+", "-", "*", "/")


def normalise(text: str) -> str:
    """Signs, LaTeX, currency and worded operators in one plain form; the length may change."""
    if "\\" in text:
        text = _MIXED.sub(r"(\1 + \2/\3)", text)
        for _ in range(2):
            text = _FRAC.sub(_fraction, text)
        text = _FRAC2.sub(r"(\1/\2)", text)
        text = _LATEX.sub(lambda m: _LATEX_TO.get(m.group(), " "), text)
        text = _POWER_BRACE.sub(r"^(\1)", text)
    text = _UNIT_POWER.sub("", text)
    if " is " in text:
        text = _IS.sub(" = ", text)
    if "equal" in text:
        text = _WORDED.sub(lambda m: _WORDED_TO[m.lastindex - 1], text)
    if "π" in text:
        text = text.replace("π", "\\")  # no plain number: nothing beside it is checked
    return text.translate(_PLAIN_SIGNS if text.isascii() else _SIGNS)


def _fraction(m: re.Match) -> str:
    top, bottom = (p if p.strip().isdecimal() else f"({p})" for p in m.groups())
    return f"({top}/{bottom})"


_HAS_EQUALITY = re.compile(r"=|≈|\\approx|equal| is ")


def check_text(text: str) -> list[Equation]:
    """Every checkable equality of a text, in order of appearance."""
    if not _HAS_EQUALITY.search(text):
        return []
    text = text[:MAX_CHARS]
    found: list[Equation] = []
    seen: set[tuple] = set()
    if "<<" in text:
        for m in _MARK.finditer(text):
            for equation in _of_mark(m[1]):
                key = (equation.left, equation.right)
                if key not in seen:
                    seen.add(key)
                    found.append(equation)
        text = _MARK.sub("", text)
    _equalities(text, found, seen)
    return found


@lru_cache(maxsize=8_192)
def _of_mark(mark: str) -> tuple[Equation, ...]:
    """Equalities of a calculator mark; the chains of a group share many of them."""
    found: list[Equation] = []
    _equalities(mark, found, set())
    return tuple(found)


def _equalities(text: str, found: list[Equation], seen: set) -> None:
    tokens = tokenise(normalise(text))
    for i, token in enumerate(tokens):
        if token.kind != "=" or len(found) >= MAX_EQUATIONS:
            continue
        left = left_side(tokens, i)
        right = right_side(tokens, i) if left else None
        if (
            right is None
            or not (left.calculates or _continues_chain(left, right, tokens, i))
            or _names_a_share(left, right)
        ):
            continue
        key = (left.text, right.text)
        if key in seen:
            continue
        equation = compare_sides(left, right, tokens)
        if equation is not None:
            seen.add(key)
            found.append(equation)


def _continues_chain(left: Side, right: Side, tokens: list[Token], equals: int) -> bool:
    """ "= 8 = 4 * 3": in the middle of a chain a single number stands for what was before it."""
    if len(left.tokens) != 1 or not right.calculates:
        return False
    before = next((t for t in reversed(tokens[:equals]) if t.end <= left.start), None)
    return before is not None and before.kind == "="


def _names_a_share(left: Side, right: Side) -> bool:
    """ "Since 2/3 is 40" names a share of something; it computes nothing."""
    if len(left.tokens) != 3 or left.tokens[1][0] != "/" or left.end - left.start > 7:
        return False
    top, bottom = left.tokens[0][1], left.tokens[2][1]
    return top < bottom and right.tokens[0][1] is not None and right.tokens[0][1] > 1


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


def compare_sides(left: Side, right: Side, tokens: list[Token]) -> Equation | None:
    """Compares two sides; None where they cannot be computed or speak of different units."""
    try:
        expected, given = value_of(left.tokens), value_of(right.tokens)
        holds, rounded = agree(expected, given, right.text, right.loose)
        if not holds:
            holds, rounded = _other_readings(left, right)
            if not holds and (_runs_on(expected, right) or _counts_parts(left, right)):
                return None
            if not holds and _changes_units(expected, given, left, right):
                return None
    except (NotArithmetic, ZeroDivisionError):
        return None
    operands = tuple(value for _, value in left.tokens if value is not None)
    return Equation(
        left.text,
        right.text,
        expected,
        given,
        holds,
        rounded,
        left.start,
        right.end,
        operands,
        len(right.tokens) < 3,
    )


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


def _other_readings(left: Side, right: Side) -> tuple[bool, bool]:
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


def _runs_on(expected: Fraction, right: Side) -> bool:
    """ "7 * 60 = 420 + 23 = 443": a running total, written as people speak."""
    if not right.calculates:
        return False
    first = (
        right.tokens[:3]
        if [k for k, _ in right.tokens[:4]] == ["n", "/", "n", "*"]
        else right.tokens[:1]
    )
    return first[0][1] is not None and value_of(first) == expected


def _counts_parts(left: Side, right: Side) -> bool:
    """ "5 * 1/2 = 10 halves": the result counts parts."""
    return any(w in _PARTS for w in right.words) and any(kind == "/" for kind, _ in left.tokens)


def _mixes_units(words: tuple[str, ...]) -> bool:
    """Whether a sum adds, say, hours and minutes."""
    units = {UNITS[word] for word in words if word in UNITS}
    return len(units) > len({unit.dimension for unit in units})


def _changes_units(expected: Fraction, given: Fraction, left: Side, right: Side) -> bool:
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
