"""Which requests to ask for next, when the process that computes them may die under them.

Requests that were being computed at a death are suspects: one of them may be the cause. They are
tried again in a smaller group, then alone, so that one poisonous request fails by itself while all
others are answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Tries:
    """Numbers of requests, in stages of ever smaller groups.

    sizes     how many go together at the first, the second ... try; the last should be 1
    restarts  how often the process may be started again before all the rest is given up
    """

    def __init__(self, sizes: Sequence[int], restarts: int) -> None:
        self.sizes, self.restarts = sizes, restarts
        self._stages: list[list[int]] = [[] for _ in sizes]
        self._stage = 0

    def add(self, numbers: Iterable[int]) -> None:
        """Requests that were not tried yet."""
        self._stages[0] += numbers

    def next(self) -> list[int]:
        """The next group; empty when nothing is left."""
        for stage, size in enumerate(self.sizes):
            if left := self._stages[stage]:
                self._stage = stage
                self._stages[stage] = left[size:]
                return left[:size]
        return []

    @property
    def first(self) -> bool:
        """Whether the group of the last ``next`` was at its first try."""
        return self._stage == 0

    def died(self, unanswered: Sequence[int], suspects: Iterable[int]) -> list[int]:
        """The process died over a group. Returns those that now fail: they died alone, or all.

        unanswered  of that group; suspects  those of them that were being computed
        """
        self.restarts -= 1
        suspected = set(suspects) or set(unanswered)
        guilty = [n for n in unanswered if n in suspected]
        self._stages[self._stage] = [
            *(n for n in unanswered if n not in suspected),
            *self._stages[self._stage],
        ]
        if self.restarts < 0:
            return [*guilty, *self.rest()]
        if self._stage + 1 == len(self.sizes):
            return guilty
        self._stages[self._stage + 1] += guilty
        return []

    def rest(self) -> list[int]:
        """Everything that is left, taken out."""
        left = [n for stage in self._stages for n in stage]
        self._stages = [[] for _ in self.sizes]
        return left
