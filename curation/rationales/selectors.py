"""Reads for runs, teachers and lists of rationales. Decisions, which stand to the right, are reached by
the name of the reverse relation only."""

from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from curation.errors import Invalid
from curation.listing import number, one_of
from curation.projects.models import Project, Rubric
from curation.rationales.models import (
    Group,
    Rationale,
    ScoringRun,
    Teacher,
    passes,
)
from curation.search import found, parse

FILTERS = ("teacher", "answer", "band", "range", "decision", "flag", "q", "after")
ANSWERS = {"right": 1.0, "wrong": 0.0, "unknown": None}
BANDS = {
    "passes": "passes the rubric",
    "fails": "does not pass the rubric",
    "90": "overall 90 to 100",
    "70": "overall 70 to 89",
    "50": "overall 50 to 69",
    "0": "overall under 50",
    "unscored": "not scored yet",
}
DECISIONS = {
    "none": "undecided",
    "approved": "approved",
    "rejected": "rejected",
    "superseded": "replaced by an edit",
    "rule": "approved by the rule",
}
RANGED = {
    "validity": "valid steps",
    "conciseness": "conciseness",
    "structure": "structure",
    "redundancy": "idle steps",
    "overall": "overall",
}
FLAGS = {"yes": "has flags", "no": "has none"}
UPPER = {"90": 1.01, "70": 0.9, "50": 0.7, "0": 0.5}


def rationales(project: Project, filters: dict[str, str]) -> QuerySet[Rationale]:
    """The rationales that the filters keep. Raises Invalid for a value that is not allowed."""
    rows = Rationale.objects.for_project(project)
    if teacher := filters.get("teacher"):
        rows = rows.filter(teacher_id=number("teacher", teacher))
    if answer := filters.get("answer"):
        value = ANSWERS[one_of("answer", answer, ANSWERS)]
        known = Q(score__isnull=False, score__correctness__isnull=True)
        rows = rows.filter(known if value is None else Q(score__correctness=value))
    if band := filters.get("band"):
        rows = rows.filter(_band(one_of("band", band, BANDS), project.rubric))
    if wanted := filters.get("range"):
        rows = rows.filter(_range(wanted))
    if decision := filters.get("decision"):
        rows = rows.filter(_decision(one_of("decision", decision, DECISIONS)))
    if flag := filters.get("flag"):
        has = one_of("flag", flag, FLAGS) == "yes"
        rows = rows.filter(score__flag_count__gt=0) if has else rows.filter(score__flag_count=0)
    if words := filters.get("q"):
        rows = found(rows, parse(words))
    return rows


def _band(band: str, rubric: Rubric) -> Q:
    if band == "unscored":
        return Q(score__isnull=True)
    if band in ("passes", "fails"):
        good = passes(rubric, "score__")
        return good if band == "passes" else Q(score__isnull=False) & ~good
    return Q(score__overall__gte=int(band) / 100, score__overall__lt=UPPER[band])


def _range(wanted: str) -> Q:
    """`validity:45-50`: the chains of one bar of a histogram, from 45 to under 50 hundredths."""
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
    if decision == "rule":
        return Q(decision__rule__isnull=False)
    return Q(decision__outcome=decision)


@dataclass(frozen=True)
class Scoring:
    """How scoring stands: the latest run and how many groups wait."""

    run: ScoringRun | None
    waiting: int
    share: float | None


def scoring_state(project: Project) -> Scoring:
    run = ScoringRun.objects.for_project(project).order_by("-id").first()
    waiting = Group.objects.filter(project=project, scored__lt=F("revision")).count()
    share = None
    if run is not None and run.is_active and run.total:
        share = min(1.0, run.done / run.total)
    return Scoring(run, waiting, share)


def teachers(project: Project) -> QuerySet[Teacher]:
    """The project's teachers with what they wrote and how much of it was right and approved."""
    return (
        Teacher.objects.for_project(project)
        .annotate(
            written=Count("rationales"),
            graded=Count("rationales__score__correctness"),
            right=Count("rationales", filter=Q(rationales__score__correctness=1)),
            approved=Count("rationales", filter=Q(rationales__decision__outcome="approved")),
        )
        .order_by("-writes", "id")
    )
