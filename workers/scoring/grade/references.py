"""Reads reference answers: GSM8K's `#### n` and `A: n`, plain answers, several right answers."""

import re
from dataclasses import dataclass

from workers.scoring.numbers.normalize import clean
from workers.scoring.numbers.values import Number, Value, Words, parse_value

_GSM8K = re.compile(r"[ \t]*(?:\#{4}|A[ \t]*:)[ \t]*(?=\S)")
_OPTION = re.compile(r"^\s*[(\[]?([A-Ja-j])[)\].:\]]?\s*$")
# What a question may ask for. "undetermined": that it cannot be answered from what is given.
ANSWER_TYPES = (
    *("number", "expression", "choice", "yes_no", "date", "time", "interval", "set", "text"),
    "undetermined",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference answer that can be compared with.

    raw: as given; answer: the part that is the answer, None where it cannot be read; value: it as a
    value; answer_type: given or read from the answer; problem: why it cannot be used, "" otherwise.
    """

    raw: str
    answer: str | None
    value: Value | None
    answer_type: str
    problem: str = ""


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
    value = parse_value(answer)
    kind = answer_type or type_of(value)
    problem = ""
    if not worked and len(answer) > 300 and not isinstance(value, Words):
        problem = (
            "the reference is a long text without an answer at its end; give the answer "
            "alone, or end it with a line '#### answer'"
        )
    elif kind == "number" and isinstance(value, Words):
        problem = (
            f"the reference {answer[:60]!r} is no number, but the question's answer type is one"
        )
    elif _unbalanced(answer):
        problem = f"the reference {answer[:60]!r} has a bracket that is never closed"
    elif not clean(answer):
        problem = f"the reference {answer[:60]!r} has nothing to compare with"
    return Reference(text, None if problem else answer, None if problem else value, kind, problem)


def type_of(value: Value) -> str:
    """The answer type that a value is of."""
    if isinstance(value, Number):
        return "number"
    return "text" if isinstance(value, Words) else "expression"


def _unbalanced(answer: str) -> bool:
    text = answer.replace(r"\{", "").replace(r"\}", "")
    return text.count("{") != text.count("}")


def letter_of(answer: str, choices: tuple[str, ...]) -> str | None:
    """The option letter that an answer names, by letter or by the option's text."""
    m = _OPTION.match(clean(answer)) or re.match(r"^\s*\(?([A-J])[).:]\s", answer)
    if m and (not choices or ord(m[1].upper()) - 65 < len(choices)):
        return m[1].upper()
    from workers.scoring.grade.compare import same

    hits = [i for i, choice in enumerate(choices) if _same_text(answer, option_text(choice))]
    if not hits:
        value = parse_value(answer)
        hits = [
            i for i, c in enumerate(choices) if same(parse_value(option_text(c)), value) is True
        ]
    return chr(65 + hits[0]) if len(hits) == 1 else None


def option_text(choice: str) -> str:
    """ "A) 5.5" is "5.5"."""
    return re.sub(r"^\s*[(\[]?[A-Ja-j][)\].:]\s*", "", choice).strip()


def _same_text(a: str, b: str) -> bool:
    return " ".join(a.lower().split()) == " ".join(b.lower().split())


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
