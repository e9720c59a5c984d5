"""Which questions an order is for. Decisions, which stand to the right, are reached by the name of
the reverse relation only."""

from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from curation.db.search import found, parse
from curation.projects.models import Project
from curation.questions.models import Question, Split
from curation.rationales.models import AnswerVerdict, Rationale, is_right
from curation.web.pagination import one_of

WHICH = {
    "train": "all training questions",
    "missing": "those without rationales",
    "no_right": "those without a right rationale",
    "all_wrong": "those that every sample got wrong",
    "unapproved": "those without an approved rationale",
    "first": "the first …",
}


@dataclass(frozen=True)
class Choice:
    """A filter over a project's training questions; empty fields filter nothing."""

    which: str = "train"
    limit: int | None = None
    domain: str = ""
    difficulty: str = ""
    subset: str = ""
    words: str = ""

    def stored(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    def questions(self, project: Project) -> QuerySet[Question]:
        """The training questions that it keeps. Raises Invalid for an unknown `which`."""
        rows = project.questions.filter(split=Split.TRAIN).order_by("id")
        rows = rows.filter(_which(one_of("which", self.which, WHICH)))
        for name in ("domain", "difficulty", "subset"):
            if value := getattr(self, name):
                rows = rows.filter(**{name: value})
        if self.words:
            rows = found(rows, parse(self.words))
        if self.limit:
            # As a condition on ids: a slice could not be filtered or ordered again.
            rows = Question.objects.filter(pk__in=rows.values("pk")[: self.limit]).order_by("id")
        return rows


def _which(which: str) -> Q:
    rationales = Rationale.objects.filter(question=OuterRef("pk"))
    right = Q(Exists(rationales.filter(is_right("score__"))))
    wrong = rationales.filter(score__verdict=AnswerVerdict.WRONG)
    # One that was scored and not read may be right: then not every sample is known to be wrong.
    others = rationales.filter(score__isnull=False).exclude(score__verdict=AnswerVerdict.WRONG)
    return {
        "train": Q(),
        "first": Q(),
        "missing": ~Q(Exists(rationales)),
        "no_right": ~right,
        "all_wrong": Q(Exists(wrong)) & ~Q(Exists(others)),
        "unapproved": ~Q(Exists(rationales.filter(decision__outcome="approved"))),
    }[which]
