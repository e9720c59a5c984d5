"""Reads of evaluations and of the answers that they rest on."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from curation.errors import Invalid
from curation.evaluations.models import Answer, Evaluation
from curation.evaluations.reports import model_names, parts, students
from curation.intervals import wilson
from curation.projects.models import Project, User
from curation.training.models import TrainingJob
from curation.work import Status

PAGE = 20
KINDS = 40
RIGHTS = {"wrong": "wrong or not gradable", "right": "right", "all": "all"}


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


def chosen(report: dict[str, Any], data: Any) -> Chosen:
    """Read the filters of an address. Raises Invalid for anything that the page does not offer."""
    names, keys = model_names(report), [part.key for part in parts(report)]
    made = Chosen(
        model=data.get("model") or next(iter(students(report) or names), ""),
        part=data.get("part", ""),
        right=data.get("right") or "wrong",
        kind=data.get("kind", "")[:100],
        after=0,
    )
    after = data.get("after", "")
    if (
        made.model not in names
        or made.part not in ("", *keys)
        or made.right not in RIGHTS
        or (after and not (after.isascii() and after.isdigit() and len(after) < 19))
        or "\0" in made.kind
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
        found = found.exclude(right=True)
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
        low, high = wilson(self.right, self.n) or (0, 1)
        return f"{100 * low:.0f}–{100 * high:.0f}"


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
