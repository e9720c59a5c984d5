"""Teachers: the models that write rationales."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation import key_names
from curation.api.core.auth import ADMIN, READ
from curation.api.core.pagination import PageOf, asked, filters, paged
from curation.api.core.request_body import Body
from curation.api.core.schemas import MAX_INTEGER
from curation.api.routes.rationales import hides_teachers
from curation.errors import Invalid
from curation.rationales.forms import TeacherForm
from curation.rationales.generation import orders
from curation.rationales.listing import selectors
from curation.rationales.models import Backend, Teacher
from curation.rationales.teachers import services
from curation.rationales.teachers.trial import FIELDS

router = Router(tags=["teachers"])
P = "/projects/{slug:slug}"
ONE = f"{P}/teachers/{{int:teacher_id}}"
SMALL = 32_767  # what a small integer column of PostgreSQL holds


class TeacherOut(Schema):
    id: int
    name: str
    backend: str
    model: str
    base_url: str
    prompt_style: str
    max_tokens: int
    top_p: float
    price_in: float
    price_out: float
    writes: bool = Field(description="False for a name that only stands on imported rationales.")
    written: int
    graded: int = Field(description="Answers that were read: right or wrong.")
    right: int
    not_read: int = Field(description="Neither right nor wrong, and no part of graded.")
    approved: int


class TeacherIn(Body):
    """What is left out keeps its value, or the default of a new teacher."""

    name: str | None = Field(None, max_length=80)
    backend: str | None = Field(None, description=", ".join(Backend.values))
    model: str | None = Field(
        None,
        max_length=300,
        description="A folder below the worker's models folder (MODEL_ROOTS), by its name there; for vllm "
        "also a hub's name; at an address, the server's name for it.",
    )
    base_url: str | None = Field(None, max_length=300)
    api_key_env: str | None = Field(
        None,
        max_length=80,
        description=key_names.HELP,
    )
    prompt_style: str | None = Field(None, max_length=40)
    max_tokens: int | None = Field(None, ge=1, le=orders.MAX_TOKENS)
    top_p: float | None = None
    price_in: float | None = None
    price_out: float | None = None
    concurrency: int | None = Field(None, ge=1, le=SMALL)
    samples_per_request: int | None = Field(None, ge=1, le=SMALL)
    requests_per_minute: int | None = Field(None, ge=0, le=MAX_INTEGER)
    tokens_per_minute: int | None = Field(None, ge=0, le=MAX_INTEGER)
    dtype: str | None = None
    context_length: int | None = Field(None, ge=0, le=MAX_INTEGER)
    tensor_parallel: int | None = Field(None, ge=1, le=SMALL)
    pipeline_parallel: int | None = Field(None, ge=1, le=SMALL)
    gpu_memory: float | None = None


def _out(row: Teacher) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TeacherOut.model_fields}


def _teachers(request: HttpRequest) -> QuerySet[Teacher]:
    if hides_teachers(request):
        raise PermissionDenied("This project does not show its teachers to reviewers.")
    return selectors.teachers(request.project)


@router.get(
    f"{P}/teachers",
    auth=READ,
    response=PageOf[TeacherOut],
    summary="Teachers",
    openapi_extra=filters(),
)
def teacher_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    """With what they wrote, and how much of it was right and approved."""
    return paged(request, _teachers(request), asked(request), _out)


@router.get(ONE, auth=READ, response=TeacherOut, summary="One teacher")
def teacher_detail(request: HttpRequest, slug: str, teacher_id: int) -> dict[str, Any]:
    return _out(get_object_or_404(_teachers(request), pk=teacher_id))


@router.post(f"{P}/teachers", auth=ADMIN, response={201: TeacherOut}, summary="New teacher")
def teacher_create(request: HttpRequest, slug: str, body: TeacherIn) -> Status[dict[str, Any]]:
    made = _saved(request, Teacher(project=request.project), body)
    return Status(201, _out(_teachers(request).get(pk=made.pk)))


@router.patch(ONE, auth=ADMIN, response=TeacherOut, summary="Change a teacher")
def teacher_change(
    request: HttpRequest, slug: str, teacher_id: int, body: TeacherIn
) -> dict[str, Any]:
    """Runs that are under way go on with it as it is now; what it wrote stays."""
    rows = Teacher.objects.filter(project=request.project, writes=True)
    saved = _saved(request, get_object_or_404(rows, pk=teacher_id), body)
    return _out(_teachers(request).get(pk=saved.pk))


def _saved(request: HttpRequest, teacher: Teacher, body: TeacherIn) -> Teacher:
    """Checked by the form of the page, so that both doors take the same."""
    standing = {name: getattr(teacher, name) for name in FIELDS}
    form = TeacherForm({**standing, **body.dict(exclude_none=True)}, instance=teacher)
    if not form.is_valid():
        told = (f"{name}: {' '.join(texts)}" for name, texts in form.errors.items())
        raise Invalid(" ".join(told))
    return services.save_teacher(request.project, form.save(commit=False))
