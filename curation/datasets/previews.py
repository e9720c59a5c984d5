"""What a recipe would choose, before it is frozen: the funnel, lengths and some examples.

A project with more questions than are looked at in a moment is previewed on some of them, spread evenly
over all; its counts are then estimates, and say so.
"""

import statistics
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min

from curation.datasets.choosing import (
    CHARS_PER_TOKEN,
    Funnel,
    choose,
    funnel_words,
    question_pieces,
    training_questions,
)
from curation.datasets.recipes import make_recipe, recipe_in_words
from curation.datasets.texts import message
from curation.projects.models import Project, User
from curation.questions.models import Question, Split
from curation.questions.prompts import prompt_of
from curation.rationales.models import Rationale

EXACT_UP_TO = 2_000  # questions
SPOTS, AT_A_SPOT = (
    20,
    40,
)  # where the questions of a larger project are looked at, and how many there
SHOWN = 3
MEASURED = 500  # rationales whose lengths are read


@dataclass(frozen=True)
class Preview:
    """`funnel` as JSON (its counts are estimates where `of_questions` is not `questions_read`)."""

    recipe: dict[str, Any]
    words: str
    funnel: dict[str, Any]
    funnel_words: str
    questions: int
    questions_read: int
    of_questions: int
    tokens: dict[str, int]
    samples: list[dict[str, Any]]

    @property
    def is_estimate(self) -> bool:
        return self.questions_read < self.of_questions

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "is_estimate": self.is_estimate}


def preview_of(project: Project, user: User | None, **how: Any) -> Preview:
    """The preview of a recipe, see `make_recipe`. Raises Invalid. Takes some tenths of a second at most,
    however large the project is."""
    recipe = make_recipe(project, user, **how)
    train = Question.objects.filter(project=project, split=Split.TRAIN)
    known = train.order_by().aggregate(n=Count("pk"), first=Min("pk"), last=Max("pk"))
    count = known["n"]
    if count <= EXACT_UP_TO:
        read, share = count, 1.0
        picked, funnel = choose(project, recipe, question_pieces(project))
    else:
        pieces = _spread(project, known["first"], known["last"])
        read = sum(map(len, pieces))
        share = read / count
        picked, funnel = choose(project, recipe, pieces, share=share)
    told = _scaled(funnel, share)
    ids = [pk for pk, *_ in picked.rows(0, MEASURED)]
    return Preview(
        recipe=recipe,
        words=recipe_in_words(recipe),
        funnel=told,
        funnel_words=funnel_words(told),
        questions=round(funnel.questions / share),
        questions_read=read,
        of_questions=count,
        tokens=_lengths(ids),
        samples=_samples(ids[:SHOWN], recipe),
    )


def _spread(project: Project, first: int, last: int) -> list[list[tuple]]:
    """Some questions at each of SPOTS places over all ids, in the order of their ids, none twice."""
    rows = training_questions(project)
    pieces: list[list[tuple]] = []
    after = first - 1
    for n in range(SPOTS):
        after = max(after, first + (last - first) * n // SPOTS - 1)
        piece = list(rows.filter(pk__gt=after)[:AT_A_SPOT])
        if not piece:
            break
        pieces.append(piece)
        after = piece[-1][0]
    return pieces


def _scaled(funnel: Funnel, share: float) -> dict[str, Any]:
    if share < 1.0:
        for reason in funnel.out:
            funnel.out[reason] = round(funnel.out[reason] / share)
        left = round((funnel.candidates - sum(funnel.out.values()) * share) / share)
        funnel.candidates = left + sum(funnel.out.values())
    return funnel.to_json()


def _lengths(ids: list[int]) -> dict[str, int]:
    """Tokens of prompt and rationale as `choose` counts them: median, 95th in a hundred, most."""
    rows = Rationale.objects.filter(pk__in=ids).values_list(
        "text", "score__tokens", "question__text"
    )
    sizes = sorted(
        round((tokens or len(text) / CHARS_PER_TOKEN) + len(question) / CHARS_PER_TOKEN)
        for text, tokens, question in rows
    )
    if not sizes:
        return {}
    high = sizes[min(len(sizes) - 1, round(0.95 * len(sizes)))]
    return {"median": round(statistics.median(sizes)), "p95": high, "most": sizes[-1]}


def _samples(ids: list[int], recipe: dict[str, Any]) -> list[dict[str, Any]]:
    rows = Rationale.objects.in_bulk(ids)
    questions = Question.objects.in_bulk({row.question_id for row in rows.values()})
    return [
        {
            "rationale_id": pk,
            "prompt": prompt_of(questions[rows[pk].question_id])[:1200],
            "completion": message(rows[pk].text, rows[pk].reasoning, recipe)["content"][:4000],
        }
        for pk in ids
    ]
