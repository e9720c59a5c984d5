"""How likely each step is right, and how likely it makes no progress.

Linear models over named features, their weights in `models.json` (written by
`python -m workers.scoring.fitting`, which says what they were fitted on and what they reach). An exact
repeat is idle whatever the model says.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log
from operator import mul
from pathlib import Path

from workers.scoring.metrics.topic import EMBEDDED_TOPIC_FEATURES, PRIOR_OFF_TOPIC, TOPIC_FEATURES
from workers.scoring.steps.facts import RationaleFacts
from workers.scoring.steps.features import (
    RATIONALE_FEATURES,
    STEP_FEATURES,
    rationale_features,
    step_features,
)

# Of rationales with a right answer, see `soundness`.
SOUND_FEATURES = (
    "text_odds",  # log-odds of a wrong step by the text alone (`likelihoods`)
    "findings",  # steps in which `claims` or the answer finds something, at most 2
    "prose_numbers",  # log(1 + numbers that stand in no calculation)
    "length",  # log(1 + words)
)
GROUP_FEATURES = (
    "alone_odds",  # of the model over SOUND_FEATURES
    "diverges",  # rests on a value that no other right rationale and not the worked solution has
    "agreement",  # share of the group with the same answer
)
MODELS_FILE = Path(__file__).with_name("models.json")
REPEAT_ODDS = 10.0  # added to the log-odds of a step that says exactly what an earlier one says
# Added to the log-odds that a rationale is wrong for each kind of hard evidence: the pairs that its model is
# fitted on differ in one planted place, of which few can be recomputed, so they teach it too little of it.
# Chosen by hand from {0, 1, 2, 3, 5} with the areas of all dev files in view, see docs/benchmarks.md.
EVIDENCE_ODDS = {"wrong_equations": 3.0, "underived": 2.0}
_EVIDENCE = tuple((STEP_FEATURES.index(name), odds) for name, odds in EVIDENCE_ODDS.items())
_REPEATS = STEP_FEATURES.index("repeats")


@dataclass(frozen=True, slots=True)
class Model:
    """Log-odds = intercept + sum of weight times feature."""

    intercept: float
    weights: tuple[float, ...]

    def odds(self, row: Sequence[float]) -> float:
        """The log-odds of one row of features."""
        return self.intercept + sum(map(mul, self.weights, row))


@lru_cache(maxsize=1)
def models() -> dict[str, Model]:
    """The fitted models by name. Raises ValueError where the file is of other features."""
    content = json.loads(MODELS_FILE.read_text(encoding="utf-8"))
    names = {
        "step_validity": STEP_FEATURES,
        "step_redundancy": STEP_FEATURES,
        "rationale_validity": RATIONALE_FEATURES,
        "rationale_redundancy": ("most_idle_step",),
        "sound_alone": SOUND_FEATURES,
        "sound_group": GROUP_FEATURES,
        "topic": TOPIC_FEATURES,
        "topic_embedded": EMBEDDED_TOPIC_FEATURES,
    }
    out = {}
    for name, features in names.items():
        weights = content[name]["weights"]
        if tuple(weights) != tuple(features):
            raise ValueError(
                f"{MODELS_FILE.name} was fitted on other features ({name}): run "
                "`python -m workers.scoring.fitting`."
            )
        out[name] = Model(content[name]["intercept"], tuple(weights.values()))
    return out


def probability(odds: float) -> float:
    """The probability of log-odds."""
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, odds))))


def less_likely(right: float, odds: float) -> float:
    """The probability of being right after `odds` were added to the log-odds of being wrong."""
    if not odds:
        return right
    right = min(max(right, 1e-6), 1.0 - 1e-6)
    return 1.0 - probability(log((1.0 - right) / right) + odds)


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """soundness: that no step is wrong, whatever question the rationale is about; redundancy: of
    the rationale; steps: (validity, redundancy) of each step."""

    soundness: float
    redundancy: float
    steps: list[tuple[float, float]]


def likelihoods(rationale: RationaleFacts, unsupported: bool) -> Likelihoods:
    """How likely each step is right and idle, and the rationale as a whole.

    unsupported: whether the answer is a value that no step shows.
    """
    if not rationale.steps:
        return Likelihoods(0.0, 0.0, [])
    fitted = models()
    rows = step_features(rationale)
    wrong, idle = fitted["step_validity"], fitted["step_redundancy"]
    idle_odds = [idle.odds(row) + REPEAT_ODDS * row[_REPEATS] for row in rows]
    wrong_odds = [wrong.odds(row) for row in rows]
    steps = [
        (1.0 - probability(bad), probability(odds))
        for bad, odds in zip(wrong_odds, idle_odds, strict=True)
    ]
    features = rationale_features(rationale, rows, unsupported)
    whole = fitted["rationale_validity"].odds(features)
    whole += evidence(rows)
    some = fitted["rationale_redundancy"].odds([max(idle_odds)])
    return Likelihoods(1.0 - probability(whole), probability(some), steps)


def evidence(rows: Sequence[Sequence[float]]) -> float:
    """What hard evidence in the steps' features adds to the log-odds that the rationale is wrong: a
    calculation that fails, an equation that cannot follow from those before it."""
    return sum(odds for kind, odds in _EVIDENCE if any(row[kind] > 0 for row in rows))


def off_topic(features: tuple[float, ...], cosine: float | None) -> float:
    """How likely a rationale is about another question, as far as that is more than of any rationale.

    features: of `topic.topic_features`; cosine: of the sentence embeddings of rationale and question, None
    where there are none.
    """
    if cosine is None:
        return beyond_prior(models()["topic"].odds(features))
    return beyond_prior(models()["topic_embedded"].odds((*features, cosine)))


def beyond_prior(odds: float) -> float:
    """The probability of log-odds of `topic`, less its prior and not under 0.

    Under the prior the texts speak for the topic, and how loudly says nothing of the rationale's steps.
    """
    return max(0.0, probability(odds) - PRIOR_OFF_TOPIC)


def either(odds: float, other: float) -> float:
    """Log-odds that one of two independent things is so, of the log-odds of one and the probability of
    the other: a rationale is no answer if a step is wrong, or if it is about another question."""
    if other == 0.0:
        return odds
    neither = (1.0 - probability(odds)) * (1.0 - other)
    return log((1.0 - neither) / neither)
