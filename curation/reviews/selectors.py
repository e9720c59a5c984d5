"""Reads for the bench and the history: a question with its chains as a person decides on them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from string import ascii_uppercase
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Count, Max, QuerySet
from django.utils import timezone

from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, Score, Source
from curation.reviews.models import Decision, Outcome, QueueItem, QueueStatus, Review, Verdict
from curation.reviews.services import to_review

MAX_STEPS = 120
MAX_STEP_TEXT = 4_000
# Longer chains are shown but not put into the page a second time to be edited there.
MAX_EDITABLE = 30_000
IDLE_FLAGS = {"repeats", "restates_question", "nothing_new"}
WAITING_SECONDS = 20


@dataclass
class StepView:
    number: int
    text: str
    flags: list[dict[str, Any]]
    thought: bool = False
    cut: int = 0


@dataclass
class ChainView:
    """One chain as the bench shows it. `grade` is right, wrong or unknown."""

    letter: str
    rationale: Rationale
    score: Score | None
    decision: Decision | None
    steps: list[StepView]
    hidden_steps: int
    flags: list[dict[str, Any]]
    grade: str
    grade_words: str
    grade_why: str
    tokens: int
    sums: tuple[int, int] | None
    likely_best: bool = False
    same_as: str = ""
    suggested: list[str] = field(default_factory=list)

    @property
    def locked(self) -> bool:
        """Decided by a person, or replaced: the bench shows it and takes nothing more."""
        return self.decision is not None and (
            self.decision.review_id is not None or self.decision.outcome == Outcome.SUPERSEDED
        )

    @property
    def by_rule(self) -> bool:
        return self.decision is not None and self.decision.rule_id is not None

    @property
    def meters(self) -> list[tuple[str, float | None, str]]:
        score = self.score
        return [
            ("Valid", score and score.validity, "How likely it is that no step is wrong"),
            ("Concise", score and score.conciseness, "How short it is, for what it says"),
            ("Structure", score and score.structure, "How well its steps are built"),
            ("Agree", score and score.consistency, "Share of the chains with the same answer"),
        ]

    @property
    def wrote(self) -> str:
        """Who wrote it, in a few words."""
        one = self.rationale
        if one.source == Source.PERSON:
            return f"edited by {one.author}"
        heat = "" if one.temperature is None else f" at {one.temperature:g}"
        return f"{one.teacher}{heat}" if one.teacher_id else "imported"


@dataclass
class Bench:
    item: QueueItem
    question: Question
    chains: list[ChainView]
    answers: list[tuple[str, int, bool]]
    more_answers: int

    @property
    def texts(self) -> dict[str, str]:
        """The chains' texts for the page's editor, by id."""
        return {
            str(c.rationale.pk): c.rationale.text
            for c in self.chains
            if not c.locked and len(c.rationale.text) <= MAX_EDITABLE
        }


def bench_of(item: QueueItem) -> Bench:
    """All that the bench shows of one question; open chains first, the likeliest good one at the left."""
    question = Question.objects.get(pk=item.question_id)
    rationales = to_review(item)
    chains = [_chain(question, one) for one in rationales]
    # Open ones stand before what is decided; within each, the order of to_review stays.
    chains.sort(key=lambda chain: (chain.locked, _is_superseded(chain)))
    seen: dict[str, str] = {}
    for place, chain in enumerate(chains):
        chain.letter = letter(place)
        chain.same_as = seen.setdefault(chain.rationale.text_hash, chain.letter)
        chain.same_as = "" if chain.same_as == chain.letter else chain.same_as
    first = chains[0] if chains else None
    if first and len(chains) > 1 and not first.locked and first.grade != "wrong":
        first.likely_best = True
    counts: Counter[str] = Counter()
    right: set[str] = set()
    for chain in chains:
        if chain.score and chain.score.answer is not None:
            counts[chain.score.answer] += 1
            if chain.grade == "right":
                right.add(chain.score.answer)
    common = counts.most_common()
    answers = [(answer, n, answer in right) for answer, n in common[:4]]
    return Bench(item, question, chains, answers, len(common) - len(answers))


def _is_superseded(chain: ChainView) -> bool:
    return chain.decision is not None and chain.decision.outcome == Outcome.SUPERSEDED


def letter(place: int) -> str:
    """A, B, … Z, AA, AB, … for the places 0, 1, …"""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = ascii_uppercase[rest] + name
    return name


def _chain(question: Question, rationale: Rationale) -> ChainView:
    score: Score | None = getattr(rationale, "score", None)
    detail = score.detail if score else {}
    steps, hidden = _steps(rationale, detail)
    grade, words, why = _grade(question, score, detail)
    checked = detail.get("equations_checked")
    return ChainView(
        letter="",
        rationale=rationale,
        score=score,
        decision=getattr(rationale, "decision", None),
        steps=steps,
        hidden_steps=hidden,
        flags=detail.get("flags", []),
        grade=grade,
        grade_words=words,
        grade_why=why,
        tokens=rationale.completion_tokens or detail.get("length") or len(rationale.text.split()),
        sums=None if checked is None else (checked - detail.get("equations_failed", 0), checked),
        suggested=_suggested(grade, steps),
    )


def _grade(question: Question, score: Score | None, detail: dict[str, Any]) -> tuple[str, str, str]:
    """(grade, the words of its chip, why) of a chain's answer."""
    if score is None:
        return "unknown", "not scored yet", "The scorers have not come to this chain yet."
    if score.correctness == 1:
        return "right", "right", "The answer is the reference answer."
    if score.correctness == 0:
        if score.answer is None:
            return "wrong", "no answer", "No answer was found in the chain."
        reference = question.reference_answer or ""
        if len(score.answer) + len(reference) > 20:
            return "wrong", "wrong answer", f"{score.answer}, not {reference}"
        return "wrong", f"{score.answer}, not {reference}", ""
    if question.reference_answer is None:
        return "unknown", "no reference", "This question has no reference answer to compare with."
    return "unknown", "cannot be graded", detail.get("reason") or "The answer cannot be compared."


def _suggested(grade: str, steps: Sequence[StepView]) -> list[str]:
    """Reasons that the scores speak for, ticked when a person rejects the chain."""
    reasons = ["wrong_answer"] if grade == "wrong" else []
    codes = {(flag.get("code"), flag.get("severity")) for step in steps for flag in step.flags}
    if any(severity == "error" for _, severity in codes):
        reasons.append("wrong_step")
    if not reasons and any(code in IDLE_FLAGS for code, _ in codes):
        reasons.append("redundant")
    return reasons


def _steps(rationale: Rationale, detail: dict[str, Any]) -> tuple[list[StepView], int]:
    """The steps as scored; the text's lines where it has not been scored. At most MAX_STEPS."""
    text = rationale.text
    found = detail.get("steps") or [
        {"text": line, "start": None, "flags": []} for line in text.splitlines() if line.strip()
    ]
    thinking_ends = text.find("</think>")
    steps = []
    for number, step in enumerate(found[:MAX_STEPS], 1):
        body = step["text"].replace("<think>", "").replace("</think>", "").strip()
        start = step.get("start")
        steps.append(
            StepView(
                number,
                body[:MAX_STEP_TEXT],
                step.get("flags", []),
                thought=start is not None and start < thinking_ends,
                cut=max(0, len(body) - MAX_STEP_TEXT),
            )
        )
    return steps, max(0, len(found) - MAX_STEPS)


@dataclass(frozen=True)
class Progress:
    """`today`: questions that the person decided today; `pace`: seconds a question; `waiting` in the
    project, at most WAITING_SECONDS old."""

    today: int
    pace: float | None
    waiting: int


def progress(project: Project, user: User) -> Progress:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    mine = Review.objects.filter(
        project=project, reviewer=user, created_at__gte=midnight, withdrawn_at__isnull=True
    ).order_by()
    # Each review holds its share of the question's time, so their sum over a question is its time.
    told = mine.aggregate(
        questions=Count("rationale__question", distinct=True), share=Avg("seconds"), n=Count("id")
    )
    pace = told["share"] * told["n"] / told["questions"] if told["share"] else None
    # Counting a long queue at every question would cost more than all the rest.
    waiting = cache.get_or_set(
        f"waiting:{project.pk}",
        lambda: QueueItem.objects.filter(project=project, status=QueueStatus.WAITING).count(),
        WAITING_SECONDS,
    )
    return Progress(told["questions"], pace, waiting)


@dataclass(frozen=True)
class Nothing:
    """Why no question came: `state` is skipped, held, unscored, empty or done."""

    state: str
    until: datetime | None = None


def nothing_for(project: Project, user: User, until: datetime | None) -> Nothing:
    """Why nothing waits for this person. `until`: when the first claim of somebody else runs out."""
    if until is not None:
        return Nothing("held", until)
    items = QueueItem.objects.filter(project=project)
    if items.filter(status=QueueStatus.WAITING, skips__user=user).exists():
        return Nothing("skipped")
    if items.exists():
        return Nothing("done")
    if Rationale.objects.filter(project=project).exists():
        return Nothing("unscored")
    return Nothing("empty")


def prefill_of(item: QueueItem, user: User) -> dict[str, dict[str, Any]]:
    """What the person withdrew of this question last, as the page holds decisions, by rationale id:
    to be changed and sent again."""
    withdrawn = Review.objects.filter(
        reviewer=user, rationale__question_id=item.question_id, withdrawn_at__isnull=False
    ).select_related("edited")
    last = withdrawn.aggregate(at=Max("withdrawn_at"))["at"]
    return {
        str(review.rationale_id): {
            "verdict": review.verdict,
            "reasons": review.reasons,
            "comment": review.comment,
            "labels": review.step_labels,
            "edited": review.edited.text if review.verdict == Verdict.EDIT else "",
        }
        for review in withdrawn.filter(withdrawn_at=last)
    }


def history(project: Project, user: User) -> QuerySet[Review]:
    """What a person said in this project, the newest first; what was taken back stays in it."""
    return (
        Review.objects.filter(project=project, reviewer=user)
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
