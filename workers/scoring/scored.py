"""A rationale with all that was found of it."""

from dataclasses import dataclass, field
from hashlib import blake2b

from workers.scoring.contract import Flag, Item, StepScore
from workers.scoring.extract.answers import Found
from workers.scoring.grade.grading import Grade
from workers.scoring.metrics.consistency import Vote

SCORER_VERSION = "1.4"


@dataclass(slots=True)
class Scored:
    """An item with its score. Fields as in the contract; `details()` says how they came about.

    tokens: of the rationale by the student's tokenizer; answered: what its answer counts as in its
    group; words: a digest of its words, equal where another has the same ones; vote: the key of its
    cluster in the group, see `consistency.Ballot`.
    """

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
    waste: float = 0.0  # share of the text that says nothing, see `degenerate`
    thought: tuple[int, int, int] | None = (
        None  # length, repeats, corrections of it, see `thoughts`
    )
    soundness: float = 1.0  # how likely no step is wrong by the text alone, see `validity`
    evidence: tuple[float, ...] = ()  # see `soundness.SOUND_FEATURES`
    results: tuple = ()  # see `claims.divergence`
    numbers: frozenset = (
        frozenset()
    )  # all that its text shows, as far as others are compared with it
    first_wrong: int | None = None  # the likeliest first wrong step where the answer is wrong
    topic: tuple[float, ...] | None = None  # see `topic.topic_features`
    tokens: int | None = None
    answered: Vote = None
    words: bytes = b""
    cosine: float | None = None  # of the embeddings of rationale and question
    conciseness: float = 0.0
    similarity: float | None = None
    consistency: float | None = None
    weighted_consistency: float | None = None
    overall: float = 0.0
    judge: dict | None = None
    own: dict | None = None  # what the scorer itself reads, where a person read it, see `readings`
    vote: object = field(default=None, repr=False)

    @property
    def correctness(self) -> float | None:
        """1.0 right, 0.0 wrong, None where the answer was not read or there is no reference."""
        return self.grade.correctness

    def to_dict(self) -> dict:
        """Exactly the contract's "score" object; with "judge" where a judge was asked."""
        score = {
            "answer": self.found.answer,
            "correctness": self.correctness,
            "verdict": self.grade.verdict,
            "unread": self.grade.unread or None,
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
        own = {} if self.own is None else {"own": self.own}
        return own | {
            "reason": self.grade.reason,
            "answer_start": self.found.start,
            "answer_end": self.found.end,
            "answer_method": self.found.method,
            "answer_read": self.grade.read,
            "reference": self.grade.reference,
            "reference_read": self.grade.reference_read,
            "equations_checked": self.checkable,
            "equations_failed": self.failed,
            "unchecked_steps": [i for i, step in enumerate(self.steps, 1) if not step.checked],
            "first_wrong_step": self.first_wrong,
            "length": self.length,
            "thought": self.thought
            and dict(zip(("length", "repeats", "corrections"), self.thought, strict=True)),
            "weighted_consistency": self.weighted_consistency,
            "scorer_version": SCORER_VERSION,
        }


def digest_of(text: str) -> bytes:
    """Equal for texts of the same words, whatever their case and spaces."""
    words = " ".join(text.lower().split()).encode("utf-8", "surrogatepass")
    return blake2b(words, digest_size=16).digest()


# What a score of one rationale alone depends on, and what it finds, as plain tuples: made and read far
# faster than the classes, for the way between two processes (`isolation`).
_PLAIN = ("structure", "validity", "redundancy", "length", "checkable", "failed", "idle_share",
          "waste", "thought", "soundness", "evidence", "results", "numbers", "topic", "tokens",
          "answered", "words", "own")  # fmt: skip


def fields_of(item: Item) -> tuple:
    """Of an item what `scorer.score_rationale` looks at."""
    return (item.question, item.rationale, item.references, item.answer_type, item.choices,
            item.finish_reason, item.reading)  # fmt: skip


def item_of_fields(fields: tuple) -> Item:
    """An item without a name, of what `fields_of` gave."""
    question, rationale, references, answer_type, choices, finish_reason, reading = fields
    about = {"finish_reason": finish_reason, "reading": reading}
    return Item("", question, rationale, references, answer_type, choices, **about)


def pack(one: Scored) -> tuple:
    """What was found of a rationale alone; `unpack` makes the same of it for the same item."""
    found, grade = one.found, one.grade
    return (
        (found.answer, found.start, found.end, found.method),
        tuple(getattr(grade, name) for name in Grade.__slots__),
        [
            (s.start, s.end, s.validity, s.redundancy, _packed(s.flags), s.checked)
            for s in one.steps
        ],
        _packed(one.flags),
        *[getattr(one, name) for name in _PLAIN],
    )


def unpack(item: Item, packed: tuple) -> Scored:
    """The score of an item out of what `pack` gave."""
    found, grade, steps, flags, *plain = packed
    text = item.rationale
    return Scored(
        item,
        Found(*found),
        Grade(*grade),
        [
            StepScore(text[a:b], a, b, v, r, [Flag(*f) for f in own], checked)
            for a, b, v, r, own, checked in steps
        ],
        [Flag(*flag) for flag in flags],
        **dict(zip(_PLAIN, plain, strict=True)),
    )


def _packed(flags: list[Flag]) -> list[tuple]:
    return [(flag.code, flag.message, flag.severity, flag.start, flag.end) for flag in flags]
