"""Claims: who holds which question, who gets what next."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from curation.db.prepared_queries import Param, Prepared, PreparedUpdate, run_sql
from curation.errors import Conflict
from curation.projects.models import Membership, Project, User
from curation.questions.models import Question
from curation.reviews.models import QueueItem, QueueStatus, Seat, Skip
from curation.reviews.queue.controls import next_control
from curation.reviews.queue.items import open_seats, refit, reopen

# How long a question stays with somebody whose page has closed: above the page's renewal of 60 s, so
# that a reload, or a second tab that works on, keeps it.
GRACE = timedelta(seconds=90)


# What every question asks for, built once, see curation.db.prepared_queries.
HELD = Prepared(
    lambda: (
        Seat.objects.filter(project=Param("project"), done_at__isnull=True)
        .filter(holder=Param("user"), held_until__gte=Param("now"))
        .order_by("held_until", "id")
        .values_list("item_id", "pk")
    )
)
SEAT = Prepared(lambda: Seat.objects.select_related("item__question").filter(pk=Param("pk")))
LOCK = Prepared(
    lambda: (
        Membership.objects.select_for_update(no_key=True)
        .filter(project=Param("project"), user=Param("user"))
        .values_list("pk")
    )
)
# What else one holds ends so much later: the question that one works on stays the first of them.
A_MOMENT = timedelta(milliseconds=1)


def _taking(**before: Any) -> PreparedUpdate:
    """UPDATE of an open seat that is still as it was `before`."""
    return PreparedUpdate(
        lambda: (
            Seat.objects.filter(pk=Param("pk"), done_at__isnull=True, **before),
            {"holder": Param("user"), "taken_at": Param("now"), "held_until": Param("until")},
        )
    )


TAKE_NOBODYS = _taking(holder__isnull=True)
TAKE_FROM = _taking(holder=Param("before"))


def _mine(project: Project, user: User) -> dict[int, int]:
    """What this person holds now, what they took first at first: seats by question in the queue."""
    return dict(HELD.all(project=project.pk, user=user.pk, now=timezone.now()))


def next_item(project: Project, user: User) -> Seat | None:
    """The seat of the question that this person works on now: the one they hold, else a control
    question when one is due, else the best free one that was assigned to them, else the best free one.

    None when nothing is free for them; `others_hold` says whether something may come back.
    """
    with transaction.atomic():
        one_at_a_time(project, user)
        return next_for(project, user)


def ahead(project: Project, user: User, item_id: int) -> Seat | None:
    """The question after `item_id`, which the person works on: held, too, so that their page can have
    it ready. None when nothing is free, or they do not hold `item_id`."""
    with transaction.atomic():
        one_at_a_time(project, user)
        return next_for(project, user, item_id)


def next_for(project: Project, user: User, after: int | None = None) -> Seat | None:
    """`next_item`, or with `after` what is `ahead` of that: within a transaction of the caller's that
    began with `one_at_a_time`."""
    held = _mine(project, user)
    if after is not None and held.pop(after, None) is None:
        return None
    first, *others = held.values() or [None]
    if first is None or (seat := _take(_seat(first), project, user)) is None:
        return _take_best(project, user)
    if others:
        # They stay behind the one shown now, so that whoever asks again gets that. These are more rows
        # under one that is locked already: nobody is waited for.
        rest = Seat.objects.select_for_update(skip_locked=True).filter(pk__in=others)
        rest = rest.values_list("pk", flat=True)
        Seat.objects.filter(pk__in=list(rest)).update(held_until=seat.held_until + A_MOMENT)
    return seat


def one_at_a_time(project: Project, user: User) -> None:
    """Two tabs of one person that ask at once do so one after the other."""
    LOCK.first(project=project.pk, user=user.pk)


def _seat(pk: int) -> Seat:
    """A seat with what the bench shows of its question."""
    return SEAT.first(pk=pk)


def _take(seat: Seat, project: Project, user: User) -> Seat | None:
    """The seat is this person's from now on; None where it has become somebody else's meanwhile."""
    now = timezone.now()
    before = seat.holder_id
    seat.project, seat.holder = project, user
    seat.taken_at, seat.held_until = now, now + settings.CLAIM_LEASE
    if seat.pk is None:  # of a control question, which may have been dropped a moment ago
        if QueueItem.objects.locked(pk=seat.item_id, status=QueueStatus.CONTROL) is None:
            return None
        seat.save(force_insert=True)
        return seat
    values = {"pk": seat.pk, "user": user.pk, "now": now, "until": seat.held_until}
    taken = TAKE_FROM.run(before=before, **values) if before else TAKE_NOBODYS.run(**values)
    return seat if taken else None


def _take_best(project: Project, user: User) -> Seat | None:
    control = next_control(project, user) if project.control_percent else None
    if control is not None and (taken := _take(control, project, user)):
        return taken
    best = _best_free(project, user)
    return _take(_seat(best), project, user) if best else None


# The heart of the queue, written out: this is asked for at every question, and building it from a
# queryset takes five times as long as running it. Each of its parts follows one index, see Seat. With
# the bound of the rank, which is never negative, SQLite does so also when it has statistics by which
# one project fills the table; without, it would read and sort them all.
FREE = """
    SELECT seat.id FROM reviews_seat seat
    WHERE seat.project_id = %(project)s AND seat.done_at IS NULL AND seat.assigned_to_id {whose}
      AND seat.number IS NOT NULL AND seat.rank >= 0
      AND (seat.holder_id IS NULL OR seat.held_until < %(now)s)
      AND NOT EXISTS (SELECT 1 FROM reviews_seat own WHERE own.item_id = seat.item_id
                      AND own.holder_id = %(user)s AND own.id <> seat.id)
      AND NOT EXISTS (SELECT 1 FROM reviews_skip skip WHERE skip.item_id = seat.item_id
                      AND skip.user_id = %(user)s)
    ORDER BY seat.rank DESC, seat.item_id, seat.number LIMIT 1 {lock}
"""


def _best_free(project: Project, user: User) -> int | None:
    """The key of the best free seat that was assigned to this person, else of the best free one that
    is anybody's. Rows that others are about to take are passed over."""
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update else ""
    mine, anybodys = (FREE.format(whose=w, lock=lock) for w in ("= %(user)s", "IS NULL"))
    sql = f"SELECT COALESCE(({mine}), ({anybodys}))"
    return run_sql(sql, project=project.pk, user=user.pk, now=timezone.now())[0]


def others_hold(project: Project, user: User) -> datetime | None:
    """When the first question that this person might get comes back: the end of somebody's claim on it,
    or now, where one was given back since they asked. None where nothing can come back to them."""
    now = timezone.now()
    had = Seat.objects.filter(item=OuterRef("item"), holder=user).exclude(pk=OuterRef("pk"))
    skipped = Skip.objects.filter(item=OuterRef("item"), user=user)
    held_until = (
        open_seats(project)
        .filter(Q(assigned_to__isnull=True) | Q(assigned_to=user), number__isnull=False)
        .exclude(Exists(had))
        .exclude(Exists(skipped))
        .order_by(F("held_until").asc(nulls_first=True))
        .values_list("held_until", flat=True)[:1]
    )
    return next((max(until or now, now) for until in held_until), None)


def held_by(project: Project, user: User) -> Seat | None:
    """The seat of the question that this person works on; None where they hold none."""
    held = next(iter(_mine(project, user).values()), None)
    return _seat(held) if held else None


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
        one_at_a_time(project, user)
        item = QueueItem.objects.locked(project=project, question=question)
        if item is None:
            raise Conflict("This question has no scored rationales yet, so it is not in the queue.")
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
            if _take(seat, project, user):
                return seat
        # Refused within the transaction: what the person holds stays theirs.
        if item.status == QueueStatus.ADJUDICATE:
            raise Conflict("The reviews of this question disagree: an admin decides it.")
        if holders := [
            str(seat.holder) for seat in seats if seat.done_at is None and seat.holder_id
        ]:
            verb = "work" if len(holders) > 1 else "works"
            raise Conflict(
                f"{' and '.join(holders)} {verb} on this question now: take another one."
            )
        raise Conflict(
            "This question is decided. It comes back when new rationales of it are scored."
        )


def renew(item_id: int, user: User) -> datetime:
    """Keep what the person holds while they work on this question. Raises Conflict when it is no
    longer theirs."""
    until = timezone.now() + settings.CLAIM_LEASE
    mine = Seat.objects.filter(holder=user, done_at__isnull=True)
    this = mine.filter(item=item_id)
    if not this.update(held_until=until):
        others = Seat.objects.select_related("holder").filter(item=item_id).exclude(holder=user)
        held = others.filter(done_at__isnull=True, holder__isnull=False).first()
        if held is None and others.filter(done_at__isnull=True, number__isnull=False).exists():
            raise Conflict(
                "Your claim on this question has ended. What you typed is kept here: load the page to "
                "take the question again."
            )
        who = held.holder if held else "Somebody else"
        what = "works on" if held else "has decided"
        raise Conflict(f"{who} {what} this question now. What you typed is kept here.")
    project = Seat.objects.filter(item=item_id, holder=user).values("project")
    mine.filter(project__in=project, held_until__gte=timezone.now()).exclude(item=item_id).update(
        held_until=until + A_MOMENT
    )
    return until


def leave(item_id: int, user: User) -> None:
    """The person's page closed: their claims run out soon, unless another page of theirs renews them."""
    soon = timezone.now() + GRACE
    project = QueueItem.objects.filter(pk=item_id).values("project")
    mine = Seat.objects.filter(project__in=project, holder=user, done_at__isnull=True)
    if mine.filter(item=item_id).exists():
        ends = mine.filter(held_until__gt=soon)
        ends.exclude(item=item_id).update(held_until=soon + A_MOMENT)
        ends.filter(item=item_id).update(held_until=soon)


def free_seat(project: Project, seat_id: int) -> None:
    """Take a question out of the hands of whoever holds it: somebody else can have it at once.
    Raises Conflict when nobody holds it (any more)."""
    with transaction.atomic():
        held = open_seats(project).filter(pk=seat_id, holder__isnull=False)
        if not _give_back(held.filter(held_until__gte=timezone.now())):
            raise Conflict("Nobody holds this question (any more).")


def release(project: Project, user: User) -> None:
    """Give back what the person holds."""
    with transaction.atomic():
        _give_back(open_seats(project).filter(holder=user))


def _give_back(seats: QuerySet[Seat]) -> int:
    # A control's seat is its holder's alone: there is nobody else to keep it for.
    dropped, _ = seats.filter(number__isnull=True).delete()
    # Kept only for who sat there when fewer reviews became enough. Their items are locked before seats
    # are, so this is a transaction of its own.
    above = seats.filter(number__gt=F("project__overlap"))
    for project, question in above.values_list("project", "item__question"):
        transaction.on_commit(partial(refit, project, [question]))
    return dropped + seats.update(holder=None, held_until=None)


def skip(item_id: int, user: User, reason: str = "") -> None:
    """Pass on a question: somebody else gets it, this person does not see it again."""
    with transaction.atomic():
        held = Seat.objects.filter(item=item_id, holder=user, done_at__isnull=True)
        held.filter(assigned_to=user).update(assigned_to=None)  # else nobody would ever get it
        if not _give_back(held):
            if Skip.objects.filter(item_id=item_id, user=user).exists():
                return  # a retry of a skip whose answer got lost
            raise Conflict("You do not hold this question (any more).")
        Skip.objects.get_or_create(item_id=item_id, user=user, defaults={"reason": reason[:200]})
