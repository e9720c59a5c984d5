"""Numbers as people write them: 1,234.50, 2 2/3, 3.2 x 10^5, five, 50%, 2 hours 30 minutes.

Nothing is ever evaluated as code or as a float: numbers are `fractions.Fraction`.
"""

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from workers.scoring.numbers.locales import foreign_number
from workers.scoring.numbers.number_words import number_from_words
from workers.scoring.numbers.units import UNITS, Unit, raised

MAX_DIGITS = 120  # longer numbers are not answers, and int() of 4,300 digits raises


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number as it was written.

    value: the number, percent sign and scale word ("million") not applied for percent, applied
    for scale; decimals: digits written after the point (None for a fraction); percent: a percent
    sign stood there; unit: a known unit or None; approx: "about", "≈" stood there; raw: its digits, where
    these can be read in another way ("1.234" and "1,234" are, "2,5" may be two numbers), else "";
    scale: what the word behind it stands for, 12 of "dozen" (applied to the value).
    """

    value: Fraction
    decimals: int | None = 0
    percent: bool = False
    unit: Unit | None = None
    approx: bool = False
    raw: str = ""
    scale: int = 1


PLAIN = re.compile(r"[-+]?\$?(?:\d{1,3}(?:,\d{3})+|\d{1,60})(?:\.(\d{1,60}))?")
APPROX = re.compile(
    r"^(?:approximately|about|roughly|around|nearly|almost|approx\.?)\b\s*|^[~]\s*"
    r"|^\\approx\s*",
    re.I,
)
_INT = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,3}(?: \d{3})+(?![\d])|\d+)"
_DECIMAL = re.compile(rf"(?P<int>{_INT})?(?P<dec>\.\d+)?")
_SCI = re.compile(
    r"\s*(?:[eE]\s*(?P<e>[-+]?\d{1,4})(?![\d.])|(?:\\times|\*|\\cdot|x)\s*10\s*"
    r"(?:\^|\*\*)\s*(?:[{(]\s*)?(?P<t>[-+]?\d{1,4})\s*[})]?)"
)
_LATEX_FRAC = re.compile(r"\\frac\s*(?:\{\s*(-?\d+)\s*\}|(\d))\s*(?:\{\s*(-?\d+)\s*\}|(\d))")
_SLASH = re.compile(r"\s*/\s*(\d++)(?![\d.,]*\d)")
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
_SEPARATED = re.compile(r"\d{1,60}[.,' ]\d")
_TWO_WAYS = re.compile(r"\d{1,3}[.,]\d{3}(?![.,]?\d)|\d{1,60},\d{1,60}(?![.,]?\d)")
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
    foreign = foreign_number(text, start) if _SEPARATED.match(text, start) else None
    if foreign:
        decimals = len(foreign[0].partition(".")[2])
        return Fraction(foreign[0]), decimals, foreign[1]
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


_WORDY_TAIL = re.compile(r"[\s\-]*[^\W\d_][^\d=<>+*\\{}()\[\]^|$]*$")
_SIGN = re.compile(
    r"([-+])?\s*((?:US|NT|HK|[RACS])\s?\$|USD|EUR|GBP|INR|CHF|CNY|RMB|Rs\.?|Rp\.?|[$€£¥₹₽₩฿৳₺₫])?\s*([-+])?\s*",
    re.I,
)
_CURRENCY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "₹": "rupee"}


def parse_number(text: str) -> Number | None:
    """Reads a whole cleaned text as one number with optional currency, percent, scale and unit."""
    plain = PLAIN.fullmatch(text)
    if plain:
        body = text.replace(",", "")
        unit = UNITS["dollar"] if "$" in body else None
        decimals = len(plain[1]) if plain[1] else 0
        raw = text if _TWO_WAYS.fullmatch(text) else ""
        return Number(Fraction(body.replace("$", "")), decimals, unit=unit, raw=raw)
    approx = False
    while True:
        head = APPROX.match(text)
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
    if scale:
        number = _finish_number(text, end, -value if negative else value, decimals, unit, approx)
        return number and replace(number, scale=factor)
    raw = text[pos:end] if _TWO_WAYS.fullmatch(text, pos, end) else ""
    return _finish_number(text, end, -value if negative else value, decimals, unit, approx, raw)


_SYMBOL = re.compile(r"(?:US\s?)?[$€£¥₹₽₩₺₫฿]|元|円|원")
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
_RATE = re.compile(r"/\s?[a-zA-Z]{1,15}(?:\s[a-z ]{1,30})?")
_IN_BRACKETS = re.compile(r"\(([^()\d]{1,60})\)")


def _finish_number(text, end, value, decimals, unit, approx, raw="") -> Number | None:
    rest = text[end:].strip()
    percent = False
    if _ORDINAL.match(rest) and text[end : end + 1].isalpha():
        return None  # "7th"
    symbol = _SYMBOL.match(rest)
    if symbol and unit is None:
        unit = (
            UNITS[_CURRENCY.get(symbol.group()[-1], "dollar")]
            if symbol.group()[-1] in _CURRENCY
            else None
        )
        rest = rest[symbol.end() :].strip()
    if rest.startswith("/") and _RATE.fullmatch(rest):
        return Number(value, decimals, percent, unit, approx, raw)  # a rate is compared as written
    bracketed = _IN_BRACKETS.fullmatch(rest)
    if bracketed:
        rest = bracketed[1].strip()
    m = re.match(r"%|percent(?:age)?(?:\s+points?)?\b|per\s?cent\b", rest, re.I)
    if m:
        percent, rest = True, rest[m.end() :].strip()
    if rest:
        unit_word = read_unit(rest)
        if unit_word is not None:
            compound = _SECOND.match(rest)
            if compound and (
                compound[1][0].isdecimal() or number_from_words(compound[1])[0] is not None
            ):
                return _compound(value, unit_word, compound[1], approx)
            if _MORE_MATHS.search(rest) or _OR_MORE.search(rest):
                return None  # "2 minutes + 3 minutes"
            if unit is not None and unit_word.dimension != unit.dimension:
                unit_word = unit
            unit = unit_word
        elif re.fullmatch(r"(?:k|c|m)?m\s*\^\s*\{?[23]\}?|(?:in|ft)\.?\s*\^\s*\{?[23]\}?", rest):
            pass  # cm^2 and the like: the number is compared as written
        elif not _WORDY_TAIL.fullmatch(rest) or len(rest) > 80 or not _WORD.search(rest):
            return None
        elif _OTHER_NUMBER.match(rest) or _OR_MORE.search(rest):
            return None  # "9 to 10" and "5 more than x" are not 9 and 5
    return Number(value, decimals, percent, unit, approx, raw)


_MORE_MATHS = re.compile(r"(?<!\^)(?<!\^\{)(?<!\^ )\d|[=<>+*\\|]")
_SECOND = re.compile(r"[a-z.]+,?\s+(?:and\s+)?([a-z\d].{0,60})$", re.I)
_WORD = re.compile(
    r"\w\w|[^\x00-\x7f]"
)  # of one letter only in scripts whose letters are no unknowns
_OR_MORE = re.compile(
    r"\b(?:or|and) (?:more|less|fewer|above|below|over|under|higher|lower|greater|up)$", re.I
)
_OTHER_NUMBER = re.compile(
    r"(?:pi|factorial|squared|cubed|plus|minus|divided|multiplied|mod|modulo|remainder|choose|sqrt"
    r"|(?:or|and)\s+(?:more|less|fewer|above|below|over|under|higher|lower|greater)"
    r"|to\s+the\s+(?:power|[a-z]|[a-z]+(?:th|rd|nd))"
    r"|to\s+(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty)"
    r"|(?:more|less|fewer|greater)\s+than\s+[a-z]|times\s+[b-hj-z]|percent\s+(?:more|less))\b",
    re.I,
)


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
    """The known unit that a text begins with ("hours left" is hours, "sq ft" a square), or None."""
    m = re.match(r"(?:(square|sq\.?|cubic|cu\.?)\s*)?([a-zA-Z°]+)\.?", rest, re.I)
    if not m:
        return None
    word = m[2]
    found = UNITS.get(word) or UNITS.get(word.lower())
    if found is None and word.lower().endswith("s"):
        found = UNITS.get(word.lower()[:-1])
    if word.lower() == "in" and re.match(r"\s+[a-z]", rest[m.end() :], re.I):
        return None  # "5 in total"
    if found is not None and re.match(r"\s*(?:per\b|/|an?\b)", rest[m.end() :]):
        return None  # a rate is its own thing: the number is compared as written
    power = _power(m[1] or "", rest[m.end() :])
    return found if found is None or power == 1 else raised(found, power)


def _power(before: str, after: str) -> int | None:
    """2 for a square, 3 for a cube, 1 for neither, None for another power."""
    if before:
        return 2 if before.lower().startswith("sq") else 3
    sign = re.match(r"\s*\^\s*(?:\{?([23])\}?(?!\d))?|\s+(squared|cubed)\b", after)
    if sign is None:
        return 1
    if sign[2]:
        return 2 if sign[2] == "squared" else 3
    return int(sign[1]) if sign[1] else None
