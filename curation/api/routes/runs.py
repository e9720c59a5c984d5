"""The runs in which teachers write, and scoring."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import ADMIN, READ
from curation.api.core.pagination import PageOf, asked, filters, shown, size_of
from curation.api.core.request_body import Body
from curation.api.core.schemas import MAX_INTEGER, Order, WorkOut, WorkProgressOut, work_out
from curation.api.routes.rationales import hides_teachers, is_admin
from curation.errors import Invalid
from curation.jobs import cancel
from curation.projects.models import Project
from curation.rationales.generation import orders, status
from curation.rationales.generation.question_filter import WHICH, Choice
from curation.rationales.listing import selectors
from curation.rationales.models import GenerationRun, ScoringRun, Teacher, count_resting
from curation.rationales.scoring import scores
from curation.web.pagination import page_of

# To a reviewer where people review blind.
UNTOLD = "It ended with an error that an admin can read."

router = Router(tags=["rationales"])
P = "/projects/{slug:slug}"
RUN = f"{P}/runs/{{int:run_id}}"


class SpentOut(Schema):
    rationales: int
    tokens: int
    money: float


class RunRow(WorkOut):
    teachers: list[str] | None = Field(description="Null for reviewers of a blind project.")
    temperatures: list[float]
    samples: int
    seed: int
    max_tokens: int | None
    prompt_style: str
    enough: int
    filters: dict[str, Any]
    slot_count: int
    budget_money: float | None
    budget_tokens: int | None
    budget_rationales: int | None


class FailureOut(Schema):
    error: str
    n: int


class RunProgressOut(WorkProgressOut):
    filled: int = Field(description="The same as done.")
    saved: int = Field(description="Slots that turned out not to be needed: no part of the total.")
    cut_off: int
    spent: SpentOut
    failures: list[FailureOut]


class RunOut(RunRow):
    progress: RunProgressOut


class BudgetIn(Body):
    money: float | None = None
    tokens: int | None = None
    rationales: int | None = Field(None, le=MAX_INTEGER)


class RunIn(Order):
    teachers: list[str] = Field(min_length=1, max_length=100, description="Their names.")
    temperatures: list[float] = Field(default_factory=lambda: [0.3, 0.5, 0.7])
    samples: int = Field(1, description="At each temperature.")
    which: str = Field("train", description="; ".join(f"{k}: {v}" for k, v in WHICH.items()))
    limit: int | None = Field(None, ge=1, le=MAX_INTEGER)
    domain: str = ""
    subset: str = ""
    difficulty: str = ""
    words: str = Field("", max_length=200)
    prompt_style: str = ""
    enough: int = Field(0, description="Leave a question once so many rationales pass; 0: never.")
    max_tokens: int | None = None
    seed: int = Field(0, ge=0, le=MAX_INTEGER)
    only_missing: bool = False
    budget: BudgetIn = BudgetIn()


class CutOffIn(Order):
    max_tokens: int


class ScoringOut(Schema):
    waiting_questions: int
    run: WorkOut | None
    total: int
    done: int
    note: str = Field(description="What could not be measured, and why.")


class ScoringIn(Body):
    again: bool = Field(False, description="Everything, also what was scored already.")


def _row(request: HttpRequest, run: GenerationRun) -> dict[str, Any]:
    plain = (
        *("temperatures", "samples", "seed", "max_tokens", "prompt_style", "enough", "filters"),
        *("slot_count", "budget_money", "budget_tokens", "budget_rationales"),
    )
    names = None if hides_teachers(request) else [one.name for one in run.teachers.all()]
    told = {name: getattr(run, name) for name in plain}
    row = {**work_out(run), **told, "teachers": names}
    if run.error and hides_teachers(request):
        row["error"] = UNTOLD  # it names whose server failed
    return row


def _run(request: HttpRequest, run_id: int) -> GenerationRun:
    rows = GenerationRun.objects.select_related("created_by", "project")
    return get_object_or_404(rows.prefetch_related("teachers"), project=request.project, pk=run_id)


def _out(request: HttpRequest, run_id: int) -> dict[str, Any]:
    run = _run(request, run_id)
    state = status.run_state(run)
    row = _row(request, run)
    plain = ("saved", "cut_off", "failures", "spent")
    progress = row["progress"] | {name: getattr(state, name) for name in plain}
    progress["filled"] = progress["done"]
    if hides_teachers(request):
        progress["failures"] = []  # they name whose server failed
    return row | {"progress": progress}


@router.get(
    f"{P}/runs",
    auth=READ,
    response=PageOf[RunRow],
    summary="Runs, the newest first",
    openapi_extra=filters(),
)
def run_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    rows = GenerationRun.objects.for_project(request.project).select_related("created_by")
    given = asked(request)
    page = page_of(rows.prefetch_related("teachers"), given, size_of(given), newest_first=True)
    count_resting(page.rows)
    for row in page.rows:
        row.project = request.project
    return shown(request, page, lambda row: _row(request, row))


@router.post(f"{P}/runs", auth=ADMIN, response={201: RunOut}, summary="Order rationales")
def run_order(request: HttpRequest, slug: str, body: RunIn) -> Status[dict[str, Any]]:
    choice = Choice(
        which=body.which,
        limit=body.limit if body.which == "first" else None,
        **{name: getattr(body, name) for name in ("domain", "subset", "difficulty", "words")},
    )
    if body.which == "first" and body.limit is None:
        raise Invalid("limit: say how many questions.")
    run = orders.order_run(
        request.project,
        request.user,
        teachers=_named(request.project, body.teachers),
        questions=choice.questions(request.project),
        filters=choice.stored(),
        budget=orders.Budget(**body.budget.dict()),
        **{
            name: getattr(body, name)
            for name in (
                *("temperatures", "samples", "seed", "max_tokens", "prompt_style"),
                *("enough", "only_missing", "order_key"),
            )
        },
    )
    return Status(201, _out(request, run.pk))


def _named(project: Project, names: list[str]) -> list[Teacher]:
    found = list(Teacher.objects.for_project(project).filter(name__in=names))
    unknown = sorted(set(names) - {one.name for one in found})
    if unknown:
        raise Invalid(f"This project has no teacher {', '.join(unknown)}.")
    return found


@router.get(RUN, auth=READ, response=RunOut, summary="One run, and how far it is")
def run_detail(request: HttpRequest, slug: str, run_id: int) -> dict[str, Any]:
    return _out(request, run_id)


def _do(request: HttpRequest, run_id: int, act: Callable[[GenerationRun], Any]) -> dict[str, Any]:
    act(_run(request, run_id))
    return _out(request, run_id)


@router.post(f"{RUN}/pause", auth=ADMIN, response=RunOut, summary="Pause a run")
def run_pause(request: HttpRequest, slug: str, run_id: int) -> dict[str, Any]:
    return _do(request, run_id, orders.pause_run)


@router.post(f"{RUN}/resume", auth=ADMIN, response=RunOut, summary="Go on with a run")
def run_resume(request: HttpRequest, slug: str, run_id: int) -> dict[str, Any]:
    return _do(request, run_id, orders.resume_run)


@router.post(f"{RUN}/cancel", auth=ADMIN, response=RunOut, summary="Cancel a run")
def run_cancel(request: HttpRequest, slug: str, run_id: int) -> dict[str, Any]:
    return _do(request, run_id, cancel)


@router.post(f"{RUN}/retry", auth=ADMIN, response=RunOut, summary="Write what failed again")
def run_retry(request: HttpRequest, slug: str, run_id: int) -> dict[str, Any]:
    return _do(request, run_id, orders.retry_failed)


@router.put(f"{RUN}/budget", auth=ADMIN, response=RunOut, summary="Change the limits of a run")
def run_budget(request: HttpRequest, slug: str, run_id: int, body: BudgetIn) -> dict[str, Any]:
    """What is left out is without a limit. A run that is paused goes on with `resume`."""
    budget = orders.Budget(**body.dict())
    return _do(request, run_id, lambda run: orders.set_budget(run, budget))


@router.post(
    f"{RUN}/cut-off", auth=ADMIN, response={201: RunOut}, summary="Order what was cut off again"
)
def run_cut_off(
    request: HttpRequest, slug: str, run_id: int, body: CutOffIn
) -> Status[dict[str, Any]]:
    again = orders.order_cut_off(
        _run(request, run_id), request.user, body.max_tokens, body.order_key
    )
    return Status(201, _out(request, again.pk))


def _scoring(request: HttpRequest) -> dict[str, Any]:
    state = selectors.scoring_state(request.project)
    run = state.run
    told = run and work_out(run)
    if told and not is_admin(request):
        told["created_by"] = None  # often who edited a rationale of a question that is still open
    return {
        "waiting_questions": state.waiting,
        "run": told,
        "total": told["progress"]["total"] if told else 0,
        "done": told["progress"]["done"] if told else 0,
        "note": run.note if run else "",
    }


@router.get(f"{P}/scoring", auth=READ, response=ScoringOut, summary="How scoring stands")
def scoring_detail(request: HttpRequest, slug: str) -> dict[str, Any]:
    return _scoring(request)


@router.post(f"{P}/scoring", auth=ADMIN, response={202: ScoringOut}, summary="Order scoring")
def scoring_order(request: HttpRequest, slug: str, body: ScoringIn) -> Status[dict[str, Any]]:
    """What waits for scores is scored; with `again`, everything is. Decisions stay as they are."""
    order = scores.order_rescoring if body.again else scores.order_scoring
    order(request.project, request.user)
    return Status(202, _scoring(request))


@router.post(f"{P}/scoring/cancel", auth=ADMIN, response=ScoringOut, summary="Stop scoring")
def scoring_cancel(request: HttpRequest, slug: str) -> dict[str, Any]:
    last = ScoringRun.objects.for_project(request.project).order_by("-id").first()
    if last is None:
        raise Invalid("Nothing was scored here yet.")
    cancel(last)
    return _scoring(request)
