"""What the scorers say of a text before it is sent."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import REVIEW
from curation.api.core.request_body import Body
from curation.questions.models import Question
from curation.rationales.models import TextCheck
from curation.rationales.scoring import text_checks

router = Router(tags=["reviews"])
P = "/projects/{slug:slug}"


class CheckIn(Body):
    """A rationale as you would send it."""

    text: str = Field(min_length=1, max_length=text_checks.MOST_CHARACTERS)


class CheckOut(Schema):
    id: int
    question: int
    waits: bool = Field(description="A worker has not answered yet: look again.")
    error: str
    score: dict[str, Any] | None = Field(
        description="answer, verdict, unread, correctness, validity, redundancy, structure, steps and flags, "
        "as in the score of a rationale; reason says how it was graded."
    )


def _out(check: TextCheck) -> dict[str, Any]:
    plain = {name: getattr(check, name) for name in ("id", "error", "score")}
    return {**plain, "question": check.question_id, "waits": text_checks.is_waited_for(check)}


@router.post(
    f"{P}/questions/{{int:question_id}}/checks",
    auth=REVIEW,
    response={202: CheckOut},
    summary="Have a text scored",
)
def check_order(
    request: HttpRequest, slug: str, question_id: int, body: CheckIn
) -> Status[dict[str, Any]]:
    """What the scorers would say of the text as a rationale for this question. A worker answers, mostly
    within a second. Nothing is kept as a rationale; a newer check of yours of the same question takes the
    place of one that waits. At most 40 a minute."""
    question = get_object_or_404(Question, project=request.project, pk=question_id)
    made = text_checks.order_check(request.project, request.user, question, body.text)
    return Status(202, _out(made))


@router.get(
    f"{P}/checks/{{int:check_id}}",
    auth=REVIEW,
    response=CheckOut,
    summary="What the scorers said of a text",
)
def check_found(request: HttpRequest, slug: str, check_id: int) -> dict[str, Any]:
    """Your own; kept for ten minutes."""
    mine = TextCheck.objects.filter(project=request.project, user=request.user)
    return _out(get_object_or_404(mine, pk=check_id))
