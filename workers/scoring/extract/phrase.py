"""A piece of a rationale with its place."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of the rationale: text == rationale[start:end] up to cut-away marks."""

    text: str
    start: int
    end: int

    def part(self, start: int, end: int, text: str = "") -> "Phrase":
        """The phrase between two places of its own text, without spaces at its ends."""
        piece = self.text[start:end]
        lead = len(piece) - len(piece.lstrip())
        piece = piece.strip()
        at = self.start + start + lead
        return Phrase(text or piece, at, at + len(piece))


def last_of(found: Iterable):
    """The last of what an iterator gives, None where it gives nothing."""
    kept = deque(found, maxlen=1)
    return kept[0] if kept else None
