"""How a project's review goes: by day and person, what is left, and when it may be done."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import ceil, sqrt
from statistics import mean, stdev
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from curation.db.adaptive_cache import remembered
from curation.figures.intervals import Clusters, Interval, clustered
from curation.projects.models import Project, User
from curation.rationales.scoring.clusters import question_clusters
from curation.reviews.bench.open_questions import open_questions
from curation.reviews.models import QueueItem, QueueStatus, Review, Seat, Verdict
from curation.reviews.queue.items import open_seats

DAYS = 28
WEEK = 7
RATED_DAYS = 14  # of these the forecast takes the whole days since work began
LEAST_DAYS = 3  # fewer say nothing of a pace
Z = 1.96


@dataclass
class PersonLine:
    """One person's work: questions, and verdicts on rationales, in the last four weeks."""

    person: User
    today: int = 0
    week: int = 0
    total: int = 0
    pace: float | None = None
    verdicts: dict[str, int] = field(default_factory=dict)
    clusters: Clusters | None = None
    last: date | None = None

    @property
    def rationales(self) -> int:
        return sum(self.verdicts.values())

    @property
    def approved(self) -> int:
        return self.verdicts.get(Verdict.APPROVE, 0)

    @property
    def interval(self) -> Interval | None:
        """Of the share that they approve; rationales of one question are judged together, so it counts
        questions."""
        return clustered(self.approved, self.rationales, self.clusters)


@dataclass(frozen=True)
class Forecast:
    """When the reviews that are open now may be done, at the pace of `days` whole days. `latest` is
    None where the slow end of the pace never gets there; `why` says why there is no forecast."""

    rate: float = 0.0
    days: int = 0
    earliest: date | None = None
    latest: date | None = None
    why: str = ""


@dataclass
class Progress:
    """`days`: reviews of whole questions a day, the last four weeks; `left`: reviews still to be made at
    the end of each of these days, counted back from now."""

    statuses: dict[str, int]
    open: int
    days: list[tuple[date, int]]
    people: list[PersonLine]
    forecast: Forecast

    @property
    def left(self) -> list[tuple[date, int]]:
        ends, after = [], self.open
        for day, n in reversed(self.days):
            ends.append((day, after))
            after += n
        return ends[::-1]

    @property
    def total(self) -> int:
        return sum(n for _, n in self.days)


def progress_of(project: Project) -> Progress:
    made = remembered(f"progress:{project.pk}", lambda: _progress(project), seconds=0)
    # As every other page counts them, however old the rest is.
    made.statuses[QueueStatus.WAITING] = open_questions(project.pk)
    return made


def _progress(project: Project) -> Progress:
    """As many queries, however many people and questions there are."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    since = timezone.make_aware(datetime.combine(first, time.min))
    items = QueueItem.objects.filter(project=project).order_by()
    statuses = dict(items.values_list("status").annotate(n=Count("pk")))
    left = open_seats(project).filter(number__isnull=False, item__status=QueueStatus.WAITING)
    filled = list(
        Seat.objects.filter(project=project, done_at__gte=since, number__isnull=False)
        .order_by()
        .values_list("holder", TruncDate("done_at"))
        .annotate(n=Count("pk"), pace=Avg("seconds"))
    )
    by_day: dict[date, int] = {}
    for _, day, n, _ in filled:
        by_day[day] = by_day.get(day, 0) + n
    shown = [first + timedelta(days=n) for n in range(DAYS)]
    days = [(day, by_day.get(day, 0)) for day in shown]
    remaining = left.count()
    people = _people(project, since, today, filled)
    return Progress(statuses, remaining, days, people, forecast_of(days, remaining))


def _people(project: Project, since: datetime, today: date, filled: list[Any]) -> list[PersonLine]:
    said = (
        Review.objects.standing()
        .filter(
            project=project,
            created_at__gte=since,
            is_adjudication=False,
            is_control=False,
        )
        .order_by()
    )
    verdicts = list(said.values_list("reviewer", "verdict").annotate(n=Count("pk")))
    ids = {row[0] for row in filled if row[0] is not None} | {row[0] for row in verdicts}
    lines = {pk: PersonLine(person) for pk, person in User.objects.in_bulk(ids).items()}
    timed: dict[int, list[tuple[int, float]]] = {}
    for holder, day, n, pace in filled:
        line = lines.get(holder)
        if line is None:  # the account is gone
            continue
        line.total += n
        line.today += n * (day == today)
        line.week += n * ((today - day).days < WEEK)
        line.last = max(day, line.last or day)
        if pace is not None:
            timed.setdefault(holder, []).append((n, pace))
    for holder, parts in timed.items():
        lines[holder].pace = sum(n * pace for n, pace in parts) / sum(n for n, _ in parts)
    for reviewer, verdict, n in verdicts:
        lines[reviewer].verdicts[verdict] = n
    clusters = question_clusters(
        project,
        said,
        ("reviewer",),
        keys=[pk for pk, line in lines.items() if line.rationales],
        question="rationale__question",
        approved=(Count("pk"), Count("pk", filter=Q(verdict=Verdict.APPROVE))),
    )["approved"]
    for pk, line in lines.items():
        line.clusters = clusters.get(pk)
    return sorted(lines.values(), key=lambda line: (-line.total, line.person.username.casefold()))


def forecast_of(days: list[tuple[date, int]], remaining: int) -> Forecast:
    """A range of dates that holds the end with a chance of about 95%, should people go on as before.

    With n whole days of x reviews on average and a standard deviation s between days, the mean of the
    next T days lies within x ± 1.96 s sqrt(1/n + 1/T): both the pace and the days to come vary. T is
    what the mean pace would take. The days still to be forecast end with `days[-1]`, today.
    """
    if not remaining:
        return Forecast(why="Nothing waits.")
    whole = [n for _, n in days[-1 - RATED_DAYS : -1]]
    while whole and not whole[0]:
        whole.pop(0)  # before anybody began
    if len(whole) < LEAST_DAYS:
        return Forecast(
            why=f"A forecast needs {LEAST_DAYS} whole days since the first review of the last two weeks."
        )
    rate, n = mean(whole), len(whole)
    half = Z * stdev(whole) * sqrt(1 / n + rate / remaining)
    today = days[-1][0]
    earliest = today + timedelta(days=ceil(remaining / (rate + half)))
    slow = rate - half
    try:
        latest = today + timedelta(days=ceil(remaining / slow)) if slow > 0 else None
    except OverflowError:
        latest = None
    return Forecast(rate, n, earliest, latest)


def held_seats(project: Project, limit: int = 200) -> QuerySet[Seat]:
    """Who works on what now, the first to run out first. A control shows as any other question."""
    held = open_seats(project).filter(holder__isnull=False, held_until__gte=timezone.now())
    return held.select_related("holder", "item__question").order_by("held_until")[:limit]


@dataclass(frozen=True)
class Burning:
    """The burn-down as an SVG of 420 by 116: what was left (`line`), where the forecast lies (`fan`), and
    the days to write below."""

    line: str
    fan: str
    now: tuple[float, float]
    labels: list[tuple[float, str, date]]
    most: int


def burning(progress: Progress) -> Burning:
    """Draw it: four weeks back, and as far ahead as the forecast goes, at most as far again."""
    past, forecast = progress.left, progress.forecast
    ahead = 0
    if forecast.earliest:
        today = past[-1][0]
        end = forecast.latest or forecast.earliest + (forecast.earliest - today)
        ahead = min(DAYS, max(2, (end - today).days))
    most = max(n for _, n in past) or 1
    step = 404 / (len(past) - 1 + ahead)

    def at(days: float, n: float) -> tuple[float, float]:
        return round(8 + days * step, 1), round(96 - 84 * n / most, 1)

    line = [at(place, n) for place, (_, n) in enumerate(past)]
    now = line[-1]
    fan = ""
    if ahead:
        today, edge = past[-1][0], len(past) - 1 + ahead
        ends = []
        for day in (forecast.earliest, forecast.latest):
            days = (day - today).days if day else None
            if days is None:  # the slow end does not move
                ends.append(at(edge, progress.open))
            elif days <= ahead:
                ends.append(at(len(past) - 1 + days, 0))
            else:  # cut at the edge of the drawing
                ends.append(at(edge, progress.open * (1 - ahead / days)))
        corner = [at(edge, 0)] if ends[0][1] == 96.0 and ends[1][1] < 96.0 else []
        fan = _points([now, ends[0], *corner, ends[1]])
    return Burning(_points(line), fan, now, _labels(past[0][0], past[-1][0], now[0], ahead), most)


def _labels(first: date, today: date, x: float, ahead: int) -> list[tuple[float, str, date]]:
    """The days below the drawing: none is cut at its edge, and none runs into another."""
    labels = [(8.0, "start", first)]
    if not ahead:
        return [*labels, (412.0, "end", today)]
    # The last day needs some 45 units, half of "today" 16.
    near = x > 412 - 45 - 16
    labels.append((min(x, 412 - 45), "end", today) if near else (x, "middle", today))
    return [*labels, (412.0, "end", today + timedelta(days=ahead))]


def _points(points: list[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
