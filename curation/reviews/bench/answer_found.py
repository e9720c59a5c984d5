"""How a rationale's answer was found: where it stands, by which rule, and what was compared."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from curation.rationales.models import Rationale, ReadingCase, Score
from curation.reviews.bench.rationales import grade_of

# How an answer was found (`answer_method` of the scorer's details), in words.
RULES = {
    "boxed": "It stands in a \\boxed{…}.",
    "hash": "It stands after the mark ####.",
    "a-line": "It stands on the line that begins with “A:”.",
    "answer-is": "It follows words that name the answer, such as “the answer is”.",
    "choice": "Words name it as the choice, such as “Option B”.",
    "tag": "It stands in a tag <answer>.",
    "json": "It stands in a field “answer” of JSON.",
    "denied": "Words say only what the answer is not.",
    "conclusion": "It was read from the concluding sentence; nothing marks it as the answer.",
    "bare": "The whole text is nothing but an answer.",
    "person": "A person read it.",
    "none": "No rule found an answer.",
    "cut-off": "The text was cut off before it gave an answer.",
    "empty": "The rationale is empty.",
    "refusal": "The model refused to answer.",
    "ambiguous": "It can be read as more than one answer.",
}
AROUND = 6_000  # characters shown on each side of the answer; a longer text is cut there
OPEN, CLOSE = "<think>", "</think>"


@dataclass(frozen=True)
class Piece:
    """A part of the text. is_thought: the model thought it before its final text."""

    text: str
    is_thought: bool
    is_answer: bool


@dataclass(frozen=True)
class AnswerFound:
    """What the page shows. `before` and `after`: characters that are not shown; `place` says in words where
    the answer stands."""

    pieces: list[Piece]
    before: int
    after: int
    rule: str
    method: str
    start: int
    end: int
    answer: str | None
    read: str
    reference: str
    reference_read: str
    reason: str
    grade: str
    grade_words: str
    own: dict[str, Any] | None

    @property
    def place(self) -> str:
        if self.start < 0:
            return ""
        in_thought = any(one.is_answer and one.is_thought for one in self.pieces)
        where = ", in the thought" if in_thought else ""
        return f"characters {self.start + 1:,} to {self.end:,}{where}"


def answer_found(rationale: Rationale) -> AnswerFound:
    score: Score | None = getattr(rationale, "score", None)
    detail = score.detail if score else {}
    grade, words, why = grade_of(rationale.question, score, detail)
    start, end = detail.get("answer_start", -1), detail.get("answer_end", -1)
    if not (
        isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(rationale.text)
    ):
        start = end = -1
    method = detail.get("answer_method") or ""
    pieces, before, after = _pieces(rationale.text, start, end)
    own = detail.get("own")
    return AnswerFound(
        pieces=pieces,
        before=before,
        after=after,
        rule=RULES.get(
            method, f"Rule: {method.replace('-', ' ').replace('_', ' ')}." if method else ""
        ),
        method=method,
        start=start,
        end=end,
        answer=score.answer if score else None,
        read=detail.get("answer_read") or "",
        reference=detail.get("reference") or rationale.question.reference_answer or "",
        reference_read=detail.get("reference_read") or "",
        reason=detail.get("reason") or why,
        grade=grade,
        grade_words=words,
        own=own,
    )


def _pieces(text: str, start: int, end: int) -> tuple[list[Piece], int, int]:
    """The text in parts, around the answer or its end; and how much of it is left out on each side."""
    center = start if start >= 0 else len(text)
    first = max(0, center - AROUND)
    last = min(len(text), max(end, center) + AROUND)
    opened, closed = text.find(OPEN), text.rfind(CLOSE)
    final = closed + len(CLOSE) if closed >= 0 else len(text) if opened >= 0 else 0
    cuts = sorted({first, last, *(n for n in (start, end, final) if first < n < last)})
    pieces = []
    for a, b in pairwise(cuts):
        pieces.append(Piece(text[a:b], b <= final, 0 <= start <= a and b <= end))
    return pieces, first, len(text) - last


def case_of(rationale: Rationale) -> ReadingCase | None:
    return ReadingCase.objects.filter(rationale=rationale).select_related("created_by").first()
