r"""Recomputes every calculation that a step shows: "16 - 3 = 12" should be 13.

An equality is checkable when both its sides are plain numbers and operators once units, currency,
calculator marks and simple LaTeX are taken off. What is not surely plain arithmetic is left alone: a
checker that cries wolf is switched off by its readers.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from workers.scoring.equations.calculations import Side, left_side, right_side
from workers.scoring.equations.interpretation import (
    agree,
    changes_units,
    counts_parts,
    other_readings,
    runs_on,
)
from workers.scoring.equations.tokens import Token, tokenise
from workers.scoring.numbers.arithmetic import NotArithmetic, value_of

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
        return f"{self.left} is {approx}{self._expected_as_given}, not {self.right}."

    @property
    def _expected_as_given(self) -> str:
        """In percent where the right side is: 0.2 against "25%" is 20%, and so is 20 (of "0.2 * 100")."""
        if not self.right.endswith("%"):
            return show(self.expected)
        # Of the two, the one of the given size, with the middle of their ratio as the border.
        is_share = abs(self.expected) <= 10 * abs(self.given)
        return f"{show(100 * self.expected if is_share else self.expected)}%"


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
    """Equalities of a calculator mark; the rationales of a group share many of them."""
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
            or not (left.calculates or _continues_rationale(left, right, tokens, i))
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


def _continues_rationale(left: Side, right: Side, tokens: list[Token], equals: int) -> bool:
    """ "= 8 = 4 * 3": in the middle of a rationale a single number stands for what was before it."""
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


def compare_sides(left: Side, right: Side, tokens: list[Token]) -> Equation | None:
    """Compares two sides; None where they cannot be computed or speak of different units."""
    try:
        expected, given = value_of(left.tokens), value_of(right.tokens)
        holds, rounded = agree(expected, given, right.text, right.loose)
        if not holds:
            holds, rounded = other_readings(left, right)
            if not holds and (runs_on(expected, right) or counts_parts(left, right)):
                return None
            if not holds and changes_units(expected, given, left, right):
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
