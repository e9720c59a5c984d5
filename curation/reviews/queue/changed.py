"""What follows where a question was changed: what hung on the old values is made again.

- Its rationales are scored again where it is graded by other values (`GRADED_BY`).
- Decisions by the rule hung on the old scores: they are taken back at once, so that no dataset is frozen
  with them, and the same rule decides again when the new scores are there (`decide_again`). What people
  decided, one by one or many at once, stays.
- Whoever sits before it gets it anew: they would decide about what is there no more.
- A question that left the training split leaves the queue; one that came into it comes into the queue.
"""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from curation.projects.models import Project
from curation.questions.correcting.changing import GRADED_BY, SHOWN
from curation.questions.models import QuestionChange, Split
from curation.rationales.models import Embedding, Group, TextKind
from curation.rationales.scoring.scores import order_scoring, to_score_again
from curation.reviews.decisions.events import tell_withdrawn
from curation.reviews.decisions.rule import decide_in_rules_name, rule_decides
from curation.reviews.models import Decision, QueueItem, QueueStatus, Seat
from curation.reviews.queue.items import (
    enqueue,
    lock_items,
    open_again,
    rationales_came_back,
)


def lock(questions: list[int]) -> None:
    """The items first, as a submission does: whoever comes second waits."""
    lock_items(questions)


def follow(project: Project, changes: Sequence[QuestionChange]) -> None:
    """Called in the transaction of the changes, after they were written."""
    graded = [one for one in changes if set(GRADED_BY) & set(one.after)]
    ids = [one.question_id for one in graded]
    if ids:
        _take_back_the_rules(project, graded)
        to_score_again(Group.objects.filter(question__in=ids))
        _forget_vectors(project, graded)
    _ask_anew([one.question_id for one in changes if set(SHOWN) & set(one.after)])
    moved = [one for one in changes if "split" in one.after]
    _leave_queue([one.question_id for one in moved if one.after["split"] != Split.TRAIN])
    if came := [one.question_id for one in moved if one.after["split"] == Split.TRAIN]:
        enqueue(project, came)
        rationales_came_back(project, came)
    if undecided := [one.question_id for one in graded if one.rule_id]:
        open_again(project, undecided)
    if ids:
        order_scoring(project, None)


def _take_back_the_rules(project: Project, changes: Sequence[QuestionChange]) -> None:
    """The log of decisions keeps that they stood, and that they were taken back."""
    by_rule = Decision.objects.filter(
        rationale__question__in=[one.question_id for one in changes], rule__isnull=False
    )
    rules = dict(by_rule.order_by("rule_id").values_list("rationale__question", "rule_id"))
    if not rules:
        return
    for change in changes:
        change.rule_id = rules.get(change.question_id)
    QuestionChange.objects.bulk_update(changes, ["rule"])
    tell_withdrawn(project, by_rule)
    by_rule.delete()


def decide_again(project: Project, questions: Iterable[int]) -> int:
    """The new scores of these questions are there: the rules whose decisions were taken back decide again
    on the same rationales; on how many they do."""
    waiting = QuestionChange.objects.filter(
        question__in=list(questions),
        rule__isnull=False,
        question__group__scored__gte=F("question__group__revision"),  # not changed again since
    )
    rules = {one.question_id: one.rule for one in waiting.select_related("rule").order_by("id")}
    approved = 0
    for question, rule in rules.items():
        with transaction.atomic():
            fit = rule_decides(project, rule).filter(question=question)
            ids = fit.filter(decision_log__rule=rule).values_list("pk", flat=True)
            approved += decide_in_rules_name(project, rule, sorted(set(ids)))
            QuestionChange.objects.filter(question=question, rule__isnull=False).update(rule=None)
    return approved


def _forget_vectors(project: Project, changes: Sequence[QuestionChange]) -> None:
    """Search by meaning makes the vector of another text itself."""
    other = [one.question_id for one in changes if "text" in one.after]
    Embedding.objects.filter(project=project, kind=TextKind.QUESTION, object_id__in=other).delete()


def _ask_anew(questions: Sequence[int]) -> None:
    """Whoever holds one of these shall see it as it is now; what they typed is kept by their page."""
    held = Seat.objects.filter(
        item__question__in=questions, done_at__isnull=True, holder__isnull=False
    )
    held.filter(number__isnull=True).delete()  # a control's is its holder's alone
    held.update(holder=None, held_until=None)


def _leave_queue(questions: Sequence[int]) -> None:
    """Controls stay: they measure reviewers, and nothing is trained on them for that."""
    open_now = (QueueStatus.WAITING, QueueStatus.ADJUDICATE)
    items = QueueItem.objects.filter(question__in=questions, status__in=open_now)
    waiting = list(items.values_list("pk", flat=True))
    Seat.objects.filter(item__in=waiting, done_at__isnull=True).delete()
    QueueItem.objects.filter(pk__in=waiting).update(status=QueueStatus.DONE, done_at=timezone.now())
