"""What stands in the queue, in which order, with how many seats, and for whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from curation.errors import Conflict
from curation.projects.models import Project
from curation.questions.models import Split
from curation.rationales.models import Rationale, Source
from curation.reviews.decisions.consensus import settle, standing_reviews
from curation.reviews.models import QueueItem, QueueStatus, Seat
from curation.reviews.queue.priority import PINNED, Scored, rank_of

ARRANGED_AT_ONCE = 500
SCORES = ("verdict", "validity", "conciseness", "structure", "redundancy")  # as in `Scored`


def must_not_be_deleted(project: Project, item_id: int) -> None:
    """Called where a question is not found in the queue. Raises Conflict where an admin deleted it."""
    gone = QueueItem.objects.filter(
        pk=item_id, project__isnull=True, question__deletion__project=project
    )
    if deletion := gone.select_related("question__deletion__created_by").first():
        who = deletion.question.deletion.created_by
        raise Conflict(
            f"{who or 'An admin'} deleted this question meanwhile: nothing of it is asked any more. "
            "Go on with the next one."
        )


def open_seats(project: Project) -> QuerySet[Seat]:
    """The reviews that are still to be made, whoever holds them."""
    return Seat.objects.filter(project=project, done_at__isnull=True)


def enqueue(project: Project, question_ids: Iterable[int]) -> None:
    """Put scored training questions into the queue, or rank them anew, see `ranking`. What was done
    comes back when rationales have come that its reviewers did not see: one that they left undecided does
    not bring it back."""
    with transaction.atomic():
        # Locked by their keys before anything is read: whoever submits meanwhile settles before this
        # looks, or after it has written.
        known = QueueItem.objects.select_for_update(no_key=True).order_by("pk")
        items = {i.question_id: i for i in known.filter(question_id__in=set(question_ids))}
        _enqueue(project, set(question_ids), items)


def _enqueue(project: Project, ids: set[int], items: dict[int, QueueItem]) -> None:
    rubric, seen = project.rubric, _seen(items.values())
    new, changed, again, over = [], [], [], []
    for question_id, given in _rationales(ids).items():
        item = items.get(question_id) or QueueItem(project=project, question_id=question_id)
        # The reason is shown at the bench: it tells nothing of what another reviewer wrote.
        told = [scored for scored, _, is_pending in given if not is_pending]
        item.rank, item.reason = rank_of(told or [scored for scored, *_ in given], rubric)
        if item.pinned_reason:
            item.rank, item.reason = PINNED + item.rank, item.pinned_reason
        open_since = [at for _, at, _ in given if at is not None]
        if not item.pk:
            item.status = QueueStatus.WAITING if open_since else QueueStatus.DONE
            item.done_at = None if open_since else timezone.now()
            new.append(item)
            continue
        changed.append(item)
        saw = seen.get(item.pk, item.done_at)
        came_since = saw is None or any(at > saw for at in open_since)
        if item.status == QueueStatus.DONE and open_since and came_since:
            item.status, item.done_at = QueueStatus.WAITING, None
            again.append(item)
        elif item.status == QueueStatus.WAITING and not open_since:
            over.append(item)
    QueueItem.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)
    made = QueueItem.objects.filter(question_id__in=[i.question_id for i in new])
    _seat(project, list(made.filter(status=QueueStatus.WAITING)))
    QueueItem.objects.bulk_update(changed, ["rank", "reason", "status", "done_at"], batch_size=500)
    _rank_seats(changed)
    _begin_again(project, again)
    _close(project, over)


def _rationales(ids: set[int]) -> dict[int, list[tuple[Scored, datetime | None, bool]]]:
    """Of each question: what its scored rationales say, since when each waits for reviewers, and whether it
    is a person's that waits for an admin."""
    # A person's rationales come with a decision or wait for an admin: nobody else is asked about them.
    rows = Rationale.objects.filter(
        question_id__in=ids, question__split=Split.TRAIN, score__isnull=False
    ).exclude(edit_review__withdrawn_at__isnull=False)
    columns = ("question_id", "decision__outcome", "created_at", "source", "score__answer")
    scores = [f"score__{name}" for name in SCORES]
    rationales: dict[int, list[tuple[Scored, datetime | None, bool]]] = {}
    for question_id, outcome, at, source, answer, *told in rows.values_list(*columns, *scores):
        is_person = source == Source.PERSON
        is_open = outcome is None and not is_person
        scored = Scored(answer, is_open, *told)
        about = (scored, at if is_open else None, outcome is None and is_person)
        rationales.setdefault(question_id, []).append(about)
    return rationales


def _seen(items: Iterable[QueueItem]) -> dict[int, datetime]:
    """When the reviewers of each done question got its rationales to see, the first of them."""
    done = [item.pk for item in items if item.status == QueueStatus.DONE]
    seats = Seat.objects.filter(item__in=done, done_at__isnull=False, taken_at__isnull=False)
    return dict(seats.order_by().values_list("item").annotate(first=Min("taken_at")))


def reopen(item: QueueItem) -> bool:
    """Bring a done question back at which rationales were left undecided, since somebody asks for it.
    False when there are none. Called in a transaction that holds the item's lock."""
    left = Rationale.objects.filter(question_id=item.question_id, decision__isnull=True)
    if item.status != QueueStatus.DONE or not left.exclude(source=Source.PERSON).exists():
        return False
    item.status, item.done_at = QueueStatus.WAITING, None
    item.save(update_fields=["status", "done_at"])
    _begin_again(item.project, [item])
    return True


def lock_items(questions: Iterable[int]) -> None:
    """The questions' items first, in their order, as a submission does: whoever comes second waits."""
    items = QueueItem.objects.select_for_update(no_key=True).filter(question__in=questions)
    list(items.order_by("pk").values_list("pk", flat=True))


def open_again(project: Project, questions: Iterable[int]) -> None:
    """Questions that left the queue before all their reviews were in come back, where rationales are
    undecided again; reviews that were in stay in."""
    filled = Seat.objects.filter(item=OuterRef("pk"), done_at__isnull=False, number__isnull=False)
    count = filled.order_by().values("item").annotate(n=Count("pk")).values("n")
    overlap = Project.objects.values_list("overlap", flat=True).get(pk=project.pk)
    closed = (QueueStatus.DONE, QueueStatus.ADJUDICATE)  # as the reviews that were in said
    done = QueueItem.objects.filter(question__in=questions, status__in=closed)
    for item in done.annotate(filled=Coalesce(Subquery(count), 0)).filter(filled__lt=overlap):
        item.project = project
        if not item.filled:
            reopen(item)
        elif _undecided(item).exists():
            item.status, item.done_at = QueueStatus.WAITING, None
            item.save(update_fields=["status", "done_at"])
            seat_again(item)


def _undecided(item: QueueItem) -> QuerySet[Rationale]:
    left = Rationale.objects.filter(question_id=item.question_id, decision__isnull=True)
    return left.exclude(source=Source.PERSON)


def _begin_again(project: Project, items: list[QueueItem]) -> None:
    """These have new seats. Who sat there before is known from their reviews; that they did, and when,
    from the seats that they filled, which stay theirs."""
    seats = Seat.objects.filter(item__in=items)
    seats.filter(done_at__isnull=False).update(item=None)
    seats.delete()
    _seat(project, items)


def _seat(project: Project, items: list[QueueItem]) -> None:
    """As many open seats for each item as the project wants reviews: as it wants now, whatever it
    wanted when a long scoring run began."""
    overlap = wanted_reviews(project)
    Seat.objects.bulk_create(
        (
            Seat(project=project, item=item, number=number, rank=item.rank)
            for item in items
            for number in range(1, overlap + 1)
        ),
        batch_size=500,
        ignore_conflicts=True,
    )


def wanted_reviews(project: Project) -> int:
    """The overlap in force, which stays so until the running transaction ends: else `arrange` could
    pass by before the items of this transaction are to be seen."""
    lock = "FOR SHARE" if connection.features.has_select_for_update else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT overlap FROM projects_project WHERE id = %s {lock}", [project.pk])
        return cursor.fetchone()[0]


def seat_again(item: QueueItem) -> None:
    """A review of this question was taken back: it has all seats that the project wants by now."""
    _seat(item.project, [item])


def rationales_went(project: Project, questions: Iterable[int]) -> None:
    """Rationales of these questions were deleted: what has nothing left to decide is done, also where
    somebody sits. Called in a transaction that holds the items' locks."""
    items = QueueItem.objects.filter(project=project, question__in=list(questions))
    left = Rationale.objects.filter(question=OuterRef("question"), decision__isnull=True)
    over = list(
        items.filter(status=QueueStatus.WAITING).exclude(Exists(left.exclude(source=Source.PERSON)))
    )
    Seat.objects.filter(item__in=over, done_at__isnull=True).update(holder=None, held_until=None)
    _close(project, over)
    for item in items.filter(status=QueueStatus.ADJUDICATE):
        if not standing_reviews(item):
            QueueItem.objects.filter(pk=item.pk).update(
                status=QueueStatus.DONE, done_at=timezone.now()
            )


def rationales_came_back(project: Project, questions: Iterable[int]) -> None:
    """Deleted rationales of these questions were restored: they wait as before for reviewers, or for an
    admin. Called in a transaction that holds the items' locks."""
    questions = list(questions)
    for item in QueueItem.objects.filter(question__in=questions, status=QueueStatus.DONE):
        if standing_reviews(item):
            QueueItem.objects.filter(pk=item.pk).update(status=QueueStatus.ADJUDICATE, done_at=None)
    open_again(project, questions)
    fit_seats(project, questions)


def refit(project_id: int, questions: Sequence[int]) -> None:
    """As many seats at these questions as the project wants, and no more that nobody sits at."""
    with transaction.atomic():
        lock_items(questions)
        fit_seats(Project.objects.get(pk=project_id), questions)


def fit_seats(project: Project, questions: Iterable[int]) -> None:
    """As many seats at these waiting questions as the project wants by now, since it was not looked
    at them when that changed."""
    waiting = QueueItem.objects.filter(question__in=list(questions), status=QueueStatus.WAITING)
    open_now = Seat.objects.filter(item__in=waiting, done_at__isnull=True)
    open_now.filter(number__gt=project.overlap, holder__isnull=True).delete()
    _seat(project, list(waiting))
    for item in waiting.exclude(Exists(Seat.objects.filter(item=OuterRef("pk"), done_at=None))):
        item.project = project
        settle(item)


def _close(project: Project, items: list[QueueItem]) -> None:
    """Nothing is left to decide, since the rule or an admin decided what there was: these are done,
    but for those at which somebody sits now. What reviewers said there before is settled: it may wait
    for an admin."""
    held = Seat.objects.filter(
        item__in=items, done_at__isnull=True, held_until__gte=timezone.now()
    ).values_list("item", flat=True)
    busy = set(held)
    over = [item for item in items if item.pk not in busy]
    seats = Seat.objects.filter(item__in=over, number__isnull=False).order_by()
    wanted = dict(seats.values_list("item").annotate(n=Count("pk")))
    seats.filter(done_at__isnull=True).delete()
    reviewed = set(seats.values_list("item", flat=True))
    for item in over:
        if item.pk in reviewed:
            item.project = project
            settle(item, seats=wanted[item.pk])
    QueueItem.objects.filter(pk__in=[i.pk for i in over if i.pk not in reviewed]).update(
        status=QueueStatus.DONE, done_at=timezone.now()
    )


def _rank_seats(items: list[QueueItem]) -> None:
    of_item = {item.pk: item.rank for item in items}
    seats = [
        seat
        for seat in Seat.objects.filter(item__in=list(of_item), done_at__isnull=True)
        if seat.rank != of_item[seat.item_id]
    ]
    for seat in seats:
        seat.rank = of_item[seat.item_id]
    Seat.objects.bulk_update(seats, ["rank"], batch_size=500)


def pull_forward(project: Project, domains: Iterable[str], reason: str) -> int:
    """Move waiting questions of these domains to the front; returns how many were found there."""
    waiting = QueueItem.objects.filter(
        project=project, status=QueueStatus.WAITING, question__domain__in=list(domains)
    ).order_by("pk")
    found, last = 0, 0
    while True:
        with transaction.atomic():
            # Items before their seats, by key, as everywhere: two that lock in one order never wait for
            # each other. And these alone: another may have come to wait since they were locked.
            following = waiting.filter(pk__gt=last).select_for_update(no_key=True, of=("self",))
            ids = list(following.values_list("pk", flat=True)[:ARRANGED_AT_ONCE])
            if not ids:
                return found
            here = QueueItem.objects.filter(pk__in=ids)
            new = here.filter(pinned_reason="")
            Seat.objects.filter(item__in=new, done_at__isnull=True).update(rank=F("rank") + PINNED)
            new.update(rank=F("rank") + PINNED)
            here.update(pinned_reason=reason, reason=reason)
        found, last = found + len(ids), ids[-1]


def set_overlap(project: Project, overlap: int) -> None:
    """From now on so many people review a question; see `arrange`, which this does for all that wait.
    In a request `bulk.order_overlap` does this: a million may wait."""
    note_overlap(project, overlap)
    step = arrange(project, 0)
    while step is not None:
        step = arrange(project, step.last)


def note_overlap(project: Project, overlap: int) -> None:
    """What comes into the queue from now on gets so many seats."""
    Project.objects.filter(pk=project.pk).update(overlap=overlap)
    project.overlap = overlap


@dataclass(frozen=True)
class Arranged:
    """`seen` waiting questions up to the item `last`; `settled` of them were complete by that."""

    last: int
    seen: int
    settled: int


def arrange(project: Project, after: int, size: int = ARRANGED_AT_ONCE) -> Arranged | None:
    """Give the next waiting questions, by their items' keys, the seats that the project's overlap wants:
    more of them, or fewer of those that nobody holds. What is complete by that is settled. None where
    no more wait."""
    waiting = QueueItem.objects.filter(project=project, status=QueueStatus.WAITING)
    with transaction.atomic():
        following = waiting.filter(pk__gt=after).order_by("pk")
        items = list(following.select_for_update(no_key=True)[:size])
        if not items:
            return None
        overlap, last = wanted_reviews(project), items[-1].pk
        here = open_seats(project).filter(item__in=[item.pk for item in items])
        free = Q(holder__isnull=True) | Q(held_until__lt=timezone.now())
        here.filter(free, number__gt=overlap).delete()
        _seat_all_waiting(project, range(1, overlap + 1), after, last)
        left = set(here.values_list("item", flat=True))
        complete = [item for item in items if item.pk not in left]
        for item in complete:
            item.project = project
            settle(item)
    return Arranged(last, len(items), len(complete))


def _seat_all_waiting(project: Project, numbers: Iterable[int], after: int, last: int) -> None:
    """Seats of these numbers at the waiting questions among these items, by the database itself. A seat
    of such a number may stand: of somebody who sat down when there were more, or before."""
    with connection.cursor() as cursor:
        for number in numbers:
            cursor.execute(
                "INSERT INTO reviews_seat (project_id, item_id, number, rank) "
                "SELECT project_id, id, %s, rank FROM reviews_queueitem "
                # On SQLite the last clause keeps ON from being read as part of a join.
                "WHERE project_id = %s AND status = %s AND id > %s AND id <= %s "
                "ON CONFLICT DO NOTHING",
                [number, project.pk, QueueStatus.WAITING, after, last],
            )
