"""Evaluations: how models do on held-out questions."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import ADMIN, READ
from curation.api.core.pagination import PageOf, asked, filters, paged
from curation.api.core.schemas import MAX_INTEGER, Id, Order, WorkOut, work_out
from curation.api.routes.rationales import hides_teachers
from curation.errors import Invalid
from curation.evaluations import selectors, services
from curation.evaluations.models import Answer, Evaluation
from curation.evaluations.reports import blind, model_names
from curation.jobs import cancel
from curation.projects.models import Project
from curation.questions.models import Split
from curation.training.models import TrainingJob
from curation.web.pagination import one_of

router = Router(tags=["evaluations"])
P = "/projects/{slug:slug}"
ONE = f"{P}/evaluations/{{int:evaluation_id}}"
RIGHT = {"yes": True, "no": False, "not_read": None, "unknown": None}
RIGHT_WORDS = {
    "yes": "right",
    "no": "read, and not right",
    "not_read": "neither: the answer was not read",
    "unknown": "the same, as it was called before",
}


class EvaluationRow(WorkOut):
    training: int | None
    options: dict[str, Any]
    done: int
    total: int
    stage: str
    verdict: list[str] = Field(description="In sentences.")


class EvaluationOut(EvaluationRow):
    compared: list[int] = Field(description="Further trainings that are measured beside it.")
    report: dict[str, Any] = Field(
        description="All figures with their 95% intervals. Accuracy is the share of right answers of all "
        "that came back; `n_not_read` of them are neither right nor wrong."
    )


class EvaluationIn(Order):
    training: Id | None = Field(None, description="Its id; null: base and teachers only.")
    compared: list[Id] = Field(default_factory=list, max_length=20)
    splits: list[str] = Field(default_factory=lambda: [Split.EVAL.value, Split.OOD.value])
    limit: int | None = Field(None, ge=1, le=MAX_INTEGER, description="Questions of each part.")


class AnswerOut(Schema):
    id: int
    model: str
    question: int
    text: str
    answer: str | None
    right: bool | None = Field(description="Null where the answer was not read.")
    validity: float | None
    tokens: int
    finish_reason: str


def _row(one: Evaluation) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in ("options", "stage", "verdict")}
    row = {**work_out(one), **told, "training": one.job_id}
    progress = row["progress"]
    return row | {"done": progress["done"], "total": progress["total"] or 0}


def _evaluation(request: HttpRequest, evaluation_id: int) -> Evaluation:
    rows = Evaluation.objects.select_related("created_by")
    return get_object_or_404(rows, project=request.project, pk=evaluation_id)


def _out(request: HttpRequest, evaluation_id: int) -> dict[str, Any]:
    one = _evaluation(request, evaluation_id)
    compared = list(one.compared_jobs.order_by("id").values_list("pk", flat=True))
    report = blind(one.report) if hides_teachers(request) else one.report
    return {**_row(one), "compared": compared, "report": report}


@router.get(
    f"{P}/evaluations",
    auth=READ,
    response=PageOf[EvaluationRow],
    summary="Evaluations, the newest first",
    openapi_extra=filters(),
)
def evaluation_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    rows = selectors.evaluations_of(request.project, request.user).defer("report")
    return paged(request, rows, asked(request), _row, newest_first=True)


@router.post(
    f"{P}/evaluations", auth=ADMIN, response={201: EvaluationOut}, summary="Order an evaluation"
)
def evaluation_order(request: HttpRequest, slug: str, body: EvaluationIn) -> Status[dict[str, Any]]:
    made = services.order_evaluation(
        request.project,
        request.user,
        _training(request.project, body.training) if body.training is not None else None,
        compared=[_training(request.project, pk) for pk in dict.fromkeys(body.compared)],
        splits=body.splits,
        limit=body.limit,
        order_key=body.order_key,
    )
    return Status(201, _out(request, made.pk))


def _training(project: Project, pk: int) -> TrainingJob:
    job = TrainingJob.objects.for_project(project).filter(pk=pk).first()
    if job is None:
        raise Invalid(f"This project has no training {pk}.")
    return job


@router.get(ONE, auth=READ, response=EvaluationOut, summary="One evaluation, with its report")
def evaluation_detail(request: HttpRequest, slug: str, evaluation_id: int) -> dict[str, Any]:
    return _out(request, evaluation_id)


@router.get(
    f"{ONE}/answers",
    auth=READ,
    response=PageOf[AnswerOut],
    summary="What the models answered",
    openapi_extra=filters(model="A model's name in the report.", right=RIGHT_WORDS),
)
def answer_list(request: HttpRequest, slug: str, evaluation_id: int) -> dict[str, Any]:
    given = asked(request, ("model", "right"))
    evaluation = _evaluation(request, evaluation_id)
    rows = Answer.objects.filter(evaluation=evaluation)
    if hides_teachers(request):
        # Beside a teacher's name its answers tell its hand.
        names = model_names(evaluation.report, teachers=False)
        rows = rows.filter(model__in=names)
        if given.get("model") and given["model"] not in names:
            raise PermissionDenied("This project does not show reviewers what its teachers answer.")
    if model := given.get("model"):
        rows = rows.filter(model=model)
    if right := given.get("right"):
        known = RIGHT[one_of("right", right, RIGHT)]
        rows = rows.filter(right__isnull=True) if known is None else rows.filter(right=known)
    return paged(request, rows, given, _answer)


def _answer(row: Answer) -> dict[str, Any]:
    plain = [name for name in AnswerOut.model_fields if name != "question"]
    return {**{name: getattr(row, name) for name in plain}, "question": row.question_id}


@router.post(f"{ONE}/cancel", auth=ADMIN, response=EvaluationOut, summary="Cancel an evaluation")
def evaluation_cancel(request: HttpRequest, slug: str, evaluation_id: int) -> dict[str, Any]:
    cancel(_evaluation(request, evaluation_id))
    return _out(request, evaluation_id)


@router.post(f"{ONE}/resume", auth=ADMIN, response=EvaluationOut, summary="Go on with one")
def evaluation_resume(request: HttpRequest, slug: str, evaluation_id: int) -> dict[str, Any]:
    services.resume_evaluation(_evaluation(request, evaluation_id))
    return _out(request, evaluation_id)
