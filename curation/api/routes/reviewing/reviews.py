"""The bench for scripts: claim a question, decide on its rationales, take it back."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import READ, REVIEW
from curation.api.core.pagination import PageOf, asked, filters, paged
from curation.api.core.request_body import Body
from curation.api.core.schemas import Id
from curation.api.routes.rationales import (
    BLIND,
    FlagOut,
    RationaleOut,
    ReviewOut,
    StepOut,
    rationale_out,
    review_out,
    viewer_of,
)
from curation.errors import Conflict
from curation.projects.models import Role, User
from curation.questions.models import Question
from curation.reviews.bench import selectors
from curation.reviews.bench.rationales import RationaleView, every_step
from curation.reviews.models import QueueItem, Reason, Review, Seat, Verdict
from curation.reviews.queue import claims
from curation.reviews.queue.items import must_not_be_deleted
from curation.reviews.submission import submit, undo
from curation.reviews.submission.step_ranges import each_step

router = Router(tags=["reviews"])
P = "/projects/{slug:slug}"
ITEM = f"{P}/review/items/{{int:item_id}}"
MAX_SAYS = 1000


class BenchQuestion(Schema):
    id: int
    text: str
    reference_answer: str | None
    reference_hidden: bool = Field(
        description="The project hides it until asked: read the question itself to see it."
    )
    answer_type: str
    choices: list[str]
    domain: str


class BenchRationale(RationaleOut):
    letter: str
    locked: bool = Field(description="Decided already: nothing more can be said of it.")
    same_as: str = Field(description="The letter of a rationale with the same text, or ''.")
    steps: list[StepOut]
    flags: list[FlagOut]


class NothingOut(Schema):
    state: str = Field(
        description="held (may come back: ask again), scoring (ask again), others, skipped, "
        "adjudicate, unscored, empty or done."
    )
    until: datetime | None = Field(description="When the first question may come back.")


class BenchOut(Schema):
    """A question that you hold until `held_until`, or why there is none."""

    item: int | None
    held_until: datetime | None
    reason: str = Field(description="Why this question comes now.")
    question: BenchQuestion | None
    rationales: list[BenchRationale]
    nothing: NothingOut | None
    before: dict[str, Any] = Field(description="After an undo: what you had said, by rationale.")


class SayIn(Body):
    """What you say of one rationale; with `rationale` null, a rationale of your own in `edited_text`."""

    rationale: Id | None
    verdict: str = Field(description=", ".join(f"{v.value}: {v.label}" for v in Verdict))
    reasons: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="Of a rejection: " + ", ".join(Reason.values),
    )
    comment: str = ""
    step_labels: dict[str, int] = Field(
        default_factory=dict,
        max_length=1000,
        description='Step number (from 1), or first and last one ("1-740"), to -1, 0 or 1.',
    )
    edited_text: str = ""
    is_best: bool = False

    def say(self) -> submit.ReviewInput:
        told = self.dict()
        told["step_labels"] = each_step(told["step_labels"])
        return submit.ReviewInput(rationale_id=told.pop("rationale"), **told)


class SubmitIn(Body):
    says: list[SayIn] = Field(min_length=1, max_length=MAX_SAYS)
    seconds: float | None = Field(None, ge=0, description="The time that all of it took you.")
    again: bool = Field(
        False,
        description="You send the same once more since the first answer got lost: what came "
        "through then counts as done.",
    )


class SkipIn(Body):
    reason: str = Field("", max_length=200)


class UndoIn(Body):
    shown: Id | None = Field(None, description="With `again`: the item before the lost undo.")
    again: bool = False


class HeldOut(Schema):
    held_until: datetime


class SubmittedOut(Schema):
    reviews: list[ReviewOut]


def _rationale(request: HttpRequest, rationale: RationaleView) -> dict[str, Any]:
    row = rationale.rationale
    steps = [{"number": s.number, "text": s.text, "flags": s.flags} for s in every_step(row)]
    # Without one where it is a control, which looks as any other does.
    decision = rationale.decision and viewer_of(request).decision_of(row)
    told = rationale_out(request, row, decision)
    if request.project.is_blind:
        told |= BLIND
    return {
        **told,
        **{name: getattr(rationale, name) for name in ("letter", "locked", "same_as", "flags")},
        "steps": steps,
    }


def _bench(
    request: HttpRequest, seat: Seat | None, before: dict[str, Any] | None = None
) -> dict[str, Any]:
    if seat is None:
        return _no_bench(request)
    bench = selectors.bench_of(seat)
    for one in bench.rationales:
        one.rationale.question = bench.question
    plain = ("id", "text", "answer_type", "choices", "domain")
    told = {name: getattr(bench.question, name) for name in plain}
    hidden = bench.hides_reference
    told["reference_answer"] = None if hidden else bench.question.reference_answer
    told["reference_hidden"] = hidden
    return {
        "item": seat.item_id,
        "held_until": seat.held_until,
        "reason": seat.item.reason,
        "question": told,
        "rationales": [_rationale(request, rationale) for rationale in bench.rationales],
        "nothing": None,
        "before": before or {},
    }


def _no_bench(request: HttpRequest) -> dict[str, Any]:
    until = claims.others_hold(request.project, request.user)
    nothing = selectors.nothing_for(request.project, request.user, until)
    empty = dict.fromkeys(("item", "held_until", "question"))
    told = {"state": nothing.state, "until": nothing.until}
    return {**empty, "reason": "", "rationales": [], "nothing": told, "before": {}}


def _item_here(request: HttpRequest, item_id: int) -> int:
    if not QueueItem.objects.filter(project=request.project, pk=item_id).exists():
        must_not_be_deleted(request.project, item_id)
        raise Http404("No such question here.")
    return item_id


@router.post(f"{P}/review/next", auth=REVIEW, response=BenchOut, summary="Claim the next question")
def review_next(request: HttpRequest, slug: str) -> dict[str, Any]:
    """The question that you hold, else the best one that is free for you. It is yours until
    `held_until`; renew it while you work. Where `nothing` says “held”, ask again later."""
    return _bench(request, claims.next_item(request.project, request.user))


@router.post(
    f"{P}/questions/{{int:question_id}}/claim",
    auth=REVIEW,
    response=BenchOut,
    summary="Claim a given question",
)
def review_claim(request: HttpRequest, slug: str, question_id: int) -> dict[str, Any]:
    question = get_object_or_404(Question, project=request.project, pk=question_id)
    return _bench(request, claims.claim(request.project, request.user, question))


@router.post(f"{ITEM}/ahead", auth=REVIEW, response=BenchOut, summary="Claim the one after")
def review_ahead(request: HttpRequest, slug: str, item_id: int) -> dict[str, Any]:
    """The question after the one that you work on, to have it ready. You hold both."""
    seat = claims.ahead(request.project, request.user, _item_here(request, item_id))
    return _bench(request, seat)


@router.post(f"{ITEM}/renew", auth=REVIEW, response=HeldOut, summary="Keep a claim")
def review_renew(request: HttpRequest, slug: str, item_id: int) -> dict[str, Any]:
    return {"held_until": claims.renew(_item_here(request, item_id), request.user)}


@router.post(f"{ITEM}/submit", auth=REVIEW, response=SubmittedOut, summary="Decide")
def review_submit(request: HttpRequest, slug: str, item_id: int, body: SubmitIn) -> dict[str, Any]:
    """What you say of the rationales of a question that you hold; all of it or nothing. Rationales that you
    leave out stay undecided."""
    item_id = _item_here(request, item_id)
    project, user = request.project, request.user
    says = [one.say() for one in body.says]
    try:
        made = submit.submit(project, user, item_id, says, body.seconds)
    except Conflict:
        if not (body.again and submit.said_before(project, user, item_id, says)):
            raise
        made = list(_standing(user).filter(rationale__question__queue_item=item_id))
    return {"reviews": [review_out(review) for review in made]}


def _standing(user: User) -> Any:
    mine = Review.objects.standing().filter(reviewer=user, is_adjudication=False)
    return mine.select_related("reviewer").order_by("id")


@router.post(f"{ITEM}/skip", auth=REVIEW, response={204: None}, summary="Pass on a question")
def review_skip(request: HttpRequest, slug: str, item_id: int, body: SkipIn) -> Status[None]:
    """Somebody else gets it; you do not see it again."""
    claims.skip(_item_here(request, item_id), request.user, body.reason)
    return Status(204, None)


@router.post(f"{P}/review/release", auth=REVIEW, response={204: None}, summary="Give back all")
def review_release(request: HttpRequest, slug: str) -> Status[None]:
    """What you hold is free for others at once."""
    claims.release(request.project, request.user)
    return Status(204, None)


@router.post(f"{P}/review/undo", auth=REVIEW, response=BenchOut, summary="Take back the last")
def review_undo(request: HttpRequest, slug: str, body: UndoIn) -> dict[str, Any]:
    """Takes back what you did last, a decision or a skip, and gives you that question again. The
    reviews stay in the history, marked as withdrawn."""
    project, user = request.project, request.user
    seat = None
    if body.again and body.shown is not None:
        held = claims.held_by(project, user)
        seat = held if held is not None and held.item_id != body.shown else None
    seat = seat or undo.undo(project, user)
    return _bench(request, seat, selectors.prefill_of(seat.item_id, user))


@router.get(
    f"{P}/reviews",
    auth=READ,
    response=PageOf[ReviewOut],
    summary="Reviews, the newest first",
    openapi_extra=filters(reviewer="A username; reviewers see their own reviews only."),
)
def review_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Your own; an admin's list holds everybody's. What was taken back stays in it."""
    given = asked(request, ("reviewer",))
    rows = Review.objects.for_project(request.project).filter(rationale__project=request.project)
    rows = rows.select_related("reviewer")
    if request.membership.role != Role.ADMIN:
        rows = rows.filter(reviewer=request.user)
    if name := given.get("reviewer"):
        rows = rows.filter(reviewer__username=name)
    return paged(request, rows, given, review_out, newest_first=True)
