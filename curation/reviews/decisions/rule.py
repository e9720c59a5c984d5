"""Decide in the name of the project's rule: what passes its rubric is approved; an answer that could not be
read is rejected where the rubric says so, and else left to people."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from curation.projects.models import Project, Rubric, Unread
from curation.questions.models import Split
from curation.rationales.models import Rationale, Source, is_not_read, passes
from curation.reviews.decisions.events import tell_made, tell_withdrawn
from curation.reviews.models import Decision, Outcome, QueueItem

AT_ONCE = 500


def apply_rule(project: Project, *, rubric: Rubric | None = None) -> int:
    """Decide, in the rule's name, on every undecided training rationale on which the rubric has a word.

    Returns how many were decided. What a person decided is never touched.
    """
    rubric, decided = rubric or project.rubric, 0
    undecided = rule_decides(project, rubric).order_by("id").values_list("id", flat=True)
    while ids := list(undecided[:AT_ONCE]):
        with transaction.atomic():
            decided += decide_in_rules_name(project, rubric, ids)
    return decided


def rule_decides(project: Project, rubric: Rubric) -> QuerySet[Rationale]:
    """The teachers' training rationales on which nobody decided, and on which the rule would: those that
    pass the rubric, and those that it rejects because their answer was not read."""
    return (
        Rationale.objects.filter(passes(rubric, "score__") | _rejected(rubric), project=project)
        .filter(question__split=Split.TRAIN, decision__isnull=True)
        .exclude(source=Source.PERSON)
    )


def _rejected(rubric: Rubric) -> Q:
    """What is not read is rejected by such a rubric also where answers need not be right."""
    return is_not_read("score__") if rubric.unread == Unread.REJECT else Q(pk__in=[])


def decide_in_rules_name(project: Project, rubric: Rubric, ids: Sequence[int]) -> int:
    """Decide on those of these rationales on which nobody decided meanwhile; returns how many. Called in a
    transaction."""
    # The items first and by key, as everywhere: who submits on one of these waits, or is waited for.
    items = QueueItem.objects.select_for_update(no_key=True).order_by("pk")
    questions = Rationale.objects.filter(pk__in=ids).values("question")
    list(items.filter(question__in=questions).values_list("pk", flat=True))
    here = Rationale.objects.filter(pk__in=ids)  # what was deleted since stays out
    new = list(here.filter(decision__isnull=True).order_by("pk").values_list("pk", flat=True))
    rejected = set(here.filter(_rejected(rubric)).values_list("pk", flat=True))
    Decision.objects.bulk_create(
        (
            Decision(
                rationale_id=i,
                project=project,
                outcome=Outcome.REJECTED if i in rejected else Outcome.APPROVED,
                rule=rubric,
            )
            for i in new
        ),
        ignore_conflicts=True,
    )
    tell_made(project, new)
    return len(new)


def take_rejections_back(project: Project) -> set[int]:
    """What the rule rejected because its answer was not read, and what has been read since, is undecided
    again. Returns the questions; they may have to come back into the queue, see `items.open_again`."""
    gone = (
        Decision.objects.filter(project=project, rule__isnull=False, outcome=Outcome.REJECTED)
        .exclude(is_not_read("rationale__score__"))
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    touched: set[int] = set()
    while ids := list(gone[:AT_ONCE]):
        with transaction.atomic():
            rows = Decision.objects.filter(pk__in=ids, rule__isnull=False)
            touched.update(rows.values_list("rationale__question", flat=True))
            tell_withdrawn(project, rows)
            rows.delete()
    return touched
