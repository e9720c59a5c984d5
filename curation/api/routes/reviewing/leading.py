"""What admins do around the bench: disagreements, flags of questions, controls, assignments."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import ADMIN, ADMIN_READ, READ, REVIEW
from curation.api.core.pagination import PageOf, asked, filters, paged
from curation.api.core.request_body import Body
from curation.api.core.schemas import MAX_INTEGER
from curation.api.routes.rationales import (
    BLIND,
    RationaleOut,
    ReviewOut,
    rationale_out,
    review_out,
    viewer_of,
    with_all,
)
from curation.api.routes.reviewing.reviews import SayIn, SubmittedOut
from curation.errors import Invalid
from curation.projects.models import User
from curation.questions import selectors as questions
from curation.questions.models import Question
from curation.rationales.models import Rationale
from curation.reviews import review_settings
from curation.reviews.adjudication import adjudicate
from curation.reviews.bench import selectors
from curation.reviews.models import Control, FlagKind, QuestionFlag, QueueItem, QueueStatus, Review
from curation.reviews.queue import assignments, controls

router = Router(tags=["leading reviews"])
P = "/projects/{slug:slug}"
ITEM = f"{P}/adjudications/{{int:item_id}}"


class DisputeRow(Schema):
    item: int
    question: int
    text: str


class DisputeOut(DisputeRow):
    rationales: list[RationaleOut]
    reviews: list[ReviewOut]


class DecideIn(Body):
    says: list[SayIn] = Field(min_length=1, max_length=1000)


class FlagIn(Body):
    kind: str = Field(description=", ".join(FlagKind.values))
    comment: str = ""


class QuestionFlagOut(Schema):
    id: int
    question: int
    username: str
    kind: str
    comment: str
    created_at: datetime


class SettleIn(Body):
    settlement: str = Field(max_length=200, description="What came of it.")


class ControlIn(Body):
    note: str = Field("", max_length=2000)


class ControlOut(Schema):
    question: int
    verdicts: dict[str, str]
    note: str


class ControlRow(ControlOut):
    id: int
    met: int = Field(description="People who have met it.")


class AssignIn(Body):
    """Which waiting questions to set aside for a person: the filters of the list of questions."""

    username: str
    split: str = ""
    subset: str = ""
    domain: str = ""
    state: str = ""
    q: str = ""
    difficulty: str = Field("", max_length=200)
    flagged: bool = Field(False, description="Only questions with a flag that nobody has settled.")
    most: int | None = Field(None, ge=1, le=MAX_INTEGER, description="At most so many questions.")


class CountOut(Schema):
    questions: int


class ShareOut(Schema):
    """What is set aside for a person."""

    username: str
    open: int
    done: int


def _row(item: QueueItem) -> dict[str, Any]:
    return {"item": item.pk, "question": item.question_id, "text": item.question.text}


def _item(request: HttpRequest, item_id: int) -> QueueItem:
    rows = QueueItem.objects.select_related("question")
    return get_object_or_404(rows, project=request.project, pk=item_id)


@router.get(
    f"{P}/adjudications",
    auth=ADMIN_READ,
    response=PageOf[DisputeRow],
    summary="Questions whose reviews disagree",
    openapi_extra=filters(),
)
def dispute_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    rows = QueueItem.objects.for_project(request.project).filter(status=QueueStatus.ADJUDICATE)
    return paged(request, rows.select_related("question"), asked(request), _row)


@router.get(ITEM, auth=ADMIN_READ, response=DisputeOut, summary="What people said of a question")
def dispute_detail(request: HttpRequest, slug: str, item_id: int) -> dict[str, Any]:
    item = _item(request, item_id)
    rows = Rationale.objects.filter(question=item.question_id).order_by("id")
    rationales = list(with_all(viewer_of(request).rationales(rows)))
    decisions = viewer_of(request).decisions_of(rationales)
    reviews = Review.objects.standing().filter(rationale__in=rationales)
    # As on the page: who decides does not know the teachers either.
    blind = BLIND if request.project.is_blind else {}
    return {
        **_row(item),
        "rationales": [
            rationale_out(request, row, decisions[row.pk]) | blind for row in rationales
        ],
        "reviews": [review_out(one) for one in reviews.select_related("reviewer").order_by("id")],
    }


@router.post(f"{ITEM}/decide", auth=ADMIN, response=SubmittedOut, summary="Have the last word")
def dispute_decide(request: HttpRequest, slug: str, item_id: int, body: DecideIn) -> dict[str, Any]:
    """Decides rationales on which reviews disagree. Approving a reviewer's edit puts it in the place of
    its parent. The question is done when no reviewed rationale is left undecided."""
    says = [one.say() for one in body.says]
    item = _item(request, item_id)
    made = adjudicate.adjudicate(request.project, request.user, item.pk, says)
    return {"reviews": [review_out(review) for review in made]}


@router.post(f"{ITEM}/undo", auth=ADMIN, response={204: None}, summary="Take the last word back")
def dispute_undo(request: HttpRequest, slug: str, item_id: int) -> Status[None]:
    item = _item(request, item_id)
    adjudicate.undo_adjudication(request.project, request.user, item.pk)
    return Status(204, None)


def _flag(flag: QuestionFlag) -> dict[str, Any]:
    plain = {name: getattr(flag, name) for name in ("id", "kind", "comment", "created_at")}
    return {**plain, "question": flag.question_id, "username": flag.user.username}


def _question(request: HttpRequest, question_id: int) -> Question:
    return get_object_or_404(Question, project=request.project, pk=question_id)


@router.post(
    f"{P}/questions/{{int:question_id}}/flags",
    auth=REVIEW,
    response={201: QuestionFlagOut},
    summary="Say that a question itself is wrong",
)
def flag_create(
    request: HttpRequest, slug: str, question_id: int, body: FlagIn
) -> Status[dict[str, Any]]:
    """Said twice, it counts once."""
    question = _question(request, question_id)
    made = adjudicate.flag_question(
        request.project, request.user, question, body.kind, body.comment
    )
    return Status(201, _flag(made))


@router.get(
    f"{P}/questions/{{int:question_id}}/flags",
    auth=READ,
    response=list[QuestionFlagOut],
    summary="What I said of a question itself",
)
def flag_mine(request: HttpRequest, slug: str, question_id: int) -> list[dict[str, Any]]:
    """Your flags that nobody has settled and you have not taken back."""
    flags = selectors.flags_of(_question(request, question_id), request.user)
    return [_flag(one) for one in flags.select_related("user")]


@router.get(
    f"{P}/flags",
    auth=ADMIN_READ,
    response=PageOf[QuestionFlagOut],
    summary="Flags of questions that nobody has settled",
    openapi_extra=filters(),
)
def flag_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    rows = QuestionFlag.objects.for_project(request.project).select_related("user")
    return paged(request, rows.open(), asked(request), _flag)


@router.delete(
    f"{P}/flags/{{int:flag_id}}", auth=REVIEW, response={204: None}, summary="Take a flag back"
)
def flag_withdraw(request: HttpRequest, slug: str, flag_id: int) -> Status[None]:
    """Your own."""
    get_object_or_404(QuestionFlag, project=request.project, pk=flag_id, user=request.user)
    adjudicate.withdraw_flag(request.project, request.user, flag_id)
    return Status(204, None)


@router.post(
    f"{P}/flags/{{int:flag_id}}/settle", auth=ADMIN, response={204: None}, summary="Settle a flag"
)
def flag_settle(request: HttpRequest, slug: str, flag_id: int, body: SettleIn) -> Status[None]:
    get_object_or_404(QuestionFlag, project=request.project, pk=flag_id)
    adjudicate.settle_flag(request.project, request.user, flag_id, body.settlement)
    return Status(204, None)


@router.put(
    f"{P}/questions/{{int:question_id}}/control",
    auth=ADMIN,
    response=ControlOut,
    summary="Make a decided question a control",
)
def control_make(
    request: HttpRequest, slug: str, question_id: int, body: ControlIn
) -> dict[str, Any]:
    """What people decided about its rationales is what others should say, who meet it among the rest."""
    question = _question(request, question_id)
    made = controls.make_control(request.project, request.user, question, body.note)
    return {"question": question.pk, "verdicts": made.verdicts, "note": made.note}


@router.get(
    f"{P}/controls",
    auth=ADMIN_READ,
    response=PageOf[ControlRow],
    summary="Control questions",
    openapi_extra=filters(),
)
def control_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    return paged(request, review_settings.controls_of(request.project), asked(request), _control)


def _control(row: Control) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in ("verdicts", "note", "met")}
    return {**plain, "id": row.pk, "question": row.item.question_id}


@router.delete(
    f"{P}/questions/{{int:question_id}}/control",
    auth=ADMIN,
    response={204: None},
    summary="Make a control a decided question again",
)
def control_drop(request: HttpRequest, slug: str, question_id: int) -> Status[None]:
    controls.drop_control(request.project, _question(request, question_id))
    return Status(204, None)


def _member(request: HttpRequest, username: str) -> User:
    found = User.objects.filter(username=username, memberships__project=request.project).first()
    if found is None:
        raise Invalid(f"{username!r} is no member of this project.")
    return found


@router.post(
    f"{P}/assignments", auth=ADMIN, response=CountOut, summary="Set questions aside for a person"
)
def assign(request: HttpRequest, slug: str, body: AssignIn) -> dict[str, int]:
    """One review of each question that the filters keep is this person's to make."""
    person = _member(request, body.username)
    more = {"username", "difficulty", "flagged", "most"}
    given = {name: value for name, value in body.dict(exclude=more).items() if value}
    kept = questions.questions(request.project, given)
    kept = review_settings.narrowed(kept, body.difficulty, body.flagged)
    return {"questions": assignments.assign(request.project, person, kept, most=body.most)}


@router.get(
    f"{P}/assignments",
    auth=ADMIN_READ,
    response=list[ShareOut],
    summary="What is set aside for whom",
)
def assignment_list(request: HttpRequest, slug: str) -> list[dict[str, Any]]:
    return [
        {"username": one.user.username, "open": one.open, "done": one.done}
        for one in review_settings.shares(request.project)
    ]


@router.delete(
    f"{P}/assignments/{{username}}",
    auth=ADMIN,
    response=CountOut,
    summary="What was set aside is anybody's again",
)
def unassign(request: HttpRequest, slug: str, username: str) -> dict[str, int]:
    return {"questions": assignments.unassign(request.project, _member(request, username))}
