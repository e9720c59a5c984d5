"""Exact nearest neighbours on a shelf of vectors."""

import numpy as np
import pytest

from workers.semantic_search.nearest import CHUNK, Shelf, pack


def unit(n: int, d: int, seed: int = 1) -> np.ndarray:
    """Of length 1, and with numbers that float16 holds exactly enough to be compared."""
    rows = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def shelf_of(vectors: np.ndarray, size: int = 1000) -> Shelf:
    """With the ids 1 to n, put there so many at a time."""
    shelf, rows = Shelf(), pack(vectors)
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        shelf.add(range(start + 1, start + 1 + len(some)), some)
    return shelf


@pytest.mark.parametrize("size", [7, 100, 10_000])
def test_the_nearest_are_those_of_one_product_of_all(size: int) -> None:
    vectors, query = unit(2 * CHUNK + 500, 16), unit(1, 16, seed=2)[0]
    shelf = shelf_of(vectors, size)
    stored = vectors.astype(np.float16).astype(np.float32)
    order = np.argsort(-(stored @ query), kind="stable")[:10]
    hits = shelf.nearest(query, 10)
    assert [pk for pk, _ in hits] == [int(n) + 1 for n in order]
    assert [c for _, c in hits] == pytest.approx(list((stored @ query)[order]), abs=1e-6)
    assert len(shelf) == 2 * CHUNK + 500 == shelf.last


def test_the_text_itself_is_left_out_and_few_texts_give_few_hits() -> None:
    vectors = unit(3, 8)
    hits = shelf_of(vectors).nearest(vectors[1], 10, but=2)
    assert {pk for pk, _ in hits} == {1, 3}
    assert Shelf().nearest(vectors[1], 10) == [] and Shelf().last == 0


def test_what_comes_late_is_added_and_what_is_there_is_not_added_twice() -> None:
    vectors, rows = unit(6, 8), pack(unit(6, 8))
    shelf = Shelf()
    shelf.add([1, 2, 5], [rows[0], rows[1], rows[4]])
    assert [pk for pk, _ in shelf.nearest(vectors[4], 1)] == [5]
    shelf.add([2, 4, 5, 6], [rows[0], rows[3], rows[0], rows[5]])  # 2 and 5 stay as they were
    shelf.add([1, 6], [rows[3], rows[3]])
    assert list(shelf.ids) == [1, 2, 5, 4, 6]
    for pk in (1, 2, 4, 5, 6):
        assert shelf.nearest(vectors[pk - 1], 1)[0][0] == pk


def test_those_alike_stand_in_the_order_of_their_ids() -> None:
    rows = pack(np.repeat(unit(1, 8), 5, axis=0))
    shelf = Shelf()
    shelf.add([9, 3, 7, 1, 5], rows)
    assert [pk for pk, _ in shelf.nearest(unit(1, 8)[0], 5)] == [1, 3, 5, 7, 9]


def test_stored_vectors_are_half_as_large_and_hardly_less_exact() -> None:
    vectors = unit(200, 384)
    stored = pack(vectors)
    assert {len(one) for one in stored} == {768}
    exact = vectors @ vectors[0]
    assert np.abs(shelf_of(vectors).cosines(vectors[0]) - exact).max() < 1e-3
