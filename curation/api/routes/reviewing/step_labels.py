"""Labels of steps, for those who train process reward models on them."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from curation.api.core.auth import ADMIN_READ
from curation.api.core.pagination import PageOf, asked, filters, paged
from curation.reviews.bench.rationales import all_steps
from curation.reviews.models import Review

router = Router(tags=["reviews"])


class LabelledStep(Schema):
    text: str
    rating: int | None = Field(
        description="1 good, 0 neutral, -1 bad, as in PRM800K; null: not labelled."
    )


class LabelledOut(Schema):
    """One person's labels of one rationale."""

    id: int = Field(description="Of the review.")
    rationale: int
    question: int
    text: str = Field(description="The question's.")
    reference_answer: str | None
    steps: list[LabelledStep]
    verdict: str
    reviewer: str


@router.get(
    "/projects/{slug:slug}/step-labels",
    auth=ADMIN_READ,
    response=PageOf[LabelledOut],
    summary="Labelled steps",
    openapi_extra=filters(),
)
def step_labels(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Of each standing review that labels steps: the rationale's steps with the person's ratings, in order.
    Reviews of control questions are among them; an admin's last word is, too."""
    rows = Review.objects.standing().for_project(request.project)
    rows = rows.exclude(step_labels={}).select_related(
        "reviewer", "rationale__question", "rationale__score"
    )
    return paged(request, rows, asked(request), _labelled)


def _labelled(review: Review) -> dict[str, Any]:
    rationale, question = review.rationale, review.rationale.question
    score = getattr(rationale, "score", None)
    steps = all_steps(rationale, score.detail if score else {})
    return {
        "id": review.pk,
        "rationale": rationale.pk,
        "question": question.pk,
        "text": question.text,
        "reference_answer": question.reference_answer,
        "steps": [
            {"text": step["text"], "rating": review.step_labels.get(str(number))}
            for number, step in enumerate(steps, 1)
        ],
        "verdict": review.verdict,
        "reviewer": review.reviewer.username,
    }
