"""The rationales of a question that a person may decide on or compare with."""

from django.db.models import F, prefetch_related_objects

from curation.db.prepared_queries import Param, Prepared
from curation.rationales.models import Rationale, Source
from curation.reviews.models import QueueItem

TO_REVIEW = Prepared(
    lambda: (
        Rationale.objects.filter(question=Param("question"))
        .exclude(source=Source.PERSON, decision__isnull=True)
        .select_related("score", "teacher", "decision")
        .order_by(F("score__overall").desc(nulls_last=True), "id")
    )
)


def to_review(item: QueueItem) -> list[Rationale]:
    """The rationales of a question that a person may decide on or compare with, likeliest good first: all
    but people's edits and own rationales that have no decision, since they were taken back or wait for an
    admin, whom other reviewers' words shall not sway."""
    rationales = TO_REVIEW.all(question=item.question_id)
    # Most questions come with no decision and no person's rationale: these joins would cost them half of
    # the time of the query for nothing.
    prefetch_related_objects([one for one in rationales if one.author_id], "author")
    decided = [one.decision for one in rationales if hasattr(one, "decision")]
    prefetch_related_objects(decided, "review__reviewer", "rule", "bulk__created_by")
    return rationales
