"""What an evaluation needs to know: one JSON object, checked field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from workers.evaluation.types import ROLES, EvaluationError, Question, Targets, WorkedSolution
from workers.generation.prompts import get_style
from workers.generation.types import ModelSpec

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,120}")


@dataclass(frozen=True)
class ModelEntry:
    """One model to measure: how it is called in the report, what it is, and how to reach it.

    ``begin`` are the words that each of its answers is made to begin with: those of a control (see
    workers.evaluation.control), which a model folder of this machine can be, an address cannot.
    ``students`` names the students that a control is for; by default all on its model.
    ``no_control`` says why a student has none, for the report.
    """

    name: str
    role: str
    spec: ModelSpec
    style: str = "plain"
    begin: str = ""
    students: tuple[str, ...] = ()
    no_control: str = ""

    @classmethod
    def from_dict(cls, data: Any, where: str) -> ModelEntry:
        """Check and build; the error names the model's place in the list."""
        _only(data, cls, where)
        name, role, style = data.get("name"), data.get("role"), data.get("style", "plain")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise EvaluationError(f"{where}.name is {name!r}. Use a short name on one line.")
        if role not in ROLES:
            raise EvaluationError(f"{where}.role is {role!r}. Use one of {', '.join(ROLES)}.")
        if not isinstance(data.get("spec"), dict):
            raise EvaluationError(f"{where}.spec must be an object, see ModelSpec.")
        try:
            get_style(style)
            spec = ModelSpec.from_dict(data["spec"])
        except (TypeError, ValueError) as error:
            raise EvaluationError(f"{where}: {error}") from error
        begin = data.get("begin", "")
        if not isinstance(begin, str) or (begin and not begin.strip()):
            raise EvaluationError(
                f"{where}.begin is {begin!r}. Use the words that answers begin with."
            )
        if (role == "control") != bool(begin):
            raise EvaluationError(f"{where}: a control, and only a control, needs `begin`.")
        if begin and spec.backend != "transformers":
            raise EvaluationError(
                f"{where}.begin: only a model folder on this machine (backend transformers) can be made "
                "to begin its answers."
            )
        students, reason = data.get("students", []), data.get("no_control", "")
        if not isinstance(students, list | tuple) or (students and role != "control"):
            raise EvaluationError(
                f"{where}.students must be a list of names, and only of a control."
            )
        if not isinstance(reason, str) or (reason and role != "student"):
            raise EvaluationError(f"{where}.no_control must be a text, and only of a student.")
        return cls(name, role, spec, style, begin, tuple(map(str, students)), reason)


@dataclass(frozen=True)
class EvaluationConfig:
    """One evaluation.

    questions          JSONL of held-out questions (see Question)
    output_dir         answers.jsonl is kept there; answers that stand in it are not asked again
    worked_solutions   JSONL of {"question_id", "text"}; by default the better teacher's own right
                       answers in this evaluation
    reference_teacher  fixes who the better teacher is; by default the more accurate one here
    student_tokenizer  folder or hub name, counts the tokens; by default that of the first student
    primary_split      the group that the targets are judged on
    """

    questions: str
    models: tuple[ModelEntry, ...]
    output_dir: str
    worked_solutions: str = ""
    reference_teacher: str = ""
    student_tokenizer: str = ""
    max_tokens: int = 256
    seed: int = 0
    primary_split: str = "eval"
    primary_subset: str = ""
    embeddings: bool = True
    embedding_model: str = ""
    threads: int = 1
    targets: Targets = field(default_factory=Targets)

    @classmethod
    def from_dict(cls, data: Any) -> EvaluationConfig:
        """Check and build; raises EvaluationError that names the field and what to do."""
        _only(data, cls, "")
        for key in ("questions", "output_dir", "models"):
            if not data.get(key):
                raise EvaluationError(f"{key} is missing. Every evaluation needs it.")
        values = dict(data)
        values["models"] = _models(data["models"])
        values["targets"] = _targets(data.get("targets", {}))
        for item in fields(cls):
            if item.name in values and item.type in ("str", "int", "bool"):
                _check_plain(item.name, values[item.name], item.type)
        config = cls(**values)
        names = [entry.name for entry in config.models]
        if config.reference_teacher and config.reference_teacher not in names:
            raise EvaluationError(
                f"reference_teacher is {config.reference_teacher!r}, which is none of the models "
                f"({', '.join(names)})."
            )
        return config

    @classmethod
    def load(cls, path: str | Path) -> EvaluationConfig:
        """Read a JSON file."""
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise EvaluationError(
                f"Cannot read the configuration {path}: {error.strerror}."
            ) from error
        except ValueError as error:
            raise EvaluationError(f"The configuration {path} is not JSON: {error}.") from error
        return cls.from_dict(data)

    def to_dict(self) -> dict:
        """As plain JSON values; ``from_dict`` gives the same again."""
        return asdict(self)

    def tokenizer_source(self) -> str:
        """Whose tokenizer counts: the one named, or the first student's, base's or local model's."""
        if self.student_tokenizer:
            return self.student_tokenizer
        for role in ("student", "base", "teacher"):
            for entry in self.models:
                if entry.role == role and entry.spec.backend == "transformers":
                    return entry.spec.model
        raise EvaluationError(
            "student_tokenizer is missing, and no model here is local. Name the tokenizer whose "
            "tokens are counted."
        )


def _only(data: Any, cls: type, where: str) -> None:
    if not isinstance(data, dict):
        raise EvaluationError(f"{where or 'the configuration'} must be a JSON object.")
    known = [item.name for item in fields(cls)]
    for key in data:
        if key not in known:
            place = f"{where}.{key}" if where else key
            raise EvaluationError(f"{place} is unknown. Known are: {', '.join(known)}.")


def _models(data: Any) -> tuple[ModelEntry, ...]:
    if not isinstance(data, list) or len(data) > 40:
        raise EvaluationError("models must be a list of 1 to 40 models.")
    entries = tuple(ModelEntry.from_dict(item, f"models[{i}]") for i, item in enumerate(data))
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise EvaluationError(f"Two models are called {twice[0]!r}. Give each its own name.")
    return entries


def _targets(data: Any) -> Targets:
    _only(data, Targets, "targets")
    for key, value in data.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 10:
            raise EvaluationError(f"targets.{key} is {value!r}. Use a number above 0.")
    return Targets(**{key: float(value) for key, value in data.items()})


def _check_plain(name: str, value: Any, kind: str) -> None:
    if kind == "bool" and not isinstance(value, bool):
        raise EvaluationError(f"{name} is {value!r}. Use true or false.")
    if kind == "int" and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise EvaluationError(f"{name} is {value!r}. Use a whole number, 0 or more.")
    if name in ("max_tokens", "threads") and value < 1:
        raise EvaluationError(f"{name} is {value!r}. Use 1 or more.")
    if kind == "str" and (not isinstance(value, str) or re.search(r"[\x00-\x1f\x7f]", value)):
        raise EvaluationError(f"{name} is {value!r}. Use text on one line.")


def read_questions(path: str | Path) -> list[Question]:
    """The held-out questions; every one needs an id of its own and a reference answer."""
    questions = _read_lines(path, Question.from_dict)
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise EvaluationError(f"{Path(path).name}: the id {question.id!r} stands there twice.")
        seen.add(question.id)
    if not questions:
        raise EvaluationError(
            f"{Path(path).name} holds no question. Import some with the split eval or ood."
        )
    return questions


def read_worked_solutions(path: str | Path) -> dict[str, list[str]]:
    """Reference rationales by question id."""
    rationales: dict[str, list[str]] = {}
    for rationale in _read_lines(path, WorkedSolution.from_dict):
        rationales.setdefault(rationale.question_id, []).append(rationale.text)
    return rationales


def _read_lines(path: str | Path, build: Callable[[dict], Any]) -> list:
    path, found = Path(path), []
    if not path.is_file():
        raise EvaluationError(f"{path.name} is not there. Correct the path.")
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                found.append(build(json.loads(line.decode("utf-8"))))
            except (ValueError, TypeError) as error:
                raise EvaluationError(f"{path.name}, line {number}: {error}.") from error
    return found
