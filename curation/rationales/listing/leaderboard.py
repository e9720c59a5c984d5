"""The teachers side by side: how often right, how valid, how long, and what a good rationale costs."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, Q, Sum

from curation.figures.intervals import Clusters, Interval, clustered, mean_interval
from curation.projects.models import Project
from curation.rationales.listing.selectors import teachers
from curation.rationales.models import (
    CUT_OFF,
    Rationale,
    Teacher,
    TeacherPart,
    is_not_read,
    is_read,
    is_right,
    passes,
)
from curation.rationales.scoring.clusters import question_clusters

TOLD = ("written", "graded", "right", "not_read", "passing", "approved", "cut_off")


@dataclass(frozen=True)
class Mean:
    """A mean with its 95% interval; None where it rests on one question."""

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class Row:
    """One teacher. `graded`: answers that were read and compared, of which `right` are; `not_read` stands
    beside them and counts as neither right nor wrong. Prices are of the teacher's own currency; None where
    nothing was accepted. Intervals count questions where a teacher wrote several rationales for one."""

    teacher: Teacher
    written: int
    graded: int
    right: int
    not_read: int
    passing: int
    approved: int
    cut_off: int
    validity: Mean | None
    tokens: Mean | None
    cost: float
    price: float | None
    price_interval: Interval | None
    right_interval: Interval | None
    passing_interval: Interval | None
    approved_interval: Interval | None


def leaderboard(project: Project) -> list[Row]:
    """The project's teachers, most often right first. Rationales told the answer do not count: they
    say nothing of how often a teacher finds it."""
    rationales = (
        Rationale.objects.for_project(project)
        .filter(teacher__isnull=False)
        .exclude(prompt_style__startswith="hint@")
    )
    good = passes(project.rubric, "score__")
    told = {
        row["teacher_id"]: row
        for row in rationales.order_by()
        .values("teacher_id")
        .annotate(
            written=Count("id"),
            graded=Count("id", filter=is_read("score__")),
            right=Count("id", filter=is_right("score__")),
            not_read=Count("id", filter=is_not_read("score__")),
            passing=Count("id", filter=good),
            approved=Count("id", filter=Q(decision__outcome="approved")),
            cut_off=Count("id", filter=Q(finish_reason__in=CUT_OFF)),
            judged=Count("score__validity"),
            validity=Avg("score__validity"),
            counted=Count("completion_tokens"),
            tokens=Avg("completion_tokens"),
        )
    }
    costs = dict(
        TeacherPart.objects.filter(run__project=project)
        .exclude(run__prompt_style="hint")
        .order_by()
        .values_list("teacher_id")
        .annotate(cost=Sum("cost"))
    )
    writers = Teacher.objects.for_project(project).filter(pk__in=list(told))
    right, approved = is_right("score__"), Q(decision__outcome="approved")
    clusters = question_clusters(
        project,
        rationales,
        ("teacher_id",),
        keys=told,
        right=(Count("id", filter=is_read("score__")), Count("id", filter=right)),
        passing=(Count("id"), Count("id", filter=good)),
        approved=(Count("id"), Count("id", filter=approved)),
        validity=(Count("score__validity"), Sum("score__validity")),
        tokens=(Count("completion_tokens"), Sum("completion_tokens")),
    )
    rows = [
        _row(
            one,
            told[one.pk],
            costs.get(one.pk) or 0.0,
            {name: found.get(one.pk) for name, found in clusters.items()},
        )
        for one in writers
    ]
    return sorted(
        rows, key=lambda row: (-(row.right / row.graded if row.graded else -1), row.teacher.pk)
    )


def teacher_lines(project: Project) -> list[Teacher]:
    """The project's teachers as `selectors.teachers` has them, each with its `right_interval`."""
    lines = list(teachers(project))
    clusters = question_clusters(
        project,
        Rationale.objects.for_project(project).filter(teacher__isnull=False),
        ("teacher_id",),
        keys=[one.pk for one in lines if one.graded],
        right=(
            Count("id", filter=is_read("score__")),
            Count("id", filter=is_right("score__")),
        ),
    )["right"]
    for one in lines:
        one.right_interval = clustered(one.right, one.graded, clusters.get(one.pk))
    return lines


def _row(
    teacher: Teacher, told: dict[str, Any], cost: float, clusters: dict[str, Clusters | None]
) -> Row:
    written, approved = told["written"], told["approved"]
    ends = clustered(approved, written, clusters["approved"])
    price, interval = None, None
    if cost and approved and ends:
        price, each = cost / approved, cost / written
        interval = (each / ends[1], each / ends[0])
    return Row(
        teacher=teacher,
        validity=_mean(told["validity"], told["judged"], clusters["validity"]),
        tokens=_mean(told["tokens"], told["counted"], clusters["tokens"]),
        cost=cost,
        price=price,
        price_interval=interval,
        right_interval=clustered(told["right"], told["graded"], clusters["right"]),
        passing_interval=clustered(told["passing"], written, clusters["passing"]),
        approved_interval=ends,
        **{k: told[k] for k in TOLD},
    )


def _mean(mean: float | None, n: int, clusters: Clusters | None) -> Mean | None:
    return None if mean is None else Mean(mean, mean_interval(mean, n, clusters))
