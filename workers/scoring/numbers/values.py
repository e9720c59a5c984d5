r"""Reads the text of an answer as a value that can be compared exactly.

`parse_value("2 2/3")` is Number(8/3), `parse_value("(3, \pi/2)")` a Parts of a number and an
expression. Nothing is ever evaluated as code or as a float: numbers are `fractions.Fraction`.
What this module does not understand becomes an `Expression`, which `comparing` hands to Math-Verify
in a bounded child process.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from workers.scoring.numbers import relations
from workers.scoring.numbers.dates import Date, parse_date
from workers.scoring.numbers.normalize import clean, closing, split_top
from workers.scoring.numbers.numerals import APPROX, Number, parse_number

MAX_KEPT = 200  # characters of an answer whose value is remembered
MAX_ANSWER_CHARS = 2_000  # an answer longer than this is not compared as one


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day: minutes after midnight, or after noon or midnight when `half` is ''."""

    minutes: Fraction
    half: str = ""  # "am", "pm" or ""


@dataclass(frozen=True, slots=True)
class Parts:
    """An answer of several parts. kind: "list" (no brackets), "set" or "tuple"."""

    kind: str
    items: tuple


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval with its two bounds and whether each belongs to it; bounds are values."""

    low: object
    high: object
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True, slots=True)
class Union:
    """A union of intervals (or single values), order free."""

    items: tuple


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of values, "3:5"."""

    items: tuple


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix or a column vector, row by row."""

    rows: tuple


@dataclass(frozen=True, slots=True)
class Equation:
    """`left = right`, both sides as text; `right_value` is the right side as a value."""

    left: str
    right: str
    right_value: object


@dataclass(frozen=True, slots=True)
class Expression:
    """Anything else that has mathematics in it, as cleaned text."""

    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """Plain words, normalised: lower case, no articles, no punctuation."""

    text: str


Value = (
    Number
    | Clock
    | Date
    | Parts
    | Interval
    | Union
    | Ratio
    | Matrix
    | Equation
    | Expression
    | Words
)

_LABEL = re.compile(
    r"^(?:therefore|thus|so|hence|it is|it's|they are|there are|exactly|only|a total"
    r" of|is|are|approximately|about|roughly|around|nearly|almost|equal to|at)\b"
    r"[:,]?\s+",
    re.I,
)
_CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2}))?"
    r"(?:\s*+(?:([ap])\.?\s?m\.?(?:\s+o'?clock)?)?|\s++o'?clock)$",
    re.I,
)
_HOUR = re.compile(r"(\d{1,2})\s*(?:o'?clock\s*)?(?:([ap])\.?\s?m\.?)$|(\d{1,2})\s*o'?clock$", re.I)
_ENV = re.compile(
    r"[\[(|]?\s?\\begin\{([a-z]*matrix|array)\}(?:\{[^}]*\})?(.*)\\end\{\1\}\s?[\])|]?$", re.S
)
_AND = re.compile(r"(?:(?<!\s)\s++)?(?:,\s*+)?(?:\band\b|\bor\b|\\text\{\s*(?:and|or)\s*\}|&)\s*")
_MATHS = re.compile(r"[\d\\^_=+*/<>|{}()\[\]]")
_RELATION = re.compile(r"(?<![<>!:\\=])=(?!=)")
_PM = re.compile(r"\\pm\s*|±\s*|\+/-\s*")


def parse_value(raw: str, depth: int = 0) -> Value:
    """Reads an answer as a value. Never raises; what is not understood is Expression or Words."""
    return _kept(raw) if depth == 0 and len(raw) <= MAX_KEPT else _parsed(raw, depth)


@lru_cache(maxsize=8_192)
def _kept(raw: str) -> Value:
    """The same of a short answer, which is read several times: found, graded, counted in its group."""
    return _parsed(raw, 0)


def _parsed(raw: str, depth: int) -> Value:
    text = clean(raw)
    if len(text) > MAX_ANSWER_CHARS or depth > 4:
        return Expression(text)
    if text[-1:] in "mMkK" and (clock := _clock(text)) is not None:
        return clock
    number = parse_number(text)
    if number is None:
        stripped = text
        while (m := _LABEL.match(stripped)) is not None:
            stripped = stripped[m.end() :]
        number = parse_number(stripped) if stripped != text else None
        if number is not None and APPROX.match(text):
            number = Number(number.value, number.decimals, number.percent, number.unit, True)
    if number is not None:
        is_day = text[:1].isdigit() and text[-1:].isalpha()
        return (parse_date(text) if is_day else None) or number  # "5th of January"
    return (
        _clock(text)
        or parse_date(text)
        or _matrix(text, depth)
        or _related(text, depth)
        or _interval(text, depth)
        or _bracketed(text, depth)
        or _listed(text, depth)
        or _equation(text, depth)
        or _rest(text)
    )


def _clock(text: str) -> Clock | None:
    m = _CLOCK.match(text)
    if m and int(m[1]) < 25 and int(m[2]) < 60:
        hour, half = int(m[1]), (m[4].lower() + "m" if m[4] else "")
        minutes = Fraction(hour * 60 + int(m[2])) + Fraction(int(m[3] or 0), 60)
        return _half(minutes, hour, half)
    m = _HOUR.match(text)
    if m and int(m[1] or m[3]) < 25:
        hour = int(m[1] or m[3])
        return _half(Fraction(hour * 60), hour, m[2].lower() + "m" if m[2] else "")
    return {"noon": Clock(Fraction(720), "pm"), "midnight": Clock(Fraction(0), "am")}.get(
        text.lower()
    )


def _half(minutes: Fraction, hour: int, half: str) -> Clock:
    if half == "pm" and hour < 12:
        return Clock(minutes + 720, "pm")
    if half == "am" and hour == 12:
        return Clock(minutes - 720, "am")
    if not half and hour > 12:
        return Clock(minutes, "pm")
    return Clock(minutes, half)


def _matrix(text: str, depth: int) -> Matrix | None:
    m = _ENV.match(text)
    if not m:
        return None
    rows = [row for row in re.split(r"\\\\(?:\[[^\]]*\])?", m[2]) if row.strip()]
    return Matrix(
        tuple(tuple(parse_value(cell, depth + 1) for cell in row.split("&")) for row in rows)
    )


def _related(text: str, depth: int) -> Interval | Union | Ratio | Value | None:
    """Inequalities, bounds in words, and ratios."""
    found = relations.relation(text.replace("$", "") if text.count("$") > 1 else text)
    if isinstance(found, str):
        return _as_interval(parse_value(found, depth + 1))
    if found is None and text[:1].isalnum() and (bound := relations.bound_in_words(text)):
        found = [bound]
    if found is not None:
        spans = tuple(_interval_of(span, depth) for span in found)
        return spans[0] if len(spans) == 1 else Union(spans)
    members = relations.ratio(text)
    return Ratio(tuple(parse_value(one, depth + 1) for one in members)) if members else None


def _interval_of(span: relations.Span, depth: int) -> Interval:
    low, high = (parse_value(end, depth + 1) for end in (span.low, span.high))
    return Interval(low, high, span.low_closed, span.high_closed)


_BOUND = re.compile(r"^([\[(])(.*)([\])])$", re.S)


def _interval(text: str, depth: int) -> Interval | Union | None:
    if r"\cup" in text:
        parts = [parse_value(p, depth + 1) for p in text.split(r"\cup")]
        return Union(tuple(_as_interval(p) for p in parts))
    m = _BOUND.match(text)
    if not m:
        return None
    inner = split_top(m[2], ",")
    # Brackets of two kinds, or an infinite bound, say that a pair is an interval.
    mixed = m[1] + m[3] in ("[)", "(]")
    endless = r"\infty" in m[2] or "infinity" in m[2].lower() or re.search(r"\boo\b|\binf\b", m[2])
    if len(inner) == 2 and (mixed or endless):
        low, high = (parse_value(p, depth + 1) for p in inner)
        return Interval(low, high, m[1] == "[", m[3] == "]")
    return None


def _as_interval(value):
    """(a, b) inside a union is an interval, not a pair."""
    if isinstance(value, Parts) and value.kind in ("tuple", "closed") and len(value.items) == 2:
        closed = value.kind == "closed"
        return Interval(value.items[0], value.items[1], closed, closed)
    return value


_TRANSPOSED = re.compile(r"(?<=[)\]])\s?\^\s?\{?\s?(?:T|\\top|\\intercal)\s?\}?$")


def _bracketed(text: str, depth: int) -> Parts | None:
    text = _TRANSPOSED.sub("", text)  # a row that is turned into a column
    if text.startswith(r"\{") and text.endswith(r"\}"):
        kind, inner = "set", text[2:-2]
    elif len(text) > 1 and text[0] in "({[" and closing(text, 0) == len(text) - 1:
        kind, inner = {"(": "tuple", "{": "set", "[": "closed"}[text[0]], text[1:-1]
    elif text.startswith("<") and text.endswith(">") and "," in text:
        kind, inner = "tuple", text[1:-1]
    elif text in (r"\emptyset", r"\varnothing", "∅"):
        return Parts("set", ())
    else:
        return None
    parts = split_top(inner)
    if len(parts) < 2 and kind != "set":
        return parse_value(inner, depth + 1) if inner.strip() and kind == "tuple" else None
    if kind == "set":
        parts = [p for piece in parts for p in _AND.split(piece)]
    items = tuple(parse_value(p, depth + 1) for p in parts if p)
    return Parts(kind, items)


def _listed(text: str, depth: int) -> Parts | None:
    """ "2, 3 and 5", "x = 2 or x = -3", "3 ± 2": several answers, order free."""
    pm = _PM.search(text)
    if pm and len(_PM.findall(text)) == 1 and _MATHS.search(text):
        plus = text[: pm.start()] + ("+" if text[: pm.start()].strip() else "") + text[pm.end() :]
        minus = text[: pm.start()] + "-" + text[pm.end() :]
        return Parts("list", (parse_value(plus, depth + 1), parse_value(minus, depth + 1)))
    pieces = [p for part in split_top(text) for p in _AND.split(part) if p]
    if len(pieces) < 2 or len(pieces) > 60:
        return None
    items = tuple(parse_value(p, depth + 1) for p in pieces)
    if all(isinstance(item, Words) for item in items) or not _MATHS.search(text):
        return None
    return Parts("list", items)


def _sides(text: str) -> list[str]:
    """The sides of an equation, split where an equals sign stands outside of braces."""
    sides, last = [], 0
    for m in _RELATION.finditer(text):
        before = text[: m.start()]
        if before.count("{") - before.count(r"\{") <= before.count("}") - before.count(r"\}"):
            sides.append(text[last : m.start()])
            last = m.end()
    return [*sides, text[last:]]


def _equation(text: str, depth: int) -> Equation | None:
    sides = _sides(text)
    if len(sides) < 2 or "<" in text or ">" in text or r"\le" in text or r"\ge" in text:
        return None
    left, right = sides[0].strip(), sides[-1].strip()
    if not left or not right:
        return None
    return Equation(left, right, parse_value(right, depth + 1))


def _decimal(number: Number) -> str:
    """Its value as a decimal where it was written as one, else as a fraction."""
    value, places = number.value, number.decimals or 0
    if value.denominator == 1 or not 0 < places <= 12 or 10**places % value.denominator:
        return str(value)
    digits = str(abs(value.numerator) * (10**places // value.denominator)).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def shown(value: Value | None) -> str:
    """A value as it was understood, in one line for a person: "8/3", "50 %", "{1, 2}", "12:30 pm"."""
    if value is None:
        return ""
    if isinstance(value, Number):
        sign, unit = " %" if value.percent else "", value.unit.name if value.unit else ""
        return f"{_decimal(value)}{sign} {unit}".strip()
    if isinstance(value, Clock):
        minutes, seconds = divmod(value.minutes * 60, 60)
        hour, minute = divmod(int(minutes), 60)
        return f"{hour}:{minute:02}" + (f":{int(seconds):02}" if seconds else "")
    if isinstance(value, Ratio):
        return ":".join(map(shown, value.items))
    if isinstance(value, Parts):
        left, right = {"set": "{}", "tuple": "()", "closed": "[]"}.get(value.kind, ("", ""))
        return left + ", ".join(map(shown, value.items)) + right
    if isinstance(value, Interval):
        left, right = "[" if value.low_closed else "(", "]" if value.high_closed else ")"
        return f"{left}{shown(value.low)}, {shown(value.high)}{right}"
    if isinstance(value, Union):
        return " or ".join(map(shown, value.items))
    if isinstance(value, Matrix):
        return "; ".join(", ".join(map(shown, row)) for row in value.rows)
    if isinstance(value, Equation):
        return f"{value.left} = {shown(value.right_value)}"
    return value.text


_ARTICLES = re.compile(r"\b(?:the|a|an)\b")
_PUNCT = re.compile(r"[^\w\s'/+-]")


def normal_words(text: str) -> str:
    """Lower case, without articles and punctuation, single spaces."""
    text = _PUNCT.sub(" ", text.lower())
    words = text.split()
    if len(words) > 2 and all(len(word) == 1 for word in words):
        return "".join(words)  # "y a j o" is spelled
    return " ".join(_ARTICLES.sub(" ", text).split())


def squeeze(text: str) -> str:
    """Text without what does not change an expression: spaces, product dots, braces of one sign."""
    text = re.sub(r"\\(?:cdot|times)(?![a-zA-Z])|\s|\\[!,;:]", "", text)
    return re.sub(r"\{(\w)\}", r"\1", text)


_ORDINAL = re.compile(r"\d{1,9}(?:st|nd|rd|th)", re.I)
_DIFFERENCE = re.compile(r"-?[a-zA-Z](?:\s?-\s?[a-zA-Z]){1,20}")


_SHORT_WORDS = frozenset("no ok si ja da ya je".split())


def _rest(text: str) -> Expression | Words:
    if _ORDINAL.fullmatch(text):
        return Words(text.lower())
    letters = "".join(filter(str.isalpha, text))
    if _MATHS.search(text) or (len(letters) <= 1 and text.isascii()) or _DIFFERENCE.fullmatch(text):
        return Expression(text)
    if (
        len(letters) <= 2
        and text.isascii()
        and " " not in text
        and text.lower() not in _SHORT_WORDS
    ):
        return Expression(text)
    return Words(normal_words(text))
