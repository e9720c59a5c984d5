"""What a row of a file becomes, and which texts can be stored."""

from dataclasses import dataclass, field
from typing import Any

MAX_TEXT = 200_000
MAX_NUMBER = 1e300  # JSON has no bound: 1e999 is read as infinity, and 4,000 digits as an integer


@dataclass(frozen=True, slots=True)
class RationaleRow:
    """teacher: its name; reasoning: what it thought before `text`; labelled_right: the file's verdict;
    step_labels: one number a step of `text` (1 good, 0 neutral, -1 wrong), () where the file has none;
    finish_reason: why its generation ended, "" where the file does not say."""

    teacher: str
    text: str
    temperature: float | None = None
    labelled_right: bool | None = None
    reasoning: str = ""
    step_labels: tuple[int, ...] = ()
    finish_reason: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """line: where it stands in its file, from 1 (of a table the line, of an array the element);
    answer_type: "" is read from the reference; metadata: what belongs to no other field."""

    line: int
    question: str
    reference_answer: str | None = None
    other_answers: tuple[str, ...] = ()
    worked_solution: str = ""
    answer_type: str = ""
    choices: tuple[str, ...] = ()
    id: str = ""
    domain: str = ""
    difficulty: str = ""
    split: str = ""
    subset: str = ""
    rationales: tuple[RationaleRow, ...] = field(default=())
    metadata: dict[str, Any] = field(default_factory=dict)
    warning: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    message: str
    raw: str = ""


class RowError(ValueError):
    """Says what is wrong with one row; `raw` is the beginning of it, where it could not be taken apart."""

    raw: str = ""


def storable(text: str, key: str) -> str:
    """The text, if a database takes it. Raises RowError otherwise."""
    if "\0" in text:
        raise RowError(f"{key} holds a NUL character, which cannot be stored")
    if len(text) > MAX_TEXT:
        raise RowError(f"{key} is longer than {MAX_TEXT:,} characters")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise RowError(f"{key} holds half of a surrogate pair, which is no character") from None
    return text


def plain_number(value: int | float, key: str) -> str:
    """51.0 is "51". Raises RowError where JSON's number is beyond any use."""
    if not -MAX_NUMBER < value < MAX_NUMBER:
        raise RowError(f"{key} is a number that is too large: write it as a text")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def text_of(value: Any, key: str) -> str:
    """A text or a number as a text, "" for nothing. Raises RowError for what is neither."""
    if value is None:
        return ""
    if isinstance(value, str):
        return storable(value, key)
    if isinstance(value, bool | list | dict):
        raise RowError(f"{key} must be a text, not a {type(value).__name__}")
    return plain_number(value, key)
