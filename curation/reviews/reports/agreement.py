"""How far a project's reviewers agree: figures that a worker counts and the pages read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, Max, OuterRef
from django.utils import timezone

from curation import celery_app
from curation.jobs import ACTIVE, Status, ordered_by
from curation.projects.models import Project, User
from curation.reviews.models import AgreementCount, Control, Review, Seat

# Of a project with more compared reviews the newest are counted, so that a count stays in minutes.
MOST_REVIEWS = 500_000
# Pages that are looked at often order a new count by themselves, but no more often than this.
FRESH_FOR = timedelta(minutes=2)
KEPT = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One standing review as the count takes it, see `workers.agreement.report.Said`."""

    question: int
    rationale: int
    person: int
    verdict: str
    labels: dict[str, int]
    known: str | None


def order_agreement(project: Project, user: User | None) -> AgreementCount:
    """Have a worker count anew; the count that is waited for already, where there is one."""
    for _ in range(2):
        standing = AgreementCount.objects.filter(project=project, status__in=ACTIVE).first()
        if standing is not None:
            return standing
        try:
            with transaction.atomic():
                made = AgreementCount.objects.create(project=project, **ordered_by(user))
                celery_app.send(celery_app.COUNT_AGREEMENT, made.pk)
                return made
        except IntegrityError:  # somebody else ordered it just now
            continue
    return AgreementCount.objects.filter(project=project).latest("id")


def forget_old(count: AgreementCount) -> None:
    """Keep the last counts of its project: with many reviewers one holds thousands of figures."""
    older = AgreementCount.objects.filter(project=count.project_id, pk__lte=count.pk)
    kept = older.order_by("-id").values_list("pk", flat=True)[:KEPT]
    older.exclude(pk__in=list(kept)).delete()


def newest_count(project: Project) -> AgreementCount | None:
    """The last count that came to its end."""
    return AgreementCount.objects.filter(project=project, status=Status.DONE).last()


def is_stale(project: Project, count: AgreementCount | None) -> bool:
    """Whether people reviewed since the count, and it is old enough for another."""
    if count is not None and timezone.now() - count.created_at < FRESH_FOR:
        return False
    last = Review.objects.filter(project=project).aggregate(at=Max("created_at"))["at"]
    return last is not None and (count is None or last > count.created_at)


def controls_until() -> datetime:
    """Control questions count from the next day on: a figure that moved with each of them would tell a
    reviewer which of today's questions they were."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def compared(project: Project) -> Iterator[Row]:
    """What can be compared: reviews of rationales that two people reviewed or more, the newest first, then
    those of control questions. An admin's last word is no review, and what was taken back is none."""
    standing = Review.objects.standing().filter(
        project=project,
        is_adjudication=False,
        rationale__project__isnull=False,
    )
    other = (
        standing.filter(rationale=OuterRef("rationale"), is_control=False)
        .exclude(reviewer=OuterRef("reviewer"))
        .order_by()
    )
    columns = ("rationale__question", "rationale", "reviewer", "verdict", "step_labels")
    several = standing.filter(Exists(other), is_control=False).order_by("-id")[:MOST_REVIEWS]
    for row in several.values_list(*columns).iterator(2000):
        yield Row(*row, known=None)
    known = {
        int(rationale): verdict
        for verdicts in Control.objects.filter(project=project).values_list("verdicts", flat=True)
        for rationale, verdict in verdicts.items()
    }
    of_controls = standing.filter(
        is_control=True, rationale__in=list(known), created_at__lt=controls_until()
    ).order_by("id")
    for row in of_controls.values_list(*columns).iterator(2000):
        yield Row(*row, known=known[row[1]])


@dataclass(frozen=True)
class Material:
    """What a page says where figures are missing: how many questions two people have reviewed, how
    many control questions there are, and how often they were met."""

    controls: int
    questions: int = 0
    met: int = 0


def material(project: Project, *, whole: bool) -> Material:
    """All of it, or with `whole` off only the controls: the rest reads every seat."""
    controls = Control.objects.filter(project=project).count()
    if not whole:
        return Material(controls)
    filled = Seat.objects.filter(project=project, item__project=project, done_at__isnull=False)
    twice = (
        filled.filter(number__isnull=False)
        .order_by()
        .values("item")
        .annotate(people=Count("pk"))
        .filter(people__gt=1)
    )
    return Material(controls, twice.count(), filled.filter(number__isnull=True).count())


@dataclass(frozen=True)
class Pair:
    """Two people: what they said of rationales, and of steps where both labelled some."""

    a: User
    b: User
    decisions: dict[str, Any] | None
    steps: dict[str, Any] | None


@dataclass(frozen=True)
class Figures:
    """A count as a page shows it: `met` are (person, figure) against control questions."""

    decisions: dict[str, Any]
    steps: dict[str, Any]
    pairs: list[Pair]
    met: list[tuple[User, dict[str, Any]]]


def figures_for(count: AgreementCount, user: User, *, all_people: bool) -> Figures:
    """The figures with their people: everybody's, or the lines in which `user` stands."""
    told = count.figures
    lines: dict[tuple[int, int], dict[str, Any]] = {}
    for kind in ("decisions", "steps"):
        for one in told[kind]["pairs"]:
            lines.setdefault((one["a"], one["b"]), {})[kind] = one
    met = {one["person"]: one for one in told["controls"]}
    if not all_people:
        lines = {pair: kinds for pair, kinds in lines.items() if user.pk in pair}
        met = {person: one for person, one in met.items() if person == user.pk}
    people = User.objects.in_bulk({pk for pair in lines for pk in pair} | set(met))

    def name(pk: int) -> str:
        return people[pk].username.casefold()

    pairs = []
    for a, b in lines:
        # One's own name stands at the left of one's own lines.
        first, second = sorted((a, b), key=lambda pk: (pk != user.pk and not all_people, name(pk)))
        kinds = lines[a, b]
        pairs.append(
            Pair(people[first], people[second], kinds.get("decisions"), kinds.get("steps"))
        )
    pairs.sort(key=lambda pair: (name(pair.a.pk), name(pair.b.pk)))
    against = [(people[pk], met[pk]) for pk in sorted(met, key=name)]
    return Figures(told["decisions"]["all"], told["steps"]["all"], pairs, against)
