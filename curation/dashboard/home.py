"""A person's projects, and what waits for them in each."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from curation.dashboard.selectors import remembered
from curation.evaluations.models import Evaluation
from curation.projects.models import Membership, User
from curation.projects.selectors import memberships_of
from curation.rationales.models import GenerationRun, ScoringRun
from curation.reviews.models import Review, Seat, Skip
from curation.training.models import TrainingJob
from curation.work import ACTIVE

WORDS = (
    (GenerationRun, "teachers write"),
    (ScoringRun, "chains are scored"),
    (TrainingJob, "a student learns"),
    (Evaluation, "models are measured"),
)


@dataclass
class Entry:
    """One project of mine. `waiting` are questions that I may get, `held` one that I work on."""

    membership: Membership
    waiting: int = 0
    held: int = 0
    today: int = 0
    running: tuple[str, ...] = ()


def projects_of(user: User) -> list[Entry]:
    """Nine queries, however many projects there are."""
    entries = {m.project_id: Entry(m) for m in memberships_of(user)}
    mine = {"project__in": list(entries)}
    for pk, waiting, held in remembered(f"home:{user.pk}", lambda: _queues(user, mine)):
        if pk in entries:
            entries[pk].waiting, entries[pk].held = waiting, held
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Review.objects.filter(
        reviewer=user, created_at__gte=midnight, withdrawn_at__isnull=True, **mine
    )
    for pk, n in today.order_by().values_list("project").annotate(n=Count("pk")):
        entries[pk].today = n
    for model, words in WORDS:
        active = model.objects.filter(status__in=ACTIVE, **mine).order_by()
        for pk in active.values_list("project", flat=True).distinct():
            entries[pk].running += (words,)
    return list(entries.values())


def _queues(user: User, mine: dict[str, Any]) -> list[tuple[int, int, int]]:
    """(project, questions that I may get, questions that I hold) of each of my projects."""
    now = timezone.now()
    open_seats = Seat.objects.filter(done_at__isnull=True, number__isnull=False, **mine).order_by()
    free = Q(holder__isnull=True) | Q(held_until__lt=now)
    for_me = Q(assigned_to__isnull=True) | Q(assigned_to=user)
    had = Seat.objects.filter(item=OuterRef("item"), holder=user).exclude(pk=OuterRef("pk"))
    skipped = Skip.objects.filter(item=OuterRef("item"), user=user)
    takeable = open_seats.filter(free & for_me).exclude(Exists(had)).exclude(Exists(skipped))
    waiting = dict(takeable.values_list("project").annotate(n=Count("item", distinct=True)))
    held = dict(
        Seat.objects.filter(done_at__isnull=True, holder=user, held_until__gte=now, **mine)
        .order_by()
        .values_list("project")
        .annotate(n=Count("pk"))
    )
    return [(pk, waiting.get(pk, 0) + held.get(pk, 0), held.get(pk, 0)) for pk in {*waiting, *held}]
