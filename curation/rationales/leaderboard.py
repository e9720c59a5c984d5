"""The teachers side by side: how often right, how valid, how long, and what a good chain costs."""

from dataclasses import dataclass
from math import sqrt

from django.db.models import Avg, Count, F, Q, Sum

from curation.intervals import Z, wilson
from curation.projects.models import Project
from curation.rationales.models import Rationale, Teacher, TeacherPart, passes

Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Mean:
    """A mean with its 95% interval (normal); None of nothing."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One teacher. Prices are of the teacher's own currency; None where nothing was accepted."""

    teacher: Teacher
    written: int
    graded: int
    right: int
    passing: int
    approved: int
    cut_off: int
    validity: Mean | None
    tokens: Mean | None
    cost: float
    price: float | None
    price_interval: Interval


def leaderboard(project: Project) -> list[Row]:
    """The project's teachers, most often right first. Rationales told the answer do not count: they
    say nothing of how often a teacher finds it."""
    chains = (
        Rationale.objects.for_project(project)
        .filter(teacher__isnull=False)
        .exclude(prompt_style__startswith="hint@")
    )
    good = passes(project.rubric, "score__")
    told = {
        row["teacher_id"]: row
        for row in chains.order_by()
        .values("teacher_id")
        .annotate(
            written=Count("id"),
            graded=Count("score__correctness"),
            right=Count("id", filter=Q(score__correctness=1)),
            passing=Count("id", filter=good),
            approved=Count("id", filter=Q(decision__outcome="approved")),
            cut_off=Count("id", filter=Q(finish_reason="length")),
            judged=Count("score__validity"),
            validity=Avg("score__validity"),
            validity2=Avg(F("score__validity") * F("score__validity")),
            counted=Count("completion_tokens"),
            tokens=Avg("completion_tokens"),
            tokens2=Avg(F("completion_tokens") * 1.0 * F("completion_tokens")),
        )
    }
    costs = dict(
        TeacherPart.objects.filter(run__project=project)
        .exclude(run__prompt_style="hint")
        .order_by()
        .values_list("teacher_id")
        .annotate(cost=Sum("cost"))
    )
    teachers = Teacher.objects.for_project(project).filter(pk__in=list(told))
    rows = [_row(one, told[one.pk], costs.get(one.pk) or 0.0) for one in teachers]
    return sorted(
        rows, key=lambda row: (-(row.right / row.graded if row.graded else -1), row.teacher.pk)
    )


def _row(teacher: Teacher, told: dict, cost: float) -> Row:
    price, interval = None, None
    if cost and told["approved"]:
        price = cost / told["approved"]
        low, high = wilson(told["approved"], told["written"])
        each = cost / told["written"]
        interval = (each / high, each / low)
    return Row(
        teacher=teacher,
        validity=_mean(told["validity"], told["validity2"], told["judged"]),
        tokens=_mean(told["tokens"], told["tokens2"], told["counted"]),
        cost=cost,
        price=price,
        price_interval=interval,
        **{k: told[k] for k in ("written", "graded", "right", "passing", "approved", "cut_off")},
    )


def _mean(mean: float | None, square: float | None, n: int) -> Mean | None:
    if mean is None or square is None:
        return None
    half = Z * sqrt(max(0.0, square - mean * mean) / n)
    return Mean(mean, mean - half, mean + half)
