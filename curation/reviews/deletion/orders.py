"""Deleting questions and rationales, one or all that a filter keeps: looked at before, undone after.

Who may: an admin of the project. What was frozen with them before keeps them, byte for byte.
"""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.utils import timezone

from curation import celery_app
from curation.errors import Conflict, Invalid
from curation.jobs import (
    ACTIVE,
    Status,
    resume,
    take_order,
)
from curation.projects.access import may_administer
from curation.projects.models import Project, User
from curation.questions.models import Deletion, Kind, Question
from curation.rationales.models import Rationale
from curation.reviews.deletion.runner import chosen, give_back, run_deletion, taken
from curation.reviews.models import Decision, Outcome
from curation.text.clean import clean

# So many are done before the answer to the click; more are a worker's.
INLINE = 200
MODELS: dict[str, type[Question] | type[Rationale]] = {
    Kind.QUESTIONS: Question,
    Kind.RATIONALES: Rationale,
}


@dataclass(frozen=True)
class Preview:
    """What would go: `total` questions with `rationales`, or `total` rationales; `approved`: how many
    rationales of these are approved. `until`: the newest that it is about."""

    total: int
    rationales: int
    approved: int
    until: int


def preview(
    project: Project, kind: str, filters: dict[str, str], until: int | None = None
) -> Preview:
    """Count what a deletion would take now. Raises Invalid for a kind or filter that does not exist."""
    if kind not in Kind.values:
        raise Invalid(f"{kind!r} cannot be deleted: {' and '.join(Kind.values)} can.")
    if until is None:
        newest = MODELS[kind].objects.filter(project=project).aggregate(newest=Max("pk"))
        until = newest["newest"] or 0
    return _counted(Deletion(project=project, kind=kind, filters=filters, until=until))


def _counted(deletion: Deletion) -> Preview:
    rows = chosen(deletion).order_by()
    rationales = Rationale.objects.filter(project=deletion.project).order_by()
    if deletion.kind == Kind.QUESTIONS:
        rationales = rationales.filter(question__in=rows.values("pk"))
        total, with_them = rows.count(), rationales.count()
    else:
        rationales, total, with_them = rows, rows.count(), 0
    approved = Decision.objects.filter(
        project=deletion.project, outcome=Outcome.APPROVED, rationale__in=rationales.values("pk")
    )
    return Preview(total, with_them, approved.count(), deletion.until)


def order_deletion(
    project: Project,
    user: User,
    kind: str,
    filters: dict[str, str],
    *,
    until: int,
    why: str = "",
    order_key: str | None = None,
) -> Deletion:
    """Delete all that the filters keep, up to the number `until`: few at once, many by a worker.
    Raises Conflict where they keep nothing."""
    counted = preview(project, kind, filters, until)
    made = Deletion(project=project, kind=kind, filters=filters, until=until)
    return _order(made, user, counted, why, order_key)


def delete_one(
    project: Project, user: User, kind: str, pk: int, why: str = "", order_key: str | None = None
) -> Deletion:
    """Delete one question or rationale. Raises Conflict where it is not (any more) in the project."""
    made = Deletion(project=project, kind=kind, one=pk, until=pk)
    return _order(made, user, _counted(made), why, order_key)


def _order(
    made: Deletion, user: User, counted: Preview, why: str, order_key: str | None
) -> Deletion:
    project = made.project
    if not may_administer(user, project.pk):
        raise PermissionDenied("Only an admin of this project may do this.")
    why = clean(why)
    if len(why) > 300:
        raise Invalid("The reason has at most 300 characters.")
    with transaction.atomic():
        if earlier := take_order(Deletion, project, user, order_key):
            return earlier
        if not counted.total:
            raise Conflict("There is nothing to delete: it is not (any more) in this project.")
        made.created_by, made.why, made.order_key = user, why, order_key
        made.expected = counted.total
        made.save(force_insert=True)
        if counted.total > INLINE:
            celery_app.send(celery_app.RUN_DELETION, made.pk)
    if counted.total <= INLINE:
        run_deletion(made.pk)
        made.refresh_from_db()
    return made


def order_restore(deletion: Deletion, user: User) -> None:
    """Give back all that it took: few at once, many by a worker. Raises Conflict where nothing can be
    given back, or it is under way."""
    if not may_administer(user, deletion.project_id):
        raise PermissionDenied("Only an admin of this project may do this.")
    left = taken(deletion).count()
    with transaction.atomic():
        idle = Deletion.objects.filter(pk=deletion.pk).exclude(status__in=ACTIVE)
        if not left or not idle.update(
            restored_at=timezone.now(),
            restored_by=user,
            status=Status.WAITING,
            last=None,
            attempt=0,
            turns=0,
            error="",
            finished_at=None,
        ):
            raise Conflict("This is under way, or was restored already: load the page again.")
        if left > INLINE:
            celery_app.send(celery_app.RUN_DELETION, deletion.pk)
    if left <= INLINE:
        run_deletion(deletion.pk)
        deletion.refresh_from_db()
        if deletion.status == Status.DONE and taken(deletion).count() == left:
            raise Conflict(stays(deletion.kind))


def stays(kind: str) -> str:
    """Why something that was deleted cannot be restored."""
    if kind == Kind.QUESTIONS:
        return "The same question was added again since: delete that one first."
    return "Its question is deleted, too: restore the question first."


def restore_one(deletion: Deletion, user: User, pk: int) -> None:
    """Give back one of what it took. Raises Conflict where that is not there, or cannot be."""
    if not may_administer(user, deletion.project_id):
        raise PermissionDenied("Only an admin of this project may do this.")
    with transaction.atomic():
        if not taken(deletion).filter(pk=pk).exists():
            raise Conflict("This is not (any more) among what was deleted.")
        if not give_back(deletion, [pk]):
            raise Conflict(stays(deletion.kind))
        Deletion.objects.filter(pk=deletion.pk).update(restored=F("restored") + 1)


def resume_deletion(deletion: Deletion) -> None:
    """Go on where it stopped."""
    resume(deletion, lambda: celery_app.send(celery_app.RUN_DELETION, deletion.pk))


def deletions_of(project: Project) -> QuerySet[Deletion]:
    """The project's deletions, the newest first."""
    rows = Deletion.objects.for_project(project)
    return rows.select_related("created_by", "restored_by").order_by("-id")
