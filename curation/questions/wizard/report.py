"""What the rows of a file would do, counted: shown before anything is stored, and kept with the import."""

from collections import Counter
from typing import Any

from curation.questions.reading import Table
from curation.questions.rows import Row
from curation.questions.shapes.choices import Tally
from curation.questions.shapes.columns import Record, profile, shortened
from curation.questions.shapes.mapping import Mapping
from curation.questions.shapes.types import problem_of
from curation.questions.shapes.understand import kind_of_file

SHOWN = 50
# Upper ends of the histogram of lengths, in characters of a question.
LENGTHS = (50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800)
LETTERS = "the choices' letters", "their texts", "numbers from 0", "numbers from 1", "scores"
READS = dict(zip(("label", "text", "0", "1", "score"), LETTERS, strict=True))


class Report:
    """Counts rows as they come. `counts`: rows; by their status new, same, differs, id_taken, and twice (in
    the file); no_reference, no_right_choice, unread (references that are not of their type); rationales,
    right, wrong, no_verdict, labelled_steps."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.types: Counter[str] = Counter()
        self.lengths: Counter[int] = Counter()
        self.splits: Counter[str] = Counter()
        self.teachers: Counter[str] = Counter()
        self.warnings: list[dict[str, Any]] = []

    def take(self, row: Row, status: str = "") -> None:
        counts = self.counts
        counts["rows"] += 1
        if status:
            counts[status] += 1
        self.lengths[_bucket(len(row.question))] += 1
        self.types[row.answer_type or "none"] += 1
        if row.split:
            self.splits[row.split] += 1
        for one in row.rationales:
            counts["rationales"] += 1
            self.teachers[one.teacher] += 1
            said = one.labelled_right
            counts["no_verdict" if said is None else "right" if said else "wrong"] += 1
            counts["labelled_steps"] += len(one.step_labels)
        self._look_at_reference(row)

    def _look_at_reference(self, row: Row) -> None:
        if row.reference_answer is None:
            kind = "no_right_choice" if row.choices else "no_reference"
            self.counts[kind] += 1
            self._warn(
                row, "no choice is named as the right one" if row.choices else "no reference"
            )
            return
        if row.choices:
            if not _names_choices(row):
                self.counts["unread"] += 1
                shown = shortened(row.reference_answer, 60)
                self._warn(
                    row, f"the reference “{shown}” is none of the {len(row.choices)} choices"
                )
            return
        if problem := problem_of(row.reference_answer, row.answer_type):
            self.counts["unread"] += 1
            self._warn(row, f"the reference “{shortened(row.reference_answer, 60)}” {problem}")

    def _warn(self, row: Row, message: str) -> None:
        if len(self.warnings) < SHOWN:
            self.warnings.append({"line": row.line, "message": message})

    def as_json(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "types": dict(self.types.most_common()),
            "lengths": [[end, self.lengths[end]] for end in (*LENGTHS, 0)],
            "splits": dict(self.splits),
            "teachers": dict(self.teachers.most_common(20)),
            "warnings": self.warnings,
        }


def _bucket(length: int) -> int:
    """The upper end of the histogram's bar; 0 is the last, without one."""
    return next((end for end in LENGTHS if length <= end), 0)


def _names_choices(row: Row) -> bool:
    """Is each reference a letter of the row's choices?"""
    most = len(row.choices)
    for answer in (row.reference_answer or "", *row.other_answers):
        for part in answer.split(", "):
            if not (part.isascii() and part.isalpha() and part.isupper() and len(part) <= 2):
                return False
            place = 0
            for letter in part:
                place = place * 26 + ord(letter) - 64
            if place > most:
                return False
    return True


def about_file(table: Table, mapping: Mapping, sample: list[Record]) -> dict[str, Any]:
    """What a file is and what becomes of its columns, for pages, the API and the command."""
    columns = profile(sample)
    unused = [
        {"column": name, "example": columns[name].example() if name in columns else ""}
        for name in mapping.unused()
        if name not in columns or columns[name].seen
    ]
    notes = [*table.notes, *notes_of(mapping)]
    if table.left_out:
        names = ", ".join(table.left_out[:5])
        notes.append(f"Pictures and other bytes are not read: {names}.")
    return {
        "kind": table.kind,
        "looks_like": kind_of_file(mapping),
        "roles": mapping.roles,
        "reads": mapping.reads,
        "ambiguous": list(mapping.ambiguous),
        "unused": unused,
        "notes": notes,
    }


def notes_of(mapping: Mapping) -> list[str]:
    """What somebody should know of how the file is read."""
    notes = []
    for name, how in mapping.reads.items():
        if name in mapping.ambiguous:
            other = "1" if how == "0" else "0"
            notes.append(
                f"“{name}” is read as {READS[how]}; all of it also fits {READS[other]}: look at a row, "
                "and say which it is where this is wrong."
            )
    if mapping.columns("wrong_choice"):
        notes.append(
            "The right answer stands among the wrong ones in an order drawn for each question."
        )
    if mapping.cuts_options:
        notes.append("The choices are taken out of the questions' texts.")
    if not mapping.has_references and any(
        mapping.columns(role) for role in ("rationale", "messages")
    ):
        notes.append(
            "No column holds reference answers: where a text says its answer, that is the reference."
        )
    return notes


def settled(mapping: Mapping, tallies: dict[str, Tally], first_number: int | None = None) -> bool:
    """Correct how the right choices are read by what all rows say; True where something changed."""
    changed = False
    ambiguous = []
    for name, tally in tallies.items():
        best = tally.best(first_number)
        if tally.is_ambiguous:
            ambiguous.append(name)
        if best and tally.fits[best] > tally.fits[mapping.reads.get(name, "label")]:
            mapping.reads[name] = best
            changed = True
    mapping.ambiguous = tuple(ambiguous)
    return changed


SENTENCES = {
    "new": "New questions",
    "same": "Known, the same",
    "differs": "Known, but different",
    "twice": "Twice in the file",
    "id_taken": "An id of another question",
    "no_right_choice": "No right choice",
    "no_reference": "Without a reference",
    "unread": "References that cannot be read",
    "bad": "Rows that cannot be read",
    "rationales": "Rationales",
    "right": "of them right by the file",
    "wrong": "of them wrong by the file",
    "labelled_steps": "Steps with a label",
}
BAD = ("id_taken", "no_right_choice", "bad")
WARN = ("differs", "no_reference", "unread", "twice")


def counted(counts: dict[str, int]) -> list[dict[str, Any]]:
    """The counts of a report for people: what, how many, and whether to look."""
    return [
        {
            "name": name,
            "says": words,
            "count": counts.get(name, 0),
            "mark": "bad" if name in BAD else "warn" if name in WARN else "",
        }
        for name, words in SENTENCES.items()
        if counts.get(name) or name == "new"
    ]


def sentences(report: dict[str, Any]) -> list[str]:
    """A report in words, a line each, for the command."""
    if not report:
        return []
    lines = [f"This is {report['kind']}. It looks like {report['looks_like']}."]
    lines += [f"  {name} -> {role}" for name, role in report["roles"].items() if role != "unused"]
    lines += [
        f"  {one['column']} is not used (such as {one['example']})" for one in report["unused"]
    ]
    lines += report["notes"]
    lines += [f"{one['says']}: {one['count']:,}" for one in counted(report["counts"])]
    if report["types"]:
        types = ", ".join(f"{name} {n:,}" for name, n in report["types"].items())
        lines.append(f"Types: {types}")
    lines += [f"line {one['line']}: {one['message']}" for one in report["warnings"][:20]]
    return lines
