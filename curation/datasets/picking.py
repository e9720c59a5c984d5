"""What was picked from each question, kept small, and put into the dataset's order."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curation.datasets.choosing import Row


class Picked:
    """Columns of the picked rationales: 8 bytes a draw and an id, 4 the question's number, the place, and
    the numbers of who wrote, who decided and which kind it is (of a domain, say)."""

    def __init__(self) -> None:
        self.draws, self.ids = array("Q"), array("q")
        self.questions, self.places = array("q"), array("I")
        self.teachers, self.authors, self.who, self.kinds = (array("i") for _ in range(4))
        self._numbers: dict[Any, int] = {}
        self.values: list[Any] = []
        self.question_count = 0
        self.chosen_hash = ""  # of the ids in their order, before any was left out by name

    def _number(self, value: Any) -> int:
        if value is None:
            return -1
        known = self._numbers.get(value)
        if known is None:
            known = self._numbers[value] = len(self.values)
            self.values.append(value)
        return known

    def add(self, place: int, draw: int, row: Row, kind: Any) -> None:
        self.draws.append(draw)
        self.ids.append(row.pk)
        self.questions.append(row.question)
        self.places.append(place)
        number = self._number
        self.teachers.append(-1 if row.teacher is None else number(("teacher", row.teacher)))
        self.authors.append(-1 if row.author is None else number(("author", row.author)))
        self.who.append(number(_decider(row)))
        self.kinds.append(number(("kind", kind)))

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, start: int, stop: int) -> Iterator[tuple[int, Any, Any, Any]]:
        """id, and what stands for teacher, author and decider, of these places in the order."""
        told = [*self.values, None]  # the number -1
        columns = (self.ids, self.teachers, self.authors, self.who)
        parts = [
            column[start:stop].tolist() for column in columns
        ]  # to numbers that a database knows
        for pk, teacher, author, who in zip(*parts, strict=True):
            yield pk, told[teacher], told[author], told[who]


def _decider(row: Row) -> tuple[str, int] | None:
    if row.outcome != "approved":
        return None
    if row.reviewer is not None:
        return ("person", row.reviewer)
    if row.bulk is not None:
        return ("bulk", row.bulk_by or 0)
    return ("rule", row.rule or 0)


def in_picked_order(
    picked: Picked, recipe: dict[str, Any], share: float, drop: Callable[[str, int, int], None]
) -> Picked:
    """The rationales in the dataset's order, after balance and limit; `share` of the limit holds where only
    so many of the questions were looked at. `drop` is told each that falls."""
    import numpy as np  # costs a start a tenth of a second

    places = np.frombuffer(picked.places, np.uint32) if len(picked) else np.zeros(0, np.uint32)
    draws = np.frombuffer(picked.draws, np.uint64) if len(picked) else np.zeros(0, np.uint64)
    ids = np.frombuffer(picked.ids, np.int64) if len(picked) else np.zeros(0, np.int64)
    order = np.lexsort((ids, draws, places)).astype(np.int32)
    limit = recipe.get("limit")
    if limit is not None:
        limit = max(1, round(limit * share))
    if recipe.get("balance") and len(order):
        kinds = np.frombuffer(picked.kinds, np.int32)
        keep = np.ones(len(order), bool)
        for kind, most in shares(Counter(kinds.tolist()), limit).items():
            keep[np.flatnonzero(kinds[order] == kind)[most:]] = False
        for n in order[~keep]:
            drop("balance", picked.ids[int(n)], picked.questions[int(n)])
        order = order[keep]
    if limit is not None:
        for n in order[limit:]:
            drop("limit", picked.ids[int(n)], picked.questions[int(n)])
        order = order[:limit]
    chosen_hash = hashlib.sha256(np.ascontiguousarray(ids[order]).astype("<i8").tobytes())
    if left_out := recipe.get("left_out"):  # last, so that nothing unseen takes a place
        gone = np.isin(ids[order], np.array(left_out, np.int64))
        for n in order[gone]:
            drop("left_out", picked.ids[int(n)], picked.questions[int(n)])
        order = order[~gone]
    questions = np.frombuffer(picked.questions, np.int64) if len(picked) else ids
    told = Picked()
    told.values = picked.values
    told.chosen_hash = chosen_hash.hexdigest()
    told.question_count = len(np.unique(questions[order]))
    for name in ("ids", "teachers", "authors", "who"):
        column = getattr(picked, name)
        values = np.frombuffer(column, np.dtype(column.typecode)) if len(picked) else ids
        setattr(told, name, values[order])
    return told


def shares(there: Counter, limit: int | None) -> dict[Any, int]:
    """How many of each kind are in: as many of each as of the smallest, or, with a limit, equal shares of
    it, where what a small kind cannot fill goes to the others."""
    if limit is None:
        return dict.fromkeys(there, min(there.values()))
    told, left = {}, limit
    waiting = sorted(there.items(), key=lambda one: (one[1], one[0]))
    for n, (kind, count) in enumerate(waiting):
        told[kind] = min(count, left // (len(waiting) - n))
        left -= told[kind]
    return told
