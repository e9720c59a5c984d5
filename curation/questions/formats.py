"""Shapes of question files: one JSON object a line, in one of the presets' forms.

`read_rows` streams a file line by line with bounded memory and yields, for every line, either a Row
or a BadRow that names the line. Sources of the shapes: GSM8K (arXiv 2110.14168; worked answers that
end in `#### n`, and model solutions with a gold label), MATH (arXiv 2103.03874), SVAMP
(arXiv 2103.07191), AQuA-RAT (arXiv 1705.04146).
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

MAX_LINE = 4 * 1024 * 1024
MAX_TEXT = 200_000
MAX_NUMBER = 1e300  # JSON has no bound: 1e999 is read as infinity, and 4,000 digits as an integer
SPLITS = ("train", "eval", "ood")
ANSWER_TYPES = ("number", "expression", "choice", "text")


@dataclass(frozen=True)
class RationaleRow:
    teacher: str
    text: str
    temperature: float | None = None
    labelled_right: bool | None = None


@dataclass(frozen=True)
class Row:
    line: int
    question: str
    reference_answer: str | None = None
    other_answers: tuple[str, ...] = ()
    worked_solution: str = ""
    answer_type: str = "number"
    choices: tuple[str, ...] = ()
    id: str = ""
    domain: str = ""
    difficulty: str = ""
    split: str = ""
    subset: str = ""
    rationales: tuple[RationaleRow, ...] = field(default=())


@dataclass(frozen=True)
class BadRow:
    line: int
    message: str


class RowError(ValueError):
    """Says what is wrong with one row."""


def read_rows(file: IO[bytes], preset: str = "") -> Iterator[Row | BadRow]:
    """Yield a Row or a BadRow for every line that is not blank. `preset` "" finds the shape itself."""
    if preset and preset not in PRESETS:
        raise ValueError(f"{preset!r} is no preset: choose one of {', '.join(PRESETS)}.")
    number = 0
    while True:
        raw = file.readline(MAX_LINE + 1)
        if not raw:
            return
        number += 1
        if len(raw) > MAX_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(MAX_LINE)
            yield BadRow(number, f"the line is longer than {MAX_LINE // 1024**2} MB")
            continue
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if not raw.strip():
            continue
        try:
            yield parse_row(number, _decode(raw), preset)
        except RowError as error:
            yield BadRow(number, str(error))


def _decode(raw: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            raise RowError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} stands twice")
        return found

    def refuse(constant: str) -> None:
        raise RowError(f"{constant} is not a JSON value")

    try:
        value = json.loads(raw.decode(), object_pairs_hook=unique, parse_constant=refuse)
    except UnicodeDecodeError as error:
        raise RowError(f"byte {error.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise RowError(f"not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise RowError("nested too deeply") from None
    except ValueError as error:
        if isinstance(error, RowError):
            raise
        raise RowError(f"a number that is too long: {error}") from None
    if not isinstance(value, dict):
        raise RowError(f"a JSON object is needed, not a {type(value).__name__}")
    return value


def parse_row(line: int, value: dict[str, Any], preset: str = "") -> Row:
    """Turn one decoded object into a Row. Raises RowError with what is wrong."""
    shape = PRESETS[preset or detect(value)]
    row = shape(line, value)
    if not row.question.strip():
        raise RowError("the question is empty")
    if row.reference_answer is not None and not row.reference_answer.strip():
        raise RowError("the answer is empty")
    if row.split and row.split not in SPLITS:
        raise RowError(f"split {row.split!r} is not one of {', '.join(SPLITS)}")
    if row.answer_type not in ANSWER_TYPES:
        raise RowError(f"answer_type {row.answer_type!r} is not one of {', '.join(ANSWER_TYPES)}")
    if row.answer_type == "choice" and not row.choices:
        raise RowError("answer_type is choice, and choices are missing")
    return row


def detect(value: dict[str, Any]) -> str:
    keys = value.keys()
    if "ground_truth" in keys and any(
        isinstance(v, dict) and "solution" in v for v in value.values()
    ):
        return "gsm8k-solutions"
    if {"Body", "Question", "Answer"} <= keys:
        return "svamp"
    if {"question", "options", "correct"} <= keys:
        return "aqua"
    if {"problem", "solution"} <= keys:
        return "math"
    if "question" in keys and "answer" in keys and "#### " in str(value["answer"]):
        return "gsm8k"
    return "chainwright"


def _text(value: dict[str, Any], key: str, *, needed: bool = False) -> str:
    found = value.get(key)
    if found is None:
        if needed:
            raise RowError(f"{key} is missing")
        return ""
    if isinstance(found, bool | list | dict):
        raise RowError(f"{key} must be a text, not a {type(found).__name__}")
    if isinstance(found, int | float):
        if not -MAX_NUMBER < found < MAX_NUMBER:
            raise RowError(f"{key} is a number that is too large: write it as a text")
        return _plain_number(found)
    return _storable(found, key)


def _texts(value: dict[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts, each of which can be stored; () where it is missing."""
    found = value.get(key) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise RowError(f"{key} must be a list of texts")
    return tuple(_storable(one, key) for one in found)


def _storable(text: str, key: str) -> str:
    """The text, if a database takes it."""
    if "\0" in text:
        raise RowError(f"{key} holds a NUL character, which cannot be stored")
    if len(text) > MAX_TEXT:
        raise RowError(f"{key} is longer than {MAX_TEXT:,} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RowError(f"{key} holds half of a surrogate pair, which is no character") from None
    return text


def _plain_number(value: int | float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else str(value)


def _native(line: int, value: dict[str, Any]) -> Row:
    rationale, answer, others = "", None, ()
    if isinstance(value.get("reference_answer"), list):
        answer, *others = _answers(value["reference_answer"])
    elif value.get("reference_answer") is not None:
        answer = _text(value, "reference_answer").strip()
    elif value.get("answer") is not None:
        rationale, answer = split_worked_answer(_text(value, "answer"))
    choices = _texts(value, "choices")
    default_type = "choice" if choices else "number"
    return Row(
        line=line,
        question=_text(value, "question", needed=True),
        reference_answer=answer or None,
        other_answers=tuple(others),
        worked_solution=_text(value, "worked_solution")
        or _text(value, "reference_chain")  # its name until 2026-11-29
        or rationale,
        answer_type=_text(value, "answer_type") or default_type,
        choices=choices,
        id=_text(value, "id")[:200],
        domain=_text(value, "domain")[:100],
        difficulty=_text(value, "difficulty")[:40],
        split=_text(value, "split"),
        subset=_text(value, "subset")[:60],
        rationales=tuple(_native_rationales(value)),
    )


MAX_ANSWERS = 50


def _answers(values: list[Any]) -> list[str]:
    """Several answers, each of which is right."""
    if not values or len(values) > MAX_ANSWERS:
        raise RowError(f"reference_answer must hold 1 to {MAX_ANSWERS} answers")
    answers = [_text({"reference_answer": one}, "reference_answer").strip() for one in values]
    if not all(answers):
        raise RowError("an answer in reference_answer is empty")
    return list(dict.fromkeys(answers))


def _native_rationales(value: dict[str, Any]) -> Iterator[RationaleRow]:
    found = value.get("rationales") or []
    if not isinstance(found, list):
        raise RowError("rationales must be a list")
    for number, one in enumerate(found, 1):
        if not isinstance(one, dict):
            raise RowError(f"rationale {number} must be an object with teacher and text")
        temperature = one.get("temperature")
        if temperature is not None and (
            isinstance(temperature, bool)
            or not isinstance(temperature, int | float)
            or not 0 <= temperature <= 10
        ):
            raise RowError(f"temperature of rationale {number} must be a number from 0 to 10")
        text = _text(one, "text", needed=True)
        if not text.strip():
            raise RowError(f"rationale {number} is empty")
        yield RationaleRow(_text(one, "teacher")[:80].strip() or "import", text, temperature)


WORKED = re.compile(r"(?:####|A:)[ \t]*(?=\S)")


def split_worked_answer(text: str) -> tuple[str, str]:
    """(worked rationale, final answer) of GSM8K's forms, whose last line is `#### n` or `A: n`."""
    text = text.strip()
    found = WORKED.search(text, text.rfind("\n") + 1)
    if not found:
        return "", text
    return text[: found.start()].strip(), text[found.end() :]


def _gsm8k(line: int, value: dict[str, Any]) -> Row:
    rationale, answer = split_worked_answer(_text(value, "answer", needed=True))
    if not answer:
        raise RowError("answer is empty")
    return Row(
        line=line,
        question=_text(value, "question", needed=True),
        reference_answer=answer,
        worked_solution=rationale,
        split=_text(value, "split"),
        id=_text(value, "id")[:200],
    )


def _gsm8k_solutions(line: int, value: dict[str, Any]) -> Row:
    rationale, answer = split_worked_answer(_text(value, "ground_truth", needed=True))
    rationales = []
    for key, one in value.items():
        if not isinstance(one, dict):
            continue
        teacher = _storable(key, "the name of a teacher")[:80].strip()
        if not teacher:
            raise RowError("a teacher has no name")
        text = _text(one, "solution", needed=True)
        label = one.get("is_correct")
        if label is not None and not isinstance(label, bool):
            raise RowError(f"is_correct of {teacher} must be true or false")
        if text.strip():
            rationales.append(RationaleRow(teacher, text, None, label))
    return Row(
        line=line,
        question=_text(value, "question", needed=True),
        reference_answer=answer or None,
        worked_solution=rationale,
        rationales=tuple(rationales),
        split=_text(value, "split"),
    )


def _svamp(line: int, value: dict[str, Any]) -> Row:
    body = _text(value, "Body", needed=True).strip()
    if body and body[-1] not in ".?!,":
        body += "."
    return Row(
        line=line,
        question=f"{body} {_text(value, 'Question', needed=True).strip()}",
        reference_answer=_text(value, "Answer", needed=True),
        id=_text(value, "ID")[:200],
        domain=_text(value, "Type")[:100],
    )


def _aqua(line: int, value: dict[str, Any]) -> Row:
    options = _texts(value, "options")
    if not options:
        raise RowError("options are missing")
    return Row(
        line=line,
        question=_text(value, "question", needed=True),
        reference_answer=_text(value, "correct", needed=True).strip(),
        worked_solution=_text(value, "rationale"),
        answer_type="choice",
        choices=options,
    )


def _math(line: int, value: dict[str, Any]) -> Row:
    solution = _text(value, "solution", needed=True)
    answer = _text(value, "answer") or last_boxed(solution)
    if not answer:
        raise RowError("solution has no \\boxed{} answer")
    return Row(
        line=line,
        question=_text(value, "problem", needed=True),
        reference_answer=answer,
        worked_solution=solution,
        answer_type="expression",
        domain=(_text(value, "type") or _text(value, "subject"))[:100],
        difficulty=_text(value, "level")[:40],
    )


def last_boxed(text: str) -> str:
    r"""What stands in the last \boxed{…}, with its braces balanced; "" where there is none."""
    start = text.rfind("\\boxed{")
    if start < 0:
        return ""
    depth = 0
    for place in range(start + len("\\boxed"), len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[start + len("\\boxed{") : place].strip()
    return ""


PRESETS: dict[str, Callable[[int, dict[str, Any]], Row]] = {
    "chainwright": _native,
    "gsm8k": _gsm8k,
    "gsm8k-solutions": _gsm8k_solutions,
    "math": _math,
    "svamp": _svamp,
    "aqua": _aqua,
}
