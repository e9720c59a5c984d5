"""Compares values of two kinds: "2:30" with 2.5 hours, [1, 2] with (1, 2), 3 with {3}."""

import re
from collections.abc import Callable, Iterable
from fractions import Fraction

from workers.scoring.grade.answer_format import Asked
from workers.scoring.grade.cannot_compare import CannotCompare
from workers.scoring.numbers import latex
from workers.scoring.numbers.dates import Date
from workers.scoring.numbers.locales import may_be_two
from workers.scoring.numbers.values import (
    Clock,
    Equation,
    Expression,
    Interval,
    Matrix,
    Number,
    Parts,
    Ratio,
    Union,
    Value,
    Words,
    normal_words,
    parse_value,
    squeeze,
)

_TOLERANCE = 1e-9  # relative, between two floats
_SETS = (Parts, Interval, Union, Matrix)


def all_of(results: Iterable[bool | CannotCompare]) -> bool | CannotCompare:
    """True where all are, False where one is, else the reason of one that could not be settled."""
    unsure = None
    for result in results:
        if result is False:
            return False
        if isinstance(result, CannotCompare):
            unsure = result
    return unsure or True


def mixed(
    gold: Value, answer: Value, asked: Asked, hard, same: Callable[..., bool | CannotCompare]
) -> bool | CannotCompare:
    """Whether values of two kinds are one answer; `same` compares what is of one kind."""
    is_list = isinstance(answer, Parts) and answer.kind == "list"
    if is_list and not isinstance(gold, _SETS) and not may_be_two(getattr(gold, "raw", "")):
        return _two_forms(gold, answer, asked, hard, same)
    for one, other in ((gold, answer), (answer, gold)):
        found = _structured(one, other, gold, asked, hard, same)
        if found is not None:
            return found
    for one, other in ((gold, answer), (answer, gold)):
        if isinstance(one, _SETS):
            if isinstance(other, Expression) and has_prose(other.text):
                return CannotCompare("one of them is a text with mathematics in it")
            return False
    for one, other in ((gold, answer), (answer, gold)):
        if isinstance(one, Ratio):
            return _ratio(one, other, gold, asked, hard, same)
        if isinstance(one, Clock) and isinstance(other, Number):
            return _clock_number(one, other, asked)
        if isinstance(one, Date) and not isinstance(other, Date):
            return _date(one, other)
        if isinstance(one, Words) and isinstance(other, (Number, Clock, Equation)):
            return _words_number(one, other)
        if isinstance(one, Expression) and isinstance(other, Number):
            return _expression_number(one, other, gold, hard)
        if isinstance(one, Words) and isinstance(other, Expression):
            return _words_expression(one, other)
    return ask(hard, _text(gold), _text(answer))


def _structured(one, other, gold, asked, hard, same) -> bool | CannotCompare | None:
    """Where one of them has parts; None where that says nothing."""

    def ordered(a, b):
        return same(a, b, asked, hard) if one is gold else same(b, a, asked, hard)

    if isinstance(one, Parts) and len(one.items) == 1:
        return ordered(one.items[0], other)
    if isinstance(one, Number) and isinstance(other, Parts) and may_be_two(one.raw):
        pieces = tuple(parse_value(piece) for piece in one.raw.split(","))
        sign = -1 if one.value < 0 else 1
        first = Number(sign * pieces[0].value)
        return ordered(Parts("list", (first, *pieces[1:])), other)
    if isinstance(one, Interval) and isinstance(other, Parts) and len(other.items) == 2:
        if other.kind not in ("tuple", "closed"):
            return False
        closed = other.kind == "closed"
        return ordered(one, Interval(*other.items, closed, closed))
    if isinstance(one, Matrix) and isinstance(other, Parts) and other.kind in ("tuple", "closed"):
        flat = tuple(cell for row in one.rows for cell in row)
        if all(isinstance(row, Parts) for row in other.items):
            return ordered(one, Matrix(tuple(row.items for row in other.items)))
        if len(one.rows) == 1 or all(len(row) == 1 for row in one.rows):
            return ordered(Parts("tuple", flat), Parts("tuple", other.items))
    return None


def _two_forms(gold, answer: Parts, asked, hard, same) -> bool | CannotCompare:
    """ "15 39/40 or 639/40": one value in two forms is one answer; two values are not."""
    first, *rest = answer.items
    alike = all_of(same(first, other, asked, hard) for other in rest)
    if alike is not True:
        return alike
    return any(same(gold, item, asked, hard) is True for item in answer.items)


def _ratio(ratio: Ratio, other, gold, asked, hard, same) -> bool | CannotCompare:
    """3:5 as a fraction; against a clock, "7:32" is written alike."""
    if isinstance(other, Clock) and len(ratio.items) == 2:
        hours, minutes = divmod(other.minutes, 60)
        return [getattr(item, "value", None) for item in ratio.items] == [hours, minutes]
    if len(ratio.items) != 2 or not all(isinstance(item, Number) for item in ratio.items):
        return False
    if isinstance(other, Number) and other.value.denominator != 1 and ratio.items[1].value:
        return other.value == ratio.items[0].value / ratio.items[1].value
    if isinstance(other, Words) or (isinstance(other, Expression) and has_prose(other.text)):
        return CannotCompare("one of them is a text")
    return False


def _date(date: Date, other) -> bool | CannotCompare:
    if isinstance(other, Number) and date.year is not None and other.unit is None:
        return False
    return CannotCompare("only one of them is a date")


def _words_number(words: Words, other) -> bool | CannotCompare:
    """A number is not "yes"; what a longer text says of a number is for people."""
    return CannotCompare("one of them is a text") if len(words.text.split()) > 3 else False


def _expression_number(expression: Expression, number: Number, gold, hard):
    if m := BASED.match(expression.text):
        return m[1].isdecimal() and Fraction(m[1]) == number.value  # the question names the base
    if has_prose(expression.text):
        return CannotCompare("one of them is a text with mathematics in it")
    formula = latex.parse(expression.text)
    if formula is not None and not formula.unknowns:
        found = latex.value(formula, {})
        if found is not None:
            return abs(found - float(number.value)) <= _TOLERANCE * max(1.0, abs(found))
    texts = (_text(expression), _text(number))
    return ask(hard, *(texts if gold is expression else texts[::-1]))


def _words_expression(words: Words, expression: Expression) -> bool | CannotCompare:
    if words.text == normal_words(expression.text) or squeeze(words.text) == squeeze(
        expression.text.lower()
    ):
        return True
    if has_prose(expression.text) or len(words.text.split()) > 3:
        return CannotCompare("one of them is a text with mathematics in it")
    return False


def _clock_number(clock: Clock, number: Number, asked: Asked) -> bool | CannotCompare:
    if clock.half:
        if number.unit is None and clock.minutes % 720 == number.value * 60 % 720:
            return CannotCompare("one of them is a time, the other a number")
        return False
    if number.unit and number.unit.dimension == "time":  # 2:30 is two and a half hours
        return clock.minutes * 60 == number.value * number.unit.factor
    return clock.minutes == 60 * number.value if asked.unit == "hours" else False


def _text(value: Value) -> str:
    if isinstance(value, Number):
        top, bottom = value.value.numerator, value.value.denominator
        return f"{top}/{bottom}" if bottom != 1 else str(top)
    if isinstance(value, Equation):
        return f"{value.left} = {value.right}"
    return getattr(value, "text", "")


def ask(hard, gold: str, answer: str) -> bool | CannotCompare:
    """Asks `hard` where there is one."""
    if hard is None:
        return CannotCompare("the expression needs Math-Verify, which was not asked")
    return hard(gold, answer)


BASED = re.compile(r"\s*([0-9a-zA-Z]{1,40})_\s*(?:\{\s*)?(\d{1,2})\s*(?:\}\s*)?$")


def in_base(m: re.Match) -> int | str:
    """The value of digits with a base ("40_9"), or the text where the digits are of no such base."""
    base = int(m[2])
    digits = [int(ch, 36) for ch in m[1]]
    if not 2 <= base <= 36 or max(digits) >= base:
        return m[0].strip()
    value = 0
    for digit in digits:
        value = value * base + digit
    return value


_FUNCTIONS = frozenset(
    "sin cos tan cot sec csc log ln exp sqrt pi arcsin arccos arctan sinh cosh tanh max min mod gcd lcm "
    "det inf infinity and or frac dfrac cdot times left right theta alpha beta deg degrees".split()
)
_SCRIPT = re.compile(r"[\u0400-\u04ff\u0590-\u0eff\u3040-\u9fff\uac00-\ud7af]{2}")
_WORD = re.compile(r"(?<![\\a-zA-Z])[a-zA-Z]{2,}")


def has_prose(text: str) -> bool:
    """Whether an expression has words in it that are no names of functions: no Math-Verify then."""
    if not text.isascii() and _SCRIPT.search(text):
        return True
    words = _WORD.findall(text)
    return sum(len(word) > 2 and word.lower() not in _FUNCTIONS for word in words) > 0
