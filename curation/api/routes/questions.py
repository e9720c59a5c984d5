"""Questions, and the imports that bring them in."""

import io
import json
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import File, Form, Router, Schema, Status, UploadedFile
from pydantic import Field

from curation.api.core.auth import ADMIN, READ
from curation.api.core.pagination import PageOf, asked, filters, paged, shown, size_of
from curation.api.core.request_body import Body
from curation.api.core.schemas import Order, WorkOut, work_out
from curation.errors import Invalid
from curation.questions import selectors, services
from curation.questions.correcting import changing
from curation.questions.formats import PRESETS
from curation.questions.models import Question, QuestionImport, SavedMapping, Split
from curation.questions.wizard.drafts import checked_roles
from curation.reviews.visibility import Viewer
from curation.web import rate_limit
from curation.web.pagination import page_of

router = Router(tags=["questions"])
P = "/projects/{slug:slug}"
MAX_QUESTIONS = 1000


class QuestionOut(Schema):
    id: int
    external_id: str
    text: str
    reference_answer: str | None
    other_answers: list[str]
    reference_problem: str | None = Field(
        description="Why the reference cannot be used; '' if fine."
    )
    answer_type: str
    choices: list[str]
    domain: str
    difficulty: str
    split: str
    subset: str
    created_at: datetime
    rationales: int
    right_rationales: int
    approved_rationales: int
    queue_status: str | None = Field(description="waiting, adjudicate or done; null: not in it.")


class QuestionDetail(QuestionOut):
    worked_solution: str = Field(description="The worked answer, if there is one.")
    metadata: dict[str, Any] = Field(
        description="What its file said besides: system prompt, source, tags."
    )
    version: int = Field(
        description="Rises with each change: send it back with one, and nobody else's is overwritten."
    )
    scores_wait: bool = Field(
        description="Its rationales wait for scores, such as after a change of its reference."
    )


class RationaleIn(Body):
    teacher: str
    text: str
    temperature: float | None = None


class QuestionIn(Body):
    question: str
    reference_answer: str | list[str] | None = None
    worked_solution: str | None = None
    id: str | None = None
    answer_type: str | None = None
    choices: list[str] | None = None
    domain: str | None = None
    difficulty: str | None = None
    split: str | None = None
    subset: str | None = None
    rationales: list[RationaleIn] | None = None


class QuestionsIn(Order):
    questions: list[QuestionIn] = Field(min_length=1, max_length=MAX_QUESTIONS)
    split: str = Field(Split.TRAIN.value, description="Of questions that do not say it themselves.")
    keep_good_rows: bool = False
    take_over: str = Field("", description="As of an import: id, text, or empty.")


TAKES = (
    "What to do with known questions of which the file says something else: empty keeps what is there; "
    "text takes over what differs for questions of the same text; id for those of the same id."
)
PREFIX = "Put before each id of the file, where its ids stand for other questions here."


class ImportIn(Schema):
    preset: str = ""
    split: str = Split.TRAIN.value
    keep_good_rows: bool = False
    take_over: str = Field("", description=TAKES)
    id_prefix: str = Field("", max_length=services.MAX_PREFIX, description=PREFIX)
    mapping: str = Field(
        "",
        max_length=200_000,
        description="What columns become, as JSON: {column: role}. The others are proposed.",
    )
    mapping_name: str = Field("", max_length=80, description="Of a mapping that the project keeps.")
    dry_run: bool = Field(False, description="Look at every row, count, and store nothing.")
    order_key: str = ""


class AgainIn(Order):
    keep_good_rows: bool = True
    take_over: str | None = Field(None, description=f"{TAKES} Null: as before.")
    id_prefix: str | None = Field(
        None, max_length=services.MAX_PREFIX, description=f"{PREFIX} Null: as before."
    )


class BadRowOut(Schema):
    line: int
    message: str


class DifferingOut(Schema):
    line: int
    question: int
    text: str
    fields: dict[str, list[str]] = Field(
        description="By the field's name: the value here, and the file's."
    )


class ImportOut(WorkOut):
    file_name: str
    preset: str
    split: str
    keep_good_rows: bool
    dry_run: bool
    mapping: dict[str, str] = Field(
        description="What was said of columns; the others are proposed."
    )
    report: dict[str, Any] = Field(
        description="What the file is (kind, looks_like, roles, unused, notes) and counts of its rows."
    )
    rows_read: int
    rows_bad: int
    questions_added: int
    questions_known: int
    questions_differ: int = Field(description="Known ones of which the file says something else.")
    questions_changed: int = Field(description="Those that took over what the file says.")
    rationales_added: int
    take_over: str
    id_prefix: str
    bad_rows: list[BadRowOut]
    differing: list[DifferingOut] = Field(description="The first of `questions_differ`.")


def question_out(question: Question) -> dict[str, Any]:
    """A question with the counts that `selectors.add_counts` put on it."""
    plain = (
        *("id", "external_id", "text", "reference_answer", "other_answers", "reference_problem"),
        *("answer_type", "choices", "domain", "difficulty", "split", "subset", "created_at"),
        "worked_solution",
        "metadata",
    )
    return {
        **{name: getattr(question, name) for name in plain},
        "rationales": question.rationale_count,
        "right_rationales": question.right_count,
        "approved_rationales": question.approved_count,
        "queue_status": question.queue_status,
    }


@router.get(
    f"{P}/questions",
    auth=READ,
    response=PageOf[QuestionOut],
    summary="Questions",
    openapi_extra=filters(
        split=Split.values,
        subset="A named part of a split.",
        domain="The domain, word for word.",
        state=selectors.STATES,
        q="Words in the question, or # and its id.",
    ),
)
def question_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    given = asked(request, selectors.FILTERS)
    viewer = Viewer(request.membership)
    if given.get("q"):
        rate_limit.spend(rate_limit.SEARCHES, request.user.pk)
    found = selectors.questions(request.project, given, viewer)
    page = page_of(found, given, size_of(given))
    selectors.add_counts(request.project, page.rows, viewer)
    return shown(request, page, question_out)


@router.get(
    f"{P}/questions/{{int:question_id}}", auth=READ, response=QuestionDetail, summary="One question"
)
def question_detail(request: HttpRequest, slug: str, question_id: int) -> dict[str, Any]:
    question = get_object_or_404(Question, project=request.project, pk=question_id)
    selectors.add_counts(request.project, [question], Viewer(request.membership))
    return _detail(question)


def _detail(question: Question) -> dict[str, Any]:
    waits = selectors.scores_wait(question)
    more = {"version": changing.version_of(question), "scores_wait": waits}
    return question_out(question) | more


@router.post(
    f"{P}/questions", auth=ADMIN, response={202: ImportOut}, summary="Add questions, as JSON"
)
def question_add(request: HttpRequest, slug: str, body: QuestionsIn) -> Status[dict[str, Any]]:
    """Questions in the shape that files have. A worker takes them in, as an import that you can look
    at; more than 1,000 go as a file."""
    lines = (json.dumps(one.dict(exclude_none=True), ensure_ascii=False) for one in body.questions)
    job = services.order_import(
        request.project,
        request.user,
        io.BytesIO("\n".join(lines).encode()),
        "questions of the API",
        preset="chainwright",
        split=body.split,
        keep_good_rows=body.keep_good_rows,
        take_over=body.take_over,
        order_key=body.order_key,
    )
    return Status(202, import_out(job))


def import_out(job: QuestionImport) -> dict[str, Any]:
    plain = (
        *("file_name", "preset", "split", "keep_good_rows", "rows_read", "rows_bad", "bad_rows"),
        *(
            "dry_run",
            "mapping",
            "report",
            "questions_added",
            "questions_known",
            "questions_differ",
            "questions_changed",
        ),
        *("rationales_added", "take_over", "id_prefix", "differing"),
    )
    return {**work_out(job), **{name: getattr(job, name) for name in plain}}


@router.get(
    f"{P}/imports",
    auth=READ,
    response=PageOf[ImportOut],
    summary="Imports, the newest first",
    openapi_extra=filters(),
)
def import_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    rows = QuestionImport.objects.for_project(request.project).select_related("created_by")
    return paged(request, rows, asked(request), import_out, newest_first=True)


@router.post(f"{P}/imports", auth=ADMIN, response={202: ImportOut}, summary="Import a file")
def import_create(
    request: HttpRequest, slug: str, file: File[UploadedFile], options: Form[ImportIn]
) -> Status[dict[str, Any]]:
    """A file, as multipart/form-data: JSON Lines, JSON, CSV, TSV, XLSX or Parquet, also packed with gzip or
    zip. A worker takes it in; look at the import for how it went. Unless `keep_good_rows`, one bad row
    keeps everything out. With `dry_run` its `report` says what would happen."""
    unknown = sorted(set(request.POST) - {*ImportIn.model_fields, "csrfmiddlewaretoken"})
    if unknown or set(request.FILES) != {"file"}:
        raise Invalid(f"An import has no field {(unknown or ['but one file'])[0]!r}.")
    if options.preset and options.preset not in PRESETS:
        raise Invalid(f"{options.preset!r} is no preset: choose one of {', '.join(PRESETS)}.")
    job = services.order_import(
        request.project,
        request.user,
        file,
        (file.name or "file").replace("\0", ""),
        preset=options.preset,
        split=options.split,
        keep_good_rows=options.keep_good_rows,
        take_over=options.take_over,
        id_prefix=options.id_prefix,
        mapping=_mapping(request, options),
        dry_run=options.dry_run,
        order_key=options.order_key or None,
    )
    return Status(202, import_out(job))


def _mapping(request: HttpRequest, options: ImportIn) -> dict[str, str]:
    """What the request says of columns: a saved mapping, and what it names itself."""
    said: dict[str, str] = {}
    if options.mapping_name:
        rows = SavedMapping.objects.for_project(request.project)
        said |= get_object_or_404(rows, name=options.mapping_name).roles
    if options.mapping:
        try:
            given = json.loads(options.mapping)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            raise Invalid("mapping must be a JSON object of columns and what they become.")
        said |= checked_roles(given)
    return said


def _import(request: HttpRequest, import_id: int) -> QuestionImport:
    return get_object_or_404(QuestionImport, project=request.project, pk=import_id)


@router.get(f"{P}/imports/{{int:import_id}}", auth=READ, response=ImportOut, summary="One import")
def import_detail(request: HttpRequest, slug: str, import_id: int) -> dict[str, Any]:
    return import_out(_import(request, import_id))


@router.post(
    f"{P}/imports/{{int:import_id}}/again",
    auth=ADMIN,
    response={202: ImportOut},
    summary="Import the same file again",
)
def import_again(
    request: HttpRequest, slug: str, import_id: int, body: AgainIn
) -> Status[dict[str, Any]]:
    job = services.import_again(
        _import(request, import_id),
        request.user,
        keep_good_rows=body.keep_good_rows,
        take_over=body.take_over,
        id_prefix=body.id_prefix,
        order_key=body.order_key,
    )
    return Status(202, import_out(job))


@router.post(
    f"{P}/imports/{{int:import_id}}/cancel",
    auth=ADMIN,
    response=ImportOut,
    summary="Cancel an import",
)
def import_cancel(request: HttpRequest, slug: str, import_id: int) -> dict[str, Any]:
    services.cancel_import(_import(request, import_id))
    return import_out(_import(request, import_id))
