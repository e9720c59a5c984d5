"""The life of a rationale from its birth: who did what, when and why; from its reviews and from the log of
decisions, which nobody can change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Prefetch

from curation.questions.models import Question
from curation.rationales.models import Rationale, Source
from curation.reviews.bench.rationales import RationaleView, name_in_order, rationale_view
from curation.reviews.models import DecisionLog, Outcome, Reason, Review, Verdict
from curation.reviews.visibility import OUTCOMES, Viewer

SAID = {
    Verdict.APPROVE: "approved",
    Verdict.REJECT: "rejected",
    Verdict.EDIT: "edited and approved",
}
BECAME = {
    Outcome.APPROVED: "approved",
    Outcome.REJECTED: "rejected",
    Outcome.SUPERSEDED: "replaced",
}


@dataclass
class Event:
    """Something that happened to a rationale: when, what in words, and whether it was taken back."""

    at: datetime
    what: str
    why: str = ""
    taken_back: bool = False


def lives(question: Question, viewer: Viewer) -> list[tuple[RationaleView, list[Event]]]:
    """Every rationale of a question, also edits that were taken back, with what happened to it; likeliest
    good first. A reviewer sees only their own words while more people are asked about the question, or
    where it is a control, and no teacher's name where the project hides it."""
    rows = viewer.rationales(Rationale.objects.filter(question=question))
    reviews = Review.objects.select_related("reviewer").order_by("id")
    log = DecisionLog.objects.select_related(
        "review__reviewer", "rule", "bulk__created_by", "bulk__undone_by"
    ).order_by("id")
    reviews = viewer.reviews(reviews, question)
    if viewer.is_silent(question):
        log = log.none()
    rationales = [
        rationale_view(question, one)
        for one in rows.select_related(
            *("score", "teacher", "author", "decision__rule"),
            *("decision__review__reviewer", "decision__bulk__created_by"),
        )
        .prefetch_related(Prefetch("reviews", reviews), Prefetch("decision_log", log))
        .order_by(F("score__overall").desc(nulls_last=True), "id")
    ]
    name_in_order(rationales)
    letters = {rationale.rationale.pk: rationale.letter for rationale in rationales}
    for rationale in rationales:
        rationale.rationale.question = question
    decisions = viewer.decisions_of([rationale.rationale for rationale in rationales])
    for rationale in rationales:
        rationale.is_blind = viewer.hides_teachers
        rationale.decision = decisions[rationale.rationale.pk]
    return [(rationale, _events(rationale, letters, viewer.is_admin)) for rationale in rationales]


def _events(rationale: RationaleView, letters: dict[int, str], is_admin: bool) -> list[Event]:
    one = rationale.rationale
    events = [Event(one.created_at, _born(rationale, letters))]
    if rationale.score:
        events.append(
            Event(rationale.score.scored_at, f"scored, scorer {rationale.score.scorer_version}")
        )
    reviews = list(one.reviews.all())
    for review in reviews:
        said = [Reason(r).label for r in review.reasons if r != Reason.OTHER]
        why = ", ".join([*said, review.comment] if review.comment else said)
        what = f"{SAID[review.verdict]} by {review.reviewer}"
        if review.is_best:
            what += " as the best"
        if review.is_control and is_admin:
            what += ", as a control"
        if review.is_adjudication:
            what += ", who settled it"
        events.append(Event(review.created_at, what, why, review.withdrawn_at is not None))
        if review.withdrawn_at:
            events.append(Event(review.withdrawn_at, f"taken back by {review.reviewer}"))
    return sorted([*events, *_followed(one, reviews)], key=lambda event: event.at)


def _born(rationale: RationaleView, letters: dict[int, str]) -> str:
    one = rationale.rationale
    if one.parent_id:
        return f"edited by {one.author} from rationale {letters.get(one.parent_id, '?')}"
    if rationale.is_blind and one.source != Source.PERSON:
        return "imported" if one.source == Source.IMPORT else "written by a teacher"
    if one.source == Source.IMPORT:
        return f"imported, as a rationale of {one.teacher}" if one.teacher_id else "imported"
    return f"written: {rationale.wrote}"


def _followed(one: Rationale, reviews: Sequence[Review]) -> list[Event]:
    """What was decided, where no review above says it already."""
    log = list(one.decision_log.all())
    events = []
    for place, row in enumerate(log):
        before = log[place - 1] if place else None
        is_undo = _undoes(before, row)
        if is_undo or not (row.review and _is_told(one, row, reviews)):
            next_one = log[place + 1] if place + 1 < len(log) else None
            undone = next_one is not None and _undoes(row, next_one)
            why = row.bulk.comment if row.bulk and row.outcome else ""
            what = _undo_words(before, row) if is_undo else _words(one, row, reviews)
            events.append(Event(row.at, what, why, undone))
    return events


def _undoes(before: DecisionLog | None, row: DecisionLog) -> bool:
    """Whether the row is the undoing of a bulk action, which had made the row before."""
    if before is None or before.bulk is None or before.bulk.undone_at is None or not before.outcome:
        return False
    return row.at >= before.bulk.undone_at and (not row.outcome or row.review_id is None)


def _undo_words(before: DecisionLog | None, row: DecisionLog) -> str:
    now = f"{BECAME[row.outcome]} again" if row.outcome else "undecided again"
    return f"{now}: {before.bulk} was undone by {before.bulk.undone_by}"


def _is_told(one: Rationale, row: DecisionLog, reviews: Sequence[Review]) -> bool:
    """Whether a single review says it all: of this rationale, decided or withdrawn by its person."""
    if row.review.rationale_id != one.pk:
        return False
    if not row.outcome:
        return row.review.withdrawn_at is not None
    return OUTCOMES[row.review.verdict] == row.outcome and _agreeing(row, reviews) < 2


def _agreeing(row: DecisionLog, reviews: Sequence[Review]) -> int:
    """How many people had said the same when it was decided; 0 where an admin settled it."""
    if row.review.is_adjudication:
        return 0
    return sum(
        review.verdict == row.review.verdict and review.created_at <= row.review.created_at
        for review in reviews
        if not (review.is_control or review.is_adjudication)
        and (review.withdrawn_at is None or review.withdrawn_at > row.at)
    )


def _words(one: Rationale, row: DecisionLog, reviews: Sequence[Review]) -> str:
    if not row.outcome:
        return "undecided again" if row.review is None else "undecided again: that was taken back"
    what = BECAME[row.outcome]
    if row.rule:
        return f"{what} by the rule, rubric {row.rule.version}"
    if row.bulk:
        return f"{what} by {row.bulk.created_by} with many others, {row.bulk}"
    if row.review.rationale_id == one.pk:
        return f"{what}: {_agreeing(row, reviews)} people said the same"
    if row.review.edited_id == one.pk:
        return f"{what} with the edit by {row.review.reviewer}"
    return f"{what}, as {row.review.reviewer} decided on another rationale"
