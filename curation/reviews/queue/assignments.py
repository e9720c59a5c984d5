"""Which questions are set aside for whom."""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from curation.projects.models import Membership, Project, User
from curation.questions.models import Question
from curation.reviews.models import QueueStatus, Seat
from curation.reviews.queue.items import ARRANGED_AT_ONCE, lock_items, open_seats


def assignable(project: Project, user: User, questions: QuerySet[Question]) -> QuerySet[Seat]:
    """One free seat of each of these waiting questions, the best ranked first. Questions that the
    person has reviewed or has a seat at are left out."""
    has_one = Seat.objects.filter(item=OuterRef("item")).filter(
        Q(holder=user) | Q(assigned_to=user)
    )
    free = _nobodys(Seat.objects.filter(item=OuterRef("item")))
    return (
        open_seats(project)
        .filter(item__question__in=questions, item__status=QueueStatus.WAITING)
        .exclude(Exists(has_one))
        .filter(pk=Subquery(free.order_by("number").values("pk")[:1]))
        .order_by("-rank", "item_id")
    )


def _nobodys(seats: QuerySet[Seat]) -> QuerySet[Seat]:
    gone = Q(holder__isnull=True) | Q(held_until__lt=timezone.now())
    return seats.filter(gone, done_at=None, assigned_to=None, number__isnull=False)


def assign(
    project: Project, user: User, questions: QuerySet[Question], most: int | None = None
) -> int:
    """Set one open seat of each of these waiting questions aside for a person, of at most `most`;
    returns how many. See `assignable`."""
    seats = list(assignable(project, user, questions).values_list("pk", "item__question")[:most])
    done = 0
    for begin in range(0, len(seats), ARRANGED_AT_ONCE):
        part = seats[begin : begin + ARRANGED_AT_ONCE]
        with transaction.atomic():
            lock_items([question for _, question in part])
            # Asked again, since somebody may have taken one meanwhile.
            free = _nobodys(Seat.objects.filter(pk__in=[seat for seat, _ in part]))
            done += free.update(assigned_to=user)
    return done


def unassign(project: Project, user: User) -> int:
    """What was set aside for this person is anybody's again; returns how many questions."""
    return _unassign(open_seats(project).filter(assigned_to=user))


def unassign_those_who_left() -> int:
    """What was set aside for people who are no members any more is anybody's again; how many seats."""
    member = Membership.objects.filter(project=OuterRef("project"), user=OuterRef("assigned_to"))
    # In a deleted project all are set aside: what is theirs waits with them.
    left = Seat.objects.filter(
        done_at__isnull=True, assigned_to__isnull=False, project__deleted_at__isnull=True
    )
    return _unassign(left.exclude(Exists(member)))


def _unassign(seats: QuerySet[Seat]) -> int:
    done = 0
    found = list(seats.values_list("pk", "item__question", "assigned_to"))
    for begin in range(0, len(found), ARRANGED_AT_ONCE):
        part = found[begin : begin + ARRANGED_AT_ONCE]
        with transaction.atomic():
            lock_items([question for _, question, _ in part])
            whose = {person for _, _, person in part}
            still = Seat.objects.filter(pk__in=[seat for seat, _, _ in part], done_at__isnull=True)
            done += still.filter(assigned_to__in=whose).update(assigned_to=None)
    return done
