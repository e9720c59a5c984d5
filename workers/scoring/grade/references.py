"""Reads reference answers: GSM8K's `#### n` and `A: n`, plain answers, several right answers."""

import re
from dataclasses import dataclass

from workers.scoring.extract.options import label_of, letters_in, option_text
from workers.scoring.extract.truth import PLAIN, polarity
from workers.scoring.grade.compare_words import is_undetermined
from workers.scoring.numbers.dates import Date
from workers.scoring.numbers.normalize import clean
from workers.scoring.numbers.values import (
    Clock,
    Interval,
    Number,
    Parts,
    Union,
    Value,
    Words,
    parse_value,
)

_GSM8K = re.compile(r"[ \t]*(?:\#{4}|A[ \t]*:)[ \t]*(?=\S)")
_OPTION = re.compile(r"^\s*[(\[]?([A-Za-z])[)\].:\]]?\s*$")
_BRACKETED_LETTER = re.compile(r"\s*[(\[]([A-Z])[)\]]\s*")
# What a question may ask for. "undetermined": that it cannot be answered from what is given.
ANSWER_TYPES = (
    *("number", "expression", "choice", "yes_no", "date", "time", "interval", "set", "text"),
    "undetermined",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference answer that can be compared with.

    raw: as given; answer: the part that is the answer, None where it cannot be read; value: it as a
    value; answer_type: given or read from the answer; problem: why it cannot be used, "" otherwise; misfit:
    it is of another kind than the question's type, so that only the same words are right.
    """

    raw: str
    answer: str | None
    value: Value | None
    answer_type: str
    problem: str = ""
    misfit: bool = False


def parse_reference(
    raw: str | int | float | None,
    answer_type: str | None = None,
    choices: tuple[str, ...] | list[str] = (),
) -> Reference:
    """Reads one reference answer; a worked solution ends in `#### n` or `A: n`.

    A reference that cannot be read has `problem` set: a fault of the data, not of a rationale.
    """
    text = "" if raw is None else str(raw).strip()
    if not text or text.lower() in ("nan", "none", "null", "n/a", "?"):
        return Reference(text, None, None, answer_type or "text", "the reference answer is empty")
    worked = _GSM8K.match(text, text.rfind("\n") + 1)  # of the last line
    answer = text[worked.end() :] if worked else text
    if not worked and "\\boxed" in text:
        from workers.scoring.extract.answers import find_answer

        answer = find_answer(text).answer or text
    if choices or answer_type == "choice":
        return _choice(text, answer, tuple(choices))
    if answer_type is None and (letter := _BRACKETED_LETTER.fullmatch(answer)):
        return Reference(text, letter[1], Words(letter[1].lower()), "choice")
    value = parse_value(answer)
    kind = read_as(value, answer, answer_type)
    problem, misfit = "", False
    if not worked and len(answer) > 300 and not isinstance(value, Words):
        problem = (
            "the reference is a long text without an answer at its end; give the answer "
            "alone, or end it with a line '#### answer'"
        )
    elif answer_type == "number" and isinstance(value, Words):
        misfit = True
        problem = (
            f"the reference {answer[:60]!r} is no number, but the question's answer type is one"
        )
    elif _unbalanced(answer):
        problem = f"the reference {answer[:60]!r} has a bracket that is never closed"
    elif not clean(answer):
        problem = f"the reference {answer[:60]!r} has nothing to compare with"
    if misfit:
        return Reference(text, answer, value, kind, problem, misfit)
    return Reference(text, None if problem else answer, None if problem else value, kind, problem)


def read_as(value: Value, answer: str, answer_type: str | None) -> str:
    """The kind of answer to look for in a rationale: the type where the reference fits it, else what the
    reference is of."""
    if answer_type == "undetermined" or (isinstance(value, Words) and is_undetermined(answer)):
        return "undetermined"
    if isinstance(value, Words):
        if value.text in PLAIN or (answer_type == "yes_no" and polarity(value.text) is not None):
            return "yes_no"
        return "text"
    if isinstance(value, Date):
        return "date"
    if isinstance(value, Clock) and (answer_type in ("text", "time") or value.half):
        return "time"
    if answer_type == "text":
        return "text"
    return type_of(value)


def type_of(value: Value) -> str:
    """The answer type that a value is of."""
    if isinstance(value, Number):
        return "number"
    if isinstance(value, (Interval, Union)):
        return "interval"
    if isinstance(value, Parts) and value.kind == "set":
        return "set"
    if isinstance(value, Date):
        return "date"
    return "text" if isinstance(value, Words) else "expression"


def _unbalanced(answer: str) -> bool:
    text = answer.replace(r"\{", "").replace(r"\}", "")
    return text.count("{") != text.count("}")


def letter_of(answer: str, choices: tuple[str, ...]) -> str | None:
    """The option letters that an answer names, by letter or by text: "B", or "AC" for several."""
    several = letters_in(answer, len(choices))
    if several:
        return several
    m = _OPTION.match(clean(answer)) or re.match(r"^\s*\(?([A-Z])[).:]\s", answer)
    if m:
        labels = [label_of(choice, place) for place, choice in enumerate(choices)]
        if not choices or m[1].upper() in labels:
            return m[1].upper()
    from workers.scoring.grade.compare import same

    texts = [option_text(choice) for choice in choices]
    hits = [i for i, text in enumerate(texts) if _same_text(answer, text)]
    if not hits:
        value = parse_value(answer)
        hits = [i for i, text in enumerate(texts) if same(parse_value(text), value) is True]
    return label_of(choices[hits[0]], hits[0]) if len(hits) == 1 else None


def _same_text(a: str, b: str) -> bool:
    return " ".join(a.lower().split()).strip(".。") == " ".join(b.lower().split()).strip(".。")


def _choice(raw: str, answer: str, choices: tuple[str, ...]) -> Reference:
    letter = letter_of(answer, choices)
    if letter is None:
        return Reference(
            raw,
            None,
            None,
            "choice",
            f"the reference {answer[:60]!r} is none of the {len(choices)} choices",
        )
    return Reference(raw, letter, Words(letter.lower()), "choice")
