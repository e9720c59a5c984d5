"""Columns that belong together: option_a, option_b, …; A, B, C, D; distractor1, distractor2."""

from collections.abc import Sequence
from dataclasses import dataclass

from curation.questions.shapes.columns import Column
from curation.questions.shapes.names import FAMILY, WRONG


@dataclass(frozen=True)
class Family:
    """names: the columns in order; first: what their first is called, `a`, `0` or `1`."""

    names: tuple[str, ...]
    first: str
    is_wrong: bool


def choice_families(columns: Sequence[Column]) -> list[Family]:
    """The families of at least two choices, those of right and wrong ones mixed first."""
    found: dict[str, list[tuple[str, Column]]] = {}
    for column in columns:
        match = FAMILY.match(column.last)
        if match and column.kind in ("text", "number", "bool"):
            stem = f"{column.key.rpartition('.')[0]}|{match[1]}"
            found.setdefault(stem, []).append((match[2], column))
    families = []
    for stem, members in found.items():
        members.sort(key=lambda one: (int(one[0]) if one[0].isdigit() else -1, one[0]))
        run = _run(members)
        if len(run) < 2:
            continue
        is_wrong = bool(WRONG.search(stem))
        families.append(Family(tuple(c.name for _, c in run), run[0][0], is_wrong))
    return sorted(families, key=lambda one: (one.is_wrong, -len(one.names)))


def _run(members: list[tuple[str, Column]]) -> list[tuple[str, Column]]:
    """Those that follow one another from a, 0 or 1 on."""
    run: list[tuple[str, Column]] = []
    for suffix, column in members:
        number = int(suffix) if suffix.isdigit() else ord(suffix) - 96
        if not run and number > 1:
            return []
        if run:
            last = run[-1][0]
            before = int(last) if last.isdigit() else ord(last) - 96
            if number != before + 1:
                break
        run.append((suffix, column))
    return run


def number_of(name: str) -> int | None:
    """The number that a choice's name ends with."""
    digits = name[len(name.rstrip("0123456789")) :]
    return int(digits) if digits else None
