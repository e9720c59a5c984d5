"""A comparison that was given up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CannotCompare:
    """A comparison that was given up: why, in words for a person; is_ambiguous: one of them can be read in
    two ways."""

    reason: str
    is_ambiguous: bool = False
