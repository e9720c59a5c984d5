"""A rationale with all that was found of it."""

from dataclasses import dataclass, field

from workers.scoring.answers import Found
from workers.scoring.contract import Flag, Item, StepScore
from workers.scoring.grading import Grade

SCORER_VERSION = "1.2"


@dataclass(slots=True)
class Scored:
    """An item with its score. Fields as in the contract; `details()` says how they came about."""

    item: Item
    found: Found
    grade: Grade
    steps: list[StepScore]
    flags: list[Flag]
    structure: float
    validity: float
    redundancy: float
    length: int
    checkable: int
    failed: int
    idle_share: float
    soundness: float = 1.0  # how likely no step is wrong, whatever the chain is about
    topic: tuple[float, ...] | None = None  # see `topic.topic_features`
    cosine: float | None = None  # of the embeddings of chain and question
    conciseness: float = 0.0
    similarity: float | None = None
    consistency: float | None = None
    weighted_consistency: float | None = None
    overall: float = 0.0
    judge: dict | None = None
    vote: object = field(default=None, repr=False)

    @property
    def correctness(self) -> float | None:
        """1.0 right, 0.0 wrong, None where it cannot be graded."""
        return self.grade.correctness

    def to_dict(self) -> dict:
        """Exactly the contract's "score" object; with "judge" where a judge was asked."""
        score = {
            "answer": self.found.answer,
            "correctness": self.correctness,
            "conciseness": self.conciseness,
            "structure": self.structure,
            "similarity": self.similarity,
            "consistency": self.consistency,
            "validity": self.validity,
            "redundancy": self.redundancy,
            "overall": self.overall,
            "steps": [step.to_dict() for step in self.steps],
            "flags": [flag.to_dict() for flag in self.flags],
        }
        return score if self.judge is None else score | {"judge": self.judge}

    def details(self) -> dict:
        """How the score came about: what a page shows beside it."""
        return {
            "verdict": self.grade.verdict,
            "reason": self.grade.reason,
            "answer_start": self.found.start,
            "answer_end": self.found.end,
            "answer_method": self.found.method,
            "equations_checked": self.checkable,
            "equations_failed": self.failed,
            "length": self.length,
            "weighted_consistency": self.weighted_consistency,
            "scorer_version": SCORER_VERSION,
        }
