"""Exact nearest neighbours among unit vectors that are kept in a file of this process's own.

Exact, since it is fast enough (docs/benchmarks.md has the figures) and misses nothing; an index such as
HNSW would have to be kept for each project and filter, and would pay beyond some millions of texts.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

WIDTH = np.dtype(
    "<f2"
)  # float16, the same bytes on every machine: half the space, error below 0.001
# Rows that are made float32 at once: they stay in the processor's cache until they are multiplied.
CHUNK = 1024


def pack(vectors: np.ndarray) -> list[bytes]:
    """The bytes to store, of float vectors of shape (n, d) and length 1."""
    return [row.tobytes() for row in np.ascontiguousarray(vectors, dtype=WIDTH)]


class Shelf:
    """Vectors beside each other, to be compared again and again.

    They lie in a file without a name that the system maps into memory: it can drop pages when memory is
    short, and the file goes with the process. Raises OSError where `folder` has no space.
    """

    def __init__(self, folder: Path | str | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (it lives as long as this)
        self.ids = np.zeros(0, dtype=np.int64)
        self._vectors = np.zeros((0, 0), dtype=WIDTH)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def last(self) -> int:
        """The highest id; 0 of an empty shelf."""
        return int(self.ids.max(initial=0))

    def add(self, ids: Sequence[int], rows: Sequence[bytes]) -> None:
        """Add vectors as `pack` makes them, all of one width. An id that is there already is passed over."""
        given = np.asarray(ids, dtype=np.int64)
        new = np.arange(len(given))
        if given.min(initial=self.last + 1) <= self.last:
            new = np.flatnonzero(~np.isin(given, self.ids))
        if not len(new):
            return
        self._file.seek(0, 2)
        self._file.write(b"".join(rows[int(n)] for n in new))
        self._file.flush()
        self.ids = np.concatenate([self.ids, given[new]])
        shape = (len(self.ids), len(rows[0]) // WIDTH.itemsize)
        self._vectors = np.memmap(self._file, dtype=WIDTH, mode="r+", shape=shape)

    def cosines(self, vector: np.ndarray) -> np.ndarray:
        """Of each vector here with one of shape (d,) and length 1: float32 of shape (n,)."""
        import torch  # its float16 becomes float32 ten times as fast as numpy's

        found = torch.empty(len(self.ids), dtype=torch.float32)
        asked = torch.from_numpy(np.ascontiguousarray(vector, dtype=np.float32))
        for start in range(0, len(self.ids), CHUNK):
            rows = torch.from_numpy(self._vectors[start : start + CHUNK]).float()
            torch.mv(rows, asked, out=found[start : start + len(rows)])
        return found.numpy()

    def nearest(
        self, vector: np.ndarray, count: int, *, but: int | None = None
    ) -> list[tuple[int, float]]:
        """The `count` nearest (id, cosine), the nearest first, those alike by id.

        `but`: an id to leave out, such as that of the text whose neighbours are looked for.
        """
        # Equal vectors may differ in the last bit, by where they stand in their chunk; float16 is coarser.
        cosines = self.cosines(vector).round(6)
        if but is not None:
            cosines[self.ids == but] = -2.0
        best = np.arange(len(cosines))
        if len(best) > count:
            best = np.argpartition(-cosines, count - 1)[:count]
        order = best[np.lexsort((self.ids[best], -cosines[best]))]
        return [(int(self.ids[n]), float(min(1.0, cosines[n]))) for n in order if cosines[n] > -1.5]
