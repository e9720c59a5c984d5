"""Rows that the tests of scoring in the app begin with, scored by the worker's own task."""

from typing import Any

from curation.jobs import Status
from curation.projects.models import Project
from curation.questions.formats import Row
from curation.questions.models import Question
from curation.questions.services import add_questions
from curation.rationales.models import Rationale, Score, ScoringRun, Source, text_hash
from curation.rationales.scoring.scores import mark_stale, order_scoring
from workers.scoring.tasks import score


def score_all(project: Project) -> ScoringRun:
    run = order_scoring(project, None)
    score(run.pk)
    run.refresh_from_db()
    assert run.status == Status.DONE, run.error
    return run


def codes(rationale: Rationale) -> set[str]:
    return {flag["code"] for flag in Score.objects.get(pk=rationale.pk).detail["flags"]}


def write(question: Question, texts: list[str]) -> list[Rationale]:
    """Imported rationales that wait for scores."""
    rationales = [
        Rationale.objects.create(
            project=question.project,
            question=question,
            source=Source.IMPORT,
            text=text,
            text_hash=text_hash(text),
        )
        for text in texts
    ]
    mark_stale(question.project, [question.pk])
    return rationales


def one_question(project: Project, **fields: Any) -> Question:
    row = Row(line=1, question="How many eggs has Ann?", **fields)
    return add_questions(project, [row], "train")[0][0]
