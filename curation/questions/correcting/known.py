"""Rows of a file beside the questions that a project has: which are new, which are known, which are known
but say something else, and which bring an id that stands for another question.

`Inspector` looks at a file batch by batch, before anything is stored and while it is stored; an import
and the preview of one count with it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from curation.projects.models import Project
from curation.questions.correcting.changing import FIELDS, LINES, checked, difference
from curation.questions.correcting.sameness import content_hash, text_key
from curation.questions.formats import BadRow, Row
from curation.questions.models import Question, Split
from curation.questions.shapes.types import type_of_answer
from curation.text.clean import clean, clean_line

BY_ID, BY_TEXT = "id", "text"
TAKE_OVER = {
    "": "keep what the project has",
    BY_TEXT: "take over what differs, for questions of the same text",
    BY_ID: "take over what differs, for questions of the same id: their texts, too",
}


class Is(StrEnum):
    NEW = "new"
    SAME = "same"
    DIFFERS = "differs"
    ID_TAKEN = "id_taken"


@dataclass(frozen=True)
class Seen:
    """What a row is to the project. `differs` holds the new value of each field in which a known question
    differs; `known` the question's own values."""

    row: Row
    status: Is
    question_id: int | None = None
    differs: dict[str, Any] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    why: str = ""

    def shown(self) -> dict[str, Any]:
        """For the report of an import: both values of each field, cut to what a table can show."""
        return {
            "line": self.row.line,
            "question": self.question_id,
            "text": self.row.question[:200],
            "fields": {
                FIELDS[name]: [_short(self.known.get(name)), _short(value)]
                for name, value in self.differs.items()
            },
        }


def _short(value: Any) -> str:
    text = " | ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return text if len(text) <= 300 else f"{text[:300]}…"


def clean_row(row: Row, id_prefix: str = "") -> Row | BadRow:
    """The row with its texts as they are stored (`curation.text.clean`); a BadRow where one that is needed
    is empty then."""
    rationales = tuple(
        replace(
            one,
            # Labels of steps count characters of the text as it is.
            text=one.text if one.step_labels else clean(one.text),
            reasoning=clean(one.reasoning),
            teacher=clean_line(one.teacher)[:80] or "import",
        )
        for one in row.rationales
    )
    answer = clean(row.reference_answer or "") or None
    others = (clean(one) for one in row.other_answers)
    made = replace(
        row,
        question=clean(row.question),
        reference_answer=answer,
        other_answers=tuple(dict.fromkeys(one for one in others if one)),
        worked_solution=clean(row.worked_solution),
        choices=tuple(clean(one) for one in row.choices),
        id=clean_line(f"{id_prefix}{row.id}" if row.id else "")[: LINES["external_id"]],
        domain=clean_line(row.domain)[: LINES["domain"]],
        difficulty=clean_line(row.difficulty)[: LINES["difficulty"]],
        subset=clean_line(row.subset)[: LINES["subset"]],
        rationales=rationales,
    )
    if not made.question:
        return BadRow(
            row.line, "the question is empty: it holds blanks or invisible characters alone"
        )
    if row.reference_answer and not answer:
        return BadRow(row.line, "the answer holds blanks or invisible characters alone")
    for n, one in enumerate(rationales, 1):
        if not one.text:
            return BadRow(
                row.line, f"rationale {n} is empty: it holds blanks or invisible characters alone"
            )
    return made


def clean_rows(rows: Iterable[Row | BadRow], id_prefix: str = "") -> Iterable[Row | BadRow]:
    for row in rows:
        yield row if isinstance(row, BadRow) else clean_row(row, id_prefix)


def values_in(row: Row, split: str = "") -> dict[str, Any]:
    """The values that a row (as `clean_row` gives it) says of its question: what it leaves out is not
    among them, so nothing is taken over from it.

    split: that of the import, for rows that name none. It counts where it holds questions out: whoever
    imports rationales for held-out questions leaves it at `train`.
    """
    said: dict[str, Any] = {
        "text": row.question,
        "choices": list(row.choices),
        "reference_answer": row.reference_answer,
        "other_answers": list(row.other_answers),
        "answer_type": row.answer_type,
        "worked_solution": row.worked_solution,
        "domain": row.domain,
        "difficulty": row.difficulty,
        "split": row.split or (split if split != Split.TRAIN else ""),
        "subset": row.subset,
        "external_id": row.id,
    }
    return {name: value for name, value in said.items() if value}


class Inspector:
    """Looks at the rows of one file in order. It remembers of each row no more than its hashes."""

    def __init__(self, project: Project, split: str = "", take_over: str = "") -> None:
        self.project, self.split, self.take_over = project, split, take_over
        self.counts: Counter[str] = Counter()  # by status, and `twice`: doubled within the file
        self._hashes: set[bytes] = set()
        self._ids: dict[str, tuple[bytes, int]] = {}

    def look(self, rows: Sequence[Row]) -> list[Seen]:
        """What each of these rows is; they went through `clean_row` before."""
        hashes = [content_hash(row.question, row.choices) for row in rows]
        keys = [text_key(row.question) for row in rows]
        mine = Question.objects.filter(project=self.project)
        ids = {row.id for row in rows if row.id}
        by_hash = {one.content_hash: one for one in mine.filter(content_hash__in=hashes)}
        by_id = {
            one.external_id: one
            for one in (mine.filter(external_id__in=ids).order_by("-pk") if ids else ())
        }
        by_text: dict[int, list[Question]] = {}
        unknown = [key for key, one in zip(keys, hashes, strict=True) if one not in by_hash]
        for one in mine.filter(text_key__in=unknown) if unknown else ():
            by_text.setdefault(one.text_key, []).append(one)
        seen = []
        for row, digest, key in zip(rows, hashes, keys, strict=True):
            known = by_hash.get(digest)
            one = self._seen(row, digest, known, by_id.get(row.id), by_text.get(key, []))
            self.counts[one.status] += 1
            seen.append(one)
        return seen

    def _seen(
        self,
        row: Row,
        digest: str,
        known: Question | None,
        of_id: Question | None,
        of_text: list[Question],
    ) -> Seen:
        short = bytes.fromhex(digest[:32])
        if short in self._hashes:
            self.counts["twice"] += 1
        self._hashes.add(short)
        if row.id:
            first, line = self._ids.setdefault(row.id, (short, row.line))
            if first != short:
                return Seen(
                    row,
                    Is.ID_TAKEN,
                    why=f"the id {row.id!r} stands for another question in line {line:,}: an id names one "
                    "question. Give one of them another id",
                )
        if known is None and self.take_over == BY_ID:
            known = of_id
        elif known is None and len(of_text) == 1 and _may_be(row, of_text[0], self.take_over):
            known = of_text[0]
        if of_id is not None and (known is None or known.pk != of_id.pk):
            return Seen(
                row,
                Is.ID_TAKEN,
                of_id.pk,
                why=f"the id {row.id!r} is that of question #{of_id.pk} of this project, which has another "
                "text: import with a prefix for ids, or take over by id",
            )
        if known is None:
            return Seen(row, Is.NEW)
        said = values_in(row, self.split)
        if "text" in said and content_hash(row.question, ()) == content_hash(known.text, ()):
            del said["text"]  # another spelling of its blanks changes nothing
        new = difference(known, said)
        if new.get("answer_type") == type_of_answer(
            row.reference_answer, has_choices=bool(row.choices)
        ):  # what a row gets that says none
            del new["answer_type"]
        status = Is.DIFFERS if new else Is.SAME
        return Seen(row, status, known.pk, new, {name: getattr(known, name) for name in new})


def _may_be(row: Row, known: Question, take_over: str) -> bool:
    """Whether a question of the same text and other choices is the row's: by its id, or because it was
    asked for. Questions such as "Which of these is true?" are many."""
    return take_over == BY_TEXT or bool(row.id and row.id == known.external_id)


def taken_over(seen: Iterable[Seen]) -> dict[int, dict[str, Any]]:
    """By question, the values of `changing.change_questions` for what differs; of two rows about the same
    question the later one's."""
    wanted: dict[int, dict[str, Any]] = {}
    for one in seen:
        if one.status == Is.DIFFERS and one.question_id is not None:
            wanted.setdefault(one.question_id, {}).update(checked(one.differs))
    return wanted
