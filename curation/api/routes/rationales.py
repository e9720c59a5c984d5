"""Rationales with their scores, decisions and what people said of them."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema
from pydantic import Field

from curation.api.core.auth import READ
from curation.api.core.pagination import PageOf, asked, filters, shown, size_of
from curation.projects.models import Role, User
from curation.rationales.listing import selectors
from curation.rationales.models import Rationale, Score
from curation.reviews.bench.rationales import every_step, rationale_view
from curation.reviews.models import Decision, Review
from curation.reviews.visibility import Viewer
from curation.web import rate_limit
from curation.web.pagination import number, one_of, page_of

router = Router(tags=["rationales"])
P = "/projects/{slug:slug}"
# Of the orders of the pages those that go on for ever; the best hits come on one page only.
SORTS = {name: words for name, words in selectors.ORDERS.items() if name != "fit"}
SCORES = (
    *(
        "answer",
        "verdict",
        "unread",
        "correctness",
        "conciseness",
        "structure",
        "similarity",
        "consistency",
    ),
    *("validity", "redundancy", "overall", "flag_count", "scorer_version", "scored_at"),
)

# What would tell teachers apart.
BLIND = {
    **dict.fromkeys(("teacher", "temperature", "sample", "completion_tokens")),
    **{"prompt_style": "", "finish_reason": ""},
}


class ScoreOut(Schema):
    """Numbers from 0 to 1, larger is better but for redundancy; null where they are not known."""

    answer: str | None
    verdict: str = Field(
        description="right, wrong, not_read (there is a reference, and the answer could not be read "
        "against it: neither right nor wrong) or no_reference."
    )
    unread: str = Field(description="Why the answer was not read, as a code; else empty.")
    correctness: float | None = Field(description="The verdict as a number: 1, 0 or null.")
    conciseness: float | None
    structure: float | None
    similarity: float | None
    consistency: float | None
    validity: float | None
    redundancy: float | None
    overall: float | None
    flag_count: int
    scorer_version: str
    scored_at: datetime


class DecisionOut(Schema):
    outcome: str = Field(description="approved, rejected or superseded (an edit took its place).")
    reviewer: str | None = Field(description="Whose word decided; null where the rule did.")
    rubric: int | None = Field(description="The rubric of the rule that decided, if it did.")
    decided_at: datetime


class RationaleOut(Schema):
    id: int
    question: int
    source: str = Field(description="teacher, person or import")
    teacher: str | None = Field(description="Null for reviewers of a blind project.")
    author: str | None
    parent: int | None = Field(description="The rationale that this one is an edit of.")
    text: str
    temperature: float | None
    sample: int | None
    prompt_style: str
    finish_reason: str = Field(
        description="Why the generation ended: stop, length, error, abort, content_filter, refusal; empty "
        "where nobody said."
    )
    completion_tokens: int | None
    created_at: datetime
    score: ScoreOut | None
    decision: DecisionOut | None


class FlagOut(Schema):
    code: str
    message: str
    severity: str


class StepOut(Schema):
    number: int
    text: str
    flags: list[FlagOut]


class ReviewOut(Schema):
    id: int
    rationale: int
    reviewer: str
    verdict: str
    reasons: list[str]
    comment: str
    step_labels: dict[str, int]
    is_best: bool
    is_adjudication: bool
    edited: int | None = Field(description="The rationale that the edit made.")
    seconds: float | None
    created_at: datetime
    withdrawn_at: datetime | None


class RationaleDetail(RationaleOut):
    reasoning: str = Field(description="What a reasoning model thought before.")
    steps: list[StepOut]
    flags: list[FlagOut]
    reviews: list[ReviewOut]


def is_admin(request: HttpRequest) -> bool:
    return request.membership.role == Role.ADMIN


def viewer_of(request: HttpRequest) -> Viewer:
    return Viewer(request.membership)


def with_all(rows: QuerySet[Rationale]) -> QuerySet[Rationale]:
    """The rows with what `rationale_out` tells of them."""
    return rows.select_related(
        *("teacher", "author", "score", "question__queue_item"),
        *("decision__review__reviewer", "decision__rule", "decision__bulk__created_by"),
    )


def hides_teachers(request: HttpRequest) -> bool:
    return viewer_of(request).hides_teachers


def rationale_out(
    request: HttpRequest, row: Rationale, decision: Decision | None
) -> dict[str, Any]:
    """`decision`: what the caller may know of it, see `Viewer.decisions_of`."""
    plain = (
        *("id", "source", "text", "temperature", "sample", "prompt_style", "finish_reason"),
        *("completion_tokens", "created_at"),
    )
    score: Score | None = getattr(row, "score", None)
    return {
        **{name: getattr(row, name) for name in plain},
        "question": row.question_id,
        "teacher": row.teacher.name if row.teacher_id else None,
        "author": row.author.username if row.author_id else None,
        "parent": row.parent_id,
        "score": score and {name: getattr(score, name) for name in SCORES},
        "decision": decision and _decision(decision),
    } | (BLIND if hides_teachers(request) else {})


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "outcome": decision.outcome,
        "reviewer": _decider(decision),
        "rubric": decision.rule.version if decision.rule_id else None,
        "decided_at": decision.decided_at,
    }


def _decider(decision: Decision) -> str | None:
    """The person whose word it was, alone or about many at once; None where the rule decided."""
    if decision.review_id:
        return decision.review.reviewer.username
    who = decision.bulk.created_by if decision.bulk_id else None
    return who.username if who else None


def review_out(review: Review) -> dict[str, Any]:
    plain = (
        *("id", "verdict", "reasons", "comment", "step_labels", "is_best", "is_adjudication"),
        *("seconds", "created_at", "withdrawn_at"),
    )
    return {
        **{name: getattr(review, name) for name in plain},
        "rationale": review.rationale_id,
        "reviewer": review.reviewer.username,
        "edited": review.edited_id,
    }


@router.get(
    f"{P}/rationales",
    auth=READ,
    response=PageOf[RationaleOut],
    summary="Rationales",
    openapi_extra=filters(
        question="The id of their question.",
        teacher="The id of their teacher.",
        temperature="Such as 0.7.",
        answer=selectors.ANSWERS,
        band=selectors.BANDS,
        range="A score and two ends in hundredths, such as validity:45-50.",
        valid_from="Valid steps, in hundredths, at least.",
        valid_to="Valid steps, in hundredths, at most.",
        decision=selectors.DECISIONS,
        flag="yes, no, or the code of a flag.",
        reviewer="The username of somebody who reviewed them.",
        since="A day, such as 2026-11-21, on which they were written, or later.",
        until="A day on which they were written, or earlier.",
        q='Words in the rationale; "a phrase", -without, begin*.',
        sort=SORTS,
    ),
)
def rationale_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    given = asked(request, (*selectors.FILTERS, "question", "sort"))
    viewer = viewer_of(request)
    if given.get("q"):
        rate_limit.spend(rate_limit.SEARCHES, request.user.pk)
    sort = one_of("sort", given.get("sort", "newest"), SORTS)
    rows = with_all(selectors.rationales(request.project, by_id(given), viewer))
    if question := given.get("question"):
        rows = rows.filter(question=number("question", question))
    rows, order = selectors.order_of(sort, request.project, rows)
    page = page_of(rows.defer("score__detail", "reasoning"), given, size_of(given), order=order)
    decisions = viewer.decisions_of(page.rows)
    return shown(request, page, lambda row: rationale_out(request, row, decisions[row.pk]))


def by_id(given: dict[str, str]) -> dict[str, str]:
    """The filters as the selectors have them: people by their ids, which nobody here knows."""
    if "reviewer" not in given:
        return given
    found = User.objects.filter(username=given["reviewer"]).values_list("pk", flat=True).first()
    return {**given, "reviewer": str(found or 0)}


@router.get(
    f"{P}/rationales/{{int:rationale_id}}",
    auth=READ,
    response=RationaleDetail,
    summary="One rationale, with its steps and reviews",
)
def rationale_detail(request: HttpRequest, slug: str, rationale_id: int) -> dict[str, Any]:
    """Reviewers do not see what others said while more people are asked about the question."""
    viewer = viewer_of(request)
    rows = with_all(viewer.rationales(Rationale.objects.for_project(request.project)))
    row = get_object_or_404(rows, pk=rationale_id)
    reviews = row.reviews.select_related("reviewer").order_by("id")
    return {
        **rationale_out(request, row, viewer.decision_of(row)),
        "reasoning": "" if viewer.hides_teachers else row.reasoning,
        **steps_out(row),
        "reviews": [review_out(review) for review in viewer.reviews(reviews, row.question)],
    }


def steps_out(row: Rationale) -> dict[str, Any]:
    """The rationale's steps and flags, as the bench shows them."""
    rationale = rationale_view(row.question, row)
    steps = [{"number": s.number, "text": s.text, "flags": s.flags} for s in every_step(row)]
    return {"steps": steps, "flags": rationale.flags}
