"""Where a rationale leaves the way of the others: the first value that no other right rationale and not the
worked solution has, and on which a later one rests."""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from workers.scoring.equations.equations import Equation

MAX_RESULTS = 200  # of one rationale


class Result(NamedTuple):
    """What a step works out: its step, value and terms."""

    step: int
    value: int | Fraction
    terms: tuple


def results_of(equations: Iterable[Iterable[Equation]], before: int = 0) -> tuple[Result, ...]:
    """What the recomputed calculations of a rationale work out, step by step. before: steps that stand
    before."""
    found = [
        Result(at, one.given, one.operands)
        for at, own in enumerate(equations, before)
        for one in own
        if one.single
    ]
    return tuple(found[:MAX_RESULTS])


def first_divergence(own: tuple[Result, ...], others) -> Result | None:
    """The first result that none of `others` has, where a later result of the kind rests on one of them.

    others: the values of the other right rationales and of the worked solution. One value of its own is
    only another way (a sum taken in another order); a value that is built on it is another reasoning.
    """
    strange = [one for one in own if one.value not in others]
    values = {one.value for one in strange}
    if any(not values.isdisjoint(one.terms) for one in strange):
        return strange[0]
    return None


def first_strange(own: tuple[Result, ...], others) -> Result | None:
    """The first result that none of `others` has: of a wrong answer the likeliest place of its mistake."""
    return next((one for one in own if one.value not in others), None)


def counterpart(own: tuple[Result, ...], at: Result, worked: tuple[Result, ...]) -> Result | None:
    """What the worked solution works out where a rationale leaves it: the first value not reached before."""
    reached = {one.value for one in own[: own.index(at)]}
    return next((one for one in worked if one.value not in reached), None)
