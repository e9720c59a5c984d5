"""Approve, in the name of the project's rule, what passes its rubric."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from curation.projects.models import Project, Rubric
from curation.questions.models import Split
from curation.rationales.models import Rationale, Source, passes
from curation.reviews.decisions.events import tell_made
from curation.reviews.models import Decision, Outcome, QueueItem


def apply_rule(project: Project, *, rubric: Rubric | None = None) -> int:
    """Approve, in the rule's name, every undecided training rationale that passes the rubric.

    Returns how many were approved. What a person decided is never touched; nothing is rejected.
    """
    rubric, approved = rubric or project.rubric, 0
    undecided = passing_undecided(project, rubric).order_by("id").values_list("id", flat=True)
    while ids := list(undecided[:500]):
        with transaction.atomic():
            approved += approve_in_rules_name(project, rubric, ids)
    return approved


def passing_undecided(project: Project, rubric: Rubric) -> QuerySet[Rationale]:
    """The teachers' training rationales that pass the rubric, and on which nobody decided."""
    return (
        Rationale.objects.filter(passes(rubric, "score__"), project=project)
        .filter(question__split=Split.TRAIN, decision__isnull=True)
        .exclude(source=Source.PERSON)
    )


def approve_in_rules_name(project: Project, rubric: Rubric, ids: Sequence[int]) -> int:
    """Approve those of these rationales on which nobody decided meanwhile; returns how many. Called in a
    transaction."""
    # The items first and by key, as everywhere: who submits on one of these waits, or is waited for.
    items = QueueItem.objects.select_for_update(no_key=True).order_by("pk")
    questions = Rationale.objects.filter(pk__in=ids).values("question")
    list(items.filter(question__in=questions).values_list("pk", flat=True))
    here = Rationale.objects.filter(pk__in=ids)  # what was deleted since stays out
    new = list(here.filter(decision__isnull=True).order_by("pk").values_list("pk", flat=True))
    Decision.objects.bulk_create(
        (
            Decision(rationale_id=i, project=project, outcome=Outcome.APPROVED, rule=rubric)
            for i in new
        ),
        ignore_conflicts=True,
    )
    tell_made(project, new)
    return len(new)
