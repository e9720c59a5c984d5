"""The rationales that the demo models learn from: short ones, wordy ones, and ones with a slip."""

from dataclasses import replace
from random import Random

from tools.demo.problems import Problem, gold_rationale
from tools.demo.story import Step

_OPENERS = (
    "Let me think about this step by step.",
    "Let us look at what we know first.",
    "To find the answer we go slowly.",
)
_AFTER = ("So now we have {r}.", "That means it is {r} now.", "This gives us {r}.")
_CHECKS = ("I check it again: {e}.", "Let me make sure: {e}.")
_CLOSERS = ("So the result is {r}.", "So in the end we get {r}.")


def slipped(rng: Random, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same steps with one wrong result, as of somebody who adds in a hurry.

    Later steps go on with the wrong number. A division that no longer comes out even drops its
    remainder.
    """
    at = rng.randrange(len(steps))
    done: list[Step] = []
    carried: dict[int, int] = {}
    for i, step in enumerate(steps):
        a, b = carried.get(step.a, step.a), carried.get(step.b, step.b)
        if i == at:
            near = (step.result + d for d in (-10, -2, -1, 1, 2, 10))
            result = rng.choice([n for n in near if 1 <= n <= 100])
        elif (a, b) == (step.a, step.b):
            result = step.result
        else:
            result = {"+": a + b, "-": a - b, "*": a * b, "/": a // max(b, 1)}[step.op]
            result = min(max(result, 1), 100)
        if result != step.result:
            carried[step.result] = result
        done.append(replace(step, a=a, b=b, result=result))
    return tuple(done)


def short_rationale(steps: tuple[Step, ...], answer: bool = True) -> str:
    """The gold form; without its last line where `answer` is False."""
    rationale = gold_rationale(steps)
    return rationale if answer else rationale.rpartition("\n")[0]


def wordy_rationale(
    rng: Random, problem: Problem, steps: tuple[Step, ...], answer: bool = True
) -> str:
    """The same steps with an opener, parts of the question, checks, repeats and a closer."""
    lines = []
    if rng.random() < 0.7:
        lines.append(rng.choice(_OPENERS))
    if rng.random() < 0.5:
        lines.append(f"We know this: {problem.sentences[0]}")
    for i, step in enumerate(steps, 1):
        line = f"Step {i}: {step.words}: {step.equation}."
        lines.append(line)
        luck = rng.random()
        if luck < 0.4:
            lines.append(rng.choice(_AFTER).format(r=step.result))
        elif luck < 0.6:
            lines.append(rng.choice(_CHECKS).format(e=step.equation))
        elif luck < 0.68:
            lines.append(line)
    if rng.random() < 0.5:
        lines.append(rng.choice(_CLOSERS).format(r=steps[-1].result))
    if answer:
        lines.append(f"Answer: {steps[-1].result}")
    return "\n".join(lines)
