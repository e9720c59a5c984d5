"""Claims: who holds which question, who gets what next."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from curation.errors import Conflict
from curation.projects.models import Membership, Project, User
from curation.questions.models import Question
from curation.reviews.controls import next_control
from curation.reviews.models import QueueItem, QueueStatus, Seat, Skip
from curation.reviews.queueing import open_seats, reopen

# How long a question stays with somebody whose page has closed: above the page's renewal of 60 s, so
# that a reload, or a second tab that works on, keeps it.
GRACE = timedelta(seconds=90)
# The question that a person works on, and the next one, which their page has fetched already.
MOST_HELD = 2


def _mine(project: Project, user: User) -> QuerySet[Seat]:
    """What this person holds now, what they took first at first."""
    held = open_seats(project).filter(holder=user, held_until__gte=timezone.now())
    return held.select_related("item__question").order_by("held_until", "id")


def next_item(project: Project, user: User) -> Seat | None:
    """The seat of the question that this person works on now: the one they hold, else a control
    question when one is due, else the best free one that was assigned to them, else the best free one.

    None when nothing is free for them; `others_hold` says whether something may come back.
    """
    with transaction.atomic():
        _one_at_a_time(project, user)
        return _take(_mine(project, user).first() or _best(project, user), project, user)


def ahead(project: Project, user: User, item_id: int) -> Seat | None:
    """The question after `item_id`, which the person works on: held, too, so that their page can have
    it ready. None when nothing is free, or they do not hold `item_id`."""
    with transaction.atomic():
        _one_at_a_time(project, user)
        held = list(_mine(project, user))
        others = [seat for seat in held if seat.item_id != item_id]
        if len(others) == len(held):
            return None
        if others or len(held) >= MOST_HELD:
            return _take(others[0], project, user)
        return _take(_best(project, user), project, user)


def _one_at_a_time(project: Project, user: User) -> None:
    """Two tabs of one person that ask at once do so one after the other."""
    Membership.objects.select_for_update().filter(project=project, user=user).values("pk").first()


def _take(seat: Seat | None, project: Project, user: User) -> Seat | None:
    if seat is None:
        return None
    seat.project, seat.holder = project, user
    seat.held_until = timezone.now() + settings.CLAIM_LEASE
    if seat.pk is None:  # of a control question
        seat.save(force_insert=True)
    else:
        Seat.objects.filter(pk=seat.pk).update(holder=user, held_until=seat.held_until)
    return seat


def _best(project: Project, user: User) -> Seat | None:
    if project.control_percent and (control := next_control(project, user)):
        return control
    free = (
        open_seats(project)
        .filter(Q(holder__isnull=True) | Q(held_until__lt=timezone.now()))
        .filter(
            ~Exists(
                Seat.objects.filter(item=OuterRef("item"), holder=user).exclude(pk=OuterRef("pk"))
            ),
            ~Exists(Skip.objects.filter(item=OuterRef("item"), user=user)),
            number__isnull=False,
            # All are. With a bound SQLite follows the index of open seats also when it has statistics
            # by which one project fills the table; without, it would read and sort them all.
            rank__gte=0,
        )
        .select_for_update(skip_locked=True)
        .order_by("-rank", "item_id", "number")
        .values_list("pk", flat=True)
    )
    best = free.filter(assigned_to=user).first() or free.filter(assigned_to__isnull=True).first()
    return best and Seat.objects.select_related("item__question").get(pk=best)


def others_hold(project: Project, user: User) -> datetime | None:
    """When the first claim of somebody else in the project runs out that this person might get then;
    None where there is none."""
    return (
        open_seats(project)
        .filter(held_until__gte=timezone.now(), number__isnull=False, holder__isnull=False)
        .filter(Q(assigned_to__isnull=True) | Q(assigned_to=user))
        .exclude(holder=user)
        .order_by("held_until")
        .values_list("held_until", flat=True)
        .first()
    )


def held_by(project: Project, user: User) -> Seat | None:
    """The seat of the question that this person works on; None where they hold none."""
    return _mine(project, user).first()


def holders(item: QueueItem) -> list[Seat]:
    """The seats of a question at which somebody sits now."""
    held = item.seats.filter(done_at__isnull=True, held_until__gte=timezone.now())
    return list(held.filter(holder__isnull=False).select_related("holder").order_by("number"))


def claim(project: Project, user: User, question: Question) -> Seat:
    """Take one given question, such as from a list; what else the person holds is given back.

    Raises Conflict when it is decided, this person has reviewed it, or others hold all its seats.
    """
    now = timezone.now()
    with transaction.atomic():
        _one_at_a_time(project, user)
        item = (
            QueueItem.objects.select_for_update().filter(project=project, question=question).first()
        )
        if item is None:
            raise Conflict("This question has no scored chains yet, so it is not in the queue.")
        _give_back(open_seats(project).filter(holder=user).exclude(item=item))
        item.project = project
        reopen(item)
        seats = list(
            item.seats.select_related("holder")
            .filter(Q(number__isnull=False) | Q(holder=user))
            .order_by("number")
            .select_for_update(of=("self",))
        )
        own = [seat for seat in seats if seat.holder_id == user.pk]
        if own and own[0].done_at:
            raise Conflict("You have reviewed this question: undo that to see it again.")
        free = [
            seat
            for seat in seats
            if seat.done_at is None and (seat.holder_id is None or seat.held_until < now)
        ]
        for seat in own or sorted(free, key=lambda one: one.assigned_to_id != user.pk):
            seat.item = item
            return _take(seat, project, user)
    if item.status == QueueStatus.ADJUDICATE:
        raise Conflict("The reviews of this question disagree: an admin decides it.")
    if holders := [str(seat.holder) for seat in seats if seat.done_at is None and seat.holder_id]:
        verb = "work" if len(holders) > 1 else "works"
        raise Conflict(f"{' and '.join(holders)} {verb} on this question now: take another one.")
    raise Conflict("This question is decided. It comes back when new chains of it are scored.")


def renew(item_id: int, user: User) -> datetime:
    """Keep what the person holds while they work on this question. Raises Conflict when it is no
    longer theirs."""
    until = timezone.now() + settings.CLAIM_LEASE
    mine = Seat.objects.filter(holder=user, done_at__isnull=True)
    this = mine.filter(item=item_id)
    if not this.update(held_until=until):
        others = Seat.objects.select_related("holder").filter(item=item_id).exclude(holder=user)
        held = others.filter(done_at__isnull=True, holder__isnull=False).first()
        who = held.holder if held else "Somebody else"
        what = "works on" if held else "has decided"
        raise Conflict(f"{who} {what} this question now. What you typed is kept here.")
    project = Seat.objects.filter(item=item_id, holder=user).values("project")
    # Later by a moment: the question that one works on stays the first of what one holds.
    later = until + timedelta(milliseconds=1)
    mine.filter(project__in=project, held_until__gte=timezone.now()).exclude(item=item_id).update(
        held_until=later
    )
    return until


def leave(item_id: int, user: User) -> None:
    """The person's page closed: their claims run out soon, unless another page of theirs renews them."""
    soon = timezone.now() + GRACE
    project = QueueItem.objects.filter(pk=item_id).values("project")
    mine = Seat.objects.filter(project__in=project, holder=user, done_at__isnull=True)
    if mine.filter(item=item_id).exists():
        mine.filter(held_until__gt=soon).update(held_until=soon)


def release(project: Project, user: User) -> None:
    """Give back what the person holds."""
    with transaction.atomic():
        _give_back(open_seats(project).filter(holder=user))


def _give_back(seats: QuerySet[Seat]) -> int:
    # A control's seat is its holder's alone: there is nobody else to keep it for.
    dropped, _ = seats.filter(number__isnull=True).delete()
    return dropped + seats.update(holder=None, held_until=None)


def skip(item_id: int, user: User, reason: str = "") -> None:
    """Pass on a question: somebody else gets it, this person does not see it again."""
    with transaction.atomic():
        if not _give_back(Seat.objects.filter(item=item_id, holder=user, done_at__isnull=True)):
            if Skip.objects.filter(item_id=item_id, user=user).exists():
                return  # a retry of a skip whose answer got lost
            raise Conflict("You do not hold this question (any more).")
        Skip.objects.get_or_create(item_id=item_id, user=user, defaults={"reason": reason[:200]})
