"""Reads for the bench and the history: a question with its rationales as a person decides on them."""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Avg, Count, F, Max, QuerySet
from django.utils import timezone

from curation.db.prepared_queries import Param, Prepared
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import AnswerVerdict, Group, Rationale
from curation.reviews.bench.near_duplicates import name_twins
from curation.reviews.bench.open_questions import open_questions
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.bench.rationales import RationaleView, name_in_order, rationale_view
from curation.reviews.models import (
    Outcome,
    QuestionFlag,
    QueueItem,
    QueueStatus,
    Review,
    Seat,
    Verdict,
)
from curation.templatetags.look import duration

# Longer rationales are shown but not put into the page a second time to be edited there.
MAX_EDITABLE = 30_000

# Asked for at every question, see curation.db.prepared_queries.
TODAY = Prepared(
    lambda: (
        Seat.objects.filter(project=Param("project"), holder=Param("user"))
        .filter(done_at__gte=Param("since"))
        .values("holder")
        .annotate(questions=Count("*"), pace=Avg("seconds"))
        .values_list("questions", "pace")
        .order_by()
    )
)


@dataclass
class Bench:
    """A question as the person who holds `seat` sees it. `is_shuffled`: the rationales stand in an order of
    this person's own, not by score."""

    seat: Seat
    question: Question
    rationales: list[RationaleView]
    answers: list[tuple[str, int, bool]]
    more_answers: int
    not_read: int
    is_shuffled: bool
    hides_reference: bool

    @property
    def item(self) -> QueueItem:
        return self.seat.item

    @property
    def texts(self) -> dict[str, str]:
        """The rationales' texts for the page's editor, by id."""
        return {
            str(c.rationale.pk): c.rationale.text
            for c in self.rationales
            if not c.locked and len(c.rationale.text) <= MAX_EDITABLE
        }


def bench_of(seat: Seat) -> Bench:
    """All that the bench shows of one question; open rationales first, the likeliest good one at the left,
    or in an order of the person's own where the project wants that. A control looks like any other."""
    item, project = seat.item, seat.project
    question = item.question
    rows = to_review(item)
    if seat.number is None:
        known = item.control.verdicts
        rows = [one for one in rows if str(one.pk) in known]
    rationales = [rationale_view(question, one, outlined=True) for one in rows]
    for rationale in rationales:
        rationale.is_blind = project.is_blind
        if seat.number is None:
            rationale.decision = None
    if project.is_shuffled:
        random.Random(f"{seat.holder_id} {item.pk}").shuffle(rationales)
    # Open ones stand before what is decided; within each, the order of to_review stays.
    rationales.sort(key=lambda rationale: (rationale.locked, _is_superseded(rationale)))
    name_in_order(rationales)
    name_twins(rationales)
    first = rationales[0] if rationales and not project.is_shuffled else None
    doubtful = (AnswerVerdict.WRONG, AnswerVerdict.NOT_READ)
    if first and len(rationales) > 1 and not first.locked and first.grade not in doubtful:
        first.likely_best = True
    counts: Counter[str] = Counter()
    right: set[str] = set()
    not_read = sum(one.grade == AnswerVerdict.NOT_READ for one in rationales)
    for rationale in rationales:
        is_read = rationale.score and rationale.grade != AnswerVerdict.NOT_READ
        if is_read and rationale.score.answer is not None:
            counts[rationale.score.answer] += 1
            if rationale.grade == AnswerVerdict.RIGHT:
                right.add(rationale.score.answer)
    common = counts.most_common()
    answers = [(answer, n, answer in right) for answer, n in common[:4]]
    return Bench(
        seat,
        question,
        rationales,
        answers,
        len(common) - len(answers),
        not_read,
        project.is_shuffled,
        project.hides_reference,
    )


def _is_superseded(rationale: RationaleView) -> bool:
    return rationale.decision is not None and rationale.decision.outcome == Outcome.SUPERSEDED


@dataclass(frozen=True)
class Progress:
    """`today`: questions that the person decided today; `pace`: seconds a question; `open`: questions of
    the project, see `open_questions`."""

    today: int
    pace: float | None
    open: int

    @property
    def words(self) -> str:
        each = f", {duration(self.pace)} each" if self.pace and self.pace >= 1 else ""
        return f"{self.today} done{each} · {self.open:,} open in all"


def progress(project: Project, user: User) -> Progress:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today, pace = TODAY.first(project=project.pk, user=user.pk, since=midnight) or (0, None)
    return Progress(today, pace, open_questions(project.pk))


@dataclass(frozen=True)
class Nothing:
    """Why no question came: `state` is held, skipped, others, scoring, adjudicate, done, unscored or
    empty. held: something may come back, at `until` at the latest. others: what waits is for other
    people, since this one has reviewed it or it is set aside for them."""

    state: str
    until: datetime | None = None


def nothing_for(project: Project, user: User, until: datetime | None) -> Nothing:
    """Why nothing waits for this person. `until`: when something may come back, see `others_hold`."""
    if until is not None:
        return Nothing("held", until)
    items = QueueItem.objects.filter(project=project)
    if items.filter(status=QueueStatus.WAITING, skips__user=user).exists():
        return Nothing("skipped")
    if items.filter(status=QueueStatus.WAITING).exists():
        return Nothing("others")
    if Group.objects.filter(project=project, scored__lt=F("revision")).exists():
        return Nothing("scoring" if items.exists() else "unscored")
    if items.filter(status=QueueStatus.ADJUDICATE).exists():
        return Nothing("adjudicate")
    if items.exists():
        return Nothing("done")
    if Rationale.objects.filter(project=project).exists():
        return Nothing("unscored")
    return Nothing("empty")


def prefill_of(item_id: int, user: User) -> dict[str, dict[str, Any]]:
    """What the person withdrew of this question last, as the page holds decisions, by rationale id:
    to be changed and sent again. A rationale that they wrote stands under "own", as {"text"}."""
    withdrawn = Review.objects.filter(
        reviewer=user,
        rationale__question__queue_item=item_id,
        rationale__project__isnull=False,
        withdrawn_at__isnull=False,
    ).select_related("edited", "rationale")
    last = withdrawn.aggregate(at=Max("withdrawn_at"))["at"]
    prefill: dict[str, dict[str, Any]] = {}
    for review in withdrawn.filter(withdrawn_at=last):
        rationale = review.rationale
        if rationale.author_id == user.pk and rationale.parent_id is None:
            prefill["own"] = {"text": rationale.text}
            continue
        prefill[str(rationale.pk)] = {
            "verdict": review.verdict,
            "reasons": review.reasons,
            "comment": review.comment,
            "labels": review.step_labels,
            "edited": review.edited.text if review.verdict == Verdict.EDIT else "",
            "best": review.is_best,
        }
    return prefill


def flags_of(question: Question, user: User) -> QuerySet[QuestionFlag]:
    """What this person says of the question itself and has not taken back, the oldest first."""
    return QuestionFlag.objects.open().filter(question=question, user=user).order_by("id")


def flagged_by(project: Project, user: User, limit: int = 500) -> QuerySet:
    """Ids of the queue's items whose questions this person has flagged, the latest flags first. The
    page learns them once, so that no question that comes after has to ask."""
    mine = (
        QuestionFlag.objects.open()
        .filter(project=project, user=user)
        .exclude(question__queue_item=None)
    )
    return mine.order_by("-id").values_list("question__queue_item", flat=True)[:limit]


def history(project: Project, user: User) -> QuerySet[Review]:
    """What a person said in this project, the newest first; what was taken back stays in it, what is of
    deleted rationales comes back with them."""
    return (
        Review.objects.filter(project=project, reviewer=user, rationale__project=project)
        .select_related("rationale__question", "rationale__teacher", "edited")
        .only(
            "verdict",
            "reasons",
            "comment",
            "seconds",
            "created_at",
            "withdrawn_at",
            "edited",
            "edited__id",
            "rationale__question__text",
            "rationale__question__reference_answer",
            "rationale__teacher__name",
            "rationale__temperature",
            "rationale__source",
        )
        .order_by("-id")
    )
