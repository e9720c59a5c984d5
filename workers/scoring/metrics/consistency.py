"""Self-consistency: how many of a group give the same answer (Wang et al. 2022, arXiv 2203.11171)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from workers.scoring.grade.compare import same
from workers.scoring.grade.references import letter_of
from workers.scoring.numbers.values import Expression, Number, Value, parse_value

MAX_VOTE = 200  # characters of an answer; a longer one is like another only with the same signs
# What an answer counts as: a text or (numerator, denominator) that is compared by equality, a value
# that `same` compares, or None for no answer.
Vote = str | tuple[int, int] | Value | None


def vote_of(answer: str | None, choices: Sequence[str] = ()) -> Vote:
    """What the answer of a rationale counts as in its group's `Ballot`."""
    return None if answer is None else _vote_of(answer, tuple(choices))


@lru_cache(maxsize=4_096)
def _vote_of(answer: str, choices: tuple[str, ...]) -> Vote:
    if choices:
        return letter_of(answer, choices) or answer.strip().lower()
    if len(answer) > MAX_VOTE:
        return "".join(answer.split())
    value = parse_value(answer)
    if isinstance(value, Number):
        share = value.value / 100 if value.percent else value.value
        return (share.numerator, share.denominator)
    if isinstance(value, Expression):
        return "".join(value.text.split())
    return value


@dataclass(slots=True)
class Ballot:
    """The answers of one group, equal ones together.

    counts and weights by cluster. A rationale whose answer was not read has no vote: it is neither for nor
    against the others, so it counts in none of `counts`, `voters` and `total_weight`.
    """

    voters: int = 0
    total_weight: float = 0.0
    counts: dict = field(default_factory=dict)
    weights: dict = field(default_factory=dict)
    _values: dict = field(default_factory=dict)

    def add(self, vote: "Vote", weight: float = 1.0):
        """Adds a vote; returns the key of its cluster, None for no answer."""
        key = self.key_of(vote)
        if key is not None:
            self.voters += 1
            self.total_weight += weight
            self.counts[key] = self.counts.get(key, 0) + 1
            self.weights[key] = self.weights.get(key, 0.0) + weight
        return key

    def key_of(self, vote: "Vote"):
        """The cluster that a vote belongs to; makes one for a value not met before."""
        return vote if vote is None or isinstance(vote, (str, tuple)) else self._like(vote)

    def _like(self, value: Value):
        for key, other in self._values.items():
            if same(other, value) is True:
                return key
        key = f"#{len(self._values)}"
        if len(self._values) < 200:
            self._values[key] = value
        return key

    def share(self, key) -> float | None:
        """Share of the votes with this answer; None where fewer than two voted."""
        if self.voters < 2 or key is None:
            return None
        return self.counts.get(key, 0) / self.voters

    def weighted_share(self, key) -> float | None:
        """The same with each vote weighing what its teacher's answers have been worth."""
        if self.voters < 2 or key is None or not self.total_weight:
            return None
        return self.weights.get(key, 0.0) / self.total_weight


def teacher_weights(right: Mapping[str, tuple[int, int]]) -> dict[str, float]:
    """Weight of each teacher's vote from {teacher: (right answers, graded answers)}.

    The share right with one right and one wrong added (Laplace), so that a teacher with few graded
    answers is neither sure nor worthless.
    """
    return {teacher: (good + 1) / (graded + 2) for teacher, (good, graded) in right.items()}
