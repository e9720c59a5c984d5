"""Exact nearest neighbours in blocks."""

import numpy as np
import pytest

from workers.meaning.nearest import nearest, pack, unpack


def unit(n: int, d: int, seed: int = 1) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def blocks(vectors: np.ndarray, size: int):
    ids = np.arange(1, len(vectors) + 1)
    for start in range(0, len(vectors), size):
        yield ids[start : start + size], vectors[start : start + size]


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_blocks_of_any_size_give_what_one_product_gives(size: int) -> None:
    vectors, query = unit(500, 16), unit(1, 16, seed=2)[0]
    hits, compared = nearest(query, blocks(vectors, size), 10)
    order = np.argsort(-(vectors @ query), kind="stable")[:10]
    assert [pk for pk, _ in hits] == [int(n) + 1 for n in order] and compared == 500
    assert [c for _, c in hits] == pytest.approx(sorted((vectors @ query)[order])[::-1], abs=1e-6)


def test_the_text_itself_is_left_out_and_few_texts_give_few_hits() -> None:
    vectors = unit(3, 8)
    hits, _ = nearest(vectors[1], blocks(vectors, 2), 10, but=2)
    assert {pk for pk, _ in hits} == {1, 3}
    assert nearest(vectors[1], [], 10) == ([], 0)


def test_stored_vectors_are_half_as_large_and_hardly_less_exact() -> None:
    vectors = unit(200, 384)
    stored = pack(vectors)
    assert {len(one) for one in stored} == {768}
    back = unpack(stored)
    assert back.dtype == np.float32 and np.abs(back @ back[0] - vectors @ vectors[0]).max() < 1e-3
    assert unpack([]).shape == (0, 0)
