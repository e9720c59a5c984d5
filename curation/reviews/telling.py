"""Tells the project's webhooks what was decided, in the transaction that decides."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

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
    names = {
        "rationale": "rationale_id",
        "question": "rationale__question_id",
        "outcome": "outcome",
        "review": "review_id",
        "reviewer": "review__reviewer__username",
        "rubric": "rule__version",
        "decided_at": "decided_at",
    }
    rows = Decision.objects.filter(rationale__in=ids).order_by("rationale_id")
    told = [dict(zip(names, row, strict=True)) for row in rows.values_list(*names.values())]
    for one in told:
        one["decided_at"] = one["decided_at"].isoformat()
    return told


def tell_withdrawn(project: Project, decisions: QuerySet[Decision]) -> None:
    """These decisions are about to be taken back. Call it before they are deleted."""
    if project.has_webhooks:
        tell(project, WITHDRAWN, lambda: _withdrawn(decisions))


def _withdrawn(decisions: QuerySet[Decision]) -> list[dict[str, Any]]:
    pairs = decisions.order_by("rationale_id").values_list("rationale_id", "rationale__question_id")
    return [{"rationale": rationale, "question": question} for rationale, question in pairs]
