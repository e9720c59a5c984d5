"""Whether a rationale is about its question at all: named features of the two texts side by side.

A rationale that was written for another question can be sound in every step. The model over these features
(`topic` in `models.json`; `topic_embedded` where sentence embeddings are on, with one feature more) is
fitted on rationales of other questions put to a question, see `fitting.py`.
"""

from functools import lru_cache

from workers.scoring.steps.facts import RationaleFacts
from workers.scoring.steps.features import share, squeezed

TOPIC_FEATURES = (
    "question_numbers_used",  # share of the question's numbers that the rationale has
    "question_words_used",
    "words_from_question",  # share of the rationale's words that the question has
    "question_letters_used",  # share of the question's unknowns and names of one letter
    "unrelated",  # share of the question's numbers not used times share of its words not used
    "question_runs_used",  # share of the question's runs of `RUN` characters that the rationale has
    "opening_from_question",  # share of the terms of the first two steps that the question has
)
EMBEDDED_TOPIC_FEATURES = (*TOPIC_FEATURES, "cosine")  # raw cosine of the sentence embeddings
# Before a rationale is read, one in a hundred is thought to be about something else.
PRIOR_OFF_TOPIC = 0.01
RUN = 8
MAX_CHARS = 8_000
MAX_RUNS = 120
# With fewer different words and numbers nothing can be said: "The answer is 5." fits any question.
LEAST_IN_QUESTION, LEAST_IN_RATIONALE = 3, 5


def topic_features(question: str, rationale: RationaleFacts) -> tuple[float, ...] | None:
    """The features in the order of `TOPIC_FEATURES`; None where the texts are too short to tell."""
    asked = len(rationale.question_words) + len(rationale.question_numbers)
    if (
        asked < LEAST_IN_QUESTION
        or len(rationale.words) + len(rationale.numbers) < LEAST_IN_RATIONALE
    ):
        return None
    numbers_used = share(rationale.question_numbers, rationale.numbers)
    words_used = share(rationale.question_words, rationale.words)
    text = squeezed("\n".join(s.step.text for s in rationale.steps)[:MAX_CHARS])
    runs = _runs(question)
    return (
        numbers_used,
        words_used,
        share(rationale.words, rationale.question_words),
        share(rationale.question_letters, rationale.letters),
        (1 - numbers_used) * (1 - words_used),
        sum([run in text for run in runs]) / len(runs) if runs else 1.0,
        _opening(rationale),
    )


def _opening(rationale: RationaleFacts) -> float:
    words = frozenset().union(*(s.content for s in rationale.steps[:2]))
    numbers = frozenset().union(*(s.numbers for s in rationale.steps[:2]))
    known = len(words & rationale.question_words) + len(numbers & rationale.question_numbers)
    return known / (len(words) + len(numbers)) if words or numbers else 1.0


@lru_cache(maxsize=256)
def _runs(question: str) -> list[str]:
    """Different runs of the question's characters, at most `MAX_RUNS` from all over it."""
    text = squeezed(question[:MAX_CHARS])
    runs = list(dict.fromkeys(text[i : i + RUN] for i in range(len(text) - RUN + 1)))
    return runs[:: 1 + len(runs) // MAX_RUNS]
