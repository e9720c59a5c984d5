"""Deleting questions, rationales and projects, and restoring them."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import ADMIN, ADMIN_READ, READ, Access
from curation.api.core.pagination import PageOf, asked, filters, paged
from curation.api.core.request_body import Body
from curation.api.core.schemas import Id, Order, WorkOut, work_out
from curation.api.models import Scope
from curation.api.routes.projects import ProjectOut, project_out
from curation.api.routes.projects import router as project
from curation.api.routes.questions import router as questions
from curation.api.routes.rationales import by_id
from curation.api.routes.rationales import router as rationales
from curation.api.routes.reviewing.bulk import FiltersIn
from curation.jobs import cancel
from curation.projects import deletion as projects
from curation.projects.access import membership_of
from curation.projects.models import Project
from curation.questions.models import Deletion, Kind, Question
from curation.rationales.models import Rationale
from curation.reviews.deletion import orders

# An address belongs to one router: what deletes the object of one stands in that.
router = Router(tags=["deleting"])
P = "/projects/{slug:slug}"
ONE = f"{P}/deletions/{{int:deletion_id}}"
KINDS = " or ".join(Kind.values)


class QuestionFiltersIn(Body):
    """The filters of the list of questions, as texts."""

    split: str = ""
    subset: str = ""
    domain: str = ""
    state: str = ""
    q: str = Field("", max_length=200)


class WhichIn(Body):
    kind: str = Field(description=KINDS)
    of_questions: QuestionFiltersIn | None = Field(None, description="For the kind questions.")
    of_rationales: FiltersIn | None = Field(None, description="For the kind rationales.")


class DeletionPreview(Schema):
    total: int = Field(description="Questions or rationales that would be deleted.")
    rationales: int = Field(description="Rationales that would go with the questions.")
    approved: int = Field(description="Approved rationales among them.")
    newest: int = Field(description="Send it with the order: later ones stay out of it.")


class DeletionIn(Order):
    kind: str = Field(description=KINDS)
    of_questions: QuestionFiltersIn | None = None
    of_rationales: FiltersIn | None = None
    newest: Id = Field(description="As the preview said.")
    why: str = Field("", max_length=300)


class RestoreIn(Body):
    one: Id | None = Field(None, description="Only this one of what was deleted; else all.")


class DeletionOut(WorkOut):
    kind: str
    one: int | None = Field(description="The question or rationale, where it is of a single one.")
    filters: dict[str, Any]
    why: str
    deleted: int
    rationales: int = Field(description="That went with questions.")
    restored: int


class DeletedProject(Schema):
    slug: str
    name: str
    deleted_at: datetime
    deleted_by: str | None


def _given(body: WhichIn | DeletionIn) -> dict[str, str]:
    if body.kind == Kind.QUESTIONS:
        named = body.of_questions.dict() if body.of_questions else {}
        return {name: value for name, value in named.items() if value}
    named = body.of_rationales.dict() if body.of_rationales else {}
    return by_id({name: value for name, value in named.items() if value})


def _out(deletion: Deletion) -> dict[str, Any]:
    plain = ("kind", "one", "filters", "why", "deleted", "rationales", "restored")
    return {**work_out(deletion), **{name: getattr(deletion, name) for name in plain}}


def _deletion(request: HttpRequest, deletion_id: int) -> Deletion:
    return get_object_or_404(orders.deletions_of(request.project), pk=deletion_id)


@questions.delete(
    f"{P}/questions/{{int:question_id}}",
    auth=ADMIN,
    response=DeletionOut,
    summary="Delete a question",
)
def question_delete(request: HttpRequest, slug: str, question_id: int) -> dict[str, Any]:
    """With its rationales; the answer names the deletion by which they can be restored. Datasets that
    are frozen keep them."""
    get_object_or_404(Question, project=request.project, pk=question_id)
    return _out(orders.delete_one(request.project, request.user, Kind.QUESTIONS, question_id))


@rationales.delete(
    f"{P}/rationales/{{int:rationale_id}}",
    auth=ADMIN,
    response=DeletionOut,
    summary="Delete a rationale",
)
def rationale_delete(request: HttpRequest, slug: str, rationale_id: int) -> dict[str, Any]:
    get_object_or_404(Rationale, project=request.project, pk=rationale_id)
    return _out(orders.delete_one(request.project, request.user, Kind.RATIONALES, rationale_id))


@router.post(
    f"{P}/deletions/preview", auth=ADMIN_READ, response=DeletionPreview, summary="Count first"
)
def deletion_preview(request: HttpRequest, slug: str, body: WhichIn) -> dict[str, Any]:
    """What would be deleted now."""
    told = orders.preview(request.project, body.kind, _given(body))
    plain = {name: getattr(told, name) for name in ("total", "rationales", "approved")}
    return {**plain, "newest": told.until}


@router.post(f"{P}/deletions", auth=ADMIN, response={201: DeletionOut}, summary="Delete many")
def deletion_order(request: HttpRequest, slug: str, body: DeletionIn) -> Status[dict[str, Any]]:
    """All that the filters of a list keep: a few at once, many by a worker."""
    made = orders.order_deletion(
        request.project,
        request.user,
        body.kind,
        _given(body),
        until=body.newest,
        why=body.why,
        order_key=body.order_key,
    )
    return Status(201, _out(_deletion(request, made.pk)))


@router.get(
    f"{P}/deletions",
    auth=ADMIN_READ,
    response=PageOf[DeletionOut],
    summary="What was deleted, the newest first",
    openapi_extra=filters(),
)
def deletion_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    rows = orders.deletions_of(request.project)
    return paged(request, rows, asked(request), _out, newest_first=True)


@router.get(ONE, auth=ADMIN_READ, response=DeletionOut, summary="One deletion")
def deletion_detail(request: HttpRequest, slug: str, deletion_id: int) -> dict[str, Any]:
    return _out(_deletion(request, deletion_id))


@router.post(f"{ONE}/restore", auth=ADMIN, response=DeletionOut, summary="Restore")
def deletion_restore(
    request: HttpRequest, slug: str, deletion_id: int, body: RestoreIn
) -> dict[str, Any]:
    """All that it took, or `one` of it, as it was."""
    deletion = _deletion(request, deletion_id)
    if body.one is None:
        orders.order_restore(deletion, request.user)
    else:
        orders.restore_one(deletion, request.user, body.one)
    return _out(_deletion(request, deletion_id))


@router.post(f"{ONE}/cancel", auth=ADMIN, response=DeletionOut, summary="Stop it")
def deletion_cancel(request: HttpRequest, slug: str, deletion_id: int) -> dict[str, Any]:
    """What was deleted by then stays so, and can be restored."""
    cancel(_deletion(request, deletion_id))
    return _out(_deletion(request, deletion_id))


@router.post(f"{ONE}/resume", auth=ADMIN, response=DeletionOut, summary="Go on with it")
def deletion_resume(request: HttpRequest, slug: str, deletion_id: int) -> dict[str, Any]:
    orders.resume_deletion(_deletion(request, deletion_id))
    return _out(_deletion(request, deletion_id))


@project.delete(P, auth=ADMIN, response={204: None}, summary="Delete a project")
def project_delete(request: HttpRequest, slug: str) -> Status[None]:
    """It is gone for everybody at once; who led it can restore it."""
    projects.delete_project(request.project, request.user)
    return Status(204, None)


def _project_out(gone: Project) -> dict[str, Any]:
    told = {name: getattr(gone, name) for name in ("slug", "name", "deleted_at")}
    return {**told, "deleted_by": gone.deleted_by and gone.deleted_by.username}


def _named(request: HttpRequest) -> Any:
    """The deleted projects that this person led; of a token for one project, that one alone."""
    rows = projects.deleted_projects(request.user)
    token = request.auth.token
    return rows.filter(pk=token.project_id) if token and token.project_id else rows


@router.get(
    "/deleted-projects",
    auth=READ,
    response=PageOf[DeletedProject],
    summary="Deleted projects that I led",
    openapi_extra=filters(),
)
def deleted_projects(request: HttpRequest) -> dict[str, Any]:
    return paged(request, _named(request), asked(request), _project_out)


@router.post(
    "/deleted-projects/{slug:deleted}/restore",
    auth=Access(Scope.ADMIN),
    response=ProjectOut,
    summary="Restore a project",
)
def project_restore(request: HttpRequest, deleted: str) -> dict[str, Any]:
    """With its members. Work that its deletion stopped can be resumed."""
    try:
        back = projects.restore_project(request.user, deleted)
    except Project.DoesNotExist:
        raise Http404("No such project.") from None
    return project_out(membership_of(request.user, back.slug))
