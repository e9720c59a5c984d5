"""Reads of trainings: lists, curves, the log's end."""

import json
import re
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from curation import artifacts
from curation.datasets.models import DatasetVersion
from curation.jobs import ACTIVE, Status
from curation.projects.models import Project, User
from curation.questions.prompts import prompt_of
from curation.text.machine_paths import without_paths
from curation.training.curves import Curves, curves
from curation.training.models import TrainingJob

TAIL_BYTES = 64 * 1024
# Escape sequences of terminals (ECMA-48): CSI, OSC and the two-character ones; then other controls.
ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[@-Z\\-_])"
)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def jobs_of(project: Project, user: User) -> QuerySet[TrainingJob]:
    """The project's trainings, the newest first."""
    return (
        TrainingJob.objects.for_user(user)
        .for_project(project)
        .select_related("dataset", "created_by")
        .defer("checks", "says", "dataset__card")
        .order_by("-id")
    )


def trainable(project: Project) -> list[DatasetVersion]:
    """Datasets that are frozen or on their way, the newest first."""
    found = project.dataset_versions.filter(status__in=(*ACTIVE, Status.DONE)).defer("card")
    return list(found.order_by("-number")[:100])


def curves_of(job: TrainingJob) -> Curves | None:
    rows = list(job.points.order_by("step").values_list("step", "loss", "eval_loss"))
    training = [(step, loss) for step, loss, _ in rows if loss is not None]
    held_out = [(step, eval_loss) for step, _, eval_loss in rows if eval_loss is not None]
    return curves(training, held_out, job.total_steps)


def recipe_of(job: TrainingJob) -> dict[str, Any]:
    """The whole recipe in force, as the trainer was given it; empty before it was given any."""
    path = f"{job.folder}/config.json"
    try:
        with artifacts.open_artifact(path) as file:
            return json.loads(file.read(1024 * 1024))["recipe"]
    except (FileNotFoundError, ValueError, KeyError):
        return {}


@dataclass(frozen=True)
class Said:
    """What the student answered to a held-out question: its rationale, and its last line apart.

    `fits`: the last line ends with the reference, None where there is nothing to hold it against.
    """

    prompt: str
    rationale: str
    last: str
    reference: str
    fits: bool | None
    tokens: int
    ended: bool


def said(job: TrainingJob) -> list[Said]:
    """What it says now, each beside its reference. A plain look, not a grading."""
    if not job.says:
        return []
    asked = job.project.questions.filter(split="eval").order_by("id")[:10]
    references = {prompt_of(question): question.reference_answer for question in asked}
    return [_said(one, references.get(one["prompt"]) or "") for one in job.says]


def _said(one: dict[str, Any], reference: str) -> Said:
    rationale, _, last = one["text"].rstrip().rpartition("\n")
    answer = last.rpartition(":")[2].strip().rstrip(".").replace(",", "")
    fits = answer == reference.strip().replace(",", "") if reference else None
    return Said(one["prompt"], rationale, last, reference, fits, one["tokens"], one["ended"])


def plain(text: str) -> str:
    """A log as people read it: no terminal codes, of a line that overwrote itself only its end."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in ANSI.sub("", text).split("\n"))
    return "\n".join(CONTROLS.sub("", line) for line in lines)


def log_tail(job: TrainingJob) -> tuple[str, bool] | None:
    """(the end of the job's log, whether more stands before it); None where there is no log yet."""
    path = f"{job.folder}/train.log"
    if not artifacts.exists(path):
        return None
    size = artifacts.size(path)
    with artifacts.open_artifact(path) as file:
        file.seek(max(0, size - TAIL_BYTES))
        text = file.read(TAIL_BYTES).decode("utf-8", "replace")
    cut = size > TAIL_BYTES
    return without_paths(plain(text.partition("\n")[2] if cut else text)), cut
