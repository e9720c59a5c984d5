"""The control beside a training: its base student, untrained, whose answers begin as the rationales do.

A base model may know already how to reason and only not do it unasked. Then a part of what a training
seems to teach comes with the first words of a rationale alone. So the base student is measured a second
time, on the same questions, with these words put into its mouth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from workers.evaluation.types import ControlResult, Estimate, ModelResult

CONTROL = "base student, first words only"
LONGEST = 6  # words; more would give away a part of the answer itself
SHARED = 0.5  # of the rationales begin with them
NONE_SHARED = (
    "fewer than half of the rationales that it learned from begin with the same word, so there is nothing "
    "to put into the untrained student's mouth"
)


def first_words(rationales: Iterable[str]) -> str:
    """The words, six at most, that at least half of the rationales begin with; "" where they share none."""
    split = [text.split(maxsplit=LONGEST)[:LONGEST] for text in rationales]
    openings = [words for words in split if words]
    best: tuple[str, ...] = ()
    for length in range(1, LONGEST + 1):
        counted = Counter(tuple(words[:length]) for words in openings if len(words) >= length)
        if not counted:
            break
        # Equally frequent ones in the order of the alphabet, so that the same rows give the same words.
        words, n = min(counted.items(), key=lambda item: (-item[1], item[0]))
        if n < SHARED * len(openings):
            break
        best = words
    return " ".join(best)


def control_result(
    student: str,
    base: ModelResult | None,
    control: ModelResult,
    begin: str,
    rights: Sequence[tuple[bool, bool, bool]],
    gain_shown: bool,
) -> ControlResult:
    """How much of a student's gain its control reaches.

    `base`: None where the student's own base was not measured. `rights`: of each question, whether base,
    control and student answered it right. The share of the gain is known only where student and base are
    apart (`gain_shown`): it is nothing over nothing otherwise.
    """
    # Imported here: the task that names the words needs no SciPy.
    from workers.evaluation import statistics

    found: Estimate = statistics.NOTHING
    if gain_shown:
        found = statistics.share_of_gain(
            [
                (int(control) - int(base), int(student) - int(base))
                for base, control, student in rights
            ]
        )
    return ControlResult(student, base.name if base else "", control.name, begin, found)
