"""Scores as rows: which groups wait, the scoring run that works on them, the writing of scores."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, F, QuerySet
from django.utils import timezone

from curation import celery_app
from curation.jobs import ACTIVE, ordered_by
from curation.projects.models import Project, User
from curation.rationales.models import (
    AnswerVerdict,
    Group,
    Rationale,
    Score,
    ScoreFlag,
    ScoringRun,
    is_read,
    is_right,
)
from curation.rationales.scoring.readings import note_readings, unread_by_a_person

CHANGED_AT_ONCE = 2000
SCORES = (
    "answer",
    "verdict",
    "conciseness",
    "structure",
    "similarity",
    "consistency",
    "validity",
    "redundancy",
    "overall",
)
# What of the contract's object has a column or a place of its own.
KNOWN = frozenset((*SCORES, "correctness", "unread", "steps", "flags"))


def to_score_again(groups: QuerySet[Group]) -> None:
    """The scores of these groups must be made again."""
    _change(groups, revision=F("revision") + 1)


def _change(groups: QuerySet[Group], **values: Any) -> None:
    """Update groups in parts, locked in the order of their keys as `store_scores` locks them: two that
    change the same ones wait for each other in one direction."""
    last = 0
    while True:
        with transaction.atomic():
            following = groups.filter(pk__gt=last).order_by("pk").select_for_update(no_key=True)
            part = list(following.values_list("pk", flat=True)[:CHANGED_AT_ONCE])
            Group.objects.filter(pk__in=part).update(**values)
        if len(part) < CHANGED_AT_ONCE:
            return
        last = part[-1]


def mark_stale(project: Project, question_ids: Iterable[int]) -> None:
    """A group got a new rationale: its scores, which depend on the whole group, must be made again."""
    ids = set(question_ids)
    if not ids:
        return
    to_score_again(Group.objects.filter(question_id__in=ids))
    known = set(Group.objects.filter(question_id__in=ids).values_list("question_id", flat=True))
    Group.objects.bulk_create(
        [Group(project=project, question_id=i) for i in sorted(ids - known)], ignore_conflicts=True
    )


def order_scoring(
    project: Project, user: User | None, *, embeddings: bool | None = None
) -> ScoringRun | None:
    """Wake the scorers for the groups that wait; None when none waits or a run is at it already."""
    waiting = Group.objects.filter(project=project, scored__lt=F("revision"))
    if not waiting.exists():
        return None
    active = ScoringRun.objects.filter(project=project, status__in=ACTIVE).first()
    if active:
        return active
    try:
        with transaction.atomic():
            run = ScoringRun.objects.create(
                project=project,
                **ordered_by(user),
                embeddings=project.use_embeddings if embeddings is None else embeddings,
                total=Rationale.objects.filter(question__group__in=waiting).count(),
            )
            celery_app.send(celery_app.SCORE_PROJECT, run.pk)
    except IntegrityError:
        return ScoringRun.objects.filter(project=project, status__in=ACTIVE).first()
    return run


def order_rescoring(
    project: Project, user: User | None, *, embeddings: bool | None = None
) -> ScoringRun | None:
    """Score everything again, with the scorers of today. Decisions stay as they are."""
    to_score_again(Group.objects.filter(project=project))
    return order_scoring(project, user, embeddings=embeddings)


def teacher_worth(project: Project) -> dict[str, float]:
    """What each teacher's answers have been worth: the share that was right of those that were read, in
    (0, 1).

    One right and one wrong answer are counted in (Laplace), so that a newcomer starts at a half.
    """
    rows = (
        Score.objects.filter(is_read(), project=project, teacher__isnull=False)
        .values_list("teacher__name")
        .annotate(graded=Count("pk"), right=Count("pk", filter=is_right()))
    )
    return {name: (right + 1) / (graded + 2) for name, graded, right in rows}


def weights_of(run: ScoringRun) -> dict[str, float]:
    """What each teacher's answers were worth when the run began: counted at its first turn, and kept, so
    that all that it scores is weighed alike."""
    if run.teacher_weights is None:
        worth = teacher_worth(run.project)
        ScoringRun.objects.filter(pk=run.pk).update(teacher_weights=worth)
        run.teacher_weights = worth
    return run.teacher_weights


def waiting_groups(project_id: int, size: int) -> list[Group]:
    """The next groups to score, at most `size`.

    Those at which a worker was lost come last and one at a time, so that one that ends its worker
    takes no other group with it.
    """
    waiting = (
        Group.objects.filter(project_id=project_id, scored__lt=F("revision"))
        .select_related("question")
        .order_by("id")
    )
    return list(waiting.filter(tries=0)[:size]) or list(waiting[:1])


def note_tries(groups: Sequence[Group]) -> None:
    """Count that a worker begins to score these groups; `store_scores` sets the count back."""
    _change(Group.objects.filter(pk__in=[group.pk for group in groups]), tries=F("tries") + 1)


def store_scores(
    groups: Sequence[Group],
    scores: dict[int, dict[str, Any]],
    version: str,
    *,
    run: ScoringRun | None = None,
) -> int:
    """Write the contract's score objects of whole groups; `scores` is by rationale id.

    A group that got a new rationale meanwhile stays stale. With `run`, nothing is written once
    another worker has begun that run anew: its scorers may be newer than this worker's.
    Returns how many scores were written.
    """
    with transaction.atomic():
        # The row stays locked until the scores are in, so that nobody takes the run over meanwhile.
        mine = run and ScoringRun.objects.select_for_update().filter(pk=run.pk, attempt=run.attempt)
        if mine is not None and not list(mine.values_list("pk")):
            return 0
        # So do the groups: a rationale that is deleted meanwhile takes the scores that stand by then along.
        locked = Group.objects.select_for_update(no_key=True).order_by("pk")
        list(locked.filter(pk__in=[group.pk for group in groups]).values_list("pk"))
        rows = unread_by_a_person(_rows(scores, version))
        if run is not None:
            _count(run, rows)
        Score.objects.bulk_create(
            rows,
            batch_size=300,
            update_conflicts=True,
            unique_fields=["rationale"],
            update_fields=[
                "scorer_version",
                *SCORES,
                "unread",
                "flag_count",
                "detail",
                "scored_at",
            ],
        )
        _store_flags(rows)
        note_readings(rows)
        for group in groups:
            Group.objects.filter(pk=group.pk, scored__lt=group.revision).update(
                scored=group.revision, scorer_version=version, tries=0
            )
    return len(rows)


def _count(run: ScoringRun, rows: Sequence[Score]) -> None:
    """Count what the run has not scored before, in the transaction that writes the scores: so the count
    is what the rows say, whenever its worker dies."""
    known = Score.objects.filter(pk__in=[one.rationale_id for one in rows])
    again = known.filter(scored_at__gte=run.started_at).count() if run.started_at else 0
    new = len(rows) - again
    ScoringRun.objects.filter(pk=run.pk).update(done=F("done") + new)


def _rows(scores: dict[int, dict[str, Any]], version: str) -> list[Score]:
    now = timezone.now()
    about = {
        pk: {"project_id": project, "teacher_id": teacher, "tokens": tokens}
        for pk, project, teacher, tokens in Rationale.objects.filter(
            pk__in=list(scores)
        ).values_list("pk", "project_id", "teacher_id", "completion_tokens")
    }
    return [
        Score(
            rationale_id=rationale_id,
            **about[rationale_id],
            scorer_version=version,
            **{name: _clipped(score[name]) for name in SCORES},
            unread=_unread(score),
            flag_count=len(score["flags"]) + sum(len(s["flags"]) for s in score["steps"]),
            detail={"steps": score["steps"], "flags": score["flags"]}
            | {k: v for k, v in score.items() if k not in KNOWN},
            scored_at=now,
        )
        for rationale_id, score in scores.items()
        if rationale_id in about
    ]


def _unread(score: dict[str, Any]) -> str:
    """Why an answer was not read; "" where it was, or where there is nothing to read it against."""
    if score["verdict"] != AnswerVerdict.NOT_READ:
        return ""
    return (score.get("unread") or "not_understood")[:40]


def codes_of(detail: dict[str, Any]) -> set[str]:
    """The codes of all flags of a score, of the rationale and of its steps."""
    flags = [*detail["flags"], *(flag for step in detail["steps"] for flag in step["flags"])]
    return {flag["code"] for flag in flags}


def _store_flags(scores: Sequence[Score]) -> None:
    ScoreFlag.objects.filter(rationale_id__in=[one.rationale_id for one in scores]).delete()
    ScoreFlag.objects.bulk_create(
        (
            ScoreFlag(project_id=one.project_id, rationale_id=one.rationale_id, code=code[:40])
            for one in scores
            for code in sorted(codes_of(one.detail))
        ),
        batch_size=500,
    )


def _clipped(value: Any) -> Any:
    return value[:500] if isinstance(value, str) else value
