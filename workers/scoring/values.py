r"""Reads the text of an answer as a value that can be compared exactly.

`parse_value("2 2/3")` is Number(8/3), `parse_value("(3, \pi/2)")` a Parts of a number and an
expression. Nothing is ever evaluated as code or as a float: numbers are `fractions.Fraction`.
What this module does not understand becomes an `Expression`, which `comparing` hands to Math-Verify
in a bounded child process.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from workers.scoring.units import UNITS, Unit
from workers.scoring.words import number_from_words

MAX_DIGITS = 120  # longer numbers are not answers, and int() of 4,300 digits raises
MAX_ANSWER_CHARS = 2_000  # an answer longer than this is not compared as one


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number as it was written.

    value: the number, percent sign and scale word ("million") not applied for percent, applied
    for scale; decimals: digits written after the point (None for a fraction); percent: a percent
    sign stood there; unit: a known unit or None; approx: "about", "≈" stood there.
    """

    value: Fraction
    decimals: int | None = 0
    percent: bool = False
    unit: Unit | None = None
    approx: bool = False


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


Value = Number | Clock | Parts | Interval | Union | Matrix | Equation | Expression | Words

PLAIN = re.compile(r"[-+]?\$?(?:\d{1,3}(?:,\d{3})+|\d{1,60})(?:\.(\d{1,60}))?")
_WRAPPERS = (
    ("$$", "$$"),
    ("$", "$"),
    (r"\(", r"\)"),
    (r"\[", r"\]"),
    ("**", "**"),
    ("__", "__"),
    ("`", "`"),
    ('"', '"'),
    ("“", "”"),
    ("*", "*"),
)
_TRANSLATE = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2013\u2014\u2010\u2011\ufe63\uff0d", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\u3000\u2002\u2003", " "),
        **dict.fromkeys("\u200b\u200e\u200f\ufeff\u2060\u202a\u202c\u00ad", ""),
        **dict.fromkeys("\u2044\u2215\u00f7", "/"),
        **{"×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "π": r"\pi ", "∞": r"\infty "},
        **{"√": r"\sqrt", "≈": "~", "∪": r"\cup ", "≤": r"\le ", "≥": r"\ge "},
        **{"％": "%", "＄": "$", "，": ",", "：": ":", "’": "'"},
    }
)
_FULLWIDTH = str.maketrans({0xFF10 + i: str(i) for i in range(10)})
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_VULGAR = {
    "½": "1/2",
    "⅓": "1/3",
    "⅔": "2/3",
    "¼": "1/4",
    "¾": "3/4",
    "⅕": "1/5",
    "⅖": "2/5",
    "⅗": "3/5",
    "⅘": "4/5",
    "⅙": "1/6",
    "⅚": "5/6",
    "⅐": "1/7",
    "⅛": "1/8",
    "⅜": "3/8",
    "⅝": "5/8",
    "⅞": "7/8",
    "⅑": "1/9",
    "⅒": "1/10",
}
_VULGAR_RE = re.compile("(" + "|".join(_VULGAR) + ")")
_SUPER_RE = re.compile("[⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_TEXT_CMD = re.compile(
    r"\\(?:text(?:bf|it|rm|tt)?|mathrm|mathbf|mathit|mbox|operatorname|bm|rm)"
    r"\s*\{([^{}]*)\}"
)
_SPACING = re.compile(
    r"(?<!\\)\\[!,;: ]|\\q?quad\b|~(?=\d)|\\(?:left|right|[bB]igg?[lr]?|displaystyle)"
    r"(?![a-zA-Z])|\\(?:left|right)(?=[\[\](){}|.])"
)
_DOLLAR = "\ue000"  # stands for an escaped dollar sign while formula signs are taken off
_DEGREE = re.compile(r"\s*\^\s*(?:\{\s*\\circ\s*\}|\\circ)|°")
_FRAC = re.compile(r"\\[dtc]?frac")
_LABEL = re.compile(
    r"^(?:therefore|thus|so|hence|it is|it's|they are|there are|exactly|only|a total"
    r" of|is|are|approximately|about|roughly|around|nearly|almost|equal to|at)\b"
    r"[:,]?\s+",
    re.I,
)
_APPROX = re.compile(
    r"^(?:approximately|about|roughly|around|nearly|almost|approx\.?)\b\s*|^[~]\s*"
    r"|^\\approx\s*",
    re.I,
)


def clean(text: str) -> str:
    """The answer text without wrappers, LaTeX spacing and typographic variants of signs."""
    text = text.strip()
    if not text.isascii():
        text = _VULGAR_RE.sub(lambda m: " " + _VULGAR[m.group(1)] + " ", text)
        text = _SUPER_RE.sub(lambda m: "^{" + m.group().translate(_SUPERSCRIPT) + "}", text)
        text = text.translate(_TRANSLATE).translate(_FULLWIDTH)
    if "\\" in text:
        text = text.replace(r"\$", _DOLLAR).replace(r"\%", "%")
        for _ in range(3):
            text = _TEXT_CMD.sub(r" \1 ", text)
        text = _FRAC.sub(r"\\frac", text)
        text = _DEGREE.sub(" degrees ", text)
        text = _SPACING.sub("", text)
        text = text.replace(r"\lbrace", r"\{").replace(r"\rbrace", r"\}")
    elif "°" in text or "^" in text:
        text = _DEGREE.sub(" degrees ", text)
    text = text.replace("{,}", ",").strip()
    return _unwrap(text).replace(_DOLLAR, "$")


def _unwrap(text: str) -> str:
    changed = True
    while changed and text:
        changed = False
        stripped = text.strip().rstrip(".;,?").rstrip()
        if stripped != text:
            text, changed = stripped, True
        for left, right in _WRAPPERS:
            inner = text[len(left) : -len(right)]
            if (
                len(text) > len(left) + len(right) - 1
                and text.startswith(left)
                and text.endswith(right)
                and left not in inner
                and right not in inner
            ):
                text, changed = inner.strip(), True
                break
        box = re.match(r"\\(?:boxed|fbox)\s*\{", text)
        if box and closing(text, box.end() - 1) == len(text) - 1:
            text, changed = text[box.end() : -1].strip(), True
    return text


def closing(text: str, start: int) -> int:
    """Index of the bracket that closes the one at `start`, or -1; linear in the text."""
    pairs = {"{": "}", "(": ")", "[": "]"}
    opener, closer = text[start], pairs[text[start]]
    depth = 0
    for i in range(start, len(text)):
        ch = text[i]
        if ch == opener and not (i and text[i - 1] == "\\" and ch == "{"):
            depth += 1
        elif ch == closer and not (text[i - 1] == "\\" and ch == "}"):
            depth -= 1
            if depth == 0:
                return i
    return -1


def split_top(text: str, separators: str = ",;") -> list[str]:
    """Splits at separators outside brackets; thousands commas ("1,000") do not split."""
    parts, depth, last = [], 0, 0
    for i, ch in enumerate(text):
        if ch in "([{":
            depth += 1
        elif ch in ")]}":
            depth = max(0, depth - 1)
        elif ch in separators and depth == 0:
            parts.append(text[last:i])
            last = i + 1
    parts.append(text[last:])
    return [p.strip() for p in parts]


_INT = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,3}(?: \d{3})+(?![\d])|\d+)"
_DECIMAL = re.compile(rf"(?P<int>{_INT})?(?P<dec>\.\d+)?")
_SCI = re.compile(
    r"\s*(?:[eE]\s*(?P<e>[-+]?\d{1,4})(?![\d.])|(?:\\times|\*|\\cdot|x)\s*10\s*"
    r"(?:\^|\*\*)\s*[{(]?\s*(?P<t>[-+]?\d{1,4})\s*[})]?)"
)
_LATEX_FRAC = re.compile(r"\\frac\s*(?:\{\s*(-?\d+)\s*\}|(\d))\s*(?:\{\s*(-?\d+)\s*\}|(\d))")
_SLASH = re.compile(r"\s*/\s*(\d+)(?![\d.,]*\d)")
_MIXED = re.compile(r"(?:\s+|\s*-\s*|\s+and\s+|\s*&\s*)(\d+)\s*/\s*(\d+)(?![\d/])")
_MIXED_LATEX = re.compile(
    r"\s*(?:and\s+)?\\frac\s*(?:\{\s*(\d+)\s*\}|(\d))\s*(?:\{\s*(\d+)\s*\}|(\d))"
)
_SCALE = re.compile(
    r"\s*(hundred|thousand|million|billion|trillion|dozen|mn|bn|[kK](?![a-zA-Z]))"
    r"(?![a-zA-Z])"
)
_SCALES = {
    "hundred": 10**2,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "dozen": 12,
    "trillion": 10**12,
    "mn": 10**6,
    "bn": 10**9,
    "k": 10**3,
}
_REPEATING = re.compile(r"(\d*)\.(\d*)\\overline\s*\{?(\d+)\}?")


def scan_number(text: str, start: int = 0) -> tuple[Fraction, int | None, int] | None:
    """Reads an unsigned number at `start`: (value, decimals or None for a fraction, end)."""
    frac = _LATEX_FRAC.match(text, start)
    if frac:
        top, bottom = int(frac[1] or frac[2]), int(frac[3] or frac[4])
        return (Fraction(top, bottom), None, frac.end()) if bottom else None
    rep = _REPEATING.match(text, start)
    if rep and len(rep.group()) < MAX_DIGITS:
        head, plain, cycle = int(rep[1] or 0), rep[2], rep[3]
        value = (
            head
            + Fraction(int(plain or 0), 10 ** len(plain))
            + Fraction(int(cycle), (10 ** len(cycle) - 1) * 10 ** len(plain))
        )
        return value, None, rep.end()
    m = _DECIMAL.match(text, start)
    if not m or m.end() == start or m.end() - start > MAX_DIGITS:
        return None
    digits = (m["int"] or "").replace(",", "").replace(" ", "")
    decimal = m["dec"] or ""
    if decimal == "" and not digits:
        return None
    value = Fraction(f"{digits or '0'}{decimal}")
    decimals, end = (len(decimal) - 1 if decimal else 0), m.end()
    if not decimal:
        found = _fraction_after(text, value, end)
        if found:
            return found
    sci = _SCI.match(text, end)
    if sci:
        power = int(sci["e"] or sci["t"])
        if abs(power) > 400:
            return None
        value *= Fraction(10) ** power
        decimals, end = max(0, decimals - power), sci.end()
    return value, decimals, end


def _fraction_after(text: str, whole: Fraction, end: int):
    slash = _SLASH.match(text, end)
    if slash:
        bottom = int(slash[1]) if len(slash[1]) < MAX_DIGITS else 0
        return (whole / bottom, None, slash.end()) if bottom else None
    mixed = _MIXED.match(text, end)
    if mixed and len(mixed.group()) < 40 and int(mixed[2]) > int(mixed[1]):
        return whole + Fraction(int(mixed[1]), int(mixed[2])), None, mixed.end()
    mixed = _MIXED_LATEX.match(text, end)
    if mixed and len(mixed.group()) < 60:
        top, bottom = int(mixed[1] or mixed[2]), int(mixed[3] or mixed[4])
        if bottom:
            return whole + Fraction(top, bottom), None, mixed.end()
    return None


_CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(?:([ap])\.?\s?m\.?)?(?:\s+o'?clock)?$", re.I
)
_HOUR = re.compile(r"(\d{1,2})\s*(?:o'?clock\s*)?(?:([ap])\.?\s?m\.?)$|(\d{1,2})\s*o'?clock$", re.I)
_WORDY_TAIL = re.compile(r"[\s\-]*[^\W\d_][^\d=<>+*\\{}()\[\]^|]*$")
_SIGN = re.compile(r"([-+])?\s*(US\s?\$|USD|[$€£¥₹])?\s*([-+])?\s*", re.I)
_CURRENCY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "₹": "rupee"}


def parse_number(text: str) -> Number | None:
    """Reads a whole cleaned text as one number with optional currency, percent, scale and unit."""
    plain = PLAIN.fullmatch(text)
    if plain:
        body = text.replace(",", "")
        unit = UNITS["dollar"] if "$" in body else None
        decimals = len(plain[1]) if plain[1] else 0
        return Number(Fraction(body.replace("$", "")), decimals, unit=unit)
    approx = False
    while True:
        head = _APPROX.match(text)
        if not head:
            break
        approx, text = True, text[head.end() :]
    sign = _SIGN.match(text)
    pos, negative = sign.end(), (sign[1] == "-") != (sign[3] == "-")
    scanned = scan_number(text, pos)
    if scanned is None:
        return _from_words(text, approx)
    value, decimals, end = scanned
    unit = None
    if sign[2]:
        unit = UNITS[_CURRENCY.get(sign[2][-1], "dollar")]
    scale = _SCALE.match(text, end)
    if scale:
        factor = _SCALES[scale[1].lower()]
        value, end = value * factor, scale.end()
        decimals = None if decimals else decimals
    return _finish_number(text, end, -value if negative else value, decimals, unit, approx)


def _finish_number(text, end, value, decimals, unit, approx) -> Number | None:
    rest = text[end:].strip()
    percent = False
    m = re.match(r"%|percent(?:age)?(?:\s+points?)?\b|per\s?cent\b", rest, re.I)
    if m:
        percent, rest = True, rest[m.end() :].strip()
    if rest:
        unit_word = read_unit(rest)
        if unit_word is not None:
            compound = re.match(r"[a-z.]+\s+(?:and\s+)?(\d.*)$", rest, re.I)
            if compound:
                return _compound(value, unit_word, compound[1], approx)
            if unit is not None and unit_word.dimension != unit.dimension:
                unit_word = unit
            unit = unit_word
        elif re.fullmatch(r"(?:k|c|m)?m\s*\^\s*\{?[23]\}?|(?:in|ft)\.?\s*\^\s*\{?[23]\}?", rest):
            pass  # cm^2 and the like: the number is compared as written
        elif not _WORDY_TAIL.fullmatch(rest) or len(rest) > 80 or not re.search(r"\w\w", rest):
            return None
    return Number(value, decimals, percent, unit, approx)


def _compound(value: Fraction, unit: Unit, rest: str, approx: bool) -> Number | None:
    """ "2 hours 30 minutes", "5 feet 3 inches": one quantity in its first unit."""
    second = parse_number(rest)
    if second is None or second.unit is None or second.unit.dimension != unit.dimension:
        return None
    return Number(
        value + second.value * second.unit.factor / unit.factor, None, False, unit, approx
    )


def _from_words(text: str, approx: bool) -> Number | None:
    if not text[:1].isalpha() and text[:1] != "-":
        return None
    value, rest = number_from_words(text)
    if value is None:
        return None
    return _finish_number(rest, 0, value, 0 if value.denominator == 1 else None, None, approx)


def read_unit(rest: str) -> Unit | None:
    """The known unit that a text begins with ("hours left" is hours), or None."""
    m = re.match(r"(?:square|sq\.?|cubic|cu\.?)?\s*([a-zA-Z°]+)\.?", rest)
    if not m:
        return None
    word = m[1]
    found = UNITS.get(word) or UNITS.get(word.lower())
    if found is None and word.lower().endswith("s"):
        found = UNITS.get(word.lower()[:-1])
    if found is not None and re.match(r"\s*(?:per\b|/|an?\b)", rest[m.end() :]):
        return None  # a rate is its own thing: the number is compared as written
    if found is not None and (
        re.match(r"sq|cu", rest, re.I) or re.match(r"\s*\^|\s+squared|\s+cubed", rest[m.end() :])
    ):
        return None
    return found


_ENV = re.compile(r"\\begin\{([a-z]*matrix|array)\}(?:\{[^}]*\})?(.*)\\end\{\1\}$", re.S)
_AND = re.compile(r"\s*(?:,\s*)?(?:\band\b|\bor\b|\\text\{\s*(?:and|or)\s*\}|&)\s*")
_MATHS = re.compile(r"[\d\\^_=+*/<>|{}()\[\]]")
_RELATION = re.compile(r"(?<![<>!:\\=])=(?!=)")
_PM = re.compile(r"\\pm\s*|±\s*|\+/-\s*")


def parse_value(raw: str, depth: int = 0) -> Value:
    """Reads an answer as a value. Never raises; what is not understood is Expression or Words."""
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
        if number is not None and _APPROX.match(text):
            number = Number(number.value, number.decimals, number.percent, number.unit, True)
    if number is not None:
        return number
    return (
        _clock(text)
        or _matrix(text, depth)
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


def _bracketed(text: str, depth: int) -> Parts | None:
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
        return None
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


def _equation(text: str, depth: int) -> Equation | None:
    sides = _RELATION.split(text)
    if len(sides) < 2 or "<" in text or ">" in text or r"\le" in text or r"\ge" in text:
        return None
    left, right = sides[0].strip(), sides[-1].strip()
    if not left or not right:
        return None
    return Equation(left, right, parse_value(right, depth + 1))


_ARTICLES = re.compile(r"\b(?:the|a|an)\b")
_PUNCT = re.compile(r"[^\w\s'/+-]")


def normal_words(text: str) -> str:
    """Lower case, without articles and punctuation, single spaces."""
    text = _PUNCT.sub(" ", text.lower())
    return " ".join(_ARTICLES.sub(" ", text).split())


def _rest(text: str) -> Expression | Words:
    letters = re.sub(r"[^a-zA-Z]", "", text)
    if _MATHS.search(text) or len(letters) <= 1:
        return Expression(text)
    if len(text.split()) == 1 and len(letters) <= 2 and text.lower() not in ("no", "ok"):
        return Expression(text)
    return Words(normal_words(text))
