"""Exact nearest neighbours among unit vectors, a block at a time: memory stays constant.

Exact, since it is fast enough (docs/benchmarks.md has the figures) and misses nothing; an index such as
HNSW would have to be kept for each project and filter, and would pay beyond some millions of texts.
"""

from collections.abc import Iterable

import numpy as np

WIDTH = np.dtype(
    "<f2"
)  # float16, the same bytes on every machine: half the space, error below 0.001


def pack(vectors: np.ndarray) -> list[bytes]:
    """The bytes to store, of float vectors of shape (n, d) and length 1."""
    return [row.tobytes() for row in np.ascontiguousarray(vectors, dtype=WIDTH)]


def unpack(rows: Iterable[bytes]) -> np.ndarray:
    """Of stored bytes: float32 of shape (n, d)."""
    data = list(rows)
    if not data:
        return np.zeros((0, 0), dtype=np.float32)
    return np.frombuffer(b"".join(data), dtype=WIDTH).reshape(len(data), -1).astype(np.float32)


def nearest(
    vector: np.ndarray,
    blocks: Iterable[tuple[np.ndarray, np.ndarray]],
    count: int,
    *,
    but: int | None = None,
) -> tuple[list[tuple[int, float]], int]:
    """The `count` nearest (id, cosine), the nearest first, and how many were compared.

    vector: (d,), of length 1. blocks: (ids of shape (n,), vectors of shape (n, d)); `but`: an id to
    leave out, such as that of the text whose neighbours are looked for.
    """
    ids, cosines = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    compared = 0
    for block_ids, block in blocks:
        compared += len(block_ids)
        found = block @ vector.astype(np.float32)
        if but is not None:
            found = np.where(block_ids == but, -2.0, found)
        ids, cosines = np.concatenate([ids, block_ids]), np.concatenate([cosines, found])
        if len(ids) > count:
            best = np.argpartition(-cosines, count - 1)[:count]
            ids, cosines = ids[best], cosines[best]
    order = np.lexsort((ids, -cosines))
    hits = [(int(ids[n]), float(min(1.0, cosines[n]))) for n in order if cosines[n] > -1.5]
    return hits, compared
