"""Rationales in steps with a label each: PRM800K, Math-Shepherd, lists of steps with ratings."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from curation.questions.rows import RationaleRow, RowError, storable
from curation.questions.shapes.finals import final_answer

SHEPHERD = "ки"
_STEP = re.compile(r"Step 1\s{0,3}:")
StepLabel = tuple[int, int, int]
MAX_STEPS = 2_000


def joined(texts: Sequence[str], labels: Sequence[int | None]) -> tuple[str, tuple[StepLabel, ...]]:
    """(text of all steps, one a line; (start, end, label) of each that has a label, in characters)."""
    parts: list[str] = []
    spans: list[StepLabel] = []
    at = 0
    for n, step in enumerate(texts):
        step = unicodedata.normalize("NFC", re.sub(r"\r\n?", "\n", step)).strip()
        label = labels[n] if n < len(labels) else None
        if label is not None and step:
            spans.append((at, at + len(step), label))
        parts.append(step)
        at += len(step) + 1
    return "\n".join(parts), tuple(spans)


def label_of(value: Any, *, has_minus: bool, zero_is_neutral: bool) -> int | None:
    """1, 0 or -1 of a rating, a bool, + or -. Where a file says no -1, its 0 is wrong, unless the column is
    one of ratings."""
    if value is None:
        return None
    if isinstance(value, list):
        return (
            label_of(value[0], has_minus=has_minus, zero_is_neutral=zero_is_neutral)
            if value
            else None
        )
    if isinstance(value, bool):
        return 1 if value else -1
    if isinstance(value, str):
        word = value.strip().lower()
        known = {"+": 1, "-": -1, "good": 1, "bad": -1, "correct": 1, "incorrect": -1, "neutral": 0}
        return known.get(word)
    if value > 0:
        return 1
    if value < 0:
        return -1
    return 0 if has_minus or zero_is_neutral else -1


def from_lists(
    steps: Any, labels: Any, teacher: str, *, name: str, zero_is_neutral: bool, has_minus: bool
) -> RationaleRow | None:
    """A rationale from a list of steps and one of labels. None where there are no steps."""
    if isinstance(steps, str):
        return RationaleRow(teacher, storable(steps.strip(), name)) if steps.strip() else None
    texts = [one[0] if isinstance(one, list) and one else one for one in steps or ()]
    if isinstance(texts, list) and texts and isinstance(texts[0], dict):
        texts = [
            next((one[k] for k in ("text", "content", "step", "value") if one.get(k)), "")
            for one in texts
        ]
    if not texts or len(texts) > MAX_STEPS or not all(isinstance(one, str) for one in texts):
        return None
    marks: list[int | None] = []
    if isinstance(labels, list):
        marks = [label_of(v, has_minus=has_minus, zero_is_neutral=zero_is_neutral) for v in labels]
    text, spans = joined(texts, marks)
    return RationaleRow(teacher, storable(text, name), None, None, "", spans)


def from_first_wrong(steps: Any, first: Any, base: int) -> list[int | None]:
    """Labels of steps from the number of the first wrong one: those before are good, of those after nothing
    is known. A negative number (or nothing) says that all are good."""
    count = len(steps) if isinstance(steps, list) else 0
    if isinstance(first, str):
        first = -1 if first.strip().lower() == "n/a" else first.strip()
        first = int(first) if str(first).lstrip("-").isdigit() else None
    if isinstance(first, list) and first:
        first = first[0]
    if isinstance(first, bool) or not isinstance(first, int | float):
        return []
    place = int(first) - base
    if first < 0 or place < 0:
        return [1] * count
    return [1 if n < place else -1 if n == place else None for n in range(count)]


def prm800k(label: Any, teacher: str) -> RationaleRow | None:
    """PRM800K's `label`: of each step the completion that was chosen (or the human's), with its rating."""
    if not isinstance(label, list) or not label:
        return None
    texts: list[str] = []
    marks: list[int | None] = []
    for step in label[:MAX_STEPS]:
        if not isinstance(step, dict):
            raise RowError("label.steps must be a list of objects")
        completions = [c for c in step.get("completions") or () if isinstance(c, dict)]
        chosen, human = step.get("chosen_completion"), step.get("human_completion")
        found = None
        if isinstance(chosen, int) and 0 <= chosen < len(completions):
            found = completions[chosen]
        elif isinstance(human, dict):
            found = human
        elif isinstance(human, str) and human:
            found = {"text": human, "rating": 1}
        elif completions:
            found = completions[0]
        if found is None:
            continue
        texts.append(str(found.get("text") or ""))
        marks.append(label_of(found.get("rating"), has_minus=True, zero_is_neutral=True))
    text, spans = joined(texts, marks)
    if not text.strip():
        return None
    return RationaleRow(teacher, storable(text, "label.steps"), None, None, "", spans)


def is_prm800k(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and isinstance(value[0], dict)
        and "completions" in value[0]
    )


def is_shepherd(value: Any) -> bool:
    return isinstance(value, str) and SHEPHERD in value and "Step 1" in value


def shepherd(text: str, label: str) -> tuple[str, str, RationaleRow | None]:
    """(question, reference answer, rationale) of a row of Math-Shepherd. Its labels say whether the right
    answer was still reached from a step: so a good last one makes the answer right."""
    found = _STEP.search(text)
    if not found:
        raise RowError("there is no “Step 1:” in input")
    question = text[: found.start()].strip()
    pieces = [p.strip() for p in text[found.start() :].split(SHEPHERD)]
    texts = [p for p in pieces if p]
    marks = _marks(text, label, found.start()) if isinstance(label, str) else []
    labels: list[int | None] = [label_of(m, has_minus=True, zero_is_neutral=True) for m in marks]
    shown, spans = joined(texts, labels)
    if not shown:
        return question, "", None
    known = labels[len(texts) - 1] if len(labels) >= len(texts) else None
    is_right = None if known is None else known > 0
    answer = final_answer(texts[-1]) if is_right else ""
    row = RationaleRow("Math-Shepherd", storable(shown, "input"), None, is_right, "", spans)
    return question, answer, row


def _marks(text: str, label: str, start: int) -> list[str]:
    """The + and - that stand in `label` where `text` has its mark."""
    found: list[str] = []
    at = 0
    for piece in text.split(SHEPHERD)[:-1]:
        place = label.find(piece, at)
        if place < 0:
            return []
        at = place + len(piece)
        found.append(label[at : at + 1])
    return found
