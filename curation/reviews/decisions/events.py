"""Tells the project's webhooks what was decided, in the transaction that decides."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from curation.projects.models import Project
from curation.reviews.models import Decision
from curation.webhooks.services import MADE, WITHDRAWN, tell


def tell_made(project: Project, rationale_ids: Iterable[int]) -> None:
    """These rationales have just been decided, by whomever or by the rule. Call it in the transaction
    that wrote the decisions; costs nothing where the project has no webhooks."""
    if project.has_webhooks:
        ids = list(rationale_ids)
        tell(project, MADE, lambda: _made(ids))


def _made(ids: list[int]) -> list[dict[str, Any]]:
    rows = Decision.objects.filter(rationale__in=ids).order_by("rationale_id")
    told = rows.values(
        "outcome",
        "decided_at",
        "review",
        "rationale",
        question=F("rationale__question"),
        # Who decided, alone or many at once; null where the rule did.
        reviewer=Coalesce("review__reviewer__username", "bulk__created_by__username"),
        rubric=F("rule__version"),
    )
    return [{**one, "decided_at": one["decided_at"].isoformat()} for one in told]


def tell_withdrawn(project: Project, decisions: QuerySet[Decision]) -> None:
    """These decisions are about to be taken back. Call it before they are deleted."""
    if project.has_webhooks:
        tell(project, WITHDRAWN, lambda: _withdrawn(decisions))


def _withdrawn(decisions: QuerySet[Decision]) -> list[dict[str, Any]]:
    pairs = decisions.order_by("rationale_id").values_list("rationale_id", "rationale__question_id")
    return [{"rationale": rationale, "question": question} for rationale, question in pairs]
