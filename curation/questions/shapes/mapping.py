"""What each column of a file becomes, as one value that can be stored, shown and corrected."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from typing import Any

from curation.questions.shapes.names import ROLES
from curation.questions.shapes.proposing.families import number_of


@dataclass
class Mapping:
    """roles: of each column, `role` or `role:argument` (a teacher's name, the rationale that a verdict
    speaks of); reads: how a column names the right choice (`label`, `text`, `0`, `1`, `score`);
    cuts_options: the choices stand in the question's text; lists: columns whose questions are lists;
    has_references: some column holds them; the rest says how steps are counted."""

    roles: dict[str, str]
    reads: dict[str, str] = field(default_factory=dict)
    cuts_options: bool = False
    lists: frozenset[str] = frozenset()
    has_references: bool = False
    is_shepherd: bool = False
    steps_from_zero: bool = True
    has_minus: bool = False
    is_strict: bool = False
    ambiguous: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def first_number(self) -> int | None:
        """The number of the first choice, where choices have columns with numbers."""
        names = self.columns("choice")
        return number_of(names[0].rsplit(".", 1)[-1]) if names else None

    def columns(self, role: str) -> list[str]:
        return [name for name, one in self.roles.items() if one.partition(":")[0] == role]

    def unused(self) -> list[str]:
        return self.columns("unused")

    def as_json(self) -> dict[str, Any]:
        return {
            "roles": self.roles,
            "reads": self.reads,
            "cuts_options": self.cuts_options,
            "lists": sorted(self.lists),
            "has_references": self.has_references,
            "is_shepherd": self.is_shepherd,
            "steps_from_zero": self.steps_from_zero,
            "has_minus": self.has_minus,
            "is_strict": self.is_strict,
            "ambiguous": list(self.ambiguous),
            "notes": self.notes,
        }

    @classmethod
    def from_json(cls, value: AnyMapping[str, Any]) -> "Mapping":
        return cls(
            **{
                **value,
                "lists": frozenset(value.get("lists", ())),
                "ambiguous": tuple(value.get("ambiguous", ())),
            }
        )


def role_problem(role: str) -> str:
    """Why this is no role; "" where it is one."""
    kind = role.partition(":")[0]
    if kind in ROLES:
        return ""
    return f"{kind!r} is nothing that a column can become: choose one of {', '.join(ROLES)}."
