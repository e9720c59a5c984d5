"""Compares values exactly; only hard expressions go to Math-Verify, in a bounded child process.

Every comparison is three-valued: True, False, or a `CannotCompare` with the reason.
"""

import re

from workers.scoring.grade.answer_format import NOTHING_ASKED, Asked
from workers.scoring.grade.cannot_compare import CannotCompare
from workers.scoring.grade.compare_mixed import BASED, all_of, ask, has_prose, in_base, mixed
from workers.scoring.grade.compare_numbers import same_number
from workers.scoring.grade.compare_words import same_words
from workers.scoring.numbers.dates import Date, same_date
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


def same(
    gold: Value, answer: Value, asked: Asked = NOTHING_ASKED, hard=None
) -> bool | CannotCompare:
    """Whether two values are the same answer; the reference stands first.

    hard: a callable (gold text, answer text) -> bool | CannotCompare for expressions that exact
    arithmetic does not settle; without it they cannot be compared.
    """
    if isinstance(gold, Number) and isinstance(answer, Number):
        return same_number(gold, answer, asked) or _two_lists(gold, answer)
    if isinstance(answer, Equation) and not isinstance(gold, Equation):
        if is_name(answer.left) or isinstance(gold, Number):
            found = same(gold, answer.right_value, asked, hard)
            if found is True and _ALGEBRA.search(answer.left):
                return CannotCompare("the answer is an equation, and the reference a number")
            return found
        if is_name(answer.right):
            return same(gold, parse_value(answer.left), asked, hard)
    if isinstance(gold, Equation) and not isinstance(answer, Equation) and is_name(gold.left):
        return same(gold.right_value, answer, asked, hard)
    if type(gold) is type(answer):
        handler = _SAME_KIND.get(type(gold))
        if handler:
            return handler(gold, answer, asked, hard)
    return mixed(gold, answer, asked, hard, same)


# An unknown with a factor or a power: then the right side of an equation is not what it is solved for.
_ALGEBRA = re.compile(r"(?<!_)\d\s*[a-zA-Z](?![a-zA-Z])|(?<![a-zA-Z\\])[a-zA-Z]\s*\^")
_NAME = r"(?:\\?[a-zA-Z]+(?:_\{?\w+\}?)?'?(?:\([a-zA-Z](?:,\s?[a-zA-Z]){0,5}\))?)"
_NAMED = re.compile(
    rf"{_NAME}(?:\s?:\s?{_NAME}){{0,3}}|\(\s?{_NAME}(?:\s?,\s?{_NAME}){{1,6}}\s?\)"
    rf"|{_NAME}(?:\s?,\s?{_NAME}){{1,6}}|\|{_NAME}\||P\([^()=]{{1,30}}\)"
    r"|\\(?:angle|triangle|overline|widehat|vec|mathrm|text)\s?\{?\s?\w{1,6}\s?\}?"
)


def is_name(text: str) -> bool:
    """Whether the left side of an equation only names what the right side says: x, f(x), (p, q), S_1:S."""
    return bool(_NAMED.fullmatch(text.strip()))


def _two_lists(gold: Number, answer: Number) -> bool:
    """ "11,19" and "19,11": numbers with a comma may be two numbers each."""
    if not may_be_two(gold.raw) or not may_be_two(answer.raw):
        return False
    one, other = gold.raw.split(","), answer.raw.split(",")
    return len(one) == len(other) and sorted(map(int, one)) == sorted(map(int, other))


def _clocks(a: Clock, b: Clock, asked, hard) -> bool:
    if a.half and b.half and a.half != b.half:
        return False
    if a.half and b.half:
        return a.minutes == b.minutes
    return a.minutes % 720 == b.minutes % 720


def _dates(gold: Date, answer: Date, asked: Asked, hard) -> bool | CannotCompare:
    found = same_date(gold, answer, asked.day_first)
    if found is not None:
        return found
    return CannotCompare("day and month can stand in either order", is_ambiguous=True)


def _ratios(gold: Ratio, answer: Ratio, asked: Asked, hard) -> bool | CannotCompare:
    if len(gold.items) != len(answer.items):
        return False
    result = all_of(same(g, a, asked, hard) for g, a in zip(gold.items, answer.items, strict=True))
    numbers = [one.value for one in (*gold.items, *answer.items) if isinstance(one, Number)]
    if result is False and len(numbers) == 4 and numbers[0] * numbers[3] == numbers[1] * numbers[2]:
        return CannotCompare("one ratio is a multiple of the other")
    return result


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
        return all_of(
            same(g, a, asked, hard) for g, a in zip(gold.items, answer.items, strict=True)
        )
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
    return all_of((same(a.low, b.low, asked, hard), same(a.high, b.high, asked, hard)))


def _unions(a: Union, b: Union, asked: Asked, hard) -> bool | CannotCompare:
    return _match_sets(Parts("list", a.items), Parts("list", b.items), asked, hard)


def _matrices(a: Matrix, b: Matrix, asked: Asked, hard) -> bool | CannotCompare:
    if [len(row) for row in a.rows] != [len(row) for row in b.rows]:
        return False
    return all_of(
        same(x, y, asked, hard)
        for p, q in zip(a.rows, b.rows, strict=True)
        for x, y in zip(p, q, strict=True)
    )


def _equations(a: Equation, b: Equation, asked: Asked, hard) -> bool | CannotCompare:
    if squeeze(a.left) == squeeze(b.left):
        return same(a.right_value, b.right_value, asked, hard)
    if is_name(a.left) and is_name(b.left) and isinstance(a.right_value, Number):
        return same(a.right_value, b.right_value, asked, hard) if a.left == b.left else False
    return ask(hard, f"{a.left} = {a.right}", f"{b.left} = {b.right}")


def _expressions(a: Expression, b: Expression, asked: Asked, hard) -> bool | CannotCompare:
    if squeeze(a.text) == squeeze(b.text):
        return True
    bases = BASED.match(a.text), BASED.match(b.text)
    if all(bases):
        return in_base(bases[0]) == in_base(bases[1])
    if has_prose(a.text) or has_prose(b.text):
        if normal_words(a.text) == normal_words(b.text):
            return True
        return CannotCompare("they are texts with mathematics in them")
    return ask(hard, a.text, b.text)


_SAME_KIND = {
    Clock: _clocks,
    Date: _dates,
    Ratio: _ratios,
    Parts: _parts,
    Interval: _intervals,
    Union: _unions,
    Matrix: _matrices,
    Equation: _equations,
    Words: same_words,
    Expression: _expressions,
}
