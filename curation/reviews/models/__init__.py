"""All models of this app, by the names that others import them by."""

from curation.reviews.models.queue import (
    Control,
    QueueItem,
    QueueItemQuerySet,
    QueueStatus,
    Seat,
    Skip,
)
from curation.reviews.models.review import (
    AgreementCount,
    BulkAction,
    BulkKind,
    Decision,
    DecisionLog,
    FlagKind,
    Outcome,
    QuestionFlag,
    Reason,
    Review,
    ReviewQuerySet,
    Verdict,
)

__all__ = [
    "AgreementCount",
    "BulkAction",
    "BulkKind",
    "Control",
    "Decision",
    "DecisionLog",
    "FlagKind",
    "Outcome",
    "QuestionFlag",
    "QueueItem",
    "QueueItemQuerySet",
    "QueueStatus",
    "Reason",
    "Review",
    "ReviewQuerySet",
    "Seat",
    "Skip",
    "Verdict",
]
