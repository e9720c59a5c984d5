"""How answers were read, what people read instead, and the cases that come of it."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import READ, REVIEW
from curation.api.core.pagination import PageOf, asked, filters, paged
from curation.api.core.request_body import Body
from curation.rationales.models import ReadingCase
from curation.rationales.scoring.readings import as_line
from curation.reviews.bench.answer_found import answer_found
from curation.reviews.submission import readings
from curation.reviews.views.readings import (
    PASSES,
    PASSES_WORDS,
    rationale_of,
    viewer_of,
    visible_cases,
)
from curation.web.pagination import one_of

router = Router(tags=["readings"])
P = "/projects/{slug:slug}"
ONE = f"{P}/rationales/{{int:rationale_id}}/answer"


class AnswerOut(Schema):
    answer: str | None
    verdict: str = Field(description="right, wrong, not_read, no_reference or unscored")
    start: int = Field(
        description="Where it stands in the text, in characters; -1 where it does not."
    )
    end: int
    rule: str = Field(description="The rule that found it, as a code.")
    rule_words: str
    read: str = Field(description="The answer as it was understood.")
    reference: str = Field(description="The reference answer that it was compared with.")
    reference_read: str = Field(description="The reference as it was understood.")
    reason: str


class ReadIn(Body):
    answer: str = Field("", max_length=500, description="As it stands in the text; empty for none.")
    said: str = Field(description="Of the answer: right, wrong, or none (there is none in it).")


class CaseOut(Schema):
    id: int
    rationale: int
    question: str
    reference_answer: list[str] | None
    answer_type: str | None
    choices: list[str] | None
    finish_reason: str | None
    text: str
    read_as: str | None = Field(description="What a person read; null where there is no answer.")
    verdict: str
    scorers_read: str | None = Field(description="What the scorers read, when they last did.")
    scorers_verdict: str
    passes: bool | None = Field(
        description="Whether the scorers read it as the person did; null until it is scored again."
    )
    scorer_version: str | None
    created_at: datetime


def case_out(request: HttpRequest, case: ReadingCase) -> dict[str, Any]:
    line = as_line(case, viewer_of(request).hides_teachers)
    text = line.pop("rationale")
    return {**line, "id": case.pk, "rationale": case.rationale_id, "text": text,
            "created_at": case.created_at}  # fmt: skip


@router.get(ONE, auth=READ, response=AnswerOut, summary="How an answer was found")
def answer_detail(request: HttpRequest, slug: str, rationale_id: int) -> dict[str, Any]:
    found = answer_found(rationale_of(request, rationale_id))
    same = ("answer", "start", "end", "read", "reference", "reference_read", "reason")
    return {
        **{name: getattr(found, name) for name in same},
        "verdict": found.grade,
        "rule": found.method,
        "rule_words": found.rule,
    }


@router.put(ONE, auth=REVIEW, response=CaseOut, summary="Read an answer as …")
def answer_read(request: HttpRequest, slug: str, rationale_id: int, body: ReadIn) -> dict[str, Any]:
    """It counts at once instead of what the scorers read, and is a case that each scoring is tried on."""
    rationale = rationale_of(request, rationale_id)
    case = readings.read_as(request.project, request.user, rationale, body.answer, body.said)
    return case_out(request, readings.cases(request.project).get(pk=case.pk))


@router.delete(ONE, auth=REVIEW, response={204: None}, summary="Drop a reading case")
def answer_drop(request: HttpRequest, slug: str, rationale_id: int) -> Status[None]:
    """Your own, or as an admin any: the scorers' own reading counts again from the next scoring on."""
    rows = readings.cases(request.project)
    case = get_object_or_404(rows, rationale=rationale_of(request, rationale_id))
    if not viewer_of(request).is_admin and case.created_by != request.user:
        raise PermissionDenied("This reading is somebody else's: an admin can drop it.")
    readings.drop_case(case)
    return Status(204, None)


@router.get(
    f"{P}/reading-cases",
    auth=READ,
    response=PageOf[CaseOut],
    summary="Reading cases",
    openapi_extra=filters(passes=PASSES_WORDS),
)
def reading_case_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Answers that people read where the scorers had misread them, with what the scorers read by now."""
    given = asked(request, ("passes",))
    rows = visible_cases(request)
    if passes := given.get("passes"):
        rows = rows.filter(passes=PASSES[one_of("passes", passes, PASSES)])
    return paged(request, rows, given, lambda case: case_out(request, case), newest_first=True)
