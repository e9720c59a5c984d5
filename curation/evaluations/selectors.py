"""Reads of evaluations and of the answers that they rest on."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from curation.errors import Invalid
from curation.evaluations.models import Answer, Evaluation
from curation.evaluations.reports import model_names, part_title, parts, students
from curation.figures.intervals import wilson
from curation.figures.rounding import span
from curation.jobs import ACTIVE, Status
from curation.projects.models import Project, User
from curation.questions.models import Split
from curation.training.models import TrainingJob

PAGE = 20
KINDS = 40
RIGHTS = {
    "wrong": "wrong",
    "not_read": "not read",
    "right": "right",
    "all": "all",
}


def evaluations_of(project: Project, user: User) -> QuerySet[Evaluation]:
    """The project's evaluations, the newest first."""
    return (
        Evaluation.objects.for_user(user)
        .for_project(project)
        .select_related("job", "created_by")
        .defer("job__checks", "job__says")
        .order_by("-id")
    )


def measurable(project: Project) -> list[TrainingJob]:
    """Trainings that ended well, the newest first."""
    done = project.training_jobs.filter(status=Status.DONE).select_related("dataset")
    return list(done.defer("checks", "says", "dataset__card").order_by("-id")[:50])


def of_training(job: TrainingJob) -> Evaluation | None:
    """The evaluation that speaks of the training: the newest that is on its way or ended well, else
    the newest of all."""
    found = Evaluation.objects.for_project(job.project).filter(job=job).order_by("-id")
    return found.filter(status__in=(*ACTIVE, Status.DONE)).first() or found.first()


def last_done(project: Project) -> Evaluation | None:
    """The project's newest report."""
    done = Evaluation.objects.for_project(project).filter(status=Status.DONE)
    return done.order_by("-id").first()


def held_out_counts(project: Project) -> list[tuple[str, int]]:
    """(part, how many questions with an answer it has): what an evaluation would ask."""
    rows = (
        project.questions.filter(split__in=(Split.EVAL, Split.OOD), reference_answer__isnull=False)
        .order_by("split", "subset")
        .values_list("split", "subset")
        .annotate(n=Count("id"))
    )
    return [(part_title(split, subset)[0], n) for split, subset, n in rows]


@dataclass(frozen=True)
class Chosen:
    """Which answers to show. All of it comes from allow-lists that the report itself gives."""

    model: str
    part: str
    right: str
    kind: str
    after: int

    @property
    def where(self) -> tuple[str, str]:
        split, _, subset = self.part.partition(":")
        return split, subset


def chosen(report: dict[str, Any], data: Any, *, teachers: bool = True) -> Chosen:
    """Read the filters of an address. Raises Invalid for anything that the page does not offer.

    teachers: whether the person may read what teachers answered; beside their names it tells their hand.
    """
    names = model_names(report, teachers=teachers)
    right = data.get("right") or "wrong"
    keys = [part.key for part in parts(report)]
    made = Chosen(
        model=data.get("model") or next(iter(students(report) or names), ""),
        part=data.get("part", ""),
        right={"ungraded": "not_read"}.get(right, right),  # its name in older addresses
        kind=data.get("kind", "")[:100],
        after=0,
    )
    after = data.get("after", "")
    if (
        (made.model not in names and (names or made.model))
        or made.part not in ("", *keys)
        or made.right not in RIGHTS
        or (after and not (after.isascii() and after.isdigit() and len(after) < 19))
    ):
        raise Invalid("There is no such filter: choose from the lists above the answers.")
    return Chosen(made.model, made.part, made.right, made.kind, int(after or 0))


def answers(evaluation: Evaluation, choice: Chosen) -> tuple[list[Answer], int | None]:
    """A page of answers and where the next begins, by key."""
    found = Answer.objects.filter(evaluation=evaluation, model=choice.model, pk__gt=choice.after)
    if choice.part:
        split, subset = choice.where
        found = found.filter(question__split=split, question__subset=subset)
    if choice.kind:
        found = found.filter(question__domain=choice.kind)
    if choice.right == "right":
        found = found.filter(right=True)
    elif choice.right == "wrong":
        found = found.filter(right=False)
    elif choice.right == "not_read":
        found = found.filter(right__isnull=True)
    rows = list(found.select_related("question").order_by("pk")[: PAGE + 1])
    return rows[:PAGE], rows[PAGE - 1].pk if len(rows) > PAGE else None


@dataclass(frozen=True)
class Kind:
    """How a model did on the held-out questions of one domain."""

    name: str
    n: int
    right: int

    @property
    def share(self) -> float:
        return self.right / self.n

    @property
    def interval(self) -> str:
        return span(wilson(self.right, self.n) or (0, 1), 0)


def kinds(evaluation: Evaluation, model: str, part: str) -> list[Kind]:
    """The domains of one part, those at which the model fails most first."""
    split, _, subset = part.partition(":")
    rows = (
        Answer.objects.filter(
            evaluation=evaluation, model=model, question__split=split, question__subset=subset
        )
        .exclude(question__domain="")
        .order_by()
        .values_list("question__domain")
        .annotate(n=Count("pk"), right=Count("pk", filter=Q(right=True)))
    )
    return sorted((Kind(*row) for row in rows), key=lambda kind: (kind.share, kind.name))[:KINDS]
