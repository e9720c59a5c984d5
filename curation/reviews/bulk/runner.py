"""The work of what is done to many rationales at once, and its undoing. See bulk.py for its order.

Each step writes its decisions and how far it came in one transaction, so a worker that dies costs
nothing; the log of decisions (history.py) knows what stood before, which is what an undo puts back.
"""

from collections.abc import Callable, Iterator

from django.db import transaction
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from curation.jobs import Status, Superseded, begin, ending, finish, give_way, go_on
from curation.projects.access import refusal
from curation.projects.models import Project
from curation.questions.models import Question, Split
from curation.rationales.listing.selectors import rationales
from curation.rationales.models import Rationale, Source
from curation.rationales.scoring.scores import mark_stale, order_scoring
from curation.reviews.decisions.events import tell_made, tell_withdrawn
from curation.reviews.decisions.revert import as_decision, logged, stood_before
from curation.reviews.decisions.rule import decide_in_rules_name, rule_decides
from curation.reviews.models import BulkAction, BulkKind, Decision, DecisionLog, Outcome, Seat
from curation.reviews.queue.assignments import assignable
from curation.reviews.queue.items import arrange, enqueue, lock_items, open_again

AT_ONCE = 500
DECIDES = {
    BulkKind.APPROVE: Outcome.APPROVED,
    BulkKind.REJECT: Outcome.REJECTED,
    BulkKind.CLEAR: "",
}


def chosen(project: Project, filters: dict[str, str], until: int) -> QuerySet[Rationale]:
    """The rationales that the filters keep, up to the newest one there was."""
    return rationales(project, filters).filter(pk__lte=until).order_by("id")


def state_of(kind: str) -> Case:
    """Of a rationale: `change`, or why it stays: people, held_out, pending, already."""
    cases = [
        When(Q(decision__review__isnull=False), then=Value("people")),
        When(~Q(question__split=Split.TRAIN), then=Value("held_out")),
        When(Q(source=Source.PERSON, decision__isnull=True), then=Value("pending")),
    ]
    outcome = DECIDES[kind]
    same = Q(decision__outcome=outcome) if outcome else Q(decision__isnull=True)
    cases.append(When(same, then=Value("already")))
    return Case(*cases, default=Value("change"), output_field=CharField())


def run_bulk(action_id: int, is_over: Callable[[], bool] = lambda: False) -> bool:
    """Do, or undo, what is left of an action. Does nothing where another worker has it.

    `is_over` is asked between two steps; when it says so the rest waits. Returns whether some is left.
    """
    action = begin(BulkAction, action_id)
    if action is None:
        return False
    with ending(action):
        who = action.undone_by if action.undone_at else action.created_by
        # What a setting that is in force wants is done, whoever set it.
        if action.kind != BulkKind.OVERLAP and (why := refusal(who, action.project_id)):
            finish(action, Status.FAILED, error=why)
            return False
        try:
            steps = _undo_all(action) if action.undone_at else _do_all(action)
            for n, _ in enumerate(steps):
                if n and is_over():
                    return give_way(action)
        except Superseded:
            return False
        finish(action, Status.DONE)
    return False


def _came_to(action: BulkAction, last: int, **counts: object) -> None:
    """Note how far it came, in the transaction of the step."""
    go_on(action, last=last, **counts)
    action.last = last


def _do_all(action: BulkAction) -> Iterator[None]:
    """All of it; comes back before each step."""
    if action.kind in WHOLE:
        while WHOLE[action.kind](action):
            yield
        return
    rows = chosen(action.project, action.filters, action.until)
    if action.kind in DECIDES:
        rows = rows.annotate(state=state_of(action.kind))
    else:
        rows = rows.annotate(state=Value("change"))
    while part := list(
        rows.filter(pk__gt=action.last or 0).values_list("pk", "question_id", "state")[:AT_ONCE]
    ):
        yield
        ids = [pk for pk, _, state in part if state == "change"]
        questions = sorted({question for _, question, state in part if state == "change"})
        with transaction.atomic():
            lock_items(questions)
            here = Rationale.objects.filter(pk__in=ids)  # without what was deleted since
            ids = list(here.order_by("pk").values_list("pk", flat=True))
            changed = _step(action, ids, questions)
            seen, total = F("seen") + len(part), F("changed") + changed
            _came_to(action, part[-1][0], seen=seen, changed=total)
    if action.kind == BulkKind.RESCORE:
        order_scoring(action.project, None)


def _rule_step(action: BulkAction) -> bool:
    """False where nothing is left to decide."""
    undecided = rule_decides(action.project, action.rule).filter(pk__lte=action.until)
    some = undecided.filter(pk__gt=action.last or 0).order_by("pk")
    ids = list(some.values_list("pk", flat=True)[:AT_ONCE])
    if not ids:
        return False
    with transaction.atomic():
        changed = decide_in_rules_name(action.project, action.rule, ids)
        _came_to(action, ids[-1], seen=F("seen") + len(ids), changed=F("changed") + changed)
    return True


def _overlap_step(action: BulkAction) -> bool:
    """False where no question is left that waits."""
    with transaction.atomic():
        step = arrange(action.project, action.last or 0)
        if step is None:
            return False
        seen, settled = F("seen") + step.seen, F("changed") + step.settled
        _came_to(action, step.last, seen=seen, changed=settled)
    return True


WHOLE = {BulkKind.RULE: _rule_step, BulkKind.OVERLAP: _overlap_step}


def _step(action: BulkAction, ids: list[int], questions: list[int]) -> int:
    """Change these rationales; how many were."""
    if action.kind == BulkKind.RESCORE:
        mark_stale(action.project, questions)
        return len(ids)
    if action.kind == BulkKind.ASSIGN:
        return _assign(action, questions)
    now = timezone.now()
    standing = Decision.objects.filter(rationale__in=ids, review__isnull=True)
    if action.kind == BulkKind.CLEAR:
        tell_withdrawn(action.project, standing)
        standing.update(rule=None, bulk=action)  # so that the log says who took it back
        changed, _ = Decision.objects.filter(rationale__in=ids, bulk=action).delete()
        open_again(action.project, questions)
        return changed
    outcome = DECIDES[action.kind]
    # Asked again by the database: a person may have decided since the rationales were read.
    changed = standing.exclude(outcome=outcome).update(
        outcome=outcome, rule=None, bulk=action, decided_at=now
    )
    rows = [
        Decision(
            rationale_id=pk, project=action.project, outcome=outcome, bulk=action, decided_at=now
        )
        for pk in ids
    ]
    new = set(ids) - set(
        Decision.objects.filter(rationale__in=ids).values_list("rationale", flat=True)
    )
    Decision.objects.bulk_create(
        (row for row in rows if row.rationale_id in new), ignore_conflicts=True
    )
    changed += Decision.objects.filter(rationale__in=new, bulk=action).count()
    tell_made(
        action.project,
        list(
            Decision.objects.filter(bulk=action, rationale__in=ids).values_list(
                "rationale", flat=True
            )
        ),
    )
    enqueue(action.project, questions)
    return changed


def _assign(action: BulkAction, questions: list[int]) -> int:
    asked = Question.objects.filter(pk__in=questions)
    free = list(assignable(action.project, action.person, asked).values_list("pk", flat=True))
    still = Seat.objects.filter(pk__in=free, assigned_to=None, done_at=None)
    still.update(assigned_to=action.person)
    taken = Seat.objects.filter(pk__in=free, assigned_to=action.person).values_list("pk", flat=True)
    action.seats = sorted({*action.seats, *taken})
    BulkAction.objects.filter(pk=action.pk).update(seats=action.seats)
    return len(taken)


def _undo_all(action: BulkAction) -> Iterator[None]:
    if action.kind == BulkKind.ASSIGN:
        with transaction.atomic():
            left = Seat.objects.filter(pk__in=action.seats, done_at=None, assigned_to=action.person)
            lock_items(left.values("item__question"))
            _came_to(action, 0, put_back=left.update(assigned_to=None))
        return
    while ids := _changed_after(action):
        yield
        with transaction.atomic():
            touched = Rationale.objects.filter(pk__in=ids).values_list("question", flat=True)
            questions = sorted(set(touched))
            lock_items(questions)
            back = _put_back(action, ids)
            enqueue(action.project, questions)
            open_again(action.project, questions)
            _came_to(action, ids[-1], put_back=F("put_back") + len(back))


def _changed_after(action: BulkAction) -> list[int]:
    """The next rationales that the action changed and that nobody has decided since."""
    if action.kind != BulkKind.CLEAR:
        rows = Decision.objects.filter(bulk=action, project__isnull=False)
    else:
        stands = Decision.objects.filter(rationale=OuterRef("rationale"))
        rows = DecisionLog.objects.filter(
            ~Exists(stands), bulk=action, outcome="", rationale__project__isnull=False
        )
    rows = rows.filter(rationale__gt=action.last or 0).order_by("rationale")
    return list(rows.values_list("rationale", flat=True)[:AT_ONCE])


def _put_back(action: BulkAction, ids: list[int]) -> list[int]:
    """Give these rationales the decision that stood before the action; those that got it."""
    log = logged(ids)
    before = {
        pk: stood_before(log[pk], lambda row: row.bulk_id == action.pk)
        for pk in ids
        if log[pk][-1].bulk_id == action.pk
    }
    gone = Decision.objects.filter(
        bulk=action, rationale__in=[pk for pk, row in before.items() if row is None]
    )
    tell_withdrawn(action.project, gone)
    gone.delete()
    again = [as_decision(row) for row in before.values() if row is not None]
    if action.kind == BulkKind.CLEAR:
        Decision.objects.bulk_create(again, ignore_conflicts=True)
    for one in again if action.kind != BulkKind.CLEAR else ():
        Decision.objects.filter(pk=one.pk, bulk=action).update(
            outcome=one.outcome,
            rule_id=one.rule_id,
            bulk_id=one.bulk_id,
            decided_at=one.decided_at,
        )
    tell_made(action.project, [one.pk for one in again])
    return list(before)
