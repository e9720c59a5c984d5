"""What follows from reviews: decisions where people agree, an admin's word where they do not."""

from collections.abc import Iterable

from django.utils import timezone

from curation.db.prepared_queries import Param, PreparedInsert, PreparedUpdate
from curation.projects.models import Project
from curation.rationales.models import Rationale
from curation.reviews.decisions.events import tell_made
from curation.reviews.models import Decision, Outcome, QueueItem, QueueStatus, Review, Verdict
from curation.reviews.visibility import OUTCOMES

DECISIONS = PreparedInsert(
    Decision,
    unique="rationale",
    updates=("project", "outcome", "review", "rule", "bulk", "decided_at"),
)
SETTLED = PreparedUpdate(
    lambda: (
        QueueItem.objects.filter(pk=Param("pk")),
        {"status": Param("status"), "done_at": Param("now")},
    )
)


def decide(project: Project, reviews: Iterable[Review]) -> None:
    """Each review decides its rationale; an edit takes its rationale's place. A person's word replaces the
    rule's."""
    rows = []
    for review in reviews:
        rows.append((review.rationale_id, OUTCOMES[review.verdict], review))
        if review.edited_id:
            rows.append((review.edited_id, Outcome.APPROVED, review))
    put(project, rows)


def put(project: Project, rows: Iterable[tuple[int, str, Review]]) -> None:
    """Write decisions, (rationale id, outcome, the review that it follows from)."""
    now, rows = timezone.now(), list(rows)
    DECISIONS.run(
        [
            Decision(
                rationale_id=rationale_id,
                project=project,
                outcome=outcome,
                review=review,
                decided_at=now,
            )
            for rationale_id, outcome, review in rows
        ]
    )
    tell_made(project, [rationale_id for rationale_id, _, _ in rows])


def settle(item: QueueItem, just_made: list[Review] | None = None, seats: int = 0) -> str:
    """All seats of a question are filled (so many, where the caller has counted them): decide what its
    reviewers agree on; returns its new status.

    With one seat each review decides. With more, a rationale is decided when everybody said approve, or
    everybody reject; an edit, a rationale of one's own, a rationale that somebody passed over, and any other
    disagreement wait for an admin. Called in a transaction that holds the item's lock.
    """
    seats = seats or item.seats.filter(number__isnull=False).count()
    status = QueueStatus.DONE
    if seats == 1 and just_made is not None:
        decide(item.project, just_made)
    else:
        agreed, disputed = sort_out(item, seats)
        decide(item.project, agreed)
        status = QueueStatus.ADJUDICATE if disputed else QueueStatus.DONE
    SETTLED.run(pk=item.pk, status=status, now=timezone.now())
    return status


def standing_reviews(item: QueueItem) -> list[Review]:
    """What stands of its reviewers' words on rationales that no person's word has decided."""
    return list(
        Review.objects.standing()
        .filter(
            rationale__question_id=item.question_id,
            rationale__project__isnull=False,  # none of a deleted rationale
            is_adjudication=False,
            is_control=False,
        )
        .exclude(rationale__decision__review__isnull=False)
        .exclude(rationale__decision__outcome=Outcome.SUPERSEDED)
        .order_by("id")
    )


def sort_out(item: QueueItem, seats: int) -> tuple[list[Review], list[int]]:
    """(the last review of each rationale that all agree on, the ids of the rationales in dispute)."""
    by_rationale: dict[int, list[Review]] = {}
    for review in standing_reviews(item):
        by_rationale.setdefault(review.rationale_id, []).append(review)
    agreed, disputed = [], []
    for rationale, reviews in by_rationale.items():
        verdicts = {review.verdict for review in reviews}
        is_one_word = len(verdicts) == 1 and len(reviews) >= seats and Verdict.EDIT not in verdicts
        if is_one_word or seats == 1:
            agreed.append(reviews[-1])
        else:
            disputed.append(rationale)
    return agreed, disputed


def put_aside_edits(project: Project, review: Review, rationale: Rationale) -> None:
    """An admin has decided a rationale, or taken one of its edits: its other edits are not taken."""
    if rationale.parent_id and review.verdict == Verdict.REJECT:
        return
    family = rationale.parent_id or rationale.pk
    pending = Rationale.objects.filter(
        parent_id=family, decision__isnull=True, edit_review__withdrawn_at__isnull=True
    )
    rows = [(one.pk, Outcome.REJECTED, review) for one in pending if one.pk != rationale.pk]
    if rationale.parent_id:
        rows.append((rationale.parent_id, Outcome.SUPERSEDED, review))
    put(project, rows)
