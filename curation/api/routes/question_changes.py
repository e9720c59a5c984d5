"""Corrections of questions: new values, what was changed, and the undo of it."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema
from pydantic import Field

from curation.api.core.auth import ADMIN, READ
from curation.api.core.pagination import PageOf, asked, filters, paged
from curation.api.core.request_body import Body
from curation.api.routes.questions import QuestionDetail, question_detail
from curation.api.routes.questions import router as questions
from curation.questions.correcting import changing
from curation.questions.models import Question, QuestionChange

router = Router(tags=["questions"])
P = "/projects/{slug:slug}"


class QuestionPatch(Body):
    """The fields to change; what is left out stays."""

    text: str | None = None
    reference_answer: str | None = Field(None, description="Null: none is known.")
    other_answers: list[str] | None = None
    answer_type: str | None = None
    choices: list[str] | None = None
    worked_solution: str | None = None
    domain: str | None = None
    difficulty: str | None = None
    split: str | None = None
    subset: str | None = None
    external_id: str | None = None
    version: int | None = Field(
        None, description="That of the question you read; refused where it was changed since."
    )


class ChangeOut(Schema):
    id: int
    question: int
    before: dict[str, Any]
    after: dict[str, Any]
    by: str | None
    import_id: int | None = Field(description="The import that took the new values over.")
    undoes: int | None
    undone: bool
    at: datetime


# An address belongs to one router: that of one question.
@questions.patch(
    f"{P}/questions/{{int:question_id}}",
    auth=ADMIN,
    response=QuestionDetail,
    summary="Change a question",
)
def question_change(
    request: HttpRequest, slug: str, question_id: int, body: QuestionPatch
) -> dict[str, Any]:
    """What hung on the old values is made again: rationales are scored anew, decisions by the rule are
    taken back until then, and whoever reviews it gets it anew. What people decided stays. The change can be
    undone."""
    get_object_or_404(Question, project=request.project, pk=question_id)
    given = body.dict(exclude_unset=True)
    version = given.pop("version", None)
    changing.change_question(request.project, request.user, question_id, given, version=version)
    return question_detail(request, slug, question_id)


def change_out(change: QuestionChange) -> dict[str, Any]:
    return {
        **{name: getattr(change, name) for name in ("id", "before", "after", "at")},
        "question": change.question_id,
        "by": change.user.username if change.user_id else None,
        "import_id": change.job_id,
        "undoes": change.undoes_id,
        "undone": hasattr(change, "undone_by"),
    }


@router.get(
    f"{P}/questions/{{int:question_id}}/changes",
    auth=READ,
    response=PageOf[ChangeOut],
    summary="What was changed in a question, the newest first",
    openapi_extra=filters(),
)
def question_changes(request: HttpRequest, slug: str, question_id: int) -> dict[str, Any]:
    question = get_object_or_404(Question, project=request.project, pk=question_id)
    rows = question.changes.select_related("user", "undone_by")
    return paged(request, rows, asked(request), change_out, newest_first=True)


@router.post(
    f"{P}/question-changes/{{int:change_id}}/undo",
    auth=ADMIN,
    response=ChangeOut,
    summary="Undo a change of a question",
)
def question_change_undo(request: HttpRequest, slug: str, change_id: int) -> dict[str, Any]:
    """Gives the question its old values back, with the same consequences as any change."""
    get_object_or_404(QuestionChange.objects.for_project(request.project), pk=change_id)
    return change_out(changing.undo_change(request.project, request.user, change_id))
