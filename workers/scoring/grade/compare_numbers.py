"""Compares two numbers as the question wants them compared: units, per cent, rounding, tolerance."""

from fractions import Fraction

from workers.scoring.grade.answer_format import NOTHING_ASKED, Asked
from workers.scoring.numbers.numerals import Number
from workers.scoring.numbers.units import UNITS

REL_TOLERANCE = Fraction(1, 10**9)  # for decimals that a computer wrote, such as 2.9999999999


def same_number(gold: Number, answer: Number, asked: Asked) -> bool:
    """Whether two numbers are the same answer; the reference stands first."""
    a, b = gold.value, answer.value
    if gold.unit and answer.unit:
        if gold.unit.dimension != answer.unit.dimension:
            return False
        if gold.unit.factor != answer.unit.factor:
            b = b * answer.unit.factor / gold.unit.factor
    elif answer.unit and asked.unit and not gold.unit:
        b = _to_asked_unit(b, answer, asked)
    if gold.percent != answer.percent:
        return _percent(gold, answer, asked)
    if answer.scale == asked.scale != 1 and a * asked.scale == b:
        return True
    return _close(a, b, gold, answer, asked)


def _to_asked_unit(value: Fraction, answer: Number, asked: Asked) -> Fraction:
    wanted = UNITS.get(asked.unit)
    if wanted and wanted.dimension == answer.unit.dimension:
        return value * answer.unit.factor / wanted.factor
    return value


def _percent(gold: Number, answer: Number, asked: Asked) -> bool:
    """One has a percent sign and the other has not.

    The sign may be left out (50 for 50%), and where the question speaks of percent, fractions or
    probabilities the value may be given either way (0.5 or 1/2 for 50%).
    """
    a, b = gold.value, answer.value
    if a == b and (gold.percent or asked.percent or abs(a) > 1):
        return True
    if asked.percent or asked.share or asked is NOTHING_ASKED:
        if gold.percent:
            return _close(a, b * 100, gold, answer, asked)
        return _close(a, b / 100, gold, answer, asked)
    return _close(a, b, gold, answer, asked) if gold.percent or abs(a) > 1 else False


def _close(a: Fraction, b: Fraction, gold: Number, answer: Number, asked: Asked) -> bool:
    if a == b:
        return True
    if asked.tolerance is not None and abs(a - b) <= asked.tolerance:
        return True
    if asked.places is not None:
        return a in (_rounded(b, asked.places), b) or b == _rounded(a, asked.places)
    if asked.significant and a:
        return a == _significant(b, asked.significant) or b == _significant(a, asked.significant)
    if (
        gold.decimals
        and gold.decimals >= 2
        and (answer.decimals is None or answer.decimals > gold.decimals)
    ):
        return _rounded(b, gold.decimals) == a  # 3.333 or 10/3 for a reference of 3.33
    if (
        gold.decimals is None
        and answer.decimals
        and answer.decimals >= 3
        and (gold.value.denominator != 1)
    ):
        return _rounded(a, answer.decimals) == b  # 0.333 for a reference of 1/3
    if answer.decimals and answer.decimals >= 6:
        return abs(a - b) <= REL_TOLERANCE * max(abs(a), 1) * 10
    return False


def _rounded(value: Fraction, places: int) -> Fraction:
    """Rounds half away from zero, as schools do."""
    scaled = abs(value) * Fraction(10) ** places
    whole = int(scaled + Fraction(1, 2))
    return Fraction(whole if value >= 0 else -whole) / Fraction(10) ** places


def _significant(value: Fraction, digits: int) -> Fraction:
    magnitude, scaled = 0, abs(value)
    while scaled >= 10 and magnitude < 400:
        scaled, magnitude = scaled / 10, magnitude + 1
    while 0 < scaled < 1 and magnitude > -400:
        scaled, magnitude = scaled * 10, magnitude - 1
    return _rounded(value, digits - 1 - magnitude)
