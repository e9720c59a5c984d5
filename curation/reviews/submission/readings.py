"""A person reads an answer that the scorers misread: it counts at once, and becomes a case of the project."""

from django.db import transaction
from django.db.models import QuerySet

from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.rationales.models import AnswerVerdict, Group, Rationale, ReadingCase, Score
from curation.rationales.scoring.scores import order_scoring, to_score_again
from curation.reviews.decisions.events import tell_withdrawn
from curation.reviews.models import Decision
from curation.reviews.queue.items import lock_items, open_again

# What a person says of the answer that they read.
SAID = {
    "right": AnswerVerdict.RIGHT,
    "wrong": AnswerVerdict.WRONG,
    "none": AnswerVerdict.NOT_READ,
}
REASON = "A person read the answer so."
LONGEST = 500


def cases(project: Project) -> QuerySet[ReadingCase]:
    """The project's cases, the newest first."""
    rows = ReadingCase.objects.filter(project=project)
    return rows.select_related("rationale__question", "rationale__score", "created_by")


def read_as(
    project: Project, user: User, rationale: Rationale, answer: str, said: str
) -> ReadingCase:
    """The rationale's answer is this, and it is right or wrong; or there is `none` in it. A second word
    on the same rationale takes the place of the first.

    What the rule decided by the other verdict is undecided again; people's decisions stay. Raises Invalid
    for words that make no sense, Conflict where the rationale has no score yet.
    """
    answer = " ".join(answer.split())
    if said not in SAID:
        raise Invalid(f"{said!r} is not one of {', '.join(SAID)}.")
    if said == "none" and answer:
        raise Invalid("Leave the answer empty where there is none in the rationale.")
    if said != "none" and not answer:
        raise Invalid("Type the answer that the rationale gives.")
    if len(answer) > LONGEST:
        raise Invalid(f"An answer has at most {LONGEST} characters.")
    has_reference = rationale.question.reference_answer is not None
    verdict = SAID[said] if has_reference else AnswerVerdict.NO_REFERENCE
    with transaction.atomic():
        lock_items([rationale.question_id])
        score = Score.objects.select_for_update().filter(pk=rationale.pk, project=project).first()
        if score is None:
            raise Conflict(
                "The scorers have not come to this rationale yet: there is no reading to correct."
            )
        before = ReadingCase.objects.filter(rationale=rationale).first()
        was = (before.was_answer, before.was_verdict) if before else (score.answer, score.verdict)
        case, _ = ReadingCase.objects.update_or_create(
            rationale=rationale,
            defaults={
                "project": project,
                "answer": answer or None,
                "verdict": verdict,
                "was_answer": was[0],
                "was_verdict": was[1],
                "found_answer": None,
                "found_verdict": "",
                "passes": None,
                "created_by": user,
            },
        )
        changed = score.verdict != verdict
        _count_at_once(score, case, rationale.text)
        if changed:
            _undo_the_rule(project, rationale)
        to_score_again(Group.objects.filter(question=rationale.question_id))
    order_scoring(project, None)
    return case


def _count_at_once(score: Score, case: ReadingCase, text: str) -> None:
    """The other figures, which depend on the group, follow with the scoring."""
    start = text.rfind(case.answer) if case.answer else -1
    detail = score.detail
    own = detail.get("own") or {
        "answer": score.answer,
        "verdict": score.verdict,
        "unread": score.unread,
        "passes": False,
    }
    score.detail = detail | {
        "own": own,
        "reason": REASON,
        "answer_method": "person",
        "answer_start": start,
        "answer_end": start + len(case.answer or "") if start >= 0 else -1,
        "answer_read": "",
        "reference_read": "",
    }
    score.answer, score.verdict = case.answer, case.verdict
    score.unread = "nothing_found" if case.verdict == AnswerVerdict.NOT_READ else ""
    score.save(update_fields=["answer", "verdict", "unread", "detail"])


def _undo_the_rule(project: Project, rationale: Rationale) -> None:
    rows = Decision.objects.filter(rationale=rationale, rule__isnull=False)
    if rows.exists():
        tell_withdrawn(project, rows)
        rows.delete()
        open_again(project, [rationale.question_id])


def drop_case(case: ReadingCase) -> None:
    """The scorers' own reading counts again, from the next scoring on."""
    project = case.project
    with transaction.atomic():
        to_score_again(Group.objects.filter(question=case.rationale.question_id))
        case.delete()
    order_scoring(project, None)
