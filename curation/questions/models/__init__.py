"""All models of this app, by the names that others import them by."""

from curation.questions.models.change import QuestionChange
from curation.questions.models.deletion import Deletion, Kind
from curation.questions.models.question import (
    AnswerType,
    Question,
    QuestionImport,
    SavedMapping,
    Split,
)

__all__ = [
    "AnswerType",
    "Deletion",
    "Kind",
    "Question",
    "QuestionChange",
    "QuestionImport",
    "SavedMapping",
    "Split",
]
