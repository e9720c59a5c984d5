"""Control questions: their verdicts are known, and people meet them among the others."""

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

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
from curation.reviews.queue.items import enqueue

KNOWN = {Outcome.APPROVED: Verdict.APPROVE, Outcome.REJECTED: Verdict.REJECT}


def next_control(project: Project, user: User) -> Seat | None:
    """A seat, not stored yet, of a control question that this person has not had; None when none is
    due (see `window`), or they have had all that there are."""
    now = timezone.now()
    mine = Seat.objects.filter(project=project, holder=user)
    # What they hold counts as well: the next question is chosen while they work on this one.
    taken = mine.filter(Q(done_at__isnull=False) | Q(held_until__gte=now))
    count = taken.count()
    first, place = window(project, user, count)
    if count < place:
        return None
    latest = taken.order_by(F("done_at").desc(nulls_first=True), "-id")[: count - first]
    if None in latest.values_list("number", flat=True):
        return None
    here = Seat.objects.filter(item=OuterRef("pk"), holder=user)
    mine = here.filter(Q(done_at__isnull=False) | Q(held_until__gte=now))
    # Also those that they decided before it was a control.
    known = Review.objects.standing().filter(
        rationale__question=OuterRef("question"), reviewer=user
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


def window(project: Project, user: User, count: int) -> tuple[int, int]:
    """(first, place) of the window of a person's questions that number `count`, from 0, falls into: from
    `first` on, the control comes at `place`.

    At p percent the n-th window begins at n * 100 / p, rounded down, and has one control, so that after
    any number of questions the share is right to within one. Where in its window it comes is drawn with
    the installation's secret key, by person and window: nobody can work it out. A window that ends
    without one, because there was none left to meet, is not made up for: controls never come in a row
    because they were short before, or because the percentage was raised.
    """
    percent = min(100, project.control_percent)
    number = ((count + 1) * percent - 1) // 100
    first, end = number * 100 // percent, (number + 1) * 100 // percent
    drawn = salted_hmac(
        "curation.reviews.queue.controls", f"{project.pk}/{user.pk}/{percent}/{number}"
    )
    return first, first + int.from_bytes(drawn.digest()[:8]) % (end - first)


def make_control(project: Project, user: User, question: Question, note: str = "") -> Control:
    """Turn a decided question into a control: what people decided about its rationales is what others
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
        # A control that showed fewer rationales than other questions could be told from them.
        rationales = Rationale.objects.filter(question=question).exclude(source=Source.PERSON)
        if not verdicts or rationales.exclude(pk__in=list(verdicts)).exists():
            raise Conflict(
                "A control question needs a person's word on every rationale: approve or reject those that "
                "are undecided, edited or decided by the rule."
            )
        QueueItem.objects.filter(pk=item.pk).update(status=QueueStatus.CONTROL)
        return Control.objects.create(
            item=item, project=project, verdicts=verdicts, note=note, created_by=user
        )


def drop_control(project: Project, question: Question) -> None:
    """Make it a decided question again, or one that waits where rationales have come meanwhile. What people
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
