"""What an admin does to all rationales that a filter keeps: counted before, done, taken back."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import ADMIN, ADMIN_READ
from curation.api.core.pagination import PageOf, asked, filters, paged
from curation.api.core.request_body import Body
from curation.api.core.schemas import Id, Order, WorkOut, work_out
from curation.api.routes.rationales import by_id
from curation.errors import Invalid
from curation.projects.models import User
from curation.reviews.bulk import orders
from curation.reviews.models import BulkAction, BulkKind, Reason

router = Router(tags=["bulk actions"])
P = "/projects/{slug:slug}"
ONE = f"{P}/bulk-actions/{{int:action_id}}"
KINDS = ", ".join(f"{kind}: {BulkKind(kind).label}" for kind in orders.CHOSEN)


class FiltersIn(Body):
    """The filters of the list of rationales, as texts."""

    teacher: str = ""
    temperature: str = ""
    answer: str = ""
    band: str = ""
    range: str = ""
    valid_from: str = ""
    valid_to: str = ""
    decision: str = ""
    flag: str = ""
    reviewer: str = ""
    since: str = ""
    until: str = ""
    q: str = Field("", max_length=200)


class PreviewIn(Body):
    kind: str = Field(description=KINDS)
    filters: FiltersIn = FiltersIn()


class KeptOut(Schema):
    n: int
    why: str


class PreviewOut(Schema):
    total: int = Field(description="Rationales that the filters keep.")
    changed: int = Field(description="So many of them would change.")
    kept: list[KeptOut]
    newest: int = Field(description="Send it with the order: later rationales stay out of it.")


class BulkIn(Order):
    kind: str = Field(description=KINDS)
    filters: FiltersIn = FiltersIn()
    newest: Id = Field(description="As the preview said.")
    reasons: list[str] = Field(default_factory=list, description=", ".join(Reason.values))
    comment: str = Field("", max_length=2000)
    username: str = Field("", description="To whom `assign` assigns.")


class BulkOut(WorkOut):
    kind: str
    filters: dict[str, Any]
    expected: int
    changed: int
    put_back: int
    undone: bool


def _given(body: FiltersIn) -> dict[str, str]:
    return by_id({name: value for name, value in body.dict().items() if value})


def _out(action: BulkAction) -> dict[str, Any]:
    plain = ("kind", "filters", "expected", "changed", "put_back")
    told = {name: getattr(action, name) for name in plain}
    return {**work_out(action), **told, "undone": action.undone_at is not None}


def _action(request: HttpRequest, action_id: int) -> BulkAction:
    rows = BulkAction.objects.for_project(request.project).select_related("created_by")
    return get_object_or_404(rows, pk=action_id)


@router.post(
    f"{P}/bulk-actions/preview", auth=ADMIN_READ, response=PreviewOut, summary="Count first"
)
def bulk_preview(request: HttpRequest, slug: str, body: PreviewIn) -> dict[str, Any]:
    """What the action would change now, and what it would leave as it is, and why."""
    told = orders.preview(request.project, body.kind, _given(body.filters))
    kept = [{"n": n, "why": why} for n, why in told.kept]
    return {"total": told.total, "changed": told.changed, "kept": kept, "newest": told.until}


@router.get(
    f"{P}/bulk-actions",
    auth=ADMIN_READ,
    response=PageOf[BulkOut],
    summary="Bulk actions, the newest first",
    openapi_extra=filters(),
)
def bulk_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    rows = BulkAction.objects.for_project(request.project).select_related("created_by")
    return paged(request, rows, asked(request), _out, newest_first=True)


@router.post(f"{P}/bulk-actions", auth=ADMIN, response={201: BulkOut}, summary="Do it to all")
def bulk_order(request: HttpRequest, slug: str, body: BulkIn) -> Status[dict[str, Any]]:
    """A few at once, many by a worker. What people decided stays as it is."""
    person = None
    if body.username:
        here = User.objects.filter(memberships__project=request.project)
        person = here.filter(username=body.username).first()
        if person is None:
            raise Invalid(f"{body.username!r} is no member of this project.")
    made = orders.order_bulk(
        request.project,
        request.user,
        body.kind,
        _given(body.filters),
        until=body.newest,
        reasons=body.reasons,
        comment=body.comment,
        person=person,
        order_key=body.order_key,
    )
    return Status(201, _out(_action(request, made.pk)))


@router.get(ONE, auth=ADMIN_READ, response=BulkOut, summary="One bulk action")
def bulk_detail(request: HttpRequest, slug: str, action_id: int) -> dict[str, Any]:
    return _out(_action(request, action_id))


@router.post(f"{ONE}/undo", auth=ADMIN, response=BulkOut, summary="Take it back")
def bulk_undo(request: HttpRequest, slug: str, action_id: int) -> dict[str, Any]:
    """Where nobody has decided anew since."""
    orders.order_undo(_action(request, action_id), request.user)
    return _out(_action(request, action_id))


@router.post(f"{ONE}/cancel", auth=ADMIN, response=BulkOut, summary="Stop it")
def bulk_cancel(request: HttpRequest, slug: str, action_id: int) -> dict[str, Any]:
    """What was changed by then stays, and can be taken back."""
    orders.cancel_bulk(_action(request, action_id))
    return _out(_action(request, action_id))


@router.post(f"{ONE}/resume", auth=ADMIN, response=BulkOut, summary="Go on with it")
def bulk_resume(request: HttpRequest, slug: str, action_id: int) -> dict[str, Any]:
    orders.resume_bulk(_action(request, action_id))
    return _out(_action(request, action_id))
