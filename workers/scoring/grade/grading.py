"""Right, wrong or cannot be graded: one found answer against the references of its question."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from workers.scoring.extract.answers import Found
from workers.scoring.grade.answer_format import read_question
from workers.scoring.grade.compare import CannotCompare, same
from workers.scoring.grade.references import Reference, letter_of, parse_reference
from workers.scoring.numbers.values import parse_value

_asked = lru_cache(maxsize=1_024)(read_question)
_reference = lru_cache(maxsize=4_096)(parse_reference)


@dataclass(frozen=True, slots=True)
class Grade:
    """verdict: "right", "wrong" or "cannot be graded"; reason: a sentence for a reviewer."""

    verdict: str
    reason: str

    @property
    def correctness(self) -> float | None:
        """1.0, 0.0, or None where the rationale cannot be graded."""
        return {"right": 1.0, "wrong": 0.0}.get(self.verdict)


def grade(
    found: Found,
    references: Sequence[str | Reference] | str | None,
    answer_type: str | None = None,
    choices: Sequence[str] = (),
    question: str = "",
    *,
    hard=None,
) -> Grade:
    """Grades an answer against one or several reference answers: any one of them makes it right.

    hard: compares what exact arithmetic cannot (default: Math-Verify in a bounded child process).
    """
    given = [references] if isinstance(references, str) else list(references or ())
    if not given:
        return Grade("cannot be graded", "The question has no reference answer.")
    parsed = [
        r if isinstance(r, Reference) else _reference(r, answer_type, tuple(choices)) for r in given
    ]
    usable = [r for r in parsed if not r.problem]
    if not usable:
        return Grade("cannot be graded", f"The reference cannot be used: {parsed[0].problem}.")
    if found.answer is None:
        return Grade("wrong", _NOTHING.get(found.method, "The rationale gives no answer."))
    if hard is None:
        from workers.scoring.grade.math_verify import compare_in_child as hard
    return _compare(found, usable, tuple(choices), question, hard)


_NOTHING = {
    "cut-off": "The rationale was cut off before it gave an answer.",
    "empty": "The rationale is empty.",
}


def _compare(found: Found, usable, choices, question, hard) -> Grade:
    unsure = None
    answer = None
    for reference in usable:
        if reference.answer_type == "choice":
            letter = letter_of(found.answer, choices)
            result = letter == reference.answer
        else:
            answer = answer if answer is not None else parse_value(found.answer)
            result = same(reference.value, answer, _asked(question), hard)
        if result is True:
            return Grade(
                "right",
                f"The answer {_short(found.answer)} agrees with the reference "
                f"{_short(reference.answer)}.",
            )
        if isinstance(result, CannotCompare):
            unsure = result
    if unsure:
        return Grade(
            "cannot be graded",
            f"{_short(found.answer)} and {_short(usable[0].answer)} could "
            f"not be compared: {unsure.reason}.",
        )
    return Grade(
        "wrong",
        f"The answer is {_short(found.answer)}, the reference says {_short(usable[0].answer)}.",
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "..."
