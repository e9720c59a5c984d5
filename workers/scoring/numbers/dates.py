"""Dates as people write them: 2024-03-10, 3/10/2024, March 10th, 2024, 10. März 2024, 2024年3月10日."""

import re
from dataclasses import dataclass

_MONTHS = (
    "january jan janvier enero janeiro januar januari января gennaio",
    "february feb février fevrier febrero fevereiro februar februari февраля febbraio",
    "march mar mars marzo março marco märz maerz maart марта",
    "april apr avril abril апреля aprile",
    "may mai mayo maio mei мая maggio",
    "june jun juin junio junho juni июня giugno",
    "july jul juillet julio julho juli июля luglio",
    "august aug août aout agosto augustus августа",
    "september sept sep septembre septiembre setembro сентября settembre",
    "october oct octobre octubre outubro oktober okt октября ottobre",
    "november nov novembre noviembre novembro ноября",
    "december dec décembre decembre diciembre dezembro dezember dez декабря dicembre",
)
MONTHS = {name: number for number, row in enumerate(_MONTHS, 1) for name in row.split()}
_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s{1,3}(?:the\s{1,3})?)?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th|\.|er|º)?"
_NUMERIC = re.compile(r"(\d{1,4})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{1,4})$")
_MONTH_FIRST = re.compile(
    rf"{_WEEKDAY}(?:the\s{{1,3}})?({_NAME})\.?\s{{1,3}}(?:the\s{{1,3}})?{_DAY}(?:,?\s{{1,3}}(?:of\s{{1,3}})?(\d{{4}}))?$",
    re.I,
)
_DAY_FIRST = re.compile(
    rf"{_WEEKDAY}(?:the\s{{1,3}})?{_DAY}\s{{1,3}}(?:of\s{{1,3}}|de\s{{1,3}})?({_NAME})\.?(?:,?\s{{1,3}}(?:de\s{{1,3}})?(\d{{4}}))?$",
    re.I,
)
_MONTH_YEAR = re.compile(rf"({_NAME})\.?,?\s{{1,3}}(?:of\s{{1,3}}|de\s{{1,3}})?(\d{{4}})$", re.I)
_CJK = re.compile(r"(?:(\d{4})\s?[年년]\s?)?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日号號일]$")
IN_TEXT = re.compile(
    rf"(?<![\w./-])(?=[\da-zA-Zà-ÿА-я])(?:\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}([-/.])\d{{1,2}}\1\d{{2,4}}"
    rf"|(?:{_NAME})\.?\s{{1,3}}\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s{{1,3}}\d{{4}})?"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?\s{{1,3}}(?:of\s{{1,3}}|de\s{{1,3}})?(?:{_NAME})\b(?:,?\s{{1,3}}(?:de\s{{1,3}})?\d{{4}})?)(?![\w/-]|\.\d)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Date:
    """A day of the calendar; year or day None where they are not said.

    swapped: 3/10 and the like, where day and month may stand the other way round too: then `month` is the
    first number and `day` the second one.
    """

    year: int | None
    month: int
    day: int | None
    swapped: bool = False

    def readings(self, day_first: bool | None = None) -> set[tuple[int | None, int, int | None]]:
        """All (year, month, day) that it can mean, where the question's order (None: not known) says."""
        plain, other = (self.year, self.month, self.day), (self.year, self.day, self.month)
        if not self.swapped:
            return {plain}
        return {plain, other} if day_first is None else {other if day_first else plain}

    @property
    def text(self) -> str:
        """As a person reads it."""
        day = "" if self.day is None else f"-{self.day:02}"
        if self.swapped:
            return f"{self.month}/{self.day}/{self.year} (day and month in either order)"
        return f"{self.year or '????'}-{self.month:02}{day}"


def parse_date(text: str) -> Date | None:
    """A whole cleaned text as a date, None where it is none."""
    if len(text) > 40 or not any(ch.isdigit() for ch in text):
        return None
    m = _NUMERIC.match(text)
    if m:
        return _numeric(m[1], m[3], m[4])
    m = _MONTH_FIRST.match(text)
    if m:
        return _checked(m[3], MONTHS[m[1].lower()], m[2])
    m = _DAY_FIRST.match(text)
    if m:
        return _checked(m[3], MONTHS[m[2].lower()], m[1])
    m = _MONTH_YEAR.match(text)
    if m:
        return Date(int(m[2]), MONTHS[m[1].lower()], None)
    m = _CJK.match(text)
    return _checked(m[1], m[2], m[3]) if m else None


def _checked(year, month, day) -> Date | None:
    year, month, day = int(year) if year else None, int(month), int(day)
    return Date(year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None


def _numeric(first: str, second: str, third: str) -> Date | None:
    if len(first) == 4:
        return _checked(first, second, third) if len(third) <= 2 else None
    if len(first) > 2 or len(third) not in (2, 4):
        return None
    a, b, year = int(first), int(second), int(third)
    year += (2_000 if year < 70 else 1_900) if len(third) == 2 else 0
    if a > 12:
        return _checked(year, b, a)
    if b > 12 or a == b:
        return _checked(year, a, b)
    return Date(year, a, b, swapped=True) if a and b else None


def same_date(gold: Date, answer: Date, day_first: bool | None) -> bool | None:
    """Whether they are one day; None where that depends on an order that nothing tells."""
    if gold.swapped and answer.swapped:  # written alike: first with first
        return _agree((gold.year, gold.month, gold.day), (answer.year, answer.month, answer.day))
    pairs = [_agree(g, a) for g in gold.readings(day_first) for a in answer.readings(day_first)]
    return pairs[0] if len(set(pairs)) == 1 else None


def _agree(gold: tuple, answer: tuple) -> bool:
    """A reference without a year or a day is met by an answer that says more."""
    return all(g is None or g == a for g, a in zip(gold, answer, strict=True))
