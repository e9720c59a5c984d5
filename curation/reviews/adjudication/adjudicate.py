"""Where reviews disagree an admin has the last word; what reviewers say of a question itself."""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from curation.db.quotas import lock, refuse_beyond
from curation.errors import Conflict, Invalid
from curation.projects.access import may_administer
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, Source
from curation.reviews.decisions.consensus import decide, put_aside_edits, standing_reviews
from curation.reviews.decisions.revert import take_back
from curation.reviews.models import (
    Decision,
    FlagKind,
    QuestionFlag,
    QueueItem,
    QueueStatus,
    Review,
    Verdict,
)
from curation.reviews.queue.items import enqueue
from curation.reviews.submission.submit import ReviewInput, check_all, rationales_of, record
from curation.text.clean import clean
from curation.web import rate_limit

MAX_FLAG_TEXT = 2000
MAX_FLAGS_OF_A_QUESTION = 20  # of one person
MAX_OPEN_FLAGS = 500  # of one person in a project


def adjudicate(
    project: Project, user: User, item_id: int, says: Sequence[ReviewInput]
) -> list[Review]:
    """An admin decides rationales on which reviews disagree. A rationale may be a reviewer's edit: approving
    it puts it in its parent's place. Deciding a rationale puts its other edits aside.

    The question is done when no reviewed rationale is left without a decision. Raises Conflict when it
    does not wait for an admin, a rationale is decided already, or the admin wrote it.
    """
    if not may_administer(user, project.pk):
        raise PermissionDenied("Only an admin of this project may do this.")
    check_all(says)
    with transaction.atomic():
        item = QueueItem.objects.locked(pk=item_id, project=project)
        if item is None:
            raise Invalid("This question does not wait in this project.")
        if item.status != QueueStatus.ADJUDICATE:
            raise Conflict("This question does not wait for an admin (any more).")
        rationales = rationales_of(item, says)
        edited = {say.rationale_id for say in says if say.verdict == Verdict.EDIT}
        for rationale in rationales.values():
            _may_decide(user, rationale)
            if rationale.pk in edited:
                _may_edit(user, rationale)
        reviews = record(project, user, item, rationales, says, is_adjudication=True)
        decide(project, reviews)
        for review in reviews:
            put_aside_edits(project, review, review.rationale)
        if not standing_reviews(item):
            QueueItem.objects.filter(pk=item.pk).update(
                status=QueueStatus.DONE, done_at=timezone.now()
            )
            enqueue(project, [item.question_id])  # rationales may have come while it waited
    return reviews


def _may_decide(user: User, rationale: Rationale) -> None:
    decision = getattr(rationale, "decision", None)
    if decision is not None and decision.review_id:
        raise Conflict(f"{decision.review.reviewer} has decided this already: {decision.outcome}.")
    if rationale.source == Source.PERSON and decision is None and not _stands(rationale):
        raise Conflict(f"{rationale.author} has taken this rationale back: load the page.")
    if rationale.author_id == user.pk:
        raise Conflict("You wrote this rationale: another admin of the project decides on it.")


def _stands(rationale: Rationale) -> bool:
    """Whether the word stands with which a person brought this edit or rationale of their own."""
    brought = Q(edited=rationale) | Q(rationale=rationale, reviewer=rationale.author)
    return Review.objects.standing().filter(brought).exists()


def _may_edit(user: User, rationale: Rationale) -> None:
    """Else an admin whose edit waits for another could write the same again and have it their way."""
    mine = Rationale.objects.filter(
        parent=rationale, author=user, decision__isnull=True, edit_review__withdrawn_at__isnull=True
    )
    if mine.exists():
        raise Conflict(
            "Your edit of this rationale waits for another admin: approve or reject the rationale "
            "as it stands, "
            "take somebody else’s edit, or leave it to them."
        )


def undo_adjudication(project: Project, user: User, item_id: int) -> None:
    """Take back what this admin decided on a question; it waits for an admin again."""
    with transaction.atomic():
        item = QueueItem.objects.locked(pk=item_id, project=project)
        mine = Review.objects.standing().filter(
            project=project,
            reviewer=user,
            is_adjudication=True,
            rationale__question__queue_item=item,
        )
        if item is not None and item.status not in (QueueStatus.ADJUDICATE, QueueStatus.DONE):
            raise Conflict("This question has come back since, or is a control question now.")
        if item is None or not (ids := list(mine.values_list("pk", flat=True))):
            raise Conflict("There is nothing of yours to take back here.")
        take_back(project, Decision.objects.filter(review__in=ids))
        mine.update(withdrawn_at=timezone.now())
        QueueItem.objects.filter(pk=item.pk).update(status=QueueStatus.ADJUDICATE, done_at=None)


def flag_question(
    project: Project, user: User, question: Question, kind: str, comment: str = ""
) -> QuestionFlag:
    """Say that something is wrong with the question itself; said twice, it counts once. Raises Conflict
    or TooMany where the person says more than anybody could settle."""
    comment = clean(comment)
    if kind not in FlagKind.values:
        raise Invalid(f"{kind!r} is no flag: choose one of {', '.join(FlagKind.values)}.")
    if kind == FlagKind.OTHER and not comment:
        raise Invalid("Say in your own words what is wrong with the question.")
    if len(comment) > MAX_FLAG_TEXT:
        raise Invalid(f"The comment has more than {MAX_FLAG_TEXT:,} characters.")
    rate_limit.spend(rate_limit.FLAGS, user.pk)
    mine = QuestionFlag.objects.filter(project=project, user=user)
    with transaction.atomic():
        lock(user)
        here = mine.filter(question=question)
        standing = here.open().filter(kind=kind).first()
        if standing is None:
            refuse_beyond(
                here,
                MAX_FLAGS_OF_A_QUESTION,
                "You have flagged this question {most} times, with what was settled or taken back: "
                "speak to an admin of the project.",
            )
            refuse_beyond(
                mine.open(),
                MAX_OPEN_FLAGS,
                "{most} flags of yours wait for an admin: wait until some are settled, or take some back.",
            )
            return QuestionFlag.objects.create(
                project=project, question=question, user=user, kind=kind, comment=comment
            )
        if comment and standing.comment != comment:
            QuestionFlag.objects.filter(pk=standing.pk).update(comment=comment)
            standing.comment = comment
    return standing


def withdraw_flag(project: Project, user: User, flag_id: int) -> None:
    """Take back one's own flag. Raises Conflict when it is not (any more) there to take back."""
    mine = QuestionFlag.objects.filter(pk=flag_id, project=project, user=user)
    if not mine.open().update(withdrawn_at=timezone.now()):
        raise Conflict("This flag is settled or taken back already.")


def settle_flag(project: Project, admin: User, flag_id: int, settlement: str) -> None:
    """An admin says what came of a flag."""
    if not may_administer(admin, project.pk):
        raise PermissionDenied("Only an admin of this project may do this.")
    flag = QuestionFlag.objects.standing().filter(pk=flag_id, project=project)
    if not flag.filter(settled_at=None).update(
        settled_at=timezone.now(), settled_by=admin, settlement=clean(settlement)[:200]
    ):
        raise Conflict("This flag is settled or taken back already.")
