"""Compares values exactly; only hard expressions go to Math-Verify, in a bounded child process.

Every comparison is three-valued: True, False, or a `CannotCompare` with the reason.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from workers.scoring.grade.answer_format import NOTHING_ASKED, Asked
from workers.scoring.grade.compare_numbers import same_number
from workers.scoring.numbers.values import (
    Clock,
    Equation,
    Expression,
    Interval,
    Matrix,
    Number,
    Parts,
    Union,
    Value,
    Words,
    parse_value,
)


@dataclass(frozen=True, slots=True)
class CannotCompare:
    """A comparison that was given up: why, in words for a person."""

    reason: str


def same(
    gold: Value, answer: Value, asked: Asked = NOTHING_ASKED, hard=None
) -> bool | CannotCompare:
    """Whether two values are the same answer; the reference stands first.

    hard: a callable (gold text, answer text) -> bool | CannotCompare for expressions that exact
    arithmetic does not settle; without it they cannot be compared.
    """
    if isinstance(gold, Number) and isinstance(answer, Number):
        return same_number(gold, answer, asked)
    if isinstance(answer, Equation) and not isinstance(gold, Equation):
        if _is_name(answer.left) or isinstance(gold, Number):
            return same(gold, answer.right_value, asked, hard)
        if _is_name(answer.right):
            return same(gold, parse_value(answer.left), asked, hard)
    if isinstance(gold, Equation) and not isinstance(answer, Equation) and _is_name(gold.left):
        return same(gold.right_value, answer, asked, hard)
    if type(gold) is type(answer):
        handler = _SAME_KIND.get(type(gold))
        if handler:
            return handler(gold, answer, asked, hard)
    return _mixed(gold, answer, asked, hard)


def _is_name(text: str) -> bool:
    return bool(
        re.fullmatch(r"\\?[a-zA-Z]+(?:_\{?\w+\}?)?(?:\([a-z](?:,\s*[a-z])*\))?", text.strip())
    )


def _clocks(a: Clock, b: Clock, asked, hard) -> bool:
    if a.half and b.half and a.half != b.half:
        return False
    if a.half and b.half:
        return a.minutes == b.minutes
    return a.minutes % 720 == b.minutes % 720


def _all(results) -> bool | CannotCompare:
    unsure = None
    for result in results:
        if result is False:
            return False
        if isinstance(result, CannotCompare):
            unsure = result
    return unsure or True


def _parts(gold: Parts, answer: Parts, asked: Asked, hard) -> bool | CannotCompare:
    if {gold.kind, answer.kind} == {"tuple", "closed"} and len(gold.items) == len(
        answer.items
    ) == 2:
        return False  # (0, 5) and [0, 5] are two intervals
    if len(gold.items) != len(answer.items):
        return (
            _match_sets(gold, answer, asked, hard) if "set" in (gold.kind, answer.kind) else False
        )
    ordered = (
        "tuple" in (gold.kind, answer.kind)
        or asked.ordered
        or (gold.kind == "closed" and answer.kind == "closed")
    )
    if ordered:
        return _all(same(g, a, asked, hard) for g, a in zip(gold.items, answer.items, strict=True))
    return _match_sets(gold, answer, asked, hard)


def _match_sets(gold: Parts, answer: Parts, asked: Asked, hard) -> bool | CannotCompare:
    """Every part of each has its partner; parts that a set names twice count once."""
    left = list(answer.items)
    unsure = None
    for item in gold.items:
        results = [same(item, other, asked, hard) for other in left]
        if True in results:
            left.pop(results.index(True))
            continue
        unsure = next((r for r in results if isinstance(r, CannotCompare)), None)
        if unsure is None:
            return False
        return unsure
    if left and "set" in (gold.kind, answer.kind):
        return all(any(same(g, rest, asked, hard) is True for g in gold.items) for rest in left)
    return not left


def _intervals(a: Interval, b: Interval, asked: Asked, hard) -> bool | CannotCompare:
    if (a.low_closed, a.high_closed) != (b.low_closed, b.high_closed):
        return False
    return _all((same(a.low, b.low, asked, hard), same(a.high, b.high, asked, hard)))


def _unions(a: Union, b: Union, asked: Asked, hard) -> bool | CannotCompare:
    return _match_sets(Parts("list", a.items), Parts("list", b.items), asked, hard)


def _matrices(a: Matrix, b: Matrix, asked: Asked, hard) -> bool | CannotCompare:
    if [len(row) for row in a.rows] != [len(row) for row in b.rows]:
        return False
    return _all(
        same(x, y, asked, hard)
        for p, q in zip(a.rows, b.rows, strict=True)
        for x, y in zip(p, q, strict=True)
    )


def _equations(a: Equation, b: Equation, asked: Asked, hard) -> bool | CannotCompare:
    if squeeze(a.left) == squeeze(b.left):
        return same(a.right_value, b.right_value, asked, hard)
    if _is_name(a.left) and _is_name(b.left) and isinstance(a.right_value, Number):
        return same(a.right_value, b.right_value, asked, hard) if a.left == b.left else False
    return _ask(hard, f"{a.left} = {a.right}", f"{b.left} = {b.right}")


_YES = {"yes": True, "true": True, "correct": True, "no": False, "false": False, "incorrect": False}


def _words(a: Words, b: Words, asked, hard) -> bool:
    if a.text == b.text:
        return True
    gold, answer = a.text.split(), b.text.split()
    if len(gold) == 1 and gold[0] in _YES:
        return bool(answer) and _YES.get(answer[0]) is _YES[gold[0]]
    names = sorted(a.text.split(" and "))
    return len(names) > 1 and names == sorted(b.text.split(" and "))


def _expressions(a: Expression, b: Expression, asked: Asked, hard) -> bool | CannotCompare:
    if squeeze(a.text) == squeeze(b.text):
        return True
    bases = _BASED.match(a.text), _BASED.match(b.text)
    if all(bases):
        return _in_base(bases[0]) == _in_base(bases[1])
    return _ask(hard, a.text, b.text)


_BASED = re.compile(r"\s*([0-9a-zA-Z]{1,40})_\s*(?:\{\s*)?(\d{1,2})\s*(?:\}\s*)?$")


def _in_base(m: re.Match) -> int | str:
    """The value of digits with a base ("40_9"), or the text where the digits are of no such base."""
    base = int(m[2])
    digits = [int(ch, 36) for ch in m[1]]
    if not 2 <= base <= 36 or max(digits) >= base:
        return m[0].strip()
    value = 0
    for digit in digits:
        value = value * base + digit
    return value


def squeeze(text: str) -> str:
    """Text without what does not change an expression: spaces, product dots, braces of one sign."""
    text = re.sub(r"\\(?:cdot|times)(?![a-zA-Z])|\s|\\[!,;:]", "", text)
    return re.sub(r"\{(\w)\}", r"\1", text)


def _mixed(gold: Value, answer: Value, asked: Asked, hard) -> bool | CannotCompare:
    """Two kinds of value: "2:30" for 2.5 hours, [1, 2] for (1, 2), 3 for {3}."""
    for one, other in ((gold, answer), (answer, gold)):
        if isinstance(one, Parts) and len(one.items) == 1:
            pair = (one.items[0], other) if one is gold else (other, one.items[0])
            return same(*pair, asked, hard)
        if isinstance(one, Interval) and isinstance(other, Parts) and len(other.items) == 2:
            if other.kind in ("tuple", "closed"):
                closed = other.kind == "closed"
                return _intervals(one, Interval(*other.items, closed, closed), asked, hard)
            return False
        if (
            isinstance(one, Matrix)
            and isinstance(other, Parts)
            and other.kind in ("tuple", "closed")
        ):
            flat = tuple(cell for row in one.rows for cell in row)
            if len(one.rows) == 1 or all(len(row) == 1 for row in one.rows):
                return _parts(Parts("tuple", flat), Parts("tuple", other.items), asked, hard)
        if isinstance(one, (Parts, Interval, Union, Matrix)):
            return False
        if isinstance(one, Clock) and isinstance(other, Number):
            return _clock_number(one, other, asked)
        if isinstance(one, Words) and isinstance(other, (Number, Clock, Equation)):
            return False
        if (
            isinstance(one, Expression)
            and isinstance(other, Number)
            and (m := _BASED.match(one.text))
        ):
            return m[1].isdecimal() and Fraction(m[1]) == other.value  # the question names the base
        if isinstance(one, Words) and isinstance(other, Expression):
            return _words_expression(one, other)
    return _ask(hard, _text(gold), _text(answer))


def _words_expression(words: Words, expression: Expression) -> bool:
    from workers.scoring.numbers.values import normal_words

    return words.text == normal_words(expression.text)


def _clock_number(clock: Clock, number: Number, asked: Asked) -> bool:
    if clock.half:
        return False
    if number.unit and number.unit.dimension == "time":  # 2:30 is two and a half hours
        return clock.minutes * 60 == number.value * number.unit.factor
    return clock.minutes == 60 * number.value if asked.unit == "hours" else False


def _text(value: Value) -> str:
    if isinstance(value, Number):
        return (
            f"{value.value.numerator}/{value.value.denominator}"
            if (value.value.denominator != 1)
            else str(value.value.numerator)
        )
    if isinstance(value, Equation):
        return f"{value.left} = {value.right}"
    return getattr(value, "text", "")


def _ask(hard, gold: str, answer: str) -> bool | CannotCompare:
    if hard is None:
        return CannotCompare("the expression needs Math-Verify, which was not asked")
    return hard(gold, answer)


_SAME_KIND = {
    Clock: _clocks,
    Parts: _parts,
    Interval: _intervals,
    Union: _unions,
    Matrix: _matrices,
    Equation: _equations,
    Words: _words,
    Expression: _expressions,
}
