"""A rationale's steps in the order in which they are read: the final part first, the thought under it, in
parts of which a page draws those that are in view."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curation.reviews.bench.doubts import doubts_in

PART = 40  # steps that a page draws together
FIRST = (
    120  # steps that come with the question; of a longer rationale the others follow by themselves
)
WHOLE = 4_000  # characters of a step that come with the question
# What says that a step brings nothing, not that it is wrong: in long thoughts every tenth step is so.
IDLE_FLAGS = {"repeats", "restates_question", "nothing_new"}

Step = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """The steps `first` to `last`, numbered from 1; `thought`: they stand before the final part."""

    first: int
    last: int
    thought: bool


def parts_of(total: int, thought: int) -> list[Part]:
    """All `total` steps in reading order; the first `thought` of them are the thought."""
    spans = ((thought, total, False), (0, thought, True))
    return [
        Part(first + 1, min(first + PART, end), is_thought)
        for start, end, is_thought in spans
        for first in range(start, end, PART)
    ]


def thought_steps(text: str, steps: Sequence[Step]) -> int:
    """How many steps, from the first on, stand before the end of the thought; 0 where it has no end."""
    ends = text.find("</think>")
    if ends < 0:
        return 0
    return sum(step.get("start") is not None and step["start"] < ends for step in steps)


@dataclass(frozen=True)
class Outline:
    """What a page knows of all steps before it has them: enough to draw a map of the whole, and to go from
    flag to flag and from doubt to doubt."""

    total: int
    thought: int
    words: tuple[int, int]
    flags: list[tuple[int, int, str]]
    doubts: dict[int, str]
    lengths: list[int]
    is_long: bool

    def as_json(self) -> dict[str, Any]:
        """`words`: of the final part and of the thought; `flags`: runs of steps [first, last, severity];
        `lengths`: characters of each part."""
        return {
            "total": self.total,
            "thought": self.thought,
            "words": self.words,
            "flags": self.flags,
            "doubts": sorted(self.doubts),
            "lengths": self.lengths,
        }


def outline_of(text: str, steps: Sequence[Step]) -> Outline:
    thought = thought_steps(text, steps)
    texts = [step["text"] for step in steps]
    words = [len(one.split()) for one in texts]
    lengths = [
        sum(len(one) + 40 for one in texts[part.first - 1 : part.last])
        for part in parts_of(len(steps), thought)
    ]
    return Outline(
        len(steps),
        thought,
        (sum(words[thought:]), sum(words[:thought])),
        _runs(steps),
        doubts_in(texts),
        lengths,
        is_long=len(steps) > FIRST or any(len(one) > WHOLE for one in texts),
    )


def _runs(steps: Sequence[Step]) -> list[tuple[int, int, str]]:
    """Steps with flags, those that follow each other with the same severity as one run."""
    runs: list[tuple[int, int, str]] = []
    for number, step in enumerate(steps, 1):
        worst = _worst(step.get("flags") or ())
        if not worst:
            continue
        if runs and runs[-1][1] == number - 1 and runs[-1][2] == worst:
            runs[-1] = (runs[-1][0], number, worst)
        else:
            runs.append((number, number, worst))
    return runs


def _worst(flags: Sequence[dict[str, Any]]) -> str:
    severities = {
        "info" if flag.get("code") in IDLE_FLAGS else flag.get("severity") for flag in flags
    }
    return next((one for one in ("error", "warning", "info") if one in severities), "")
