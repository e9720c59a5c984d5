"""Trainings of the student."""

from typing import Any

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import ADMIN, ADMIN_READ, READ
from curation.api.core.pagination import PageOf, asked, filters, paged
from curation.api.core.request_body import Body
from curation.api.core.schemas import MAX_INTEGER, Id, Order, WorkOut, work_out
from curation.errors import Invalid
from curation.jobs import Status as WorkStatus
from curation.jobs import cancel
from curation.training import selectors, services
from curation.training.adapters import adapter_files, zipped
from curation.training.models import TrainingJob
from curation.training.presets import PRESETS

router = Router(tags=["training"])
P = "/projects/{slug:slug}"
ONE = f"{P}/trainings/{{int:training_id}}"


class TrainingRow(WorkOut):
    dataset: int = Field(description="Its number.")
    base_model: str
    preset: str
    recipe: dict[str, Any] = Field(description="What differs from the preset.")
    step: int
    total_steps: int
    epoch: float
    seconds_left: float | None
    tokens_per_second: float | None
    adapter_sha256: str


class PointOut(Schema):
    step: int
    loss: float | None
    eval_loss: float | None
    learning_rate: float | None


class TrainingOut(TrainingRow):
    recipe_in_force: dict[str, Any]
    checks: dict[str, Any] = Field(description="What was checked before the start.")
    points: list[PointOut]


class RecipeIn(Body):
    epochs: float | None = Field(None, ge=0.01, le=1000)
    learning_rate: float | None = Field(None, ge=1e-8, le=1.0)
    seed: int | None = Field(None, ge=0, le=MAX_INTEGER)


class TrainingIn(Order):
    dataset: Id = Field(description="Its number.")
    preset: str = Field("", description="; ".join(f"{k}: {v}" for k, v in PRESETS.items()))
    recipe: RecipeIn = RecipeIn()
    evaluate_after: bool = True


class ExportIn(Order):
    preset: str = ""


class LogOut(Schema):
    text: str
    cut: bool = Field(description="More stands before it.")


def _row(job: TrainingJob) -> dict[str, Any]:
    plain = (
        *("base_model", "preset", "recipe", "step", "total_steps", "epoch"),
        *("tokens_per_second", "adapter_sha256"),
    )
    told = {name: getattr(job, name) for name in plain}
    row = {**work_out(job), **told, "dataset": job.dataset.number}
    return row | {"seconds_left": row["progress"]["seconds_left"]}


def _job(request: HttpRequest, training_id: int) -> TrainingJob:
    rows = TrainingJob.objects.select_related("dataset", "created_by")
    return get_object_or_404(rows.defer("dataset__card"), project=request.project, pk=training_id)


def _out(request: HttpRequest, training_id: int) -> dict[str, Any]:
    job = _job(request, training_id)
    points = job.points.order_by("step").values("step", "loss", "eval_loss", "learning_rate")
    return {
        **_row(job),
        "recipe_in_force": selectors.recipe_of(job),
        "checks": job.checks,
        "points": list(points),
    }


@router.get(
    f"{P}/trainings",
    auth=READ,
    response=PageOf[TrainingRow],
    summary="Trainings, the newest first",
    openapi_extra=filters(),
)
def training_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    rows = selectors.jobs_of(request.project, request.user)
    return paged(request, rows, asked(request), _row, newest_first=True)


@router.post(f"{P}/trainings", auth=ADMIN, response={201: TrainingOut}, summary="Order a training")
def training_order(request: HttpRequest, slug: str, body: TrainingIn) -> Status[dict[str, Any]]:
    dataset = request.project.dataset_versions.filter(number=body.dataset).first()
    if dataset is None:
        raise Invalid(f"dataset: this project has no dataset {body.dataset}.")
    recipe = body.recipe.dict(exclude_none=True)
    if (
        "epochs" in recipe
    ):  # a preset may count steps; whoever says how many epochs wants none of that
        recipe["max_steps"] = 0
    job = services.order_training(
        request.project,
        request.user,
        dataset,
        preset=body.preset,
        recipe=recipe,
        evaluate_after=body.evaluate_after,
        order_key=body.order_key,
    )
    return Status(201, _out(request, job.pk))


@router.post(
    f"{P}/export-and-train", auth=ADMIN, response={201: TrainingOut}, summary="Freeze and train"
)
def export_and_train(request: HttpRequest, slug: str, body: ExportIn) -> Status[dict[str, Any]]:
    """The one click: freeze what is approved, train the student on it, then measure it."""
    job = services.export_and_train(
        request.project, request.user, preset=body.preset, order_key=body.order_key
    )
    return Status(201, _out(request, job.pk))


@router.get(ONE, auth=READ, response=TrainingOut, summary="One training, with its curves")
def training_detail(request: HttpRequest, slug: str, training_id: int) -> dict[str, Any]:
    return _out(request, training_id)


@router.post(f"{ONE}/cancel", auth=ADMIN, response=TrainingOut, summary="Cancel a training")
def training_cancel(request: HttpRequest, slug: str, training_id: int) -> dict[str, Any]:
    """It ends within seconds; its last checkpoint is kept, so it can go on."""
    cancel(_job(request, training_id))
    return _out(request, training_id)


@router.post(f"{ONE}/resume", auth=ADMIN, response=TrainingOut, summary="Go on with a training")
def training_resume(request: HttpRequest, slug: str, training_id: int) -> dict[str, Any]:
    services.resume_training(_job(request, training_id))
    return _out(request, training_id)


@router.get(f"{ONE}/log", auth=READ, response=LogOut, summary="The end of a training's log")
def training_log(request: HttpRequest, slug: str, training_id: int) -> dict[str, Any]:
    found = selectors.log_tail(_job(request, training_id))
    if found is None:
        raise Http404
    return {"text": found[0], "cut": found[1]}


@router.get(f"{ONE}/adapter", auth=ADMIN_READ, summary="Download the trained adapter, as a zip")
def training_adapter(request: HttpRequest, slug: str, training_id: int) -> StreamingHttpResponse:
    job = _job(request, training_id)
    names = adapter_files(job) if job.status == WorkStatus.DONE else []
    if not names:
        raise Http404
    name = f"{slug}-training-{training_id}.zip"
    return StreamingHttpResponse(
        zipped(job, names),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
