"""Results whose unit does not fit the calculation, and words that say another calculation than the one
shown."""

import re
from collections.abc import Iterator
from fractions import Fraction

from workers.scoring.claims.lexicon import DAYS, LENGTHS
from workers.scoring.claims.mentions import Mention
from workers.scoring.claims.tokens import number_of

_COMPARISON = re.compile(
    r"(?<![\w.,])\$?(\d[\d,]{0,12}(?:\.\d{1,6})?) (?:[a-z]{1,20} )?(less|fewer|more) than "
    r"\$?(\d[\d,]{0,12}(?:\.\d{1,6})?)(?: [a-z]{1,20})? ?= ?\$?(\d[\d,]{0,12}(?:\.\d{1,6})?)"
)
_ASKS_TIMES = re.compile(r"\b(?:how many times|times (?:more|less|fewer))\b")
_SQUARES = frozenset("squar cubic volum area".split())  # stems
_TIMES_MORE = re.compile(r"\s?times (?:more|less|fewer)\b")


def odd_units(question: str, asked: list[Mention], steps: list[list[Mention]], texts: list[str],
              starts: list[int]) -> Iterator:  # fmt: skip
    """(step, result, what is wrong) where the units that are written do not give that of the result."""
    asks_times = _ASKS_TIMES.search(question.lower()) is not None or any(
        m.unit == "tim" for m in asked
    )
    lengths = {m.value for m in asked if m.unit in LENGTHS} - {
        m.value for m in asked if m.unit not in LENGTHS
    }
    for at, mentions in enumerate(steps):
        for one in mentions:
            if not one.operands:
                continue
            signs = set(one.signs)
            if len(one.operands) == 2 and one.units[0] and one.units[0] == one.units[1] == one.unit:
                if one.unit not in ("$", "%", "tim") and signs == {"*"}:
                    yield at, one, f"{one.unit} times {one.unit} does not give {one.unit}"
                elif one.unit not in ("%", "tim") and signs == {"/"}:
                    yield (
                        at,
                        one,
                        "a quantity divided by another of its kind is a share or a count of times",
                    )
            elif (
                one.unit in LENGTHS
                and signs == {"*"}
                and not one.own & _SQUARES
                and len(one.operands) > 1
                and all(
                    unit in LENGTHS or (not unit and term in lengths)
                    for unit, term in zip(one.units, one.operands, strict=True)
                )
            ):
                yield at, one, "lengths multiplied give an area or a volume"
            elif one.unit == "tim" and signs and signs <= {"+", "-"} and not asks_times:
                yield at, one, "adding and subtracting do not give a number of times"
            elif (
                not asks_times
                and _TIMES_MORE.match(texts[at], one.end - starts[at])
                and "/" in signs
            ):
                yield at, one, '"times more" says a ratio, and this is a quantity'


def comparisons(texts: list[str]) -> Iterator[tuple[int, int, int, str, Fraction]]:
    """(step, start, end, what stands there, right value) of "$2 less than $2 = $1" where it is not so."""
    for at, text in enumerate(texts):
        if " than " not in text:
            continue
        for m in _COMPARISON.finditer(text, 0, 4_000):
            difference, base, shown = number_of(m[1]), number_of(m[3]), number_of(m[4])
            right = base + difference if m[2] == "more" else base - difference
            if right != shown:
                yield at, m.start(), m.end(), m.group(), right


def other_days(
    asked: frozenset, question: list[Mention], steps: list[list[Mention]]
) -> Iterator[tuple[int, Mention, frozenset]]:
    """(step, result, the question's days) where a step puts to one day what the question says of another.

    asked: the days that the question names.
    """
    if len(asked) < 2:
        return
    of_value: dict = {}
    for m in question:
        of_value.setdefault(m.value, []).append((m.own | m.about) & DAYS)
    for at, mentions in enumerate(steps):
        for one in mentions:
            mine = one.own & asked
            if not mine or not one.operands or not all(term in of_value for term in one.operands):
                continue
            theirs = [days for term in one.operands for days in of_value[term]]
            if all(days and not days & mine for days in theirs):
                yield at, one, frozenset().union(*theirs)
