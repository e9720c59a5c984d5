"""From the first rows of a file to its mapping, with what people corrected taken over."""

import itertools
import re
from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping

from curation.questions.reading import Refused, Table
from curation.questions.rows import RowError
from curation.questions.shapes.choices import Tally
from curation.questions.shapes.columns import Column, Record, flat, profile
from curation.questions.shapes.mapping import Mapping
from curation.questions.shapes.nested import spread
from curation.questions.shapes.proposing.answers import choices_of, options_in_questions
from curation.questions.shapes.proposing.propose import propose
from curation.questions.shapes.stepwise import is_shepherd
from curation.questions.shapes.values import is_nothing

LOOKED_AT = 1_000  # rows
NATIVE = {
    "question": "question",
    "reference_answer": "reference_answer",
    "answer": "reference_answer",
    "worked_solution": "worked_solution",
    "reference_chain": "worked_solution",  # its name until 2026-11-29
    "answer_type": "answer_type",
    "choices": "choices",
    "id": "id",
    "domain": "domain",
    "difficulty": "difficulty",
    "split": "split",
    "subset": "subset",
    "rationales": "rationales",
    "metadata": "metadata",
}


def records(table: Table) -> Iterator[tuple[int, Record | RowError]]:
    """The rows of a table, flat, each question of one that holds several apart."""
    last = 0
    for number, record in table.rows():
        if isinstance(record, RowError):
            last = max(number, last + 1)
            yield last, record
            continue
        for one in spread(record):
            # Each its own number, in order: an import goes on after the last that it wrote.
            last = max(number, last + 1)
            yield last, flat(one)


def first_records(table: Table, most: int = LOOKED_AT) -> list[Record]:
    good = (r for _, r in itertools.islice(records(table), 2 * most) if not isinstance(r, RowError))
    return list(itertools.islice(good, most))


def understand(
    table: Table,
    sample: list[Record] | None = None,
    given: AnyMapping[str, str] | None = None,
    preset: str = "",
) -> Mapping:
    """The mapping of a table. `given` says of some columns what they become. Raises Refused where no
    column is the question."""
    sample = first_records(table) if sample is None else sample
    if preset == "chainwright":
        roles = {name: NATIVE.get(name, "unused") for name in profile(sample)} or dict(NATIVE)
        roles = {**{name: role for name, role in NATIVE.items() if name in roles}, **roles}
    else:
        roles = propose(sample)
        if not table.has_head:
            roles = _without_head(sample, roles)
    if given:
        roles = corrected(roles, given)
    if not sample:
        return Mapping({"question": "question"}, is_strict=preset == "chainwright")
    return complete(roles, sample, table, is_strict=preset == "chainwright")


def corrected(roles: dict[str, str], given: AnyMapping[str, str]) -> dict[str, str]:
    """The proposed roles with what a person said: a role that holds once is given up by the others."""
    once = {
        "question",
        "id",
        "domain",
        "difficulty",
        "split",
        "reference_answer",
        "answer_type",
        "messages",
    }
    taken = {role.partition(":")[0] for role in given.values()} & once
    unknown = [name for name in given if name not in roles]
    if unknown:
        raise Refused(
            f"The file has no column {unknown[0]!r}. It has: {', '.join(list(roles)[:40]) or 'none'}."
        )
    kept = {
        name: "unused" if name not in given and role.partition(":")[0] in taken else role
        for name, role in roles.items()
    }
    return {**kept, **given}


def complete(
    roles: dict[str, str], sample: list[Record], table: Table, *, is_strict: bool = False
) -> Mapping:
    """A mapping under these roles, with what the rows say of how they are meant. Raises Refused where no
    column is the question."""
    by_role: dict[str, list[str]] = {}
    for name, role in roles.items():
        by_role.setdefault(role.partition(":")[0], []).append(name)
    asked = by_role.get("question", []) + by_role.get("messages", [])
    chats = [
        n for n in by_role.get("rationale", []) if any(isinstance(r.get(n), list) for r in sample)
    ]
    if not asked and not chats:
        raise Refused(_no_question(roles, table))
    found = Mapping(roles, is_strict=is_strict)
    _read_right_choices(found, by_role, sample)
    question = by_role.get("question", [])
    found.lists = frozenset(
        n for n in question if _mostly(sample, n) in ("texts", "lists", "objects")
    )
    answers = by_role.get("right_choice", []) + by_role.get("reference_answer", [])
    has_choices = by_role.get("choices") or by_role.get("choice") or by_role.get("wrong_choice")
    if question and answers and not has_choices:
        found.cuts_options = options_in_questions(sample, question[0], answers)
    found.has_references = bool(answers or by_role.get("other_answers"))
    found.is_shepherd = bool(question) and any(is_shepherd(r.get(question[0])) for r in sample[:20])
    _read_steps(found, by_role, sample)
    return found


def _read_right_choices(
    found: Mapping, by_role: dict[str, list[str]], sample: list[Record]
) -> None:
    ambiguous = []
    for name in by_role.get("right_choice", []):
        tally = Tally()
        for record in sample:
            value = record.get(name)
            choices = None if is_nothing(value) else choices_of(record, found.roles)
            if choices is not None:
                tally.take(value, choices)
        found.reads[name] = tally.best(found.first_number) or "label"
        if tally.is_ambiguous:
            ambiguous.append(name)
    found.ambiguous = tuple(ambiguous)


def _read_steps(found: Mapping, by_role: dict[str, list[str]], sample: list[Record]) -> None:
    for name in by_role.get("step_labels", []):
        values = [v for r in sample if isinstance(r.get(name), list) for v in r[name]]
        found.has_minus = any(isinstance(v, int | float) and v < 0 for v in values)
    for name in by_role.get("first_wrong_step", []):
        # Numbers from 0 say -1 where no step is wrong; numbers from 1 say 0 or nothing.
        numbers = [int(r[name]) for r in sample if re.fullmatch(r"-?\d+", str(r.get(name)))]
        found.steps_from_zero = any(n < 0 for n in numbers) or 0 in numbers


def _mostly(sample: list[Record], name: str) -> str:
    column = Column(name)
    for record in sample:
        column.take(record.get(name))
    return column.kind


def _no_question(roles: dict[str, str], table: Table) -> str:
    names = list(roles)[:30]
    more = f" and {len(roles) - 30} more" if len(roles) > 30 else ""
    if not names:
        return f"This is {table.kind}, and no row of it could be read."
    return (
        f"This is {table.kind}, and none of its columns looks like a question. "
        f"It has: {', '.join(names)}{more}. Say which one is the question."
    )


def _without_head(sample: list[Record], roles: dict[str, str]) -> dict[str, str]:
    """A table without names: the first column of sentences is the question, short ones after it are its
    choices where the last names one of them, and the last is the answer."""
    columns = [c for c in profile(sample).values() if c.seen]
    if any(role == "question" for role in roles.values()) or len(columns) < 2:
        return roles
    rows = [c for c in columns if not all(re.fullmatch(r"\d+", str(v)) for v in c.values)]
    first = max(rows or columns, key=lambda c: c.median_length)
    if not any(" " in str(v).strip() or "?" in str(v) for v in first.values):
        return roles  # words, not sentences
    place = columns.index(first)
    made = dict.fromkeys(roles, "unused")
    made[first.name] = "question"
    after = columns[place + 1 :]
    if len(after) >= 3 and all(
        re.fullmatch(r"[A-Ja-j1-9]", str(v).strip()) for v in after[-1].values
    ):
        for column in after[:-1]:
            made[column.name] = "choice"
        made[after[-1].name] = "right_choice"
    elif after:
        made[after[-1].name] = "reference_answer"
    return made


def kind_of_file(found: Mapping) -> str:
    """What the file looks like, in a few words: "multiple choice with a passage"."""
    has = {role.partition(":")[0] for role in found.roles.values()}
    parts = []
    if has & {"choices", "choice", "wrong_choice"} or found.cuts_options:
        parts.append("multiple choice")
    elif "messages" in has:
        parts.append("conversations")
    elif has & {"reference_answer", "right_choice"}:
        parts.append("questions with answers")
    else:
        parts.append("questions")
    if "context" in has:
        parts.append("with a passage")
    if has & {"rationale", "rationales", "steps"}:
        parts.append("with rationales")
    if has & {"step_labels", "first_wrong_step"} or found.is_shepherd:
        parts.append("whose steps are labelled")
    return " ".join(parts)
