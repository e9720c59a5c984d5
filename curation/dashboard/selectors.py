"""Reads over all stages: how much of a project's data has come how far."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from math import sqrt
from typing import Any

from django.db.models import Avg, Count, F, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from curation.db.adaptive_cache import remembered
from curation.evaluations.models import Evaluation
from curation.figures.intervals import Clusters, clustered
from curation.figures.rounding import span
from curation.jobs import ACTIVE, Status
from curation.progress import Progress, progress_of
from curation.projects.models import Project, Rubric
from curation.questions.models import Split
from curation.rationales.models import (
    Group,
    Rationale,
    Score,
    is_not_read,
    is_read,
    is_right,
    passes,
)
from curation.rationales.scoring.clusters import question_clusters
from curation.reviews.bench.open_questions import open_questions
from curation.reviews.models import Decision, Outcome, Review, Seat
from curation.training.models import TrainingJob

DAYS = 14


@dataclass
class TeacherLine:
    """One teacher's rationales so far. Shares are None where there is nothing to share out; right answers
    are counted of the `graded` ones, which were read, and `not_read` stands beside them."""

    name: str
    written: int = 0
    scored: int = 0
    graded: int = 0
    right: int = 0
    not_read: int = 0
    passing: int = 0
    validity: float | None = None
    tokens: float | None = None
    approved: int = 0
    seen: int = 0
    clusters: Clusters | None = None

    @property
    def accuracy(self) -> float | None:
        return self.right / self.graded if self.graded else None

    @property
    def interval(self) -> str:
        """The 95% interval of the accuracy in percent, such as "87.3–89.6"; "" where unknown."""
        return span(clustered(self.right, self.graded, self.clusters))

    @property
    def approval(self) -> float | None:
        return self.approved / self.seen if self.seen else None


@dataclass
class Counts:
    """The project's numbers, stage by stage. `by_rule` are decisions that only the rule made."""

    splits: dict[str, int] = field(default_factory=dict)
    teachers: list[TeacherLine] = field(default_factory=list)
    rationales: int = 0
    stale_groups: int = 0
    scored: int = 0
    not_read: int = 0
    passing: int = 0
    by_people: int = 0
    by_rule: int = 0
    reviewed: int = 0
    decided: Clusters | None = None

    @property
    def questions(self) -> int:
        return sum(self.splits.values())

    @property
    def trainable(self) -> int:
        return self.splits.get(Split.TRAIN, 0)

    @property
    def held_out(self) -> int:
        return self.questions - self.trainable

    @property
    def approved(self) -> int:
        return self.by_people + self.by_rule


def counts_of(project: Project, rubric: Rubric, *, fresh: bool = False) -> Counts:
    key = f"counts:{project.pk}:{rubric.version}"
    return remembered(key, lambda: _counts(project, rubric), fresh=fresh)


def _counts(project: Project, rubric: Rubric) -> Counts:
    """Each query reads an index or the numbers at the front of a row, never a text."""
    counts = Counts(splits=_grouped(project.questions, "split"))
    written = _grouped(project.rationales, "teacher")
    names = dict(project.teachers.values_list("pk", "name"))
    lines = {pk: TeacherLine(name) for pk, name in names.items()}
    people = TeacherLine("people’s edits")
    for pk, n in written.items():
        lines.get(pk, people).written = n
    counts.rationales = sum(written.values())
    for row in _scores(project, rubric):
        line = lines.get(row.pop("teacher"), people)
        for name, value in row.items():
            setattr(line, name, value)
    for row in _decisions(project):
        line = lines.get(row["rationale__teacher"], people)
        n, person = row["n"], not row["by_rule"]
        if row["outcome"] == Outcome.APPROVED:
            counts.by_people += n * person
            counts.by_rule += n * (not person)
            line.approved += n * person
        line.seen += n * person
    alike = question_clusters(
        project,
        Rationale.objects.for_project(project),
        ("teacher",),
        keys=[pk for pk, line in lines.items() if line.graded],
        right=(
            Count("pk", filter=is_read("score__")),
            Count("pk", filter=is_right("score__")),
        ),
    )["right"]
    for pk, line in lines.items():
        line.clusters = alike.get(pk)
    counts.decided = _decided(project)
    counts.reviewed = sum(line.seen for line in lines.values())
    every = [*lines.values(), people]
    counts.scored = sum(line.scored for line in every)
    counts.passing = sum(line.passing for line in every)
    counts.not_read = sum(line.not_read for line in every)
    counts.stale_groups = Group.objects.filter(project=project, scored__lt=F("revision")).count()
    # What a person edited has no teacher, and no accuracy that would say anything of one.
    counts.teachers = [line for line in lines.values() if line.written]
    return counts


def _grouped(rows: Any, name: str) -> dict[Any, int]:
    return dict(rows.order_by().values_list(name).annotate(n=Count("pk")))


def _scores(project: Project, rubric: Rubric) -> Any:
    return (
        Score.objects.filter(project=project)
        .order_by()
        .values("teacher")
        .annotate(
            scored=Count("pk"),
            graded=Count("pk", filter=is_read()),
            right=Count("pk", filter=is_right()),
            not_read=Count("pk", filter=is_not_read()),
            passing=Count("pk", filter=passes(rubric)),
            validity=Avg("validity"),
            tokens=Avg("tokens"),
        )
    )


def _decisions(project: Project) -> Any:
    return (
        Decision.objects.filter(project=project)
        .order_by()
        .values("outcome", "rationale__teacher", by_rule=Q(rule__isnull=False))
        .annotate(n=Count("pk"))
    )


def _decided(project: Project) -> Clusters | None:
    """How alike people's decisions on rationales of one question are."""
    approved = Count("pk", filter=Q(outcome=Outcome.APPROVED))
    found = question_clusters(
        project,
        Decision.objects.filter(project=project, review__isnull=False),
        ("project",),
        keys=(project.pk,),
        question="rationale__question",
        approved=(Count("pk"), approved),
    )
    return found["approved"].get(project.pk)


@dataclass
class Running:
    """A piece of work on its way: what, where to look, how far. `url` is for the page to set."""

    title: str
    view: str
    pk: int | None
    work: Any
    progress: Progress = field(default_factory=Progress)
    note: str = ""
    url: str = ""


def running_in(project: Project) -> list[Running]:
    """All work of the project that waits or runs, in the order of the stages."""
    rows = (
        ("Import of {0.file_name}", "import_detail", project.imports),
        ("Run {0.pk}", "run_detail", project.runs),
        ("Scoring", "", project.scoring_runs),
        ("Freezing dataset {0.number}", "dataset_detail", project.dataset_versions.defer("card")),
        ("Training {0.pk}", "training_detail", project.training_jobs),
        (
            "Evaluation {0.pk}",
            "evaluation_detail",
            project.evaluations.defer("report", "verdict"),
        ),
    )
    found = []
    for title, view, of in rows:
        for work in of.filter(status__in=ACTIVE).order_by("id"):
            work.project = project
            pk = work.number if view == "dataset_detail" else work.pk
            known, note = progress_of(work), getattr(work, "stage", "")
            found.append(Running(title.format(work), view, pk if view else None, work, known, note))
    return found


@dataclass(frozen=True)
class Student:
    """The newest trained student: how often it is right on the held-out questions, if measured."""

    job: TrainingJob | None
    evaluation: Evaluation | None
    accuracy: dict[str, Any] | None
    better_teacher: str = ""
    teacher_accuracy: float | None = None
    missed: tuple[str, ...] = ()
    approved_since: int = 0


def student_of(project: Project) -> Student:
    job = (
        project.training_jobs.filter(status=Status.DONE)
        .select_related("dataset")
        .defer("dataset__card")
        .order_by("-id")
        .first()
    )
    if job is None:
        return Student(None, None, None)
    since = Decision.objects.filter(
        project=project, outcome=Outcome.APPROVED, decided_at__gt=job.dataset.created_at
    ).count()
    evaluation = project.evaluations.filter(status=Status.DONE, job=job).order_by("-id").first()
    if evaluation is None:
        return Student(job, None, None, approved_since=since)
    report = evaluation.report
    where = report.get("primary_split"), report.get("primary_subset")
    models = {m["role"]: m for m in report.get("models", []) if m["role"] == "student"}
    models |= {m["name"]: m for m in report.get("models", [])}
    teacher = report.get("better_teacher", "")
    accuracy, theirs = (
        _accuracy(models.get("student"), where),
        _accuracy(models.get(teacher), where),
    )
    missed = tuple(t["name"] for t in report.get("targets", []) if t["status"].startswith("missed"))
    return Student(
        job, evaluation, accuracy, teacher, theirs["value"] if theirs else None, missed, since
    )


def _accuracy(model: dict[str, Any] | None, where: tuple[Any, Any]) -> dict[str, Any] | None:
    for group in (model or {}).get("groups", []):
        if (group["split"], group["subset"]) == where and group["accuracy"]["value"] is not None:
            return group["accuracy"]
    return None


@dataclass(frozen=True)
class Pace:
    """The reviewing of the last two weeks, in questions; one that two people reviewed counts twice.

    `seconds`: mean of one question, `spread` the standard deviation, over `timed` of them;
    `rationales`: those that were judged in all of them; `overlap`: people who review each
    question; `people`: who reviewed; `waiting`: open questions, see `open_questions`.
    """

    days: list[tuple[date, int]]
    seconds: float | None = None
    spread: float = 0.0
    timed: int = 0
    rationales: int = 0
    overlap: int = 1
    people: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        return sum(n for _, n in self.days)


def pace_of(project: Project) -> Pace:
    made = remembered(f"pace:{project.pk}", lambda: _pace(project), seconds=0)
    return replace(made, waiting=open_questions(project.pk))


def _pace(project: Project) -> Pace:
    today = timezone.localdate()
    first = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    since = first - timedelta(days=DAYS - 1)
    filled = Seat.objects.filter(
        project=project, done_at__gte=since, number__isnull=False
    ).order_by()
    by_day = dict(filled.values_list(TruncDate("done_at")).annotate(n=Count("pk")))
    told = filled.aggregate(
        mean=Avg("seconds"),
        squares=Avg(F("seconds") * F("seconds")),
        timed=Count("seconds"),
        people=Count("holder", distinct=True),
    )
    rationales = (
        Review.objects.standing()
        .filter(
            project=project,
            created_at__gte=since,
            is_control=False,
            is_adjudication=False,
        )
        .count()
    )
    mean, n = told["mean"], told["timed"]
    spread = sqrt(max(0.0, told["squares"] - mean * mean) * n / (n - 1)) if n > 1 else 0.0
    days = [today - timedelta(days=DAYS - 1 - n) for n in range(DAYS)]
    return Pace(
        [(day, by_day.get(day, 0)) for day in days],
        mean,
        spread,
        n,
        rationales,
        project.overlap,
        told["people"],
    )
