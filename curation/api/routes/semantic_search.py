"""Search by meaning, and the lives of rationales."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import READ
from curation.api.core.request_body import Body
from curation.api.core.schemas import Id
from curation.api.routes.rationales import viewer_of
from curation.questions.models import Question
from curation.rationales.models import MeaningSearch, Rationale, TextKind
from curation.rationales.semantic_search import searches
from curation.reviews.reports.timeline import lives
from curation.web import rate_limit

router = Router(tags=["rationales"])
P = "/projects/{slug:slug}"


class SearchIn(Body):
    """Words, or the id of a rationale in `like`."""

    text: str = Field("", max_length=searches.MOST_WORDS)
    like: Id | None = None
    kind: str = Field(TextKind.RATIONALE.value, description=", ".join(TextKind.values))


class HitOut(Schema):
    id: int
    cosine: float


class SearchOut(Schema):
    id: int
    kind: str
    waits: bool = Field(description="A worker has not answered yet: look again.")
    error: str
    compared: int = Field(description="Texts among which these are the nearest.")
    left: int = Field(description="Texts without a vector yet: look again, the hits grow.")
    hits: list[HitOut] = Field(description="The nearest first: ids of rationales or questions.")


class EventOut(Schema):
    at: datetime
    what: str
    why: str
    taken_back: bool


class LifeOut(Schema):
    rationale: int
    events: list[EventOut]


def _out(request: HttpRequest, search: MeaningSearch) -> dict[str, Any]:
    cosines = dict(search.hits or [])
    if search.kind == TextKind.QUESTION:
        rows = Question.objects.for_project(request.project)
    else:
        rows = viewer_of(request).rationales(Rationale.objects.for_project(request.project))
    here = set(rows.filter(pk__in=list(cosines)).values_list("pk", flat=True))
    return {
        "id": search.pk,
        "kind": search.kind,
        "waits": searches.is_waited_for(search),
        "error": search.error,
        "compared": search.embedded,
        "left": search.left if searches.grows(search) else 0,
        "hits": [{"id": pk, "cosine": cosines[pk]} for pk in cosines if pk in here],
    }


@router.post(
    f"{P}/meaning-searches", auth=READ, response={202: SearchOut}, summary="Search by meaning"
)
def search_order(request: HttpRequest, slug: str, body: SearchIn) -> Status[dict[str, Any]]:
    """What is nearest to some words, or to a rationale, by sentence embeddings. A worker answers."""
    like = None
    if body.like is not None:
        rows = viewer_of(request).rationales(Rationale.objects.for_project(request.project))
        like = get_object_or_404(rows, pk=body.like)
    rate_limit.spend(rate_limit.SEARCHES, request.user.pk)
    made = searches.order_search(
        request.project, request.user, text=body.text, like=like, kind=body.kind
    )
    return Status(202, _out(request, made))


@router.get(
    f"{P}/meaning-searches/{{int:search_id}}",
    auth=READ,
    response=SearchOut,
    summary="What a search by meaning found",
)
def search_found(request: HttpRequest, slug: str, search_id: int) -> dict[str, Any]:
    """Your own; kept for an hour."""
    mine = MeaningSearch.objects.filter(project=request.project, user=request.user)
    return _out(request, get_object_or_404(mine, pk=search_id))


@router.get(
    f"{P}/questions/{{int:question_id}}/history",
    auth=READ,
    response=list[LifeOut],
    summary="What happened to the rationales of a question",
)
def question_history(request: HttpRequest, slug: str, question_id: int) -> list[dict[str, Any]]:
    """From its birth: who did what, when and why. Nobody can change it."""
    rows = Question.objects.select_related("queue_item")
    question = get_object_or_404(rows, project=request.project, pk=question_id)
    found = lives(question, viewer_of(request))
    return [
        {
            "rationale": rationale.rationale.pk,
            "events": [
                {"at": one.at, "what": one.what, "why": one.why, "taken_back": one.taken_back}
                for one in events
            ],
        }
        for rationale, events in found
    ]
