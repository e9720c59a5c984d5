"""The queue: what waits for review, who holds it, who gets what next."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from curation.errors import Conflict
from curation.projects.models import Project, User
from curation.questions.models import Question, Split
from curation.rationales.models import Rationale
from curation.reviews.models import QueueItem, QueueStatus, Skip

# How long a question stays with somebody whose page has closed: above the page's renewal of 60 s, so
# that a reload, or a second tab that works on, keeps it.
GRACE = timedelta(seconds=90)


def enqueue(project: Project, question_ids: Iterable[int]) -> None:
    """Put scored training questions into the queue, or rank them anew; done ones with new,
    undecided chains come back.

    Rank: 1 when the chains' answers all differ, 0 when all agree; questions at which the teachers
    disagree teach the most and stand in front.
    """
    ids = set(question_ids)
    answers: dict[int, list[str | None]] = {}
    undecided: set[int] = set()
    # An edit that was taken back is not shown any more: nobody could decide on it.
    rows = (
        Rationale.objects.filter(
            question_id__in=ids, question__split=Split.TRAIN, score__isnull=False
        )
        .exclude(edit_review__withdrawn_at__isnull=False)
        .values_list("question_id", "score__answer", "decision__outcome")
    )
    for question_id, answer, outcome in rows:
        answers.setdefault(question_id, []).append(answer)
        if outcome is None:
            undecided.add(question_id)
    items = {i.question_id: i for i in QueueItem.objects.filter(question_id__in=answers)}
    new, changed = [], []
    for question_id, given in answers.items():
        item = items.get(question_id) or QueueItem(project=project, question_id=question_id)
        item.rank, item.reason = rank_of(given)
        if item.pinned_reason:
            item.rank, item.reason = 2.0 + item.rank, item.pinned_reason
        item.status = QueueStatus.WAITING if question_id in undecided else QueueStatus.DONE
        (changed if item.pk else new).append(item)
    QueueItem.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)
    QueueItem.objects.bulk_update(changed, ["rank", "reason", "status"], batch_size=500)


def rank_of(answers: list[str | None]) -> tuple[float, str]:
    """(rank, reason) of a question from the answers of its chains."""
    counts = [answers.count(a) for a in set(answers)]
    disagreement = 1 - max(counts) / len(answers)
    if disagreement >= 0.5:
        return disagreement, "teachers disagree"
    if disagreement > 0:
        return disagreement, "some chains disagree"
    return 0.0, "oldest first"


def pull_forward(project: Project, domains: Iterable[str], reason: str) -> int:
    """Move waiting questions of these domains to the front; returns how many moved."""
    waiting = QueueItem.objects.filter(
        project=project, status=QueueStatus.WAITING, question__domain__in=list(domains)
    )
    waiting.filter(pinned_reason="").update(rank=F("rank") + 2.0)
    return waiting.update(pinned_reason=reason, reason=reason)


def next_item(project: Project, user: User) -> QueueItem | None:
    """The question that this person works on now: the one they hold, else the best free one.

    None when nothing is free for them; `others_hold` says whether something may come back.
    """
    now = timezone.now()
    until = now + settings.CLAIM_LEASE
    with transaction.atomic():
        waiting = QueueItem.objects.filter(project=project, status=QueueStatus.WAITING)
        held = waiting.select_for_update().filter(holder=user, held_until__gte=now).first()
        if held is None:
            held = (
                waiting.select_for_update(skip_locked=True, of=("self",))
                .filter(Q(holder__isnull=True) | Q(held_until__lt=now))
                .exclude(Q(pk__in=Skip.objects.filter(user=user).values("item")))
                .order_by("-rank", "id")
                .first()
            )
        if held is None:
            return None
        QueueItem.objects.filter(pk=held.pk).update(holder=user, held_until=until)
    held.holder, held.held_until = user, until
    return held


def others_hold(project: Project, user: User) -> datetime | None:
    """When the first claim of somebody else in the project runs out; None where nobody holds one."""
    return (
        QueueItem.objects.filter(
            project=project, status=QueueStatus.WAITING, held_until__gte=timezone.now()
        )
        .exclude(holder=user)
        .order_by("held_until")
        .values_list("held_until", flat=True)
        .first()
    )


def held_by(project: Project, user: User) -> QueueItem | None:
    """The question that this person holds now; None where they hold none."""
    return QueueItem.objects.filter(
        project=project, holder=user, held_until__gte=timezone.now(), status=QueueStatus.WAITING
    ).first()


def claim(project: Project, user: User, question: Question) -> QueueItem:
    """Take one given question, such as from a list. Raises Conflict when somebody else holds it."""
    now = timezone.now()
    free = Q(holder__isnull=True) | Q(held_until__lt=now) | Q(holder=user)
    with transaction.atomic():
        QueueItem.objects.filter(project=project, holder=user).exclude(question=question).update(
            holder=None, held_until=None
        )
        taken = QueueItem.objects.filter(free, project=project, question=question).update(
            holder=user, held_until=now + settings.CLAIM_LEASE
        )
    item = QueueItem.objects.select_related("holder").filter(question=question).first()
    if item is None:
        raise Conflict("This question has no scored chains yet, so it is not in the queue.")
    if not taken:
        raise Conflict(f"{item.holder} works on this question now: take another one.")
    return item


def renew(item_id: int, user: User) -> datetime:
    """Keep the claim while the person works. Raises Conflict when it is no longer theirs."""
    until = timezone.now() + settings.CLAIM_LEASE
    mine = QueueItem.objects.filter(pk=item_id, holder=user)
    if not mine.update(held_until=until):
        item = QueueItem.objects.select_related("holder").filter(pk=item_id).first()
        who = item.holder if item and item.holder_id else "Somebody else"
        what = "works on" if item and item.holder_id else "has decided"
        raise Conflict(f"{who} {what} this question now. What you typed is kept here.")
    return until


def leave(item_id: int, user: User) -> None:
    """The person's page closed: the claim runs out soon, unless another page of theirs renews it."""
    soon = timezone.now() + GRACE
    QueueItem.objects.filter(pk=item_id, holder=user, held_until__gt=soon).update(held_until=soon)


def release(project: Project, user: User) -> None:
    """Give back what the person holds."""
    QueueItem.objects.filter(project=project, holder=user).update(holder=None, held_until=None)


def skip(item_id: int, user: User, reason: str = "") -> None:
    """Pass on a question: somebody else gets it, this person does not see it again."""
    with transaction.atomic():
        if not QueueItem.objects.filter(pk=item_id, holder=user).update(
            holder=None, held_until=None
        ):
            if Skip.objects.filter(item_id=item_id, user=user).exists():
                return  # a retry of a skip whose answer got lost
            raise Conflict("You do not hold this question (any more).")
        Skip.objects.get_or_create(item_id=item_id, user=user, defaults={"reason": reason[:200]})


def queue_counts(project: Project, user: User) -> dict[str, int]:
    """How many questions wait, are done, and were done by this person today."""
    counts = dict(
        QueueItem.objects.filter(project=project)
        .values_list("status")
        .annotate(n=Count("id"))
        .order_by()
    )
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    mine = project.reviews.filter(
        reviewer=user, created_at__gte=midnight, withdrawn_at__isnull=True
    )
    return {
        "waiting": counts.get(QueueStatus.WAITING, 0),
        "done": counts.get(QueueStatus.DONE, 0),
        "today": mine.values("rationale__question").distinct().count(),
    }
