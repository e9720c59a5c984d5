"""How likely it is that no step of a rationale is wrong, given everything known: its text, its grade, its
group.

A right answer does not make the steps right. For rationales with one, a small model over what their text
shows
(`SOUND_FEATURES`), and another that adds what the group and the worked solution say (`GROUP_FEATURES`); both
in `models.json`, fitted on rationales that people judged. A wrong answer leaves hardly any chance that every
step is right; then the likeliest first wrong step is of more use. Without a grade the text alone speaks.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import log, log1p

from workers.scoring.claims.divergence import (
    Result,
    counterpart,
    first_divergence,
    first_strange,
)
from workers.scoring.claims.findings import Claims, worked_results
from workers.scoring.contract import Flag
from workers.scoring.equations.equations import show as show_fraction
from workers.scoring.metrics.validity import models, probability
from workers.scoring.steps.facts import RationaleFacts

USUAL_AGREEMENT = 0.75  # where a rationale stands alone beside a worked solution
# What is left of validity where the answer is wrong: references are wrong now and then, and answers misread.
WRONG_ANSWER = 0.05
STEP_ODDS = 2.0  # what a finding adds to the log-odds that its step is wrong
MAX_ODDS = 12.0


def evidence_of(
    soundness: float, claims: Claims, facts: RationaleFacts, flagged: int
) -> tuple[float, ...]:
    """The features of a rationale alone, in the order of `SOUND_FEATURES`. flagged: steps with a finding."""
    wrong = min(max(1.0 - soundness, 1e-6), 1.0 - 1e-6)
    return (
        max(-MAX_ODDS, min(MAX_ODDS, log(wrong / (1.0 - wrong)))),
        min(flagged, 2),
        log1p(claims.plain),
        log1p(sum(len(step.words) for step in facts.steps)),
    )


def group_features(
    evidence: Sequence[float], diverges: bool, agreement: float | None
) -> tuple[float, ...]:
    """The features in the order of `GROUP_FEATURES`."""
    alone = models()["sound_alone"].odds(evidence)
    return (alone, float(diverges), USUAL_AGREEMENT if agreement is None else agreement)


def right_soundness(evidence: Sequence[float], beside: tuple[bool, float | None] | None) -> float:
    """How likely no step is wrong where the answer is right. beside: whether it diverges and its share of the
    group's answers, None where there is nothing beside it."""
    if beside is None:
        return 1.0 - probability(models()["sound_alone"].odds(evidence))
    return 1.0 - probability(models()["sound_group"].odds(group_features(evidence, *beside)))


def left_of_wrong(soundness: float) -> float:
    """Validity where the answer is wrong."""
    return WRONG_ANSWER * soundness


def finding_flags(
    claims: Claims, results: Sequence[Result], size: int, answer: Fraction | None
) -> list[list[Flag]]:
    """The findings as flags of their steps. answer: the value of a right answer, None where it is none."""
    flags: list[list[Flag]] = [[] for _ in range(size)]
    for one in claims.findings:
        flags[one.step].append(Flag(one.code, one.message, "warning", one.start, one.end))
    if answer is not None and results:
        last = results[-1]
        near = min(abs(last.value * scale - answer) for scale in (1, 100, Fraction(1, 100)))
        if near >= 1:
            message = f"The last calculation gives {_shown(last.value)}; right is {_shown(answer)}."
            flags[last.step].append(Flag("not_the_result", message, "warning"))
    return flags


class Others:
    """The numbers of the right rationales of a group and of the worked solution, counted."""

    __slots__ = ("count", "values", "worked", "worked_numbers")

    def __init__(self) -> None:
        self.count = 0
        self.values: dict = {}
        self.worked: tuple[Result, ...] = ()
        self.worked_numbers: frozenset = frozenset()

    def add(self, numbers: frozenset) -> None:
        """Counts in a right rationale."""
        self.count += 1
        for value in numbers:
            self.values[value] = self.values.get(value, 0) + 1

    def read_worked(self, solution: str) -> None:
        """Reads the worked solution; the same for all of a group."""
        if solution and not self.worked_numbers:
            self.worked, self.worked_numbers = worked_results(solution)

    def beside(self, numbers: frozenset, counted: bool) -> "Beside | None":
        """What a rationale is compared with; None where there is nothing. counted: whether it was counted
        in."""
        if self.count - counted < 1 and not self.worked_numbers:
            return None
        return Beside(self.values, numbers if counted else frozenset(), self.worked_numbers)


class Beside:
    """The numbers that at least one other has."""

    __slots__ = ("_own", "_values", "_worked")

    def __init__(self, values: dict, own: frozenset, worked: frozenset) -> None:
        self._values, self._own, self._worked = values, own, worked

    def __contains__(self, value: object) -> bool:
        return value in self._worked or self._values.get(value, 0) > (value in self._own)


def divergence_flag(
    own: tuple[Result, ...], others: Beside, worked: tuple[Result, ...], right: bool
) -> tuple[int, Flag] | None:
    """(step, flag) where a rationale leaves the way of the others, None where it does not."""
    at = (first_divergence if right else first_strange)(own, others)
    if at is None:
        return None
    also = " and not the worked solution" if worked else ""
    message = f"No other right rationale{also} has {_shown(at.value)}"
    instead = counterpart(own, at, worked)
    if instead is not None:
        message += f"; the worked solution goes on to {_shown(instead.value)}"
        if len(instead.terms) > 1:
            message += f" (from {', '.join(_shown(term) for term in instead.terms[:4])})"
    return at.step, Flag("diverges", message + ".", "warning")


def _shown(value) -> str:
    return show_fraction(Fraction(value))


def first_wrong_step(validities: Sequence[float], diverges_at: int | None) -> int | None:
    """The step (from 0) that is likeliest the first wrong one, where one must be."""
    best, most, none_before = None, -1.0, 1.0
    for at, right in enumerate(validities):
        wrong = 1.0 - right
        if at == diverges_at:
            wrong = 1.0 - 0.25 * right
        if none_before * wrong > most:
            best, most = at, none_before * wrong
        none_before *= 1.0 - wrong
    return best
