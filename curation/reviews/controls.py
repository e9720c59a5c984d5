"""Control questions: their verdicts are known, and people meet them among the others."""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from curation.errors import Conflict
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, Source
from curation.reviews.models import (
    Control,
    Decision,
    Outcome,
    QueueItem,
    QueueStatus,
    Review,
    Seat,
    Skip,
    Verdict,
)
from curation.reviews.queueing import enqueue

KNOWN = {Outcome.APPROVED: Verdict.APPROVE, Outcome.REJECTED: Verdict.REJECT}


def next_control(project: Project, user: User) -> Seat | None:
    """A seat, not stored yet, of a control question that this person has not had; None when none is
    due. Due is what keeps their share of all questions that they finished at `control_percent`."""
    finished = Seat.objects.filter(project=project, holder=user, done_at__isnull=False)
    done = finished.count()
    # One question in so many; which of them is the control's differs from person to person and from
    # one time to the next, so that nobody can count on it.
    every = round(100 / project.control_percent)
    had = finished.filter(number__isnull=True).count()
    due = (done // every) + ((done % every) >= (user.pk * 7 + (done // every) * 3) % every)
    if had >= due:
        return None
    here = Seat.objects.filter(item=OuterRef("pk"), holder=user)
    mine = here.filter(Q(done_at__isnull=False) | Q(held_until__gte=timezone.now()))
    # Also those that they decided before it was a control.
    known = Review.objects.filter(
        rationale__question=OuterRef("question"), reviewer=user, withdrawn_at__isnull=True
    )
    item = (
        QueueItem.objects.filter(project=project, status=QueueStatus.CONTROL)
        .exclude(control__created_by=user)
        .exclude(Exists(mine))
        .exclude(Exists(known))
        .exclude(Exists(Skip.objects.filter(item=OuterRef("pk"), user=user)))
        .order_by("id")
        .first()
    )
    if item is None:
        return None
    # One whose claim ran out comes again.
    left = Seat.objects.filter(item=item, holder=user).select_related("item").first()
    return left or Seat(project=project, item=item, rank=item.rank)


def make_control(project: Project, user: User, question: Question, note: str = "") -> Control:
    """Turn a decided question into a control: what people decided about its chains is what others
    should say. Raises Conflict when it is not decided by people, or is a control already."""
    with transaction.atomic():
        item = QueueItem.objects.locked(project=project, question=question)
        if item is None or item.status != QueueStatus.DONE:
            raise Conflict("Only a question that is decided can become a control question.")
        decisions = Decision.objects.filter(
            project=project,
            rationale__question=question,
            review__isnull=False,
            outcome__in=KNOWN,
        ).exclude(rationale__parent__isnull=False)
        verdicts = {str(one.rationale_id): KNOWN[one.outcome] for one in decisions}
        # A control that showed fewer chains than other questions could be told from them.
        chains = Rationale.objects.filter(question=question).exclude(source=Source.PERSON)
        if not verdicts or chains.exclude(pk__in=list(verdicts)).exists():
            raise Conflict(
                "A control question needs a person's word on every chain: approve or reject those that "
                "are undecided, edited or decided by the rule."
            )
        QueueItem.objects.filter(pk=item.pk).update(status=QueueStatus.CONTROL)
        return Control.objects.create(
            item=item, project=project, verdicts=verdicts, note=note, created_by=user
        )


def drop_control(project: Project, question: Question) -> None:
    """Make it a decided question again, or one that waits where chains have come meanwhile. What people
    said of it stays in the history."""
    with transaction.atomic():
        item = QueueItem.objects.locked(
            project=project, question=question, status=QueueStatus.CONTROL
        )
        if item is None:
            raise Conflict("This is no control question.")
        Control.objects.filter(item=item).delete()
        item.seats.filter(number__isnull=True, done_at__isnull=True).delete()
        QueueItem.objects.filter(pk=item.pk).update(status=QueueStatus.DONE)
        enqueue(project, [question.pk])
