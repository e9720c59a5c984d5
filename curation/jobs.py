"""Long work as rows: one status machine for imports, runs, scoring, datasets, trainings, evaluations.

The row is the truth; the broker only carries wake-ups. Whoever begins the work raises `attempt`, and
every later write names the attempt it belongs to, so a worker that was thought dead and comes back
late changes nothing. All moves are compare-and-set updates.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, models, transaction
from django.db.models import Case, DateTimeField, DurationField, F, Q, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from curation.db.quotas import lock, refuse_beyond
from curation.errors import DISK_FULL_WORK, Conflict, Invalid, is_disk_full, reason_of
from curation.progress import Counted
from curation.text.machine_paths import without_paths
from curation.text.storable import mended


class Status(models.TextChoices):
    WAITING = "waiting", "waiting"
    RUNNING = "running", "running"
    PAUSED = "paused", "paused"
    DONE = "done", "done"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


ACTIVE = (Status.WAITING, Status.RUNNING)
TERMINAL = (Status.DONE, Status.FAILED, Status.CANCELLED)
RESUMABLE = (Status.PAUSED, Status.FAILED, Status.CANCELLED)

# Work whose worker dies each time is not begun for ever: after so many attempts it is ended.
MAX_ATTEMPTS = 20
MAX_ORDER_KEY = 64


class Job(models.Model):
    """A piece of long work: who ordered it, where it stands, when its worker was last heard of."""

    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_operator = models.BooleanField(
        default=False,
        editable=False,
        help_text="Ordered by a command or the beat on this machine, in no person's name. Work with "
        "neither this nor `created_by` was ordered by somebody whose account is gone.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    heartbeat_at = models.DateTimeField(null=True, editable=False)
    begun_at = models.DateTimeField(
        null=True, editable=False, help_text="When the attempt that runs now began."
    )
    worked = models.DurationField(
        default=timedelta, editable=False, help_text="The time of the attempts that ended."
    )
    attempt = models.PositiveIntegerField(default=0, editable=False)
    turns = models.PositiveIntegerField(
        default=0, editable=False, help_text="How often its worker gave way to other work."
    )
    error = models.TextField(blank=True)
    order_key = models.CharField(
        max_length=MAX_ORDER_KEY,
        null=True,
        editable=False,
        help_text="Made by the form: a double click or a retry orders the same thing once.",
    )

    class Meta:
        abstract = True

    @staticmethod
    def one_order_a_key(kind: str) -> models.UniqueConstraint:
        """For the constraints of each kind of work: a key is a person's own, within a project. So none
        that somebody chose elsewhere blocks or tells anything here."""
        return models.UniqueConstraint(
            fields=["project", "created_by", "order_key"],
            condition=Q(order_key__isnull=False),
            name=f"a_person_orders_{kind}_once_by_a_key",
        )

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def is_between_turns(self) -> bool:
        """It has begun, gave way to others, and waits for its next turn."""
        return self.status == Status.WAITING and self.started_at is not None

    @property
    def lost_workers(self) -> int:
        """How often a worker began it and neither ended it nor gave way."""
        return self.attempt - self.turns

    @property
    def is_resumable(self) -> bool:
        return self.status in RESUMABLE

    @property
    def is_alive(self) -> bool:
        """A worker is at it, and was heard of lately."""
        heard = self.heartbeat_at
        limit = timezone.now() - settings.SILENT_AFTER
        return self.status == Status.RUNNING and heard is not None and heard >= limit

    @property
    def seconds(self) -> float | None:
        """How long workers were at it, in seconds, all attempts together; None before it began.

        Waiting, pauses and the silence of a dead worker are no part of it: an attempt counts to its
        end, and while it runs (or was lost) to its last sign of life. So it never goes back.
        """
        if self.started_at is None:
            return None
        worked = self.worked
        if self.begun_at is not None and self.heartbeat_at is not None:
            worked += max(self.heartbeat_at - self.begun_at, timedelta())
        return worked.total_seconds()

    def counted(self) -> Counted:
        """What its rows say of how far it has come, see `curation.progress`."""
        return Counted()


W = TypeVar("W", bound=Job)


def ordered_by(user: models.Model | None) -> dict[str, Any]:
    """The fields of new work that say who ordered it; None is a command or the beat on this machine."""
    return {"created_by": user, "by_operator": user is None}


def time_to(moment: Any) -> Case:
    """For an update: `worked` with the attempt that runs now, which ends at `moment`."""
    worked = F("worked") + (moment - F("begun_at"))
    none_runs = When(begun_at__isnull=True, then=F("worked"))
    return Case(none_runs, default=worked, output_field=DurationField())


def last_sign() -> Greatest:
    """When the worker of the attempt that runs now was heard of last."""
    return Greatest(Coalesce("heartbeat_at", "begun_at"), "begun_at")


def stopped() -> dict[str, Any]:
    """For an update that ends an attempt from outside: its time up to its last sign of life counts."""
    return {"worked": time_to(last_sign()), "begun_at": None}


def move(model: type[W], pk: int, source: Iterable[str], target: str, **changes: Any) -> None:
    """Change the status of one row from any of `source` to `target`.

    Raises Conflict when the row was not (any more) in one of `source`: somebody else was first.
    """
    if target in TERMINAL:
        changes.setdefault("finished_at", timezone.now())
    changes = stopped() | changes
    updated = model.objects.filter(pk=pk, status__in=list(source)).update(status=target, **changes)
    if not updated:
        now = model.objects.filter(pk=pk).values_list("status", flat=True).first()
        raise Conflict(
            f"{model._meta.verbose_name} {pk} is {now or 'gone'}; this needs it to be "
            f"{' or '.join(source)}. Load the page again to see how it stands."
        )


def cancel(job: Job) -> None:
    """Stop the work: its worker sees it within seconds. What it has done stays, and it can go on later.

    Raises Conflict where it has ended.
    """
    move(type(job), job.pk, (*ACTIVE, Status.PAUSED), Status.CANCELLED)


def resume(job: Job, wake: Callable[[], None], **changes: Any) -> None:
    """Put paused, failed or cancelled work back to waiting, with these `changes`, and `wake` a worker for it,
    all in one transaction.

    Raises Conflict where it is in another status, or where who ordered it has too much under way: else
    cancelling and resuming would get around what `take_order` allows.
    """
    with transaction.atomic():
        refuse_resuming_beyond(job)
        fresh = {"finished_at": None, "heartbeat_at": None, "error": ""}
        move(type(job), job.pk, RESUMABLE, Status.WAITING, **fresh, **changes)
        wake()


class Superseded(Exception):
    """The work was cancelled, or another worker took it over: this one must write no more."""


def go_on(job: Job, **changes: Any) -> None:
    """A sign of life between two steps, with `changes`. Raises Superseded."""
    if not still_mine(job, **changes):
        raise Superseded


def begin(model: type[W], pk: int) -> W | None:
    """Take the work for this worker: a waiting row, or a running one whose worker went silent.

    Returns the row with its new attempt, or None when there is nothing to do here (already taken,
    paused, ended or gone), which is what a wake-up that was delivered twice finds.
    """
    now = timezone.now()
    taken = model.objects.filter(to_begin(), pk=pk).update(
        status=Status.RUNNING,
        attempt=F("attempt") + 1,
        worked=time_to(last_sign()),
        begun_at=now,
        heartbeat_at=now,
        started_at=Coalesce("started_at", now),
        finished_at=None,
        error="",
    )
    return model.objects.get(pk=pk) if taken else None


def still_mine(work: Job, **changes: Any) -> bool:
    """Write a heartbeat and `changes`; False when the work was cancelled, paused or taken over."""
    return bool(
        type(work)
        .objects.filter(pk=work.pk, status=Status.RUNNING, attempt=work.attempt)
        .update(heartbeat_at=timezone.now(), **changes)
    )


def give_way(work: Job, **changes: Any) -> bool:
    """Let others have the worker: the work waits again, to go on where it is. The caller sends the
    wake-up, which goes to the end of the queue. False when it was no longer this attempt's."""
    now = timezone.now()
    time = {"worked": time_to(Value(now, output_field=DateTimeField())), "begun_at": None}
    mine = type(work).objects.filter(pk=work.pk, status=Status.RUNNING, attempt=work.attempt)
    return bool(
        mine.update(
            status=Status.WAITING, turns=F("turns") + 1, heartbeat_at=now, **time, **changes
        )
    )


def finish(work: Job, status: str, error: str = "", **changes: Any) -> bool:
    """End the work as this attempt; False when it was no longer this attempt's to end."""
    now = timezone.now()
    time = {"worked": time_to(Value(now, output_field=DateTimeField())), "begun_at": None}
    ended = (
        type(work)
        .objects.filter(pk=work.pk, status=Status.RUNNING, attempt=work.attempt)
        .update(
            status=status,
            error=mended(without_paths(reason_of(error))),
            finished_at=now,
            **time,
            **changes,
        )
    )
    return bool(ended)


@contextmanager
def ending(work: Job) -> Iterator[None]:
    """What nobody expected ends the work with its reason, and goes on to the worker's log; else the
    row would stay running, go silent, and be begun again for ever. A database that is away for a
    moment is no such thing: that work is put back."""
    try:
        yield
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        reason = mended(f"{type(error).__name__}: {error}"[:500])
        if is_disk_full(error):
            reason = f"{DISK_FULL_WORK} ({reason})"
        else:
            reason = f"An error that was not expected. {reason}"
        finish(work, Status.FAILED, error=reason)
        raise


def to_begin() -> Q:
    """Rows that a worker may begin: waiting ones, and running ones whose worker went silent."""
    return Q(status=Status.WAITING) | Q(
        status=Status.RUNNING, heartbeat_at__lt=timezone.now() - settings.SILENT_AFTER
    )


def silent(model: type[W]) -> models.QuerySet[W]:
    """Rows whose worker has not been heard of: running ones gone silent, waiting ones never begun."""
    limit = timezone.now() - settings.SILENT_AFTER
    return model.objects.filter(
        Q(status=Status.RUNNING, heartbeat_at__lt=limit)
        | Q(status=Status.WAITING, created_at__lt=limit)
    )


def ordered_before(
    model: type[W], project: models.Model, user: models.Model | None, order_key: str | None
) -> W | None:
    """The row that an earlier delivery of the same order made, if there is one. The same key of another
    person, or in another project, is another order."""
    if not order_key:
        return None
    if len(order_key) > MAX_ORDER_KEY or not order_key.isprintable():
        raise Invalid("Invalid order key: load the page again.")
    return model.objects.filter(project=project, created_by=user, order_key=order_key).first()


def take_order(
    model: type[W],
    project: models.Model,
    user: models.Model | None,
    order_key: str | None,
    most: int | None = None,
) -> W | None:
    """For the beginning of the transaction that makes a row of work: what `ordered_before` finds.

    The project's row is the lock: of two presses of a double click the second waits here. Then the
    person's, so that orders at the same moment are counted together: raises Conflict where `most` (by
    default ORDERS_UNDER_WAY) of this kind have not ended.
    """
    lock(project)
    earlier = ordered_before(model, project, user, order_key)
    if earlier is None and user is not None:
        _refuse_beyond_share(model, user, most, "You have")
    return earlier


def refuse_resuming_beyond(job: Job) -> None:
    """For the beginning of a transaction that puts work back to waiting. Raises Conflict where the person
    who ordered it has as much under way as is allowed, as `take_order` does."""
    if job.created_by is not None:
        _refuse_beyond_share(type(job), job.created_by, None, "Who ordered this has")


def _refuse_beyond_share(
    model: type[Job], user: models.Model, most: int | None, who_has: str
) -> None:
    lock(user)
    most = settings.ORDERS_UNDER_WAY if most is None else most
    names, one = model._meta.verbose_name_plural, "one"
    if most == 1:
        names, one = model._meta.verbose_name, "it"
    refuse_beyond(
        model.objects.filter(created_by=user, status__in=ACTIVE),
        most,
        f"{who_has} {{most}} {names} under way, which is the most that a person may have at once: wait "
        f"for {one} to end, or cancel {one}.",
    )
