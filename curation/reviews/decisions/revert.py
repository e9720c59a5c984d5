"""What stood before a decision was taken back stands again, read from the log of decisions."""

from collections.abc import Callable, Iterable

from django.db.models import QuerySet

from curation.projects.models import Project
from curation.reviews.decisions.events import tell_made, tell_withdrawn
from curation.reviews.models import Decision, DecisionLog


def logged(rationale_ids: Iterable[int]) -> dict[int, list[DecisionLog]]:
    """All that was ever decided on these rationales, the oldest first, by rationale."""
    log: dict[int, list[DecisionLog]] = {}
    rows = DecisionLog.objects.filter(rationale__in=list(rationale_ids)).select_related("bulk")
    for row in rows.order_by("id"):
        log.setdefault(row.rationale_id, []).append(row)
    return log


def stood_before(
    rows: list[DecisionLog], is_taken_back: Callable[[DecisionLog], bool]
) -> DecisionLog | None:
    """Of one rationale's rows the last that was not taken back; None where nothing stood then. An action on
    many that was undone itself in the meantime does not come back by this."""
    for row in reversed(rows):
        if not is_taken_back(row) and not (row.bulk and row.bulk.undone_at):
            return row if row.outcome else None
    return None


def as_decision(row: DecisionLog) -> Decision:
    return Decision(
        rationale_id=row.rationale_id,
        project_id=row.project_id,
        outcome=row.outcome,
        rule_id=row.rule_id,
        bulk_id=row.bulk_id,
        decided_at=row.at,
    )


def take_back(project: Project, decisions: QuerySet[Decision]) -> None:
    """Delete these decisions of people. What the rule or an admin's action on many had decided on the
    same rationales before stands again."""
    ids = list(decisions.values_list("rationale", flat=True))
    tell_withdrawn(project, decisions)
    decisions.delete()
    rows = [
        stood_before(rows, lambda row: row.review_id is not None) for rows in logged(ids).values()
    ]
    again = [as_decision(row) for row in rows if row is not None]
    Decision.objects.bulk_create(again)
    tell_made(project, [one.pk for one in again])
