"""The words of an evaluation: questions, models, answers, and the report. Plain JSON in and out."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROLES = ("base", "control", "student", "teacher")
SCORES_FILE = "scores.jsonl"  # in the output folder: each answer with its scores


class EvaluationError(Exception):
    """The evaluation cannot go on. The text says what is wrong, where, and what to do."""


@dataclass(frozen=True)
class CurationPair:
    """Two students of one teacher's rationales, same number of examples: names as in the report."""

    teacher: str
    approved: str
    unfiltered: str


@dataclass(frozen=True)
class Question:
    """A held-out question. ``split`` and ``subset`` name the group that it is reported in."""

    id: str
    question: str
    reference_answer: str
    answer_type: str = ""
    choices: tuple[str, ...] = ()
    split: str = "eval"
    subset: str = ""
    other_answers: tuple[str, ...] = ()  # as right as the reference answer

    @classmethod
    def from_dict(cls, data: dict) -> Question:
        """From one line of the questions file; keys that are not known here are left aside."""
        if not isinstance(data, dict):
            raise ValueError("not a JSON object")
        for key in ("id", "question", "reference_answer"):
            value = data.get(key)
            if not isinstance(value, str | int | float) or not str(value).strip():
                raise ValueError(f'"{key}" is missing or empty')
        texts = {key: str(data[key]) for key in ("id", "question", "reference_answer")}
        others = data.get("other_answers") or []
        if not isinstance(others, list):
            raise ValueError('"other_answers" must be a list of texts')
        return cls(
            **texts,
            answer_type=data.get("answer_type") or "",
            choices=tuple(data.get("choices") or ()),
            split=data.get("split") or "eval",
            subset=data.get("subset") or "",
            other_answers=tuple(str(one) for one in others),
        )


@dataclass(frozen=True)
class WorkedSolution:
    """A right rationale of the better teacher, what length and similarity are measured against."""

    question_id: str
    text: str

    @classmethod
    def from_dict(cls, data: dict) -> WorkedSolution:
        """From one line of the reference rationales file."""
        if not isinstance(data, dict):
            raise ValueError("not a JSON object")
        for key in ("question_id", "text"):
            if not isinstance(data.get(key), str | int) or not str(data[key]).strip():
                raise ValueError(f'"{key}" is missing or empty')
        return cls(str(data["question_id"]), str(data["text"]))


@dataclass(frozen=True)
class Estimate:
    """A figure, its 95% interval (None where it cannot be given), and how many it rests on."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    @classmethod
    def from_dict(cls, data: dict | None) -> Estimate | None:
        """Back from JSON."""
        return None if data is None else cls(**data)


@dataclass(frozen=True)
class GroupResult:
    """How one model did on one split and subset.

    accuracy      share of right answers of all that came back; of these, n_not_read are neither right nor
                  wrong: were all of them right, it would be larger by n_not_read / n
    validity      mean probability that no step is wrong, over rationales that have a step
    length_ratio  tokens of right rationales over those of the reference's right rationales, same questions
    similarity    mean raw cosine to the reference's rationale of the same question
    ended         share of answers that ended by themselves (finish reason "stop"), of those with a reason
    """

    split: str
    subset: str
    n: int
    n_failed: int
    n_not_read: int
    accuracy: Estimate
    validity: Estimate
    length_ratio: Estimate
    similarity: Estimate
    ended: Estimate
    mean_tokens: float | None

    @classmethod
    def from_dict(cls, data: dict) -> GroupResult:
        """Back from JSON."""
        figures = ("accuracy", "validity", "length_ratio", "similarity", "ended")
        if "n_ungraded" in data:  # its name until 2026-11-29
            data = {"n_not_read": data["n_ungraded"]} | data
            data = {key: value for key, value in data.items() if key != "n_ungraded"}
        return cls(**{**data, **{key: Estimate.from_dict(data[key]) for key in figures}})


@dataclass(frozen=True)
class ModelResult:
    """One model over all groups."""

    name: str
    role: str
    groups: tuple[GroupResult, ...]

    def group(self, split: str, subset: str = "") -> GroupResult | None:
        """The result on one group, None where the model was not asked there."""
        for group in self.groups:
            if (group.split, group.subset) == (split, subset):
                return group
        return None

    @classmethod
    def from_dict(cls, data: dict) -> ModelResult:
        """Back from JSON."""
        groups = tuple(GroupResult.from_dict(item) for item in data["groups"])
        return cls(data["name"], data["role"], groups)


@dataclass(frozen=True)
class PairResult:
    """Two models on the same questions: accuracy of ``a`` minus that of ``b``, as a share.

    ``p_value`` is that of McNemar's exact test; ``only_a`` and ``only_b`` count the questions that
    one alone got right.
    """

    a: str
    b: str
    split: str
    subset: str
    difference: Estimate
    only_a: int
    only_b: int
    p_value: float

    @property
    def apart(self) -> bool:
        """True where the interval leaves zero out and the exact test agrees (p below 0.05)."""
        low, high = self.difference.low, self.difference.high
        if low is None or high is None:
            return False
        return (low > 0 or high < 0) and self.p_value < 0.05

    @classmethod
    def from_dict(cls, data: dict) -> PairResult:
        """Back from JSON."""
        return cls(**{**data, "difference": Estimate.from_dict(data["difference"])})


@dataclass(frozen=True)
class Targets:
    """What a student shall reach. ``accuracy`` is a share of the better teacher's accuracy."""

    accuracy: float = 0.90
    validity: float = 0.85
    length_ratio: float = 0.70
    similarity: float = 0.80


#: met: the whole interval is on the right side; met_by_estimate: the figure is, the interval is not
STATUSES = ("met", "met_by_estimate", "missed_by_estimate", "missed", "unknown")


@dataclass(frozen=True)
class TargetResult:
    """One target of one student: the figure, the bar in the same unit, and how it stands."""

    model: str
    name: str
    estimate: Estimate
    bar: float | None
    status: str

    @classmethod
    def from_dict(cls, data: dict) -> TargetResult:
        """Back from JSON."""
        return cls(**{**data, "estimate": Estimate.from_dict(data["estimate"])})


@dataclass(frozen=True)
class Share:
    """A student's accuracy over the better teacher's, on the same questions."""

    model: str
    teacher: str
    estimate: Estimate

    @classmethod
    def from_dict(cls, data: dict) -> Share:
        """Back from JSON."""
        return cls(**{**data, "estimate": Estimate.from_dict(data["estimate"])})


@dataclass(frozen=True)
class ControlResult:
    """The control of a student: its base, untrained, made to begin its answers with the words ``begin``.

    ``gain`` is the share of the student's gain over its base that this reaches, unknown where the student
    has not been shown to gain, or its base was not measured (``base`` is "" then). ``why`` says why there is
    no control where ``control`` is "".
    """

    student: str
    base: str
    control: str
    begin: str
    gain: Estimate
    why: str = ""

    @classmethod
    def from_dict(cls, data: dict) -> ControlResult:
        """Back from JSON."""
        return cls(**{**data, "gain": Estimate.from_dict(data["gain"])})


@dataclass(frozen=True)
class Report:
    """All that an evaluation found. ``verdict`` are the sentences a person reads first."""

    primary_split: str
    primary_subset: str
    better_teacher: str
    models: tuple[ModelResult, ...]
    pairs: tuple[PairResult, ...]
    targets: tuple[TargetResult, ...]
    shares: tuple[Share, ...]
    target_values: Targets = field(default_factory=Targets)
    facts: dict[str, Any] = field(default_factory=dict)
    verdict: tuple[str, ...] = ()
    controls: tuple[ControlResult, ...] = ()

    def model(self, name: str) -> ModelResult | None:
        """A model's result by name."""
        return next((model for model in self.models if model.name == name), None)

    def by_role(self, role: str) -> list[ModelResult]:
        """All models of a role, in the order of the configuration."""
        return [model for model in self.models if model.role == role]

    def pair(self, a: str, b: str, split: str = "", subset: str = "") -> PairResult | None:
        """``a`` minus ``b`` on a group (the primary one by default), whichever way it is stored."""
        where = (split or self.primary_split, subset if split else self.primary_subset)
        for pair in self.pairs:
            if (pair.split, pair.subset) != where:
                continue
            if (pair.a, pair.b) == (a, b):
                return pair
            if (pair.a, pair.b) == (b, a):
                return _turned(pair)
        return None

    def to_dict(self) -> dict:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict) -> Report:
        """Back from JSON."""
        parts = {
            "models": tuple(ModelResult.from_dict(item) for item in data["models"]),
            "pairs": tuple(PairResult.from_dict(item) for item in data["pairs"]),
            "targets": tuple(TargetResult.from_dict(item) for item in data["targets"]),
            "shares": tuple(Share.from_dict(item) for item in data["shares"]),
            "target_values": Targets(**data["target_values"]),
            "verdict": tuple(data["verdict"]),
            # Reports of earlier versions have none.
            "controls": tuple(ControlResult.from_dict(one) for one in data.get("controls", ())),
        }
        return cls(**{**data, **parts})

    def save(self, path: str | Path) -> None:
        """Write as JSON, whole or not at all."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        unfinished = path.with_name(path.name + ".tmp")
        unfinished.write_text(text + "\n", encoding="utf-8")
        unfinished.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> Report:
        """Read what :meth:`save` wrote."""
        return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))


def _turned(pair: PairResult) -> PairResult:
    found = pair.difference

    def minus(value: float | None) -> float | None:
        return None if value is None else -value

    turned = Estimate(minus(found.value), minus(found.high), minus(found.low), found.n)
    return dataclasses.replace(
        pair, a=pair.b, b=pair.a, difference=turned, only_a=pair.only_b, only_b=pair.only_a
    )
