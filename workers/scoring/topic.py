"""Whether a chain is about its question at all: named features of the two texts side by side.

A chain that was written for another question can be sound in every step. The model over these features
(`topic` in `models.json`; `topic_embedded` where sentence embeddings are on, with one feature more) is
fitted on chains of other questions put to a question, see `fitting.py`.
"""

from functools import lru_cache

from workers.scoring.analysis import ChainFacts
from workers.scoring.features import share, squeezed

TOPIC_FEATURES = (
    "question_numbers_used",  # share of the question's numbers that the chain has
    "question_words_used",
    "words_from_question",  # share of the chain's words that the question has
    "question_letters_used",  # share of the question's unknowns and names of one letter
    "unrelated",  # share of the question's numbers not used times share of its words not used
    "question_runs_used",  # share of the question's runs of `RUN` characters that the chain has
    "opening_from_question",  # share of the terms of the first two steps that the question has
)
EMBEDDED_TOPIC_FEATURES = (*TOPIC_FEATURES, "cosine")  # raw cosine of the sentence embeddings
# Before a chain is read, one in a hundred is thought to be about something else.
PRIOR_OFF_TOPIC = 0.01
RUN = 8
MAX_CHARS = 8_000
MAX_RUNS = 120
# With fewer different words and numbers nothing can be said: "The answer is 5." fits any question.
LEAST_IN_QUESTION, LEAST_IN_CHAIN = 3, 5


def topic_features(question: str, chain: ChainFacts) -> tuple[float, ...] | None:
    """The features in the order of `TOPIC_FEATURES`; None where the texts are too short to tell."""
    asked = len(chain.question_words) + len(chain.question_numbers)
    if asked < LEAST_IN_QUESTION or len(chain.words) + len(chain.numbers) < LEAST_IN_CHAIN:
        return None
    numbers_used = share(chain.question_numbers, chain.numbers)
    words_used = share(chain.question_words, chain.words)
    text = squeezed("\n".join(s.step.text for s in chain.steps)[:MAX_CHARS])
    runs = _runs(question)
    return (
        numbers_used,
        words_used,
        share(chain.words, chain.question_words),
        share(chain.question_letters, chain.letters),
        (1 - numbers_used) * (1 - words_used),
        sum([run in text for run in runs]) / len(runs) if runs else 1.0,
        _opening(chain),
    )


def _opening(chain: ChainFacts) -> float:
    words = frozenset().union(*(s.content for s in chain.steps[:2]))
    numbers = frozenset().union(*(s.numbers for s in chain.steps[:2]))
    known = len(words & chain.question_words) + len(numbers & chain.question_numbers)
    return known / (len(words) + len(numbers)) if words or numbers else 1.0


@lru_cache(maxsize=256)
def _runs(question: str) -> list[str]:
    """Different runs of the question's characters, at most `MAX_RUNS` from all over it."""
    text = squeezed(question[:MAX_CHARS])
    runs = list(dict.fromkeys(text[i : i + RUN] for i in range(len(text) - RUN + 1)))
    return runs[:: 1 + len(runs) // MAX_RUNS]
