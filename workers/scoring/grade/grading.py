"""Right, wrong or not read: one found answer against the references of its question."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from workers.scoring.extract.answers import Found
from workers.scoring.grade.answer_format import read_question
from workers.scoring.grade.cannot_compare import CannotCompare
from workers.scoring.grade.compare import same
from workers.scoring.grade.compare_words import same_words
from workers.scoring.grade.references import Reference, letter_of, parse_reference
from workers.scoring.numbers.locales import other_reading
from workers.scoring.numbers.values import Number, Value, Words, parse_value, shown

_asked = lru_cache(maxsize=1_024)(read_question)
reference_of = lru_cache(maxsize=4_096)(parse_reference)  # a group shares its references


VERDICTS = ("right", "wrong", "not_read", "no_reference")
# Why an answer was not read, for programs; `Grade.reason` says it for people.
UNREAD = {
    "nothing_found": "The rationale gives no answer.",
    "cut_off": "The rationale was cut off before it gave an answer.",
    "empty": "The rationale is empty.",
    "refusal": "The model refused to answer.",
    "ambiguous": "The rationale can be read as giving more than one answer.",
    "not_understood": "The answer and the reference could not be compared.",
    "type_mismatch": "The answer is of another kind than the reference.",
    "bad_reference": "The reference cannot be used.",
}


@dataclass(frozen=True, slots=True)
class Grade:
    """How an answer was graded.

    verdict: one of `VERDICTS`; reason: a sentence for a reviewer; unread: a key of `UNREAD` where the
    verdict is "not_read", else ""; reference: the reference answer that it was compared with; read and
    reference_read: both as they were understood, "" where they were not compared.
    """

    verdict: str
    reason: str
    unread: str = ""
    reference: str = ""
    read: str = ""
    reference_read: str = ""

    @property
    def correctness(self) -> float | None:
        """1.0 right, 0.0 wrong, None where the answer was not read or there is no reference."""
        return {"right": 1.0, "wrong": 0.0}.get(self.verdict)


def not_read(unread: str, reason: str = "", **more: str) -> Grade:
    """The grade of an answer that was not read, for a reason of `UNREAD`."""
    return Grade("not_read", reason or UNREAD[unread], unread, **more)


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
        return Grade("no_reference", "The question has no reference answer.")
    parsed = [
        r if isinstance(r, Reference) else reference_of(r, answer_type, tuple(choices))
        for r in given
    ]
    usable = [r for r in parsed if not r.problem]
    if not usable and parsed[0].misfit and found.answer is not None:
        return _misfit(found, parsed)
    if not usable:
        return not_read("bad_reference", f"The reference cannot be used: {parsed[0].problem}.")
    if found.answer is None:
        nothing = _NOTHING.get(found.method, "nothing_found")
        return not_read(nothing, reference=usable[0].answer)
    if hard is None:
        from workers.scoring.grade.math_verify import compare_in_child as hard
    return _compare(found, usable, tuple(choices), question, hard)


_NOTHING = {"cut-off": "cut_off", "empty": "empty", "refusal": "refusal", "ambiguous": "ambiguous"}


def _misfit(found: Found, parsed: list[Reference]) -> Grade:
    """References that are no numbers where a number was wanted: the same words are right all the same."""
    answer = parse_value(found.answer)
    for reference in parsed:
        if (
            reference.misfit
            and type(answer) is Words
            and same_words(reference.value, answer) is True
        ):
            return Grade("right", _agrees(found, reference), reference=reference.answer)
    return not_read("type_mismatch", f"The reference cannot be used: {parsed[0].problem}.")


def _agrees(found: Found, reference: Reference) -> str:
    return (
        f"The answer {_short(found.answer)} agrees with the reference {_short(reference.answer)}."
    )


def _result(reference: Reference, found: Found, answer: Value, question: str, hard):
    """Whether an answer is the reference, read with a decimal comma where the rationale writes so."""
    asked = _asked(question)
    result = same(reference.value, answer, asked, hard)
    if result is not True and found.decimal_comma and isinstance(answer, Number):
        other = other_reading(answer.raw)
        if other is not None:
            sign = -1 if answer.value < 0 else 1
            return same(reference.value, replace(answer, value=sign * other, raw=""), asked, hard)
    return result


def _denied(
    found: Found, usable: list[Reference], choices: tuple[str, ...], question: str, hard
) -> Grade:
    """ "The answer is not 9": wrong where the reference is 9, and no answer otherwise."""
    text = _NOT.sub("", found.answer)
    for reference in usable:
        if reference.answer_type == "choice":
            is_it = letter_of(text, choices) == reference.answer
        else:
            is_it = same(reference.value, parse_value(text), _asked(question), hard) is True
        if is_it:
            reason = f"The rationale says that the answer is not {_short(text)}."
            return Grade("wrong", reason, reference=reference.answer)
    return not_read("nothing_found", "The rationale says only what the answer is not.")


_NOT = re.compile(r"^\s*(?:not|n't|never|neither)\s+", re.I)


def _compare(found: Found, usable, choices, question, hard) -> Grade:
    if found.method == "denied":
        return _denied(found, usable, choices, question, hard)
    unsure = None
    answer = None
    for reference in usable:
        if reference.answer_type == "choice":
            letter = letter_of(found.answer, choices)
            result, read = letter == reference.answer, letter or ""
        else:
            answer = answer if answer is not None else parse_value(found.answer)
            result, read = _result(reference, found, answer, question, hard), shown(answer)
        compared = {
            "reference": reference.answer,
            "read": read,
            "reference_read": shown(reference.value),
        }
        if result is True:
            return Grade(
                "right",
                _agrees(found, reference),
                **compared,
            )
        if isinstance(result, CannotCompare):
            unsure = result
    if unsure and unsure.is_ambiguous:
        return not_read("ambiguous", f"{_short(found.answer)}: {unsure.reason}.", **compared)
    if unsure:
        reason = (
            f"{_short(found.answer)} and {_short(usable[0].answer)} could "
            f"not be compared: {unsure.reason}."
        )
        return not_read("not_understood", reason, **compared)
    return Grade(
        "wrong",
        f"The answer is {_short(found.answer)}, the reference says {_short(usable[0].answer)}.",
        **compared,
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "..."
