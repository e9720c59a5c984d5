"""The work of a deletion and of its restoring. See orders.py for its order, and Deletion.

What is deleted loses its project, and with it its scores, decisions, flags, open seats and place in
the queue: every list, count and queue asks by project, and so does every index. What people said, and
the seats that they filled, stay theirs. Each step is one transaction that notes how far it came.
"""

from collections.abc import Callable, Iterator, Sequence

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from curation.errors import Conflict
from curation.jobs import Status, Superseded, begin, ending, finish, give_way, go_on
from curation.projects.access import refusal
from curation.projects.models import Project
from curation.questions.models import Deletion, Kind, Question
from curation.questions.selectors import questions
from curation.rationales.listing.selectors import rationales
from curation.rationales.models import (
    Embedding,
    Group,
    MeaningSearch,
    Rationale,
    ReadingCase,
    Score,
    ScoreFlag,
    Slot,
    SlotStatus,
    TextKind,
)
from curation.rationales.scoring.scores import order_scoring, to_score_again
from curation.reviews.decisions.events import tell_made, tell_withdrawn
from curation.reviews.models import Control, Decision, QuestionFlag, QueueItem, Seat
from curation.reviews.queue.items import (
    enqueue,
    fit_seats,
    lock_items,
    rationales_came_back,
    rationales_went,
)

AT_ONCE = 200
# What belongs to a rationale, and what to a question: these lose their project with it.
OF_RATIONALE = (Score, ScoreFlag, ReadingCase, Decision)
OF_QUESTION = (Group, QueueItem, QuestionFlag)
SLOT_STOPPED = "Its question was deleted."


def chosen(deletion: Deletion) -> QuerySet:
    """What the deletion is about and stands in the project (still, or again)."""
    project = deletion.project
    find = questions if deletion.kind == Kind.QUESTIONS else rationales
    rows = find(project, deletion.filters).filter(pk__lte=deletion.until)
    return rows.filter(pk=deletion.one) if deletion.one else rows


def taken(deletion: Deletion) -> QuerySet:
    """What the deletion took and has not given back."""
    model = Question if deletion.kind == Kind.QUESTIONS else Rationale
    return model.all_objects.filter(deletion=deletion, project__isnull=True)


def run_deletion(deletion_id: int, is_over: Callable[[], bool] = lambda: False) -> bool:
    """Do what is left of a deletion, or of its restoring. Does nothing where another worker has it.

    `is_over` is asked between two steps; when it says so the rest waits. Returns whether some is left.
    """
    deletion = begin(Deletion, deletion_id)
    if deletion is None:
        return False
    with ending(deletion):
        who = deletion.restored_by if deletion.restored_at else deletion.created_by
        if why := refusal(who, deletion.project_id):
            finish(deletion, Status.FAILED, error=why)
            return False
        try:
            steps = _restore_all(deletion) if deletion.restored_at else _delete_all(deletion)
            for n, _ in enumerate(steps):
                if n and is_over():
                    return give_way(deletion)
        except Superseded:
            return False
        finish(deletion, Status.DONE)
    order_scoring(
        deletion.project, None
    )  # the rationales that stay are compared with each other anew
    return False


def _came_to(deletion: Deletion, last: int, **counts: object) -> None:
    """Note how far it came, in the transaction of the step."""
    go_on(deletion, last=last, **counts)
    deletion.last = last


def _next(rows: QuerySet, deletion: Deletion) -> list[int]:
    after = rows.filter(pk__gt=deletion.last or 0).order_by("pk")
    return list(after.values_list("pk", flat=True)[:AT_ONCE])


def _delete_all(deletion: Deletion) -> Iterator[None]:
    take = _take_questions if deletion.kind == Kind.QUESTIONS else _take_rationales
    while ids := _next(chosen(deletion), deletion):
        yield
        with transaction.atomic():
            n, rationales = take(deletion, ids)
            counts = {"deleted": F("deleted") + n, "rationales": F("rationales") + rationales}
            _came_to(deletion, ids[-1], **counts)


def _restore_all(deletion: Deletion) -> Iterator[None]:
    while ids := _next(taken(deletion), deletion):
        yield
        with transaction.atomic():
            n = give_back(deletion, ids)
            _came_to(deletion, ids[-1], restored=F("restored") + n)


def _locked(rows: QuerySet) -> list[int]:
    """The keys of these rows, in their order: who locks in one order never waits for each other."""
    locked = rows.select_for_update(no_key=True, of=("self",)).order_by("pk")
    return list(locked.values_list("pk", flat=True))


def _take_questions(deletion: Deletion, ids: Sequence[int]) -> tuple[int, int]:
    """(how many questions went, and how many rationales with them)."""
    lock_items(ids)
    ids = _locked(Question.objects.filter(project=deletion.project, pk__in=ids))
    # Before the rationales are looked for: who writes one holds its slot, and finds it ended after this.
    Slot.objects.filter(question__in=ids, status=SlotStatus.EMPTY).update(
        status=SlotStatus.FAILED, error=SLOT_STOPPED, batch=None
    )
    for model in OF_QUESTION:
        model.objects.filter(question__in=ids).update(project=None)
    Control.objects.filter(item__question__in=ids).update(project=None)
    seats = Seat.objects.filter(item__question__in=ids, done_at__isnull=True)
    seats.filter(number__isnull=True).delete()  # a control's is its holder's alone
    seats.update(project=None, holder=None, held_until=None)
    rationales = _take_rows(deletion, Rationale.objects.filter(question__in=ids))
    Embedding.objects.filter(
        project=deletion.project, kind=TextKind.QUESTION, object_id__in=ids
    ).delete()
    Question.objects.filter(pk__in=ids).update(project=None, deletion=deletion)
    return len(ids), len(rationales)


def _take_rationales(deletion: Deletion, ids: Sequence[int]) -> tuple[int, int]:
    rows = Rationale.objects.filter(project=deletion.project, pk__in=ids)
    of = sorted(set(rows.values_list("question", flat=True)))
    lock_items(of)
    # The group is scored anew without them. Whoever is at it now ends before this, or finds it so.
    to_score_again(Group.objects.filter(question__in=of))
    gone = _take_rows(deletion, rows)
    rationales_went(deletion.project, of)
    return len(gone), 0


def _take_rows(deletion: Deletion, rows: QuerySet[Rationale]) -> list[int]:
    ids = _locked(rows)
    tell_withdrawn(deletion.project, Decision.objects.filter(rationale__in=ids))
    Rationale.objects.filter(pk__in=ids).update(project=None, deletion=deletion)
    for model in OF_RATIONALE:
        model.objects.filter(rationale__in=ids).update(project=None)
    # Made anew when it is restored, see `meaning.missing`: what has no vector is not compared.
    Embedding.objects.filter(
        project=deletion.project, kind=TextKind.RATIONALE, object_id__in=ids
    ).delete()
    MeaningSearch.objects.filter(like__in=ids).delete()  # its page shows the rationale's text
    return ids


def give_back(deletion: Deletion, ids: Sequence[int]) -> int:
    """Give these, which the deletion took, back to the project; how many could be. A question stays
    where the same was added again meanwhile, a rationale where its question is deleted. Called in a
    transaction."""
    project = Project.objects.get(pk=deletion.project_id)  # with its settings of now
    rows = taken(deletion).filter(pk__in=ids)
    if deletion.kind == Kind.RATIONALES:
        return _give_rationales_back(project, rows.filter(question__project=project))
    clash = Question.objects.filter(
        project=project, content_hash__in=rows.values("content_hash")
    ).values_list("content_hash", flat=True)
    return _give_questions_back(project, deletion, rows.exclude(content_hash__in=list(clash)))


def _give_questions_back(project: Project, deletion: Deletion, rows: QuerySet[Question]) -> int:
    lock_items(list(rows.values_list("pk", flat=True)))
    ids = _locked(rows)
    try:
        with transaction.atomic():
            Question.all_objects.filter(pk__in=ids).update(project=project)
    except IntegrityError:
        raise Conflict("The same question was added just now: restore it once more.") from None
    rationales = Rationale.all_objects.filter(
        question__in=ids, deletion=deletion, project__isnull=True
    )
    # The scorers may have changed meanwhile.
    to_score_again(Group.objects.filter(question__in=ids))
    for model in OF_QUESTION:
        model.objects.filter(question__in=ids).update(project=project)
    Control.objects.filter(item__question__in=ids).update(project=project)
    Seat.objects.filter(item__question__in=ids, project__isnull=True).update(project=project)
    _give_rows_back(project, rationales)
    fit_seats(project, ids)
    enqueue(project, ids)
    return len(ids)


def _give_rationales_back(project: Project, rows: QuerySet[Rationale]) -> int:
    of = sorted(set(rows.values_list("question", flat=True)))
    lock_items(of)
    to_score_again(Group.objects.filter(question__in=of))
    ids = _give_rows_back(project, rows)
    rationales_came_back(project, of)
    return len(ids)


def _give_rows_back(project: Project, rows: QuerySet[Rationale]) -> list[int]:
    ids = _locked(rows)
    Rationale.all_objects.filter(pk__in=ids).update(project=project)
    for model in OF_RATIONALE:
        model.objects.filter(rationale__in=ids).update(project=project)
    tell_made(
        project, list(Decision.objects.filter(rationale__in=ids).values_list("pk", flat=True))
    )
    return ids
