"""The lines that the scorer reads and the scores that it writes: checking and shapes.

In: {"id", "question", "reference_answer", "rationale", "answer_type"?, "choices"?, "group"?,
"teacher"?, "finish_reason"?, "worked_solution"?}. `reference_answer` may be null, a number, a text, or a
list of several right answers. Keys that the scorer does not know are passed through untouched.

Out: the same object with "score": {"answer", "correctness", "verdict", "unread", ...}. `verdict` is "right"
(correctness 1.0), "wrong" (0.0), "not_read" or "no_reference" (both null). Where it is "not_read",
`unread` is a key of `grading.UNREAD`, else null. With --details also {"reason", "answer_start",
"answer_end", "answer_method", "answer_read", "reference", "reference_read", ...}: the answer's place in the
rationale (characters, -1 where there is none), the rule that found it, the reference that it was compared
with, and both as they were understood.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.scoring.grade.references import ANSWER_TYPES

MAX_LINE_BYTES = 8_000_000
MAX_RATIONALE = 2_000_000


class BadLine(ValueError):
    """A line that cannot be scored; the message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Item:
    """One rationale to score.

    id: any text; references: right answers (empty: there is none); answer_type: one of `ANSWER_TYPES`
    or None (read from the reference); choices: the options of a
    multiple-choice question; group: which question it belongs to (default: the question's text);
    teacher: who wrote it; finish_reason: why the generation ended, "stop", "length", "error", "abort" or
    None where that is not known. counts: whether the
    others of its group are compared with it; else it is compared with them, and leaves no trace there.
    worked_solution: the reasoning that came with the question, "" where there is none.
    reading: (answer or None, verdict) as a person read them: it counts instead of the scorer's own.
    """

    id: str
    question: str
    rationale: str
    references: tuple[str, ...] = ()
    answer_type: str | None = None
    choices: tuple[str, ...] = ()
    group: str | None = None
    teacher: str | None = None
    finish_reason: str | None = None
    counts: bool = True
    worked_solution: str = ""
    reading: tuple[str | None, str] | None = None

    @property
    def group_key(self) -> str:
        """What rationales of one question have in common."""
        return f"g:{self.group}" if self.group is not None else f"q:{self.question}"


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that a reviewer should look at. severity: "error", "warning" or "info"; start, end: its place
    in the rationale, in characters, where it is smaller than its step (-1: it is not)."""

    code: str
    message: str
    severity: str = "warning"
    start: int = -1
    end: int = -1

    def to_dict(self) -> dict:
        """The flag as in the contract; with "start" and "end" where it has a place of its own."""
        flag = {"code": self.code, "message": self.message, "severity": self.severity}
        return flag if self.start < 0 else flag | {"start": self.start, "end": self.end}


@dataclass(slots=True)
class StepScore:
    """One step with how likely it is right (validity) and to be without progress (redundancy).

    checked: whether something in it could be recomputed, so that "no flag" says something.
    """

    text: str
    start: int
    end: int
    validity: float = 1.0
    redundancy: float = 0.0
    flags: list[Flag] = field(default_factory=list)
    checked: bool = False

    def to_dict(self) -> dict:
        """The step as in the contract."""
        return {
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "validity": self.validity,
            "redundancy": self.redundancy,
            "flags": [flag.to_dict() for flag in self.flags],
        }


def _text(row: Mapping, key: str, required: bool = False) -> str | None:
    value = row.get(key)
    if value is None:
        if required:
            raise BadLine(f"{key!r} is missing; give it as a text")
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise BadLine(f"{key!r} must be a text, not {_kind(value)}")
    return str(value)


def _kind(value) -> str:
    return {
        dict: "an object",
        list: "a list",
        bool: "true or false",
        float: "a number",
        int: "a number",
        type(None): "null",
    }.get(type(value), type(value).__name__)


def _references(row: Mapping) -> tuple[str, ...]:
    value = row.get("reference_answer")
    if value is None:
        return ()
    values = value if isinstance(value, list) else [value]
    out = []
    for one in values:
        if isinstance(one, bool) or not isinstance(one, (str, int, float)):
            raise BadLine(
                f"'reference_answer' must be a text, a number, null or a list of those, "
                f"not {_kind(one)}"
            )
        if isinstance(one, float) and not math.isfinite(one):
            raise BadLine("'reference_answer' is not a finite number")
        out.append(str(int(one)) if isinstance(one, float) and one.is_integer() else str(one))
    return tuple(out)


def item_from(row: Mapping) -> Item:
    """Checks one object of the contract and makes an `Item` of it. Raises BadLine."""
    if not isinstance(row, Mapping):
        raise BadLine(f"a line must be a JSON object, not {_kind(row)}")
    rationale = row.get("rationale")
    if not isinstance(rationale, str):
        raise BadLine(
            "'rationale' is missing; give it as a text"
            if rationale is None
            else f"'rationale' must be a text, not {_kind(rationale)}"
        )
    if len(rationale) > MAX_RATIONALE:
        raise BadLine(
            f"'rationale' has {len(rationale):,} characters; at most {MAX_RATIONALE:,} are scored"
        )
    kind = row.get("answer_type")
    if kind is not None and kind not in ANSWER_TYPES:
        raise BadLine(f"'answer_type' is {kind!r}; it must be one of {', '.join(ANSWER_TYPES)}")
    choices = row.get("choices")
    if choices is not None and (
        not isinstance(choices, list) or not all(isinstance(c, str) for c in choices)
    ):
        raise BadLine("'choices' must be a list of texts")
    question = row.get("question")
    if not isinstance(question, str):
        raise BadLine(
            "'question' is missing; give it as a text"
            if question is None
            else f"'question' must be a text, not {_kind(question)}"
        )
    return Item(
        _text(row, "id", required=True),
        question,
        rationale,
        _references(row),
        kind,
        tuple(choices or ()),
        _text(row, "group"),
        _text(row, "teacher"),
        _text(row, "finish_reason"),
        worked_solution=_text(row, "worked_solution") or "",
    )


def _no_constant(name: str):
    raise BadLine(f"{name} is not JSON; use null or a finite number")


def parse_line(raw: bytes) -> dict:
    """One line of JSON as an object. Raises BadLine with the reason."""
    if len(raw) > MAX_LINE_BYTES:
        raise BadLine(f"the line has {len(raw):,} bytes; at most {MAX_LINE_BYTES:,} are read")
    try:
        row = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise BadLine(f"it is not UTF-8 (byte {error.start + 1})") from None
    except RecursionError:
        raise BadLine("it is nested too deep") from None
    except json.JSONDecodeError as error:
        raise BadLine(f"it is not JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError as error:
        raise BadLine(f"it cannot be read: {error}") from None
    if not isinstance(row, dict):
        raise BadLine(f"a line must be a JSON object, not {_kind(row)}")
    return row


def unit(value: float) -> float:
    """Into [0, 1] and to four decimals, as scores are stored."""
    return round(min(1.0, max(0.0, value)), 4)
