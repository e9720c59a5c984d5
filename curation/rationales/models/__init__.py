"""All models of this app, by the names that others import them by."""

from curation.rationales.models.embeddings import Embedding, MeaningSearch, TextKind
from curation.rationales.models.generation import (
    Backend,
    Batch,
    Dtype,
    GenerationRun,
    Rationale,
    Slot,
    SlotQuerySet,
    SlotStatus,
    Source,
    Teacher,
    TeacherPart,
    TeacherTry,
    text_hash,
)
from curation.rationales.models.scores import (
    Group,
    Judge,
    Score,
    ScoreFlag,
    ScoreQuerySet,
    ScoringRun,
    passes,
)
from curation.rationales.models.slot_counts import (
    RATE_OVER,
    STATUSES,
    SlotCounts,
    count_resting,
    count_slots,
)
from curation.rationales.models.text_checks import TextCheck

__all__ = [
    "RATE_OVER",
    "STATUSES",
    "Backend",
    "Batch",
    "Dtype",
    "Embedding",
    "GenerationRun",
    "Group",
    "Judge",
    "MeaningSearch",
    "Rationale",
    "Score",
    "ScoreFlag",
    "ScoreQuerySet",
    "ScoringRun",
    "Slot",
    "SlotCounts",
    "SlotQuerySet",
    "SlotStatus",
    "Source",
    "Teacher",
    "TeacherPart",
    "TeacherTry",
    "TextCheck",
    "TextKind",
    "count_resting",
    "count_slots",
    "passes",
    "text_hash",
]
