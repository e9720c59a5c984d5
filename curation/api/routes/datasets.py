"""Frozen datasets."""

from typing import Any

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import ADMIN, ADMIN_READ, READ
from curation.api.core.pagination import PageOf, asked, filters, shown, size_of
from curation.api.core.schemas import MAX_INTEGER, Body, Order, WorkOut, work_out
from curation.api.routes.rationales import hides_teachers
from curation.datasets import selectors, services
from curation.datasets.models import DatasetCheck, DatasetVersion
from curation.datasets.previews import preview_of
from curation.datasets.recipes import THOUGHTS, WHICH
from curation.datasets.verification import last_check, order_check
from curation.datasets.views import download
from curation.web.pagination import Page, number

router = Router(tags=["datasets"])
P = "/projects/{slug:slug}"
ONE = f"{P}/datasets/{{int:dataset}}"


class DatasetRow(WorkOut):
    number: int
    recipe: dict[str, Any]
    funnel: dict[str, Any] = Field(description="What each stage of the recipe left out.")
    sha256: str = Field(description="Of the canonical JSONL, byte for byte.")
    example_count: int
    question_count: int
    verdicts: dict[str, int] | None = Field(
        description="Examples by the verdict of their answer when it was frozen: right, wrong, not_read, "
        "no_reference; an empty name where it was not scored. Null for older datasets."
    )


class DatasetOut(DatasetRow):
    same_as: int | None = Field(description="The first dataset that has the very same bytes.")
    card: str = Field(description="Markdown: what it is, from whom, how it was made.")


class RecipeIn(Body):
    selection: str = Field("approved", description="approved, or unfiltered to compare with.")
    teachers: list[str] = Field(
        default_factory=list, description="Rationales of these only, by their names; empty: all."
    )
    domains: list[str] = Field(default_factory=list, description="Of these only; empty: all.")
    difficulties: list[str] = Field(default_factory=list, description="Of these; empty: all.")
    minimum: dict[str, float] = Field(
        default_factory=dict,
        description="The least of a stored score, 0 to 1 (of `redundancy` the most): overall, "
        "validity, conciseness, structure, redundancy, consistency.",
    )
    right_only: bool = Field(False, description="Only with a right answer: not read is not right.")
    view: str = Field("", max_length=60, description="A saved view of the list of rationales.")
    filters: dict[str, str] = Field(
        default_factory=dict, description="Filters as of the list of rationales."
    )
    per_question: int | None = Field(None, le=MAX_INTEGER)
    which: str = Field("random", description=f"Of several: {', '.join(WHICH)}.")
    max_tokens: int | None = Field(None, le=MAX_INTEGER)
    balance: str = Field("", description="domain, teacher or difficulty: as many of each.")
    style: str = Field("rationale_first", description="Or answer_first.")
    thoughts: str = Field("final", description=f"{', '.join(THOUGHTS)}.")
    limit: int | None = Field(None, le=MAX_INTEGER)
    seed: int = Field(0, ge=0, le=MAX_INTEGER)


class FreezeIn(RecipeIn, Order):
    """A recipe, and the key under which it is ordered once."""

    look: int | None = Field(
        None,
        ge=1,
        le=MAX_INTEGER,
        description="A look through the examples: its recipe is frozen, without what was left out.",
    )


class PreviewOut(Schema):
    words: str
    funnel: dict[str, Any] = Field(description="candidates, left, and what each stage left out.")
    funnel_words: str
    questions: int
    questions_read: int = Field(description="Fewer than of_questions: the counts are estimates.")
    of_questions: int
    is_estimate: bool
    tokens: dict[str, int]
    samples: list[dict[str, Any]]


class CheckOut(WorkOut):
    done: int = Field(description="Lines that were made again so far.")
    same: bool | None = Field(
        description="The bytes made anew have the hash that was frozen; null until that is known."
    )


def _check_out(check: DatasetCheck) -> dict[str, Any]:
    return {**work_out(check), "done": check.done, "same": check.same}


def _row(request: HttpRequest, version: DatasetVersion) -> dict[str, Any]:
    plain = (
        *("number", "recipe", "funnel", "sha256", "example_count", "question_count"),
        "verdicts",
    )
    told = {**work_out(version), **{name: getattr(version, name) for name in plain}}
    if hides_teachers(request):
        told["recipe"] = {**version.recipe, "teachers": [], "filters": {}}
    return told


def _version(request: HttpRequest, dataset: int) -> DatasetVersion:
    rows = DatasetVersion.objects.select_related("created_by", "project")
    return get_object_or_404(rows, project=request.project, number=dataset)


def _out(request: HttpRequest, dataset: int) -> dict[str, Any]:
    version = _version(request, dataset)
    # The card names the teachers of its rationales.
    same = selectors.same_bytes(version)
    return {
        **_row(request, version),
        "same_as": same and same.number,
        "card": "" if hides_teachers(request) else version.card,
    }


@router.get(
    f"{P}/datasets",
    auth=READ,
    response=PageOf[DatasetRow],
    summary="Datasets, the newest first",
    openapi_extra=filters(),
)
def dataset_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    """In order of their numbers, which `after` speaks of here."""
    given = asked(request)
    size = size_of(given)
    rows = selectors.versions_of(request.project, request.user)
    if "after" in given:
        rows = rows.filter(number__lt=number("after", given["after"]))
    found = list(rows[: size + 1])
    query = f"after={found[size - 1].number}&limit={size}" if len(found) > size else ""
    page = Page(found[:size], query, not given, "")
    return shown(request, page, lambda one: _row(request, one))


@router.post(f"{P}/datasets", auth=ADMIN, response={202: DatasetOut}, summary="Freeze a dataset")
def dataset_freeze(request: HttpRequest, slug: str, body: FreezeIn) -> Status[dict[str, Any]]:
    """A worker freezes it; look at it until its status is done."""
    how = body.dict(exclude={"look"})
    made = services.order_freeze(request.project, request.user, gates=body.look, **how)
    return Status(202, _out(request, made.number))


@router.post(
    f"{P}/datasets/preview", auth=ADMIN_READ, response=PreviewOut, summary="Preview a recipe"
)
def dataset_preview(request: HttpRequest, slug: str, body: RecipeIn) -> dict[str, Any]:
    """What a dataset of this recipe would hold; nothing is made."""
    return preview_of(request.project, request.user, **body.dict()).to_json()


@router.get(ONE, auth=READ, response=DatasetOut, summary="One dataset, with its card")
def dataset_detail(request: HttpRequest, slug: str, dataset: int) -> dict[str, Any]:
    return _out(request, dataset)


@router.post(
    f"{ONE}/verify",
    auth=ADMIN_READ,
    response={202: CheckOut},
    summary="Check a dataset's bytes",
)
def dataset_verify(request: HttpRequest, slug: str, dataset: int) -> Status[dict[str, Any]]:
    """Makes the bytes again from the rows and compares their hash with the frozen one: of a small
    dataset at once, of a large one by a worker; then look at it until its status is done."""
    return Status(202, _check_out(order_check(_version(request, dataset), request.user)))


@router.get(f"{ONE}/verify", auth=ADMIN_READ, response=CheckOut, summary="The last check")
def dataset_verified(request: HttpRequest, slug: str, dataset: int) -> dict[str, Any]:
    check = last_check(_version(request, dataset))
    if check is None:
        raise Http404
    return _check_out(check)


@router.get(
    f"{ONE}/download/{{slug:form}}",
    auth=ADMIN_READ,
    summary="Download: jsonl, parquet, md, rejected, folder and other forms",
)
def dataset_download(
    request: HttpRequest, slug: str, dataset: int, form: str
) -> StreamingHttpResponse:
    """Forms: jsonl, parquet, md, rejected; prompt-completion, messages, alpaca, sharegpt, preferences, steps,
    distilling, plain, reviews (JSON lines); plain-csv, reviews-csv; folder and llama-factory (ZIP)."""
    version = _version(request, dataset)
    return download(version, form)
