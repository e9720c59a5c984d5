"""The project's cases of how answers are read: what the scorers made of them, scoring by scoring."""

from collections.abc import Sequence
from typing import Any

from curation.projects.models import Project
from curation.rationales.models import ReadingCase, Score


def unread_by_a_person(rows: Sequence[Score]) -> list[Score]:
    """Without those that a person read while they were being scored: their words stand, and their group is
    scored again."""
    cases = ReadingCase.objects.filter(rationale__in=[one.rationale_id for one in rows])
    known = set(cases.values_list("rationale", flat=True))
    return [one for one in rows if one.rationale_id not in known or one.detail.get("own")]


def note_readings(rows: Sequence[Score]) -> None:
    """Note at each case what the scorers themselves read now. Called in the transaction of the scores."""
    owns = {one.rationale_id: one for one in rows if one.detail.get("own")}
    if not owns:
        return
    cases = list(ReadingCase.objects.filter(rationale__in=list(owns)))
    for case in cases:
        score = owns[case.rationale_id]
        own: dict[str, Any] = score.detail["own"]
        case.found_answer = own["answer"] and own["answer"][:500]
        case.found_verdict, case.passes = own["verdict"], own["passes"]
        case.scorer_version, case.scored_at = score.scorer_version, score.scored_at
    ReadingCase.objects.bulk_update(
        cases, ["found_answer", "found_verdict", "passes", "scorer_version", "scored_at"]
    )


def case_counts(project: Project) -> dict[str, int]:
    """How many cases pass, fail, and have not been scored since they were made."""
    rows = ReadingCase.objects.filter(project=project).order_by().values_list("passes", flat=True)
    told = list(rows)
    return {
        "all": len(told),
        "pass": told.count(True),
        "fail": told.count(False),
        "open": told.count(None),
    }


def as_line(case: ReadingCase, is_blind: bool = False) -> dict[str, Any]:
    """A case as `python -m workers.scoring` reads it, with what should come out beside it. `is_blind`:
    without what tells teachers apart."""
    rationale, question = case.rationale, case.rationale.question
    return {
        "id": str(case.rationale_id),
        "question": question.text,
        "reference_answer": list(question.right_answers) or None,
        "answer_type": question.answer_type or None,
        "choices": question.choices or None,
        "finish_reason": None if is_blind else rationale.finish_reason or None,
        "rationale": rationale.text,
        "read_as": case.answer,
        "verdict": case.verdict,
        "scorers_read": case.found_answer if case.found_verdict else case.was_answer,
        "scorers_verdict": case.found_verdict or case.was_verdict,
        "passes": case.passes,
        "scorer_version": case.scorer_version or None,
    }
