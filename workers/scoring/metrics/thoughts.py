"""What a reasoning model thought before its final text, looked at apart from it.

A thought may be long, go astray and come back: that is what it is for. So the final text alone is measured
against the other rationales' length, and only its steps count for validity; of the thought are told its
length,
how often it says a step again, and how often it corrects itself.
"""

import re
from dataclasses import dataclass

from workers.scoring.extract.sections import final_text
from workers.scoring.metrics.conciseness import rough_tokens
from workers.scoring.steps.facts import RationaleFacts

MAX_CHARS = 200_000
_HINTS = ("</", "/THINK]", "◁", "<|", "analysis")
_CORRECTS = re.compile(
    r"\b(?:wait|hmm+|hold on|actually|let me (?:re-?check|check again|re-?do|re-?consider|re-?calculate)|"
    r"that(?:'|’)s (?:wrong|not right|incorrect)|i made a mistake|scratch that)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Thought:
    """end: where the final text begins (0: there is no thought); length: in the tokens of `rough_tokens`;
    repeats: steps of it that say an earlier one again; corrections: how often it corrects itself."""

    end: int = 0
    length: int = 0
    repeats: int = 0
    corrections: int = 0


_NONE = Thought()


def thought_of(text: str, rationale: RationaleFacts) -> Thought:
    """The thought of a rationale; none where no final text follows it."""
    if not any(hint in text for hint in _HINTS):
        return _NONE
    body = final_text(text)
    if body.start <= 0 or body.start >= len(text) or not text[body.start : body.stop].strip():
        return _NONE
    steps = [step for step in rationale.steps if step.step.start < body.start]
    if not steps:
        return _NONE
    thought = text[: min(body.start, MAX_CHARS)]
    return Thought(
        body.start,
        rough_tokens(thought),
        sum(step.repeats >= 0 for step in steps),
        len(_CORRECTS.findall(thought)),
    )
