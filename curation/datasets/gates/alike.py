"""Texts that are nearly the same: exact Jaccard over 5-character shingles, the pairs to look at found by
MinHash (rensa) or, against a shorter list, by counting all shared shingles.

Settings as measured on questions of GSM8K against SVAMP before any of this was written: J >= 0.5 finds
renumbered, renamed and reordered copies and nearly all with ten synonyms; longer shingles miss most of them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

WIDTH = 5  # characters of a shingle
LEAK = 0.5  # a question that shares so much with a held-out one is looked at
DUPLICATE = 0.8  # rationales that share so much say the same
PERMUTATIONS, ROWS = (
    128,
    4,
)  # of the sketches, and of a band: 32 bands meet J 0.8 in 9,999 of 10,000 pairs
PIECE = 2_000  # texts that are sketched at a time
COMPARED = 4  # texts of a band's bucket that each of it is compared with

_NOT_WORDS = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"\d+(?: \d+)*")


def normal(text: str) -> str:
    """Lower case, without punctuation and accents' other spellings, words parted by one space."""
    return _NOT_WORDS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def masked(text: str) -> str:
    """A normal text with every number as 0."""
    return _NUMBER.sub("0", text)


def shingles(text: str) -> frozenset[str]:
    """Of a normal text; one that is shorter than a shingle is one by itself."""
    if len(text) <= WIDTH:
        return frozenset((text,)) if text else frozenset()
    return frozenset(text[n : n + WIDTH] for n in range(len(text) - WIDTH + 1))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def near_duplicates(
    texts: Sequence[str], threshold: float = DUPLICATE
) -> Iterator[tuple[int, int, float]]:
    """(earlier, later, J) for each text that is nearly the same as an earlier one: with the earliest of
    those that it was compared with. Texts are normal ones. Memory: about 700 bytes a text."""
    import numpy as np
    from rensa import RMinHash

    if len(texts) < 2:
        return
    sketches = np.empty((len(texts), PERMUTATIONS), np.uint32)
    for start in range(0, len(texts), PIECE):
        sets = [list(shingles(text)) or [""] for text in texts[start : start + PIECE]]
        made = RMinHash.digests_from_token_sets(sets, PERMUTATIONS, 42)
        sketches[start : start + len(sets)] = np.asarray(made, np.uint32)
    found: dict[int, tuple[int, float]] = {}
    for first, later in _pairs(sketches, threshold):
        if later in found and found[later][0] <= first:
            continue
        like = jaccard(shingles(texts[first]), shingles(texts[later]))
        if like >= threshold:
            found[later] = (first, like)
    for later, (first, like) in sorted(found.items()):
        yield first, later, like


def _pairs(sketches, threshold: float) -> Iterator[tuple[int, int]]:
    """Pairs whose sketches agree in a band and by and large as much as is asked, each once."""
    import numpy as np

    count = len(sketches)
    pairs = np.empty(0, np.int64)
    for band in range(0, PERMUTATIONS, ROWS):
        keys = np.ascontiguousarray(sketches[:, band : band + ROWS]).view(np.uint64)
        keys = keys[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ keys[:, 1]
        order = np.argsort(keys, kind="stable")
        ranked = keys[order]
        begins = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
        begin_of = np.repeat(begins, np.diff(np.r_[begins, count]))
        place = np.arange(count)
        met = []
        for back in range(COMPARED):  # the first of the bucket, and the ones right before
            other = begin_of if back == 0 else place - back
            there = (other >= begin_of) & (other < place)
            met.append(order[other[there]].astype(np.int64) * count + order[place[there]])
        pairs = np.unique(np.concatenate([pairs, *met]))
    for start in range(0, len(pairs), 100_000):
        first, later = np.divmod(pairs[start : start + 100_000], count)
        agree = (sketches[first] == sketches[later]).mean(axis=1)
        for n in np.flatnonzero(agree >= threshold - 0.15):
            yield int(first[n]), int(later[n])


@dataclass(frozen=True)
class Hit:
    """A text that is like one of a list: its own place in what was asked, the place in the list, how
    (`exact`, `renumbered`, `reworded`), and the share of shingles that both have."""

    place: int
    other: int
    kind: str
    share: float


class Known:
    """A list of texts (held-out questions, say) that others are compared with, all with all."""

    def __init__(self, texts: Iterable[str]) -> None:
        import numpy as np
        from scipy.sparse import csr_matrix

        plain = [normal(text) for text in texts]
        self.exact = {text: n for n, text in reversed(list(enumerate(plain)))}
        self.masked = {masked(text): n for n, text in reversed(list(enumerate(plain)))}
        self.columns: dict[str, int] = {}
        sets = [shingles(text) for text in plain]
        for one in sets:
            for piece in one:
                self.columns.setdefault(piece, len(self.columns))
        self.sizes = np.array([len(one) for one in sets], np.int32)
        self.matrix = csr_matrix(_rows(sets, self.columns), shape=(len(sets), len(self.columns))).T

    def __len__(self) -> int:
        return len(self.sizes)

    def hits(self, texts: Sequence[str]) -> Iterator[Hit]:
        """The best hit of each text that has one."""
        import numpy as np
        from scipy.sparse import csr_matrix

        if not len(self):
            return
        for start in range(0, len(texts), 500):
            plain = [normal(text) for text in texts[start : start + 500]]
            sets = [shingles(text) for text in plain]
            told = csr_matrix(_rows(sets, self.columns), shape=(len(sets), len(self.columns)))
            shared = (told @ self.matrix).tocsr()
            for n, text in enumerate(plain):
                if not text:
                    continue
                if text in self.exact:
                    yield Hit(start + n, self.exact[text], "exact", 1.0)
                    continue
                row = slice(shared.indptr[n], shared.indptr[n + 1])
                others, counts = shared.indices[row], shared.data[row]
                shares = counts / (len(sets[n]) + self.sizes[others] - counts)
                best = int(np.argmax(shares)) if len(shares) else -1
                if (other := self.masked.get(masked(text))) is not None:
                    share = float(shares[others == other][0]) if (others == other).any() else 0.0
                    yield Hit(start + n, other, "renumbered", share)
                elif best >= 0 and shares[best] >= LEAK:
                    yield Hit(start + n, int(others[best]), "reworded", float(shares[best]))


def _rows(sets: Sequence[frozenset[str]], columns: dict[str, int]):
    """Ones at the known shingles of each set, as scipy's sparse matrices take them."""
    import numpy as np

    indices: list[int] = []
    ends = [0]
    for one in sets:
        indices.extend(n for piece in one if (n := columns.get(piece)) is not None)
        ends.append(len(indices))
    return np.ones(len(indices), np.int32), np.array(indices, np.int32), np.array(ends, np.int64)
