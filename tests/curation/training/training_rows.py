"""Rows that the pages of trainings and evaluations are tried on, as the workers would leave them."""

from typing import Any

from curation.datasets.models import DatasetVersion
from curation.projects.models import Project
from curation.training.models import TrainingJob, TrainingPoint
from workers.evaluation.types import (
    Estimate,
    GroupResult,
    ModelResult,
    PairResult,
    Report,
    Share,
    TargetResult,
)
from workers.evaluation.verdict import verdict


def frozen(project: Project, number: int = 1, **recipe: Any) -> DatasetVersion:
    chosen = {"selection": "approved", "teachers": [], "limit": None, "seed": 0, "rubric": 1}
    return DatasetVersion.objects.create(
        project=project,
        number=number,
        status="done",
        recipe=chosen | recipe,
        sha256="4c1f" * 16,
        example_count=929,
        question_count=700,
    )


CHECKS = {
    "checks": [
        {"code": "end_token", "label": "First example ends with the end token", "ok": True,
         "value": "yes", "message": ""},
    ],
    "first_example": [
        {"text": "<|user|>How many eggs?", "trained": False},
        {"text": "Answer: 3<|end|>", "trained": True},
    ],
    "held_out_examples": 64, "longest": 150, "max_length": 512, "total_steps": 100,
    "examples": 929, "tokens": 71_970, "trained": 116_736, "total": 644_448, "share": 0.181,
}  # fmt: skip


def training(
    project: Project, dataset: DatasetVersion, points: int = 1000, **fields: Any
) -> TrainingJob:
    made = TrainingJob.objects.create(
        project=project,
        dataset=dataset,
        base_model=project.student,
        **({"preset": "demo", "status": "done", "checks": CHECKS} | fields),
    )
    TrainingPoint.objects.bulk_create(
        TrainingPoint(
            job=made, step=step, loss=2 - step / 1000, eval_loss=None if step % 100 else 1.5
        )
        for step in range(1, points + 1)
    )
    return made


def _estimate(value: float | None, n: int = 500) -> Estimate:
    if value is None:
        return Estimate(None, None, None, 0)
    return Estimate(value, max(0.0, value - 0.04), value + 0.04, n)


def _group(split: str, subset: str, right: float, **fields: Any) -> GroupResult:
    figures = {
        "n": 500, "n_failed": 0, "n_not_read": 0, "accuracy": _estimate(right),
        "validity": _estimate(0.84), "length_ratio": _estimate(None), "similarity": _estimate(0.9),
        "ended": _estimate(0.96), "mean_tokens": 44.5,
    }  # fmt: skip
    return GroupResult(split, subset, **(figures | fields))


def report(student: str) -> dict[str, Any]:
    """A report by the evaluation's own words, with its verdict."""
    rights = {"base student": (0.05, 0.0), student: (0.508, 0.01), "strong": (0.88, 0.0)}
    roles = ("base", "student", "teacher")
    models = tuple(
        ModelResult(name, role, (_group("eval", "", right), _group("ood", "floor", floor)))
        for (name, (right, floor)), role in zip(rights.items(), roles, strict=True)
    )
    made = Report(
        primary_split="eval",
        primary_subset="",
        better_teacher="strong",
        models=models,
        pairs=(
            PairResult("base student", student, "eval", "", Estimate(-0.458, -0.5, -0.41, 500), 11,
                       239, 1e-9),
            PairResult(student, "strong", "ood", "floor", Estimate(0.01, -0.01, 0.02, 200), 2, 1,
                       0.5),
        ),
        targets=(
            TargetResult(student, "accuracy", _estimate(0.508), 0.792, "missed"),
            TargetResult(student, "validity", _estimate(0.84), 0.85, "missed_by_estimate"),
            TargetResult(student, "length_ratio", _estimate(None), 0.7, "unknown"),
            TargetResult(student, "similarity", _estimate(0.9), 0.8, "met"),
        ),
        shares=(Share(student, "strong", _estimate(0.577)),),
        facts={"questions": 700, "seed": 0, "max_tokens": 256, "versions": {"torch": "2.13.0"},
               "teacher_chosen_by": "accuracy on these questions", "seconds": 124.2},
    )  # fmt: skip
    return made.to_dict() | {"curation": [], "verdict": verdict(made)}
