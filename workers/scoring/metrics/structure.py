"""How a rationale is built: flags at its steps, and a score for its pattern.

The pattern is that of a worked solution: identify what is given or asked, break the work down, solve
it step by step, combine the results into an answer that follows from the last step.
"""

from fractions import Fraction
from functools import lru_cache

from workers.scoring.contract import Flag
from workers.scoring.equations.equations import show
from workers.scoring.extract.answers import Found
from workers.scoring.extract.sections import ended_early
from workers.scoring.numbers.values import Equation, Number, parse_value
from workers.scoring.steps.facts import RationaleFacts


def step_flags(rationale: RationaleFacts) -> list[list[Flag]]:
    """Flags of every step: wrong arithmetic, values from nowhere, contradictions."""
    flags: list[list[Flag]] = [[] for _ in rationale.steps]
    results: dict[str, tuple[Fraction, int]] = {}
    for i, facts in enumerate(rationale.steps):
        for equation in facts.wrong:
            flags[i].append(Flag("arithmetic", equation.message, "error"))
        for shown in facts.underived:
            message = (
                f"{shown} has no solution in common with the equations in it before this step."
            )
            flags[i].append(Flag("not_derived", message, "warning"))
        for value, later in facts.early:
            flags[i].append(
                Flag(
                    "used_before_known",
                    f"{show(value)} is used here, but it is first worked out in step {later + 1}.",
                    "warning",
                )
            )
        for equation in facts.equations:
            before = results.setdefault(equation.left, (equation.given, i))
            if (
                before[0] != equation.given
                and before[1] != i
                and not (equation.rounded or abs(before[0] - equation.given) < 1)
            ):
                flags[i].append(
                    Flag(
                        "contradiction",
                        f"{equation.left} was {show(before[0])} in step {before[1] + 1}, "
                        f"here it is {show(equation.given)}.",
                        "warning",
                    )
                )
    return flags


def answer_value(found: Found) -> Fraction | None:
    """The number that the rationale answers, None where it answers none."""
    return None if found.answer is None else _value(found.answer)


@lru_cache(maxsize=4_096)
def _value(answer: str) -> int | Fraction | None:
    """Whole numbers are ints: they are much faster than fractions and equal to them."""
    value = parse_value(answer)
    if isinstance(value, Equation):
        value = value.right_value
    if not isinstance(value, Number):
        return None
    return value.value.numerator if value.value.denominator == 1 else value.value


def unsupported(rationale: RationaleFacts, found: Found, value: Fraction | None) -> bool:
    """Whether the answer is a number that no step before it shows or computes."""
    if value is None or not rationale.steps or found.start < 0:
        return False
    before = [s for s in rationale.steps if s.step.end <= found.start]
    here = [s for s in rationale.steps if s.step.start <= found.start < s.step.end]
    if not before:
        return False
    if any(e.given == value or e.expected == value for s in here for e in s.equations):
        return False
    accepted = (value, -value, value * 100, Fraction(value) / 100)
    shown = any(n in accepted for s in before for n in s.numbers) or any(
        e.given in accepted for s in before for e in s.equations
    )
    if shown or not any(s.numbers for s in before):
        return False
    return not any(abs(n - value) < 1 for s in before for n in s.numbers if n.denominator != 1)


def rationale_flags(
    rationale: RationaleFacts, found: Found, finish_reason: str | None, value: Fraction | None
) -> list[Flag]:
    """Flags of the whole rationale."""
    if not rationale.steps:
        return [Flag("empty", "The rationale is empty.", "error")]
    flags = []
    if found.method == "cut-off" or ended_early(finish_reason):
        flags.append(Flag("cut_off", "The text was cut off before it ended.", "error"))
    elif found.answer is None:
        flags.append(Flag("no_answer", "No answer was found in the rationale.", "error"))
    if unsupported(rationale, found, value):
        flags.append(
            Flag(
                "unsupported_answer",
                f"The answer {found.answer} does not follow from the "
                "steps: none of them shows that value.",
                "warning",
            )
        )
    if len(rationale.steps) == 1 and len(rationale.steps[0].words) < 6 and found.answer is not None:
        flags.append(Flag("no_reasoning", "There is an answer but no reasoning.", "warning"))
    return flags


def structure_score(
    rationale: RationaleFacts, found: Found, flags: list[list[Flag]], rationale_level: list[Flag]
) -> float:
    """In [0, 1]: a quarter each for identify, break down, solve and combine, less what is flagged."""
    if not rationale.steps:
        return 0.0
    steps = rationale.steps
    head = steps[: max(1, (len(steps) + 1) // 2)]
    given = rationale.question_numbers
    uses = any(n in given for s in head for n in s.numbers)
    names = max((s.overlap_question for s in head), default=0.0)
    identify = 1.0 if uses else min(1.0, 1.5 * names)
    breaks = min(1.0, (len([s for s in steps if s.words]) - 1) / 2)
    solving = sum(1 for s in steps if s.equations or s.new_numbers or "=" in s.step.text)
    solve = min(1.0, solving / max(1, min(3, len(steps) - 1)))
    combine = 0.0
    codes = {f.code for f in rationale_level}
    if found.answer is not None:
        combine = 0.5 if "unsupported_answer" in codes else 1.0
        combine -= 0.0 if found.explicit else 0.2
    score = 0.25 * (identify + breaks + solve + combine)
    out_of_order = sum(
        any(f.code in ("used_before_known", "contradiction") for f in own) for own in flags
    )
    score -= min(0.3, 0.3 * out_of_order / len(steps) * 2)
    if "cut_off" in codes:
        score *= 0.5
    return score
