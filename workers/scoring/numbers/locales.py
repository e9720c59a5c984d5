"""Digits and separators of the written locales: 1.234,50 and 1'234'567 and 1,00,000 and ١٢٫٥.

What can only be read in one way is read so wherever it stands. A single group of three ("1.234", "1,234")
is read as in English; `other_reading` gives the other way, for texts that write decimals with a comma.
"""

import re
from fractions import Fraction

# The first digit of each script with digits of its own.
_ZEROS = (0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50,
          0xED0, 0xF20, 0x1040, 0x17E0, 0x1810, 0xFF10)  # fmt: skip
DIGITS = {zero + n: str(n) for zero in _ZEROS for n in range(10)} | {
    ord("٫"): ".",
    ord("٬"): ",",
    ord("٪"): "%",
}
_SHAPES = (
    (re.compile(r"\d{1,3}(?:\.\d{3}){1,20},\d{1,60}(?![.,]?\d)"), ".", ","),  # 1.234,50
    (re.compile(r"\d{1,3}(?:\.\d{3}){2,20}(?![.,]?\d)"), ".", ""),  # 1.234.567
    (re.compile(r"\d{1,3}(?:'\d{3}){1,20}(?:[.,]\d{1,60})?(?![.,']?\d)"), "'", "any"),  # 1'234'567
    (re.compile(r"\d{1,3}(?: \d{3}){1,20},\d{1,60}(?![.,]?\d)"), " ", ","),  # 1 234,5
    (re.compile(r"\d{1,2}(?:,\d{2}){1,20},\d{3}(?:\.\d{1,60})?(?![.,]?\d)"), ",", "."),  # 1,00,000
    (re.compile(r"\d{1,60},(?:\d{1,2}|\d{4,60})(?![.,]?\d)"), "", ","),  # 1,22
)
_ONE_GROUP = re.compile(r"\d{1,3}[.,]\d{3}")
_COMMA_DECIMAL = re.compile(r"(?<![\d.,])\d{1,9},\d{1,2}(?![.,]?\d)|\d\.\d{3},\d|\d\.\d{3}\.\d{3}")
_POINT_DECIMAL = re.compile(r"(?<![\d.,])\d{1,9}\.\d{1,2}(?![.,]?\d)|\d,\d{3}\.\d|\d,\d{3},\d{3}")
_COMMA_WORDS = re.compile(
    r"\b(?:der|die|das|und|ist|insgesamt|el|los|las|es|una|por|le|les|est|des|une|o|os|são|uma|il|sono|het|een"
    r"|ve|jest|adalah)\b|[а-яё]{3}",
    re.I,
)
_POINT_WORDS = re.compile(r"\b(?:the|and|is|of|has|have|are|so|there|answer)\b", re.I)


def foreign_number(text: str, start: int) -> tuple[str, int] | None:
    """("1234.50", end) of a number at `start` whose separators are not English; None where they are."""
    for shape, groups, decimal in _SHAPES:
        m = shape.match(text, start)
        if m:
            digits = m.group()
            if groups:
                digits = digits.replace(groups, "")
            if decimal in (",", "any"):
                digits = digits.replace(",", ".")
            return digits, m.end()
    return None


def other_reading(raw: str) -> Fraction | None:
    """1234 for "1.234" and 1.234 for "1,234"; None where there is only one way to read it."""
    if not _ONE_GROUP.fullmatch(raw):
        return None
    return Fraction(raw.replace(".", "") if "." in raw else raw.replace(",", "."))


def may_be_two(raw: str) -> bool:
    """Whether the digits of a number may be two numbers: "2,5", but not "1,234"."""
    return "," in raw and not _ONE_GROUP.fullmatch(raw)


def writes_decimal_comma(text: str) -> bool:
    """Whether a text writes decimals with a comma: by its other numbers, else by its language."""
    text = text[-4_000:]
    comma, point = len(_COMMA_DECIMAL.findall(text)), len(_POINT_DECIMAL.findall(text))
    if comma != point:
        return comma > point
    return len(_COMMA_WORDS.findall(text)) > 2 * len(_POINT_WORDS.findall(text))
