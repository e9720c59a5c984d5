"""Rationales that say the same in nearly the same words: the bench folds them behind the first."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from curation.reviews.bench.rationales import RationaleView

# What two rationales must share of their words (Dice's coefficient of multisets) to be twins. Of the 4,200
# pairs of published GSM8K solutions by four teachers to one question, 35 fold: the same sums in the same
# order, with a "so" more or an "all three" less.
LIKE = 0.9
LONGEST = 20_000

LABEL = re.compile(r"(?m)^[^\S\n]*(?:(?:step\s*)?\d+\s*[.:)]|[-*•]|#{1,4})\s+", re.IGNORECASE)
MARK = re.compile(r"<<[^<>\n]{0,200}>>")
WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[=+\-*/<>%^]")
SIGNS = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "$": " ", "\\": " "})
NEGATIONS = {"not", "no", "never", "without", "isn", "doesn", "cannot", "except"}


@dataclass(frozen=True)
class Words:
    """A rationale's text after normalising: case, labels of steps, calculator marks, spaces and most signs
    make no difference."""

    sums: tuple[str, ...]
    words: Counter[str]

    def like(self, other: "Words") -> bool:
        """The same numbers and operators in the same order, and nearly the same words around them; a
        "not" more or less makes another rationale."""
        if self.sums != other.sums:
            return False
        if self.words == other.words:
            return True
        total = self.words.total() + other.words.total()
        common = (self.words & other.words).total()
        if 2 * common < LIKE * total:
            return False
        apart = (self.words - other.words) | (other.words - self.words)
        return not NEGATIONS & apart.keys()


def words_of(text: str) -> Words:
    plain = LABEL.sub("", MARK.sub("", text[:LONGEST])).translate(SIGNS).lower()
    found = WORD.findall(plain)
    return Words(
        tuple(word for word in found if not word[0].isalpha()),
        Counter(word for word in found if word[0].isalpha()),
    )


def name_twins(rationales: Sequence[RationaleView]) -> None:
    """Give every open rationale that is like an earlier open one the letter of that one
    (`twin_of`). Rationales with different answers or grades are never twins, nor texts too long to
    compare."""
    heads: list[tuple[RationaleView, Words]] = []
    for rationale in rationales:
        if rationale.locked or len(rationale.rationale.text) > LONGEST:
            continue
        words = words_of(rationale.rationale.text)
        for head, head_words in heads:
            if _answer(head) == _answer(rationale) and head_words.like(words):
                rationale.twin_of = head.letter
                break
        else:
            heads.append((rationale, words))


def _answer(rationale: RationaleView) -> tuple[str, str | None]:
    return rationale.grade, rationale.score.answer if rationale.score else None
