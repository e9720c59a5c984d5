"""A person's projects, and what waits for them in each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from curation.db.adaptive_cache import remembered
from curation.evaluations.models import Evaluation
from curation.jobs import ACTIVE
from curation.projects.models import Membership, Role, User
from curation.projects.selectors import memberships_of
from curation.rationales.models import GenerationRun, ScoringRun
from curation.reviews.bench.open_questions import EXACT, open_in
from curation.reviews.models import QuestionFlag, QueueItem, QueueStatus, Review, Seat, Skip
from curation.reviews.reports.my_work import Work, work_of
from curation.training.models import TrainingJob

WORDS = (
    (GenerationRun, "teachers write"),
    (ScoringRun, "rationales are scored"),
    (TrainingJob, "a student learns"),
    (Evaluation, "models are measured"),
)


@dataclass
class Entry:
    """One project of mine. `open`: its open questions, see `open_questions`; `waiting` are those that I
    may get, `assigned` those of them that are set aside for me, `held` those that I work on; `disputes`
    and `flags` wait for an admin."""

    membership: Membership
    open: int = 0
    waiting: int = 0
    held: int = 0
    assigned: int = 0
    disputes: int = 0
    flags: int = 0
    today: int = 0
    running: tuple[str, ...] = ()


def projects_of(user: User) -> list[Entry]:
    """Thirteen queries, however many projects there are."""
    entries = {m.project_id: Entry(m) for m in memberships_of(user)}
    mine = {"project__in": list(entries)}
    for pk, n in open_in(list(entries)).items():
        entries[pk].open = n
    few = sum(entry.open for entry in entries.values()) <= EXACT
    queues = (
        _queues(user, mine)
        if few
        else remembered(f"home:{user.pk}", lambda: _queues(user, mine), seconds=0)
    )
    for pk, counts in queues.items():
        if pk in entries:
            for name, n in counts.items():
                setattr(entries[pk], name, n)
    led = [pk for pk, entry in entries.items() if entry.membership.role == Role.ADMIN]
    for pk, n in _by_project(
        QueueItem.objects.filter(project__in=led, status=QueueStatus.ADJUDICATE)
    ):
        entries[pk].disputes = n
    flags = QuestionFlag.objects.filter(project__in=led)
    for pk, n in _by_project(flags.open()):
        entries[pk].flags = n
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Review.objects.standing().filter(reviewer=user, created_at__gte=midnight, **mine)
    for pk, n in today.order_by().values_list("project").annotate(n=Count("pk")):
        entries[pk].today = n
    for model, words in WORDS:
        active = model.objects.filter(status__in=ACTIVE, **mine).order_by()
        for pk in active.values_list("project", flat=True).distinct():
            entries[pk].running += (words,)
    return list(entries.values())


def my_work(user: User, entries: list[Entry]) -> Work:
    """What I did in the projects that I belong to."""
    ids = [entry.membership.project_id for entry in entries]
    return remembered(f"work:{user.pk}:{len(ids)}", lambda: work_of(user, ids))


def _by_project(rows: QuerySet[Any]) -> Iterable[tuple[int, int]]:
    return rows.order_by().values_list("project").annotate(n=Count("pk"))


def _queues(user: User, mine: dict[str, Any]) -> dict[int, dict[str, int]]:
    """By project: the questions that I may get, that are set aside for me, and that I hold."""
    now = timezone.now()
    open_seats = Seat.objects.filter(done_at__isnull=True, number__isnull=False, **mine).order_by()
    free = Q(holder__isnull=True) | Q(held_until__lt=now)
    for_me = Q(assigned_to__isnull=True) | Q(assigned_to=user)
    had = Seat.objects.filter(item=OuterRef("item"), holder=user).exclude(pk=OuterRef("pk"))
    skipped = Skip.objects.filter(item=OuterRef("item"), user=user)
    takeable = open_seats.filter(free & for_me).exclude(Exists(had)).exclude(Exists(skipped))
    waiting = dict(takeable.values_list("project").annotate(n=Count("item", distinct=True)))
    held = dict(
        _by_project(
            Seat.objects.filter(done_at__isnull=True, holder=user, held_until__gte=now, **mine)
        )
    )
    assigned = dict(_by_project(open_seats.filter(assigned_to=user)))
    return {
        pk: {
            "waiting": waiting.get(pk, 0) + held.get(pk, 0),
            "held": held.get(pk, 0),
            "assigned": assigned.get(pk, 0),
        }
        for pk in {*waiting, *held, *assigned}
    }
