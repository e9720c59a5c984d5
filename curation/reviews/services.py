"""Decisions: what people say about rationales, what follows, and how it is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from curation.errors import Conflict, Invalid
from curation.projects.models import Project, Rubric, User
from curation.questions.models import Split
from curation.rationales.models import Rationale, Source, passes, text_hash
from curation.rationales.scoring import mark_stale, order_scoring
from curation.reviews.claims import claim
from curation.reviews.models import (
    Decision,
    Outcome,
    QueueItem,
    QueueStatus,
    Reason,
    Review,
    Skip,
    Verdict,
)

MAX_TEXT = 200_000


@dataclass(frozen=True)
class Say:
    """What a person says about one rationale."""

    rationale_id: int
    verdict: str
    reasons: Sequence[str] = ()
    comment: str = ""
    step_labels: dict[str, int] = field(default_factory=dict)
    edited_text: str = ""


def check(say: Say) -> None:
    """Raises Invalid when what was said is no decision."""
    if say.verdict not in Verdict.values:
        raise Invalid(f"{say.verdict!r} is no verdict: choose one of {', '.join(Verdict.values)}.")
    wrong = set(say.reasons) - set(Reason.values)
    if wrong:
        raise Invalid(f"{', '.join(sorted(wrong))}: no such reason.")
    if say.verdict == Verdict.REJECT and not say.reasons:
        raise Invalid("Say why: a rejection needs at least one reason.")
    if Reason.OTHER in say.reasons and not say.comment.strip():
        raise Invalid("The reason “other” needs a comment.")
    if say.verdict == Verdict.EDIT and not say.edited_text.strip():
        raise Invalid("The edited chain is empty.")
    if len(say.edited_text) > MAX_TEXT or len(say.comment) > MAX_TEXT:
        raise Invalid(f"A text may have {MAX_TEXT:,} characters.")
    if "\0" in say.edited_text or "\0" in say.comment:
        raise Invalid("The text holds a NUL character, which cannot be stored.")
    if any(not key.isdigit() or value not in (-1, 0, 1) for key, value in say.step_labels.items()):
        raise Invalid("A step is labelled -1, 0 or 1.")


def submit(
    project: Project, user: User, item_id: int, says: Sequence[Say], seconds: float | None = None
) -> list[Review]:
    """Record what the person who holds a question says of its chains; all of it or nothing.

    Raises Conflict when the claim is gone, a chain was decided by somebody else or superseded, or
    the same person said it already; the message says which. `seconds` is the time spent on all.
    A retry after a lost answer can ask `said_before` whether it came through.
    """
    if not says:
        raise Invalid("Decide on at least one chain, or skip the question.")
    for say in says:
        check(say)
    if len({say.rationale_id for say in says}) != len(says):
        raise Invalid("A chain was named twice.")
    with transaction.atomic():
        item = (
            QueueItem.objects.select_for_update(of=("self",))
            .select_related("holder")
            .filter(pk=item_id, project=project)
            .first()
        )
        if item is None:
            raise Invalid("This question does not wait in this project.")
        if item.holder_id != user.pk:
            raise Conflict(_who_was_first(item, user))
        chains = {
            r.pk: r
            for r in Rationale.objects.filter(
                question_id=item.question_id, pk__in=[say.rationale_id for say in says]
            ).select_related("decision")
        }
        if len(chains) != len(says):
            raise Invalid("One of the chains does not belong to this question.")
        share = seconds / len(says) if seconds is not None and 0 <= seconds < 86_400 else None
        reviews = [_record(project, user, chains[say.rationale_id], say, share) for say in says]
        QueueItem.objects.filter(pk=item.pk).update(
            status=QueueStatus.DONE, done_at=timezone.now(), holder=None, held_until=None
        )
        if any(review.edited_id for review in reviews):
            mark_stale(project, [item.question_id])
            order_scoring(project, user)
    return reviews


def said_before(project: Project, user: User, item_id: int, says: Sequence[Say]) -> bool:
    """Whether the person's standing reviews of this question say just what `says` says: then a
    submission whose answer got lost did come through, and its retry has nothing left to do."""
    standing = {
        review.rationale_id: review
        for review in Review.objects.filter(
            project=project,
            reviewer=user,
            withdrawn_at__isnull=True,
            rationale__question__queue_item=item_id,
        ).select_related("edited")
    }
    for say in says:
        review = standing.get(say.rationale_id)
        if review is None or review.verdict != say.verdict:
            return False
        if say.verdict == Verdict.EDIT and review.edited.text != clean_text(say.edited_text):
            return False
    return bool(says)


def _who_was_first(item: QueueItem, user: User) -> str:
    """Why a question is not (any more) this person's, naming who has or had it."""
    if item.holder_id and item.held_until > timezone.now():
        return f"Your claim ran out, and {item.holder} works on this question now."
    last = (
        Review.objects.filter(rationale__question_id=item.question_id, withdrawn_at__isnull=True)
        .select_related("reviewer")
        .order_by("-id")
        .first()
    )
    if last is None:
        return "Your claim on this question ran out."
    if last.reviewer_id == user.pk:
        return "You have decided this question already, perhaps in another tab."
    at = timezone.localtime(last.created_at)
    return f"{last.reviewer} was first: decided this question at {at:%H:%M} ({at:%Z})."


def _record(
    project: Project, user: User, rationale: Rationale, say: Say, seconds: float | None
) -> Review:
    standing = getattr(rationale, "decision", None)
    if standing is not None and standing.outcome == Outcome.SUPERSEDED:
        raise Conflict("An edit has taken the place of this chain: decide on the edit.")
    if standing is not None and standing.review_id:
        who = standing.review.reviewer
        raise Conflict(f"{who} has decided this already: {standing.outcome}.")
    edited = (
        _edit(project, user, rationale, say.edited_text) if say.verdict == Verdict.EDIT else None
    )
    try:
        with transaction.atomic():
            review = Review.objects.create(
                project=project,
                rationale=rationale,
                reviewer=user,
                verdict=say.verdict,
                reasons=list(say.reasons),
                comment=say.comment.strip(),
                step_labels=say.step_labels,
                seconds=seconds,
                edited=edited,
            )
    except IntegrityError:
        raise Conflict("You have decided this chain already: undo that first.") from None
    outcome = {Verdict.APPROVE: Outcome.APPROVED, Verdict.REJECT: Outcome.REJECTED}.get(
        say.verdict, Outcome.SUPERSEDED
    )
    _decide(project, rationale, outcome, review)
    if edited:
        _decide(project, edited, Outcome.APPROVED, review)
    return review


def _decide(project: Project, rationale: Rationale, outcome: str, review: Review) -> None:
    # A person's word replaces the rule's.
    Decision.objects.update_or_create(
        rationale=rationale,
        defaults={
            "project": project,
            "outcome": outcome,
            "review": review,
            "rule": None,
            "decided_at": timezone.now(),
        },
    )


def clean_text(text: str) -> str:
    """An edited chain as it is stored."""
    return text.replace("\r\n", "\n").strip()


def _edit(project: Project, user: User, parent: Rationale, text: str) -> Rationale:
    text = clean_text(text)
    if text == parent.text:
        raise Invalid("The edit changes nothing: approve the chain as it stands.")
    return Rationale.objects.create(
        project=project,
        question_id=parent.question_id,
        source=Source.PERSON,
        author=user,
        parent=parent,
        text=text,
        text_hash=text_hash(text),
    )


def undo(project: Project, user: User) -> QueueItem:
    """Take back what the person did last, a decision or a skip, and give them that question again.

    The reviews stay in the history, marked as withdrawn. Raises Conflict when there is nothing to
    take back or somebody else holds the question by now.
    """
    with transaction.atomic():
        last = (
            Review.objects.filter(project=project, reviewer=user, withdrawn_at__isnull=True)
            .order_by("-id")
            .select_related("rationale")
            .first()
        )
        skipped = (
            Skip.objects.filter(item__project=project, user=user)
            .select_related("item")
            .order_by("-id")
            .first()
        )
        if last is None and skipped is None:
            raise Conflict("There is nothing to undo.")
        of_skip = last is None or (skipped is not None and skipped.created_at > last.created_at)
        question_id = skipped.item.question_id if of_skip else last.rationale.question_id
        now = timezone.now()
        item = QueueItem.objects.select_for_update().get(question_id=question_id)
        if item.holder_id not in (None, user.pk) and item.held_until > now:
            raise Conflict("Somebody else works on that question now, so it cannot be taken back.")
        Skip.objects.filter(item=item, user=user).delete()
        if not of_skip:
            _withdraw(project, user, item, now)
            QueueItem.objects.filter(pk=item.pk).update(status=QueueStatus.WAITING, done_at=None)
        item = claim(project, user, item.question)
    return item


def _withdraw(project: Project, user: User, item: QueueItem, now: datetime) -> None:
    mine = Review.objects.filter(
        project=project,
        reviewer=user,
        withdrawn_at__isnull=True,
        rationale__question_id=item.question_id,
    )
    Decision.objects.filter(review__in=list(mine.values_list("pk", flat=True))).delete()
    mine.update(withdrawn_at=now)


def to_review(item: QueueItem) -> list[Rationale]:
    """The chains of a question that stand: all but edits that were taken back. Likeliest good first."""
    return list(
        Rationale.objects.filter(question_id=item.question_id)
        .exclude(edit_review__withdrawn_at__isnull=False)
        .select_related(
            "score", "teacher", "author", "decision__review__reviewer", "decision__rule"
        )
        .order_by(F("score__overall").desc(nulls_last=True), "id")
    )


def apply_rule(project: Project, *, rubric: Rubric | None = None) -> int:
    """Approve, in the rule's name, every undecided training chain that passes the rubric.

    Returns how many were approved. What a person decided is never touched; nothing is rejected.
    """
    rubric = rubric or project.rubric
    undecided = (
        Rationale.objects.filter(passes(rubric, "score__"), project=project)
        .filter(question__split=Split.TRAIN, decision__isnull=True)
        .exclude(Q(edit_review__isnull=False))
    )
    approved = 0
    while ids := list(undecided.order_by("id").values_list("id", flat=True)[:1000]):
        rows = [
            Decision(rationale_id=i, project=project, outcome=Outcome.APPROVED, rule=rubric)
            for i in ids
        ]
        with transaction.atomic():
            before = Decision.objects.filter(rationale_id__in=ids).count()
            Decision.objects.bulk_create(rows, ignore_conflicts=True)
            approved += len(ids) - before
    return approved
