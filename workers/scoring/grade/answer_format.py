"""What a question says about the form of its answer: a percentage, a rounding, a unit."""

import re
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Asked:
    """What the question says about the form of its answer.

    percent: it asks for a percentage; share: for a fraction, decimal or probability; places: decimals to
    round to, None where it does not ask for rounding; tolerance: a stated tolerance; unit: the name of the
    unit asked for ("in cents"), ""; ordered: the order of several parts matters; day_first: in which order
    it writes day and month, None where it does not say; scale: 12 where it asks for dozens, 1,000 for
    thousands, and so on.
    """

    percent: bool = False
    share: bool = False
    places: int | None = None
    significant: int | None = None
    tolerance: Fraction | None = None
    unit: str = ""
    ordered: bool = False
    day_first: bool | None = None
    scale: int = 1


NOTHING_ASKED = Asked()
_PLACES = {
    "whole": 0,
    "integer": 0,
    "dollar": 0,
    "unit": 0,
    "one": 0,
    "ones": 0,
    "tenth": 1,
    "cent": 2,
    "hundredth": 2,
    "thousandth": 3,
    "ten": -1,
    "tens": -1,
    "hundred": -2,
    "thousand": -3,
    "percent": 0,
    "degree": 0,
    "minute": 0,
    "inch": 0,
    "day": 0,
    "year": 0,
    "number": 0,
}
_ROUND = re.compile(
    r"\b(?:nearest|closest)\s+(?:whole\s+)?(\w+?)s?\b|\bto\s+(\w+)\s+decimal\s+(?:places?|digits?)"
    r"|\b(\d+)\s+decimal\s+places?|\bto\s+(\w+)\s+significant",
    re.I,
)
_SMALL = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_TOLERANCE = re.compile(
    r"(?:(?:accurate|correct|precise|error)\s+(?:to\s+)?within|tolerance(?: of)?)"
    r"\s*(\d*\.?\d+)\s*(%)?",
    re.I,
)
_UNIT = re.compile(
    r"\b(?:in|how many|number of)\s+(?:total\s+|full\s+|whole\s+)?(cents|dollars|seconds|"
    r"minutes|hours|days|weeks|months|years|feet|inches|yards|miles|meters|centimeters|"
    r"kilometers|millimeters|grams|kilograms|pounds|ounces|liters|milliliters|cups|"
    r"gallons|quarts|pints)\b",
    re.I,
)
_PERCENT = re.compile(r"percent|%", re.I)
_SHARE = re.compile(r"\bfraction|\bdecimal|probabilit|\bproportion|\bratio\b|\bchance", re.I)


def read_question(question: str) -> Asked:
    """What a question asks of its answer's form; cheap, and nothing where it says nothing."""
    if not question:
        return NOTHING_ASKED
    question = question[-2_000:]
    places = significant = tolerance = None
    m = (
        _ROUND.search(question)
        if "est " in question or "decimal" in question or ("significant" in question)
        else None
    )
    if m:
        word = (m[1] or m[2] or m[3] or m[4]).lower()
        number = _SMALL.get(word, int(word) if word.isdecimal() and len(word) < 3 else None)
        if m[1]:
            places = _PLACES.get(word)
        elif m[4]:
            significant = number
        else:
            places = number
    t = _TOLERANCE.search(question) if "within" in question or "toleran" in question else None
    if t and not t[2]:
        tolerance = Fraction(t[1])
    units = _UNIT.findall(question)
    return Asked(
        bool(_PERCENT.search(question)),
        bool(_SHARE.search(question)),
        places,
        significant,
        tolerance,
        units[-1].lower() if units else "",
        "ordered" in question,
        _day_first(question),
        _scale(question),
    )


_SCALE = re.compile(
    r"\b(?:how many|in|number of)\s+(dozen|hundred|thousand|million|billion)s?\b", re.I
)
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}


def _scale(question: str) -> int:
    m = _SCALE.search(question)
    return _SCALES[m[1].lower()] if m else 1


_FORMAT = re.compile(r"\b(m{1,2}|d{1,2})[-/.](m{1,2}|d{1,2})[-/.]y{2,4}\b", re.I)
_WRITTEN = re.compile(r"(?<![\d/.-])(\d{1,2})([-/.])(\d{1,2})\2\d{2,4}(?![\d/])")


def _day_first(question: str) -> bool | None:
    """The order of day and month by the form that a question asks for, else by its own dates."""
    m = _FORMAT.search(question)
    if m:
        return m[1][0].lower() == "d" if m[1][0].lower() != m[2][0].lower() else None
    orders = {
        int(m[1]) > 12 for m in _WRITTEN.finditer(question) if int(m[1]) > 12 or int(m[3]) > 12
    }
    return orders.pop() if len(orders) == 1 else None
