"""Reads for the list of rationales (its filters from an allow-list, its orders), for scoring and teachers.
What stands to the right (decisions, reviews, the queue) is reached by names of reverse relations only, and
what of it somebody may know a `Viewer` says."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, F, Model, Q, QuerySet
from django.utils import timezone

from curation.db.adaptive_cache import remembered
from curation.db.search import Query, found, lit, parse
from curation.errors import Invalid
from curation.progress import Progress, progress_of
from curation.projects.models import Project, Rubric
from curation.projects.viewers import Viewer, sees_all
from curation.rationales.models import (
    READ,
    AnswerVerdict,
    Group,
    Rationale,
    Score,
    ScoreFlag,
    ScoringRun,
    Teacher,
    is_not_read,
    is_read,
    is_right,
    passes,
)
from curation.web.pagination import Order, number, one_of

FILTERS = (
    *("teacher", "temperature", "answer", "band", "range", "valid_from", "valid_to"),
    *("decision", "flag", "reviewer", "since", "until", "q", "after"),
)
ANSWERS = {
    **{verdict.value: verdict.label for verdict in AnswerVerdict},
    "unknown": "neither right nor wrong",
}
BANDS = {
    "passes": "passes the rubric",
    "fails": "does not pass the rubric",
    "90": "overall 90 to 100",
    "70": "overall 70 to 89",
    "50": "overall 50 to 69",
    "0": "overall under 50",
    "unscored": "not scored yet",
}
UPPER = {"90": 1.01, "70": 0.9, "50": 0.7, "0": 0.5}
DECISIONS = {
    "none": "undecided",
    "approved": "approved",
    "rejected": "rejected",
    "superseded": "replaced by an edit",
    "rule": "decided by the rule",
    "bulk": "decided with many others",
}
RANGED = {
    "validity": "valid steps",
    "conciseness": "conciseness",
    "structure": "structure",
    "redundancy": "idle steps",
    "overall": "overall",
}
FLAGS = {"yes": "has flags", "no": "has none"}
CODE = re.compile(r"[a-z][a-z_]{0,39}")
ORDERS = {
    "newest": "newest first",
    "oldest": "oldest first",
    "best": "best score first",
    "worst": "worst score first",
    "fit": "best hit first",
}
MOST_TEMPERATURES = 40
FACET_SECONDS = 60


def rationales(
    project: Project, filters: dict[str, str], viewer: Viewer | None = None
) -> QuerySet[Rationale]:
    """The rationales that the filters keep, as far as the `viewer` may see and find them; without one, for
    an admin. Raises Invalid for a value that is not allowed, and for a filter that is closed to them.
    """
    viewer = viewer or sees_all(project)
    rows = viewer.rationales(Rationale.objects.for_project(project), filters)
    for condition in _conditions(project, filters, viewer):
        rows = rows.filter(condition)
    if words := filters.get("q"):
        rows = found(rows, parse(words))
    return rows


def _conditions(project: Project, filters: dict[str, str], viewer: Viewer) -> Iterator[Q]:
    if teacher := filters.get("teacher"):
        yield Q(teacher_id=number("teacher", teacher))
    if heat := filters.get("temperature"):
        yield Q(temperature=_decimal("temperature", heat))
    if answer := filters.get("answer"):
        yield _answer(one_of("answer", answer, ANSWERS))
    if band := filters.get("band"):
        yield _band(one_of("band", band, BANDS), project.rubric)
    if wanted := filters.get("range"):
        yield _range(wanted)
    if low := filters.get("valid_from"):
        yield Q(score__validity__gte=number("valid_from", low) / 100)
    if high := filters.get("valid_to"):
        yield Q(score__validity__lte=number("valid_to", high) / 100)
    if decision := filters.get("decision"):
        yield viewer.decided(decision, _decision(one_of("decision", decision, DECISIONS)))
    if flag := filters.get("flag"):
        yield _flag(project, flag)
    if reviewer := filters.get("reviewer"):
        yield viewer.reviewed_by(number("reviewer", reviewer))
    if since := filters.get("since"):
        yield Q(created_at__gte=_day("since", since))
    if until := filters.get("until"):
        yield Q(created_at__lt=_day("until", until) + timedelta(days=1))


def _answer(answer: str) -> Q:
    if answer == "unknown":
        return Q(score__verdict__in=[one for one in AnswerVerdict if one not in READ])
    return Q(score__verdict=answer)


def _decimal(name: str, value: str) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", value, re.ASCII):
        raise Invalid(f"{name} must be a number such as 0.7.")
    return float(value)


def _day(name: str, value: str) -> datetime:
    try:
        day = date.fromisoformat(value)
        return timezone.make_aware(datetime.combine(day, time.min))
    except (ValueError, OverflowError):
        raise Invalid(f"{name} must be a day such as 2026-11-21.") from None


def _band(band: str, rubric: Rubric) -> Q:
    if band == "unscored":
        return Q(score__isnull=True)
    if band in ("passes", "fails"):
        good = passes(rubric, "score__")
        return good if band == "passes" else Q(score__isnull=False) & ~good
    return Q(score__overall__gte=int(band) / 100, score__overall__lt=UPPER[band])


def _range(wanted: str) -> Q:
    """`validity:45-50`: the rationales of one bar of a histogram, from 45 to under 50 hundredths."""
    score, _, ends = wanted.partition(":")
    low, _, high = ends.partition("-")
    one_of("the score of range", score, RANGED)
    begin, end = number("the start of range", low), number("the end of range", high)
    if not begin < end <= 100:
        raise Invalid("range goes from a smaller to a larger number, of 0 to 100.")
    inside = Q(**{f"score__{score}__gte": begin / 100})
    return inside if end == 100 else inside & Q(**{f"score__{score}__lt": end / 100})


def range_words(wanted: str) -> str:
    """A `range` that was allowed, in words: "valid steps 45 to 50"."""
    score, _, ends = wanted.partition(":")
    return f"{RANGED[score]} {ends.replace('-', ' to ')}" if wanted else ""


def _decision(decision: str) -> Q:
    if decision == "none":
        return Q(decision__isnull=True)
    if decision in ("rule", "bulk"):
        return Q(**{f"decision__{decision}__isnull": False})
    return Q(decision__outcome=decision)


def _flag(project: Project, flag: str) -> Q:
    if flag in FLAGS:
        return Q(score__flag_count__gt=0) if flag == "yes" else Q(score__flag_count=0)
    if not CODE.fullmatch(flag):
        raise Invalid(f"flag={flag!r} is neither yes nor no nor the code of a flag.")
    return Q(pk__in=ScoreFlag.objects.filter(project=project, code=flag).values("rationale"))


def order_of(name: str, project: Project, rows: QuerySet) -> tuple[QuerySet, Order]:
    """The rows and the order called `name`; by score, rationales without one are left out."""
    one_of("sort", name, ORDERS)
    if name in ("best", "worst"):
        # The score's own project and id: the index that has them in this order is on the scores.
        rows = rows.filter(score__project=project, score__overall__isnull=False)
        return rows, Order("score__overall", "score__rationale_id", name == "best")
    return rows, Order(descending=name != "oldest")


def show(rows: Sequence[Rationale], viewer: Viewer, query: Query) -> None:
    """Put `parts` (the text where the query's words stand), `outcome` ("" where undecided), `how` it was
    decided, and `is_silent` (nothing is told of it) on the rows of a page, which come with
    `question__queue_item` and `decision`."""
    decisions = viewer.decisions_of(rows)
    for row in rows:
        decision = decisions[row.pk]
        row.parts = lit(row.text, query)
        row.is_silent = viewer.is_silent(row.question) and not viewer.tells_own
        row.outcome = decision.outcome if decision else ""
        row.how = ""
        if decision and (decision.rule_id or decision.bulk_id):
            row.how = "by the rule" if decision.rule_id else "with others"


def facets(project: Project) -> dict[str, list[Any]]:
    """The temperatures and the codes of flags that the project has, at most a minute old."""

    def read() -> dict[str, list[Any]]:
        rationales = Rationale.objects.filter(project=project)
        flags = ScoreFlag.objects.filter(project=project)
        return {"temperatures": _values(rationales, "temperature"), "codes": _values(flags, "code")}

    return cache.get_or_set(f"rationale-facets:{project.pk}", read, FACET_SECONDS)


def verdict_counts(project: Project) -> list[tuple[str, str, int]]:
    """(verdict, its words, how many of the scored rationales have it), of those that any has; of a large
    project some seconds old."""

    def read() -> dict[str, int]:
        rows = Score.objects.filter(project=project).order_by().values_list("verdict")
        return dict(rows.annotate(n=Count("pk")))

    found = remembered(f"verdicts:{project.pk}", read, seconds=0)
    return [(one.value, one.label, found[one]) for one in AnswerVerdict if found.get(one)]


def _values(rows: QuerySet[Model], name: str) -> list[Any]:
    """The different values of a column, one look-up of its index each: DISTINCT would read all rows."""
    rows, values = rows.order_by(name).values_list(name, flat=True), []
    while len(values) < MOST_TEMPERATURES:
        after = {f"{name}__gt": values[-1]} if values else {f"{name}__isnull": False}
        if (value := rows.filter(**after).first()) is None:
            break
        values.append(value)
    return values


@dataclass(frozen=True)
class Scoring:
    """How scoring stands: the latest run, how far it has come, and how many groups wait."""

    run: ScoringRun | None
    waiting: int
    progress: Progress | None


def scoring_state(project: Project) -> Scoring:
    run = ScoringRun.objects.for_project(project).order_by("-id").first()
    waiting = Group.objects.filter(project=project, scored__lt=F("revision")).count()
    return Scoring(run, waiting, progress_of(run) if run is not None else None)


def teachers(project: Project) -> QuerySet[Teacher]:
    """The project's teachers with what they wrote and how much of it was right and approved."""
    here = Q(rationales__project__isnull=False)  # the others were deleted
    return (
        Teacher.objects.for_project(project)
        .annotate(
            written=Count("rationales", filter=here),
            graded=Count("rationales", filter=here & is_read("rationales__score__")),
            right=Count("rationales", filter=here & is_right("rationales__score__")),
            not_read=Count("rationales", filter=here & is_not_read("rationales__score__")),
            approved=Count("rationales", filter=here & Q(rationales__decision__outcome="approved")),
        )
        .order_by("-writes", "id")
    )
