"""What an admin does to all rationales that a filter keeps: counted before, done in small steps, undone.

The filter is applied to the rationales that stood when it was previewed. What people decided stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone

from curation import celery_app
from curation.errors import Conflict, Invalid
from curation.jobs import (
    ACTIVE,
    Status,
    cancel,
    ordered_before,
    ordered_by,
    resume,
    stopped,
    take_order,
)
from curation.projects.models import Membership, Project, User
from curation.rationales.models import Rationale
from curation.reviews.bulk.runner import DECIDES, WHOLE, chosen, run_bulk, state_of
from curation.reviews.decisions.rule import rule_decides
from curation.reviews.models import BulkAction, BulkKind, QueueItem, QueueStatus, Reason
from curation.reviews.queue.items import note_overlap
from curation.text.clean import clean, is_empty

CHOSEN = [kind.value for kind in BulkKind if kind not in WHOLE]
# So many are done before the answer to the click; more are a worker's.
INLINE = 500
# Nobody reviews more; and what it assigned is kept with it, to be taken back.
MOST_ASSIGNED = 20_000
CHANGED_AGAIN = "The overlap was changed again: that change does what this one left."
KEPT = {
    "people": "decided by people",
    "held_out": "of held out questions",
    "pending": "written by people, waiting for an admin’s word",
    "already": "that already",
}


@dataclass(frozen=True)
class Preview:
    """What would happen: of `total` rationales of `questions` questions `changed` would be; `kept`: how many
    stay as they are, and why, in words. `until`: the newest rationale it is about."""

    total: int
    questions: int
    changed: int
    kept: list[tuple[int, str]]
    until: int


def preview(
    project: Project, kind: str, filters: dict[str, str], until: int | None = None
) -> Preview:
    """Count what the action would do now. Raises Invalid for a kind or filter that does not exist."""
    if kind not in CHOSEN:
        raise Invalid(f"{kind!r} cannot be done to many at once: {', '.join(CHOSEN)} can.")
    if until is None:
        newest = Rationale.objects.filter(project=project).aggregate(newest=Max("pk"))
        until = newest["newest"] or 0
    rows = chosen(project, filters, until).order_by()
    if kind not in DECIDES:
        told = rows.aggregate(total=Count("pk"), questions=Count("question", distinct=True))
        return Preview(told["total"], told["questions"], told["total"], [], until)
    counts = dict(rows.annotate(state=state_of(kind)).values_list("state").annotate(n=Count("pk")))
    kept = [(counts[why], words) for why, words in KEPT.items() if counts.get(why)]
    return Preview(sum(counts.values()), 0, counts.get("change", 0), kept, until)


def order_bulk(
    project: Project,
    user: User,
    kind: str,
    filters: dict[str, str],
    *,
    until: int,
    reasons: Sequence[str] = (),
    comment: str = "",
    person: User | None = None,
    order_key: str | None = None,
) -> BulkAction:
    """Do `kind` to all rationales that the filters keep, up to the rationale `until`: a few at
    once, many by a worker. `reasons` are a rejection's; `person` is to whom `assign` assigns.
    Raises Conflict where nothing would change."""
    earlier = ordered_before(BulkAction, project, user, order_key)
    if earlier:
        return earlier
    counted = preview(project, kind, filters, until)
    _check(project, kind, counted, reasons, comment, person)
    with transaction.atomic():
        if earlier := take_order(BulkAction, project, user, order_key):
            return earlier
        action = BulkAction.objects.create(
            project=project,
            **ordered_by(user),
            kind=kind,
            filters=filters,
            until=until,
            reasons=list(reasons) if kind == BulkKind.REJECT else [],
            comment=clean(comment),
            person=person if kind == BulkKind.ASSIGN else None,
            expected=counted.changed,
            order_key=order_key,
        )
        if counted.total > INLINE:
            celery_app.send(celery_app.RUN_BULK, action.pk)
    return _now(action, counted.total)


def order_rule(project: Project, user: User) -> BulkAction | None:
    """Decide, in the rule's name, on every undecided training rationale on which the rubric of now has a
    word; None where it has none. While that is under way for the project, it is what is under way."""
    rubric = project.rubric
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(
            pk=project.pk
        )  # of a double click, one waits
        at_work = BulkAction.objects.filter(project=project, kind=BulkKind.RULE, status__in=ACTIVE)
        if action := at_work.first():
            return action
        passing = rule_decides(project, rubric).aggregate(n=Count("pk"), last=Max("pk"))
        if not passing["n"]:
            return None
        action = BulkAction.objects.create(
            project=project,
            **ordered_by(user),
            kind=BulkKind.RULE,
            filters={},
            until=passing["last"],
            rule=rubric,
            expected=passing["n"],
        )
        if passing["n"] > INLINE:
            celery_app.send(celery_app.RUN_BULK, action.pk)
    return _now(action, passing["n"])


def order_overlap(project: Project, user: User, overlap: int) -> BulkAction | None:
    """From now on so many people review a question. The questions that wait are arranged for it: a few
    at once, many by a worker, which cannot be stopped, since the setting is in force. None where nothing
    waits, or nothing changes."""
    with transaction.atomic():
        locked = Project.objects.select_for_update(no_key=True).only("overlap").get(pk=project.pk)
        waiting = QueueItem.objects.filter(project=project, status=QueueStatus.WAITING)
        told = waiting.aggregate(n=Count("pk"), last=Max("pk"))
        if locked.overlap == overlap:
            return None
        note_overlap(project, overlap)
        if not told["n"]:
            return None
        older = BulkAction.objects.filter(
            project=project, kind=BulkKind.OVERLAP, status__in=(*ACTIVE, Status.FAILED)
        )
        older.update(
            status=Status.CANCELLED,
            finished_at=timezone.now(),
            error=CHANGED_AGAIN,
            **stopped(),
        )
        action = BulkAction.objects.create(
            project=project,
            **ordered_by(user),
            kind=BulkKind.OVERLAP,
            filters={"overlap": str(overlap)},
            until=told["last"],
            expected=told["n"],
        )
        if told["n"] > INLINE:
            celery_app.send(celery_app.RUN_BULK, action.pk)
    return _now(action, told["n"])


def _now(action: BulkAction, many: int) -> BulkAction:
    """Do what is not much at once."""
    if many <= INLINE:
        run_bulk(action.pk)
        action.refresh_from_db()
    return action


def _check(
    project: Project,
    kind: str,
    counted: Preview,
    reasons: Sequence[str],
    comment: str,
    person: User | None,
) -> None:
    if not counted.changed:
        raise Conflict(
            "Nothing would change: no rationale that these filters keep can be changed so."
        )
    if unknown := set(reasons) - set(Reason.values):
        raise Invalid(f"{', '.join(sorted(unknown))}: no such reason.")
    if kind == BulkKind.REJECT and not reasons:
        raise Invalid("Say why: a rejection needs at least one reason.")
    if Reason.OTHER in reasons and is_empty(comment):
        raise Invalid("The reason “other” needs a comment.")
    if len(comment) > 2000:
        raise Invalid("A comment has at most 2,000 characters.")
    if kind == BulkKind.ASSIGN:
        members = Membership.objects.filter(project=project, user=person)
        if person is None or not members.exists():
            raise Invalid("Choose the member of the project to whom these are assigned.")
        if counted.questions > MOST_ASSIGNED:
            raise Invalid(f"At most {MOST_ASSIGNED:,} questions are assigned at once: filter more.")


def order_undo(action: BulkAction, user: User) -> None:
    """Put back what the action changed, where nobody has changed it since."""
    if action.kind == BulkKind.RESCORE:
        raise Conflict("Scores are made anew, not changed: there is nothing to put back.")
    if action.kind == BulkKind.RULE:
        raise Conflict(
            "Make the rationales that the rule decided undecided instead: filter them so."
        )
    if action.kind == BulkKind.OVERLAP:
        raise Conflict("Set the overlap again instead.")
    now = timezone.now()
    with transaction.atomic():
        begun = BulkAction.objects.filter(pk=action.pk, undone_at=None).exclude(status__in=ACTIVE)
        if not begun.update(
            undone_at=now,
            undone_by=user,
            status=Status.WAITING,
            last=None,
            attempt=0,
            turns=0,
            error="",
        ):
            raise Conflict("This is under way, or was undone already: load the page again.")
        if action.changed > INLINE:
            celery_app.send(celery_app.RUN_BULK, action.pk)
    if action.changed <= INLINE:
        run_bulk(action.pk)


def cancel_bulk(action: BulkAction) -> None:
    """Stop; what was changed stays, and can be undone."""
    if action.kind == BulkKind.OVERLAP:
        raise Conflict("The overlap is in force: set another one instead of stopping.")
    cancel(action)


def resume_bulk(action: BulkAction) -> None:
    """Go on where it stopped."""
    resume(action, lambda: celery_app.send(celery_app.RUN_BULK, action.pk))
