"""Which rationales a recipe chooses, and what became of the others: the funnel.

Questions are read in pieces of some thousand, with their rationales; of each chosen one some 30 bytes are
kept, in arrays, so a million rationales take hardly more memory than ten thousand. The preview of a recipe
is the same code over some of the questions.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Case, F, QuerySet, When
from django.db.models.functions import Left, Length

from curation.datasets.picking import Picked, in_picked_order
from curation.datasets.texts import arranged
from curation.projects.models import Project
from curation.questions.models import Question, Split
from curation.rationales.listing.selectors import rationales as listed
from curation.rationales.models import AnswerVerdict, Rationale, Source
from curation.reviews.models import Outcome

QUESTIONS_AT_ONCE = 2000
CHARS_PER_TOKEN = (
    3.5  # where nobody has counted with the student's tokenizer; low, so it errs to "too long"
)

# Why a rationale is not in, in the order in which it is asked, in words for the page and `rejected.jsonl`.
REASONS = {
    "teacher": "of another teacher",
    "domain": "of another domain",
    "difficulty": "of another difficulty",
    "wrong": "the answer is wrong",
    "not_read": "no answer was read, or there is none to compare with",
    "score": "a score does not reach its threshold",
    "no_score": "a score is missing",
    "thoughts": "it has thoughts",
    "no_final": "nothing stands after its thoughts",
    "no_answer": "no answer stands at its end, so it cannot be put first",
    "same_text": "the same text",
    "too_long": "too long",
    "per_question": "more than are wanted of its question",
    "balance": "more than its share",
    "limit": "over the limit",
    "left_out": "left out by name",
}
SCORE_COLUMNS = ("overall", "validity", "conciseness", "structure", "redundancy", "consistency")


class Row(NamedTuple):
    """A candidate. Columns that the recipe does not ask for are None."""

    pk: int
    question: int
    text_hash: str
    teacher: int | None
    author: int | None
    outcome: str | None
    reviewer: int | None
    bulk: int | None
    bulk_by: int | None
    rule: int | None
    verdict: str | None
    tokens: int | None
    length: int | None
    scores: dict[str, float | None]
    text: str | None
    reasoning: str | None


@dataclass
class Funnel:
    """How many rationales there were, and how many of them are left out, by reason."""

    candidates: int = 0
    out: Counter[str] = field(default_factory=Counter)
    questions: int = 0
    of_questions: int = 0  # of so many, where only some were looked at; 0: of all

    @property
    def left(self) -> int:
        return self.candidates - sum(self.out.values())

    def to_json(self) -> dict[str, Any]:
        """`stages`: what each reason left out, in the order in which they are asked."""
        stages = [
            {"reason": name, "words": words, "out": self.out[name]}
            for name, words in REASONS.items()
            if self.out[name]
        ]
        return {"candidates": self.candidates, "left": self.left, "stages": stages}


def funnel_words(told: dict[str, Any]) -> str:
    """ "389 → 308: 61 the same text, 20 too long"."""
    if not told:
        return ""
    out = ", ".join(f"{one['out']:,} {one['words']}" for one in told["stages"])
    return f"{told['candidates']:,} → {told['left']:,}" + (f": {out}" if out else "")


Reject = Callable[[int, int, str], None]  # rationale, question, reason


def candidates(project: Project, recipe: dict[str, Any]) -> QuerySet[Rationale]:
    """The rationales that the recipe's selection and its filters keep: of training questions, not empty."""
    rows = selected(project, recipe)
    if recipe.get("filters"):
        rows = rows.filter(pk__in=listed(project, recipe["filters"]).order_by().values("pk"))
    if recipe.get("teachers"):
        rows = rows.filter(teacher__name__in=recipe["teachers"])
    return rows


def selected(project: Project, recipe: dict[str, Any]) -> QuerySet[Rationale]:
    rows = Rationale.objects.filter(project=project, question__split=Split.TRAIN).exclude(text="")
    if recipe["selection"] == "approved":
        return rows.filter(decision__outcome=Outcome.APPROVED)
    # As the teachers wrote them, so without what people wrote or edited.
    return rows.exclude(source=Source.PERSON)


def question_pieces(project: Project) -> Iterator[list[tuple]]:
    """All training questions in the order of their ids, in pieces: id, content hash, domain, difficulty,
    length of the text."""
    rows = training_questions(project)
    last = 0
    while piece := list(rows.filter(pk__gt=last)[:QUESTIONS_AT_ONCE]):
        yield piece
        last = piece[-1][0]


def training_questions(project: Project) -> QuerySet[Question]:
    rows = Question.objects.filter(project=project, split=Split.TRAIN).order_by("pk")
    return rows.values_list("pk", "content_hash", "domain", "difficulty", Length("text"))


def choose(
    project: Project,
    recipe: dict[str, Any],
    pieces: Iterable[list[tuple]] | None = None,
    reject: Reject | None = None,
    share: float = 1.0,
) -> tuple[Picked, Funnel]:
    """What the recipe chooses, in the dataset's order, and the funnel.

    Every question gives its first rationale before any gives its second; which is first says `which`,
    and what is equal then is drawn by a hash of the seed and the rationale's text, so the same rows give
    the same choice anywhere. pieces: only of these questions, which are `share` of all. A piece's
    rationales are read by one query, so what is decided or edited meanwhile is in or out, never half.
    """
    reader = _Reader(project, recipe, reject)
    for piece in pieces if pieces is not None else question_pieces(project):
        reader.read(piece)
    picked = in_picked_order(reader.picked, recipe, share, reader.drop)
    reader.funnel.questions = picked.question_count
    return picked, reader.funnel


class _Reader:
    """Reads pieces of questions and picks from each question's rationales."""

    def __init__(self, project: Project, recipe: dict[str, Any], reject: Reject | None) -> None:
        self.recipe, self.reject = recipe, reject
        self.funnel, self.picked = Funnel(), Picked()
        self.teachers = set(
            project.teachers.filter(name__in=recipe.get("teachers") or []).values_list(
                "pk", flat=True
            )
        )
        self.minimum = recipe.get("minimum", {})
        self.which = recipe.get("which", "random")
        self.base = selected(project, recipe)
        if recipe.get("filters"):
            kept = listed(project, recipe["filters"]).order_by().values("pk")
            self.base = self.base.filter(pk__in=kept)
        self.base = self.base.annotate(head=Left("text", 40))
        self.columns = self._columns()

    def _columns(self) -> dict[str, Any]:
        """The columns that this recipe needs: each join costs a million look-ups."""
        recipe, which = self.recipe, self.which
        columns: dict[str, Any] = {
            **{"pk": F("pk"), "question": F("question_id"), "text_hash": F("text_hash")},
            **{"teacher": F("teacher_id"), "author": F("author_id")},
            "outcome": F("decision__outcome"),
            "reviewer": F("decision__review__reviewer_id"),
            "bulk": F("decision__bulk_id"),
            "bulk_by": F("decision__bulk__created_by_id"),
            "rule": F("decision__rule__version"),
        }
        if recipe.get("right_only") or which == "shortest":
            columns["verdict"] = F("score__verdict")
        if recipe.get("max_tokens") or which == "shortest":
            columns |= {"tokens": F("score__tokens"), "length": Length("text")}
        wanted = {"best": "overall"}.get(which, which)
        for name in SCORE_COLUMNS:
            if name in self.minimum or name == wanted:
                columns[name] = F(f"score__{name}")
        if which == "diverse" or recipe.get("style") == "answer_first":
            columns["text"] = F("text")
        if recipe.get("thoughts") == "none" or recipe.get("style") == "answer_first":
            columns |= {"text": F("text"), "reasoning": F("reasoning")}
        if recipe.get("form", 1) > 1:  # only texts that begin with their thoughts need be looked at
            columns.setdefault("text", Case(When(head__contains="<think>", then=F("text"))))
        return columns

    def read(self, piece: list[tuple]) -> None:
        known = {row[0]: row for row in piece}
        rows = self.base.filter(question_id__gte=piece[0][0], question_id__lte=piece[-1][0])
        values = rows.order_by("question_id", "pk").values_list(*self.columns.values())
        group: list[Row] = []
        for found in values.iterator(chunk_size=5000):
            row = self._row(dict(zip(self.columns, found, strict=True)))
            if row.question not in known:
                continue  # of a question that came meanwhile
            if group and group[0].question != row.question:
                self._take(group, known[group[0].question])
                group = []
            group.append(row)
        if group:
            self._take(group, known[group[0].question])

    def _row(self, found: dict[str, Any]) -> Row:
        scores = {name: found.pop(name) for name in SCORE_COLUMNS if name in found}
        return Row(
            **{name: found.get(name) for name in Row._fields if name != "scores"}, scores=scores
        )

    def drop(self, reason: str, rationale: int, question: int) -> None:
        self.funnel.out[reason] += 1
        if self.reject is not None:
            self.reject(rationale, question, reason)

    def _take(self, group: list[Row], question: tuple) -> None:
        _, content, domain, difficulty, chars = question
        self.funnel.candidates += len(group)
        seen: set[str] = set()
        kept: list[tuple[int, Row]] = []
        for row in group:
            if reason := self._reason(row, domain, difficulty, chars, seen):
                self.drop(reason, row.pk, row.question)
                continue
            draw = hashlib.sha256(
                f"{self.recipe['seed']}|{content}|{row.text_hash}".encode()
            ).digest()
            kept.append((int.from_bytes(draw[:8], "big"), row))
        kept.sort(key=lambda one: one[0])
        kept = self._ranked(kept)
        most = self.recipe.get("per_question")
        for _, row in kept[most:] if most else ():
            self.drop("per_question", row.pk, row.question)
        balance = self.recipe.get("balance")
        for place, (draw, row) in enumerate(kept[:most]):
            kind = {"domain": domain, "difficulty": difficulty, "teacher": row.teacher}.get(balance)
            self.picked.add(place, draw, row, kind)

    def _reason(self, row: Row, domain: str, difficulty: str, chars: int, seen: set[str]) -> str:
        """Why the row is not in; "" where it is."""
        recipe = self.recipe
        if recipe.get("teachers") and row.teacher not in self.teachers:
            return "teacher"
        if recipe.get("domains") and domain not in recipe["domains"]:
            return "domain"
        if recipe.get("difficulties") and difficulty not in recipe["difficulties"]:
            return "difficulty"
        if recipe.get("right_only") and row.verdict != AnswerVerdict.RIGHT:
            return "wrong" if row.verdict == AnswerVerdict.WRONG else "not_read"
        for name, least in self.minimum.items():
            value = row.scores[name]
            if value is None:
                return "no_score"
            if value > least if name == "redundancy" else value < least:
                return "score"
        if row.text is not None:
            told = arranged(row.text, row.reasoning, recipe)
            if told.reason or not told.text.strip():
                return told.reason or "no_final"
        if row.text_hash in seen:
            return "same_text"  # the same rationale twice teaches nothing more
        if most := recipe.get("max_tokens"):
            own = row.tokens or math.ceil((row.length or 0) / CHARS_PER_TOKEN)
            if own + math.ceil(chars / CHARS_PER_TOKEN) > most:
                return "too_long"
        seen.add(row.text_hash)
        return ""

    def _ranked(self, kept: list[tuple[int, Row]]) -> list[tuple[int, Row]]:
        """The rows of a question, the first to be taken first; they come in the order of their draw."""
        which = self.which
        if which == "random" or len(kept) < 2:
            return kept
        if which == "diverse":
            return _most_different(kept)
        if which == "shortest":
            return sorted(
                kept, key=lambda one: (one[1].verdict != AnswerVerdict.RIGHT, one[1].length or 0)
            )
        name = "overall" if which == "best" else which
        sign = 1 if name == "redundancy" else -1

        def key(one: tuple[int, Row]) -> tuple[bool, float]:
            value = one[1].scores[name]
            return value is None, sign * (value or 0.0)

        return sorted(kept, key=key)


def _most_different(kept: list[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """Each next is the one whose words are least those of any before it (Jaccard)."""
    words = {row.pk: frozenset((row.text or "").split()) for _, row in kept}
    order, rest = [kept[0]], list(kept[1:])
    nearest = {row.pk: _alike(words[row.pk], words[kept[0][1].pk]) for _, row in rest}
    while rest:
        following = min(rest, key=lambda one: nearest[one[1].pk])
        rest.remove(following)
        order.append(following)
        for _, row in rest:
            like = _alike(words[row.pk], words[following[1].pk])
            nearest[row.pk] = max(nearest[row.pk], like)
    return order


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one or other else 1.0
