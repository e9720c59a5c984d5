"""What differs between two texts, word by word, for pages that show an edit beside its rationale."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

WORDS = re.compile(r"\S+\s*|\s+")
LINES = re.compile(r"[^\n]*\n|[^\n]+")
# Comparing takes up to the product of both lengths: longer texts are compared line by line, and ones
# with more lines are shown whole.
MOST_WORDS = 2_500
MOST_LINES = 2_500


@dataclass(frozen=True)
class Piece:
    """A stretch of text: `kind` is same, out (only before) or in (only after)."""

    kind: str
    text: str


def differences(before: str, after: str) -> list[Piece]:
    """`before` turned into `after`, in order: the pieces that are same or out give `before` again,
    those that are same or in give `after`."""
    for cut, most in ((WORDS, MOST_WORDS), (LINES, MOST_LINES)):
        old, new = cut.findall(before), cut.findall(after)
        if max(len(old), len(new)) <= most:
            return _compared(old, new)
    return [Piece("out", before), Piece("in", after)]


def _compared(old: list[str], new: list[str]) -> list[Piece]:
    pieces = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(old[a:b])))
            continue
        if a < b:
            pieces.append(Piece("out", "".join(old[a:b])))
        if c < d:
            pieces.append(Piece("in", "".join(new[c:d])))
    return pieces
