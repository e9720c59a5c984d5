"""How likely each step is right, and how likely it makes no progress.

Linear models over named features, their weights in `models.json` (written by
`python -m workers.scoring.fit`, which says what they were fitted on and what they reach). An exact
repeat is idle whatever the model says.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log
from pathlib import Path

from workers.scoring.analysis import ChainFacts
from workers.scoring.features import CHAIN_FEATURES, STEP_FEATURES, chain_features, step_features

MODELS_FILE = Path(__file__).with_name("models.json")
REPEAT_ODDS = 10.0  # added to the log-odds of a step that says exactly what an earlier one says
# A chain that is about another question: its sentence embedding lies far from the question's, and it
# does not use the question's numbers. All references of step_perturbation_dev lie above the cosine; short
# chains that are hardly more than sums lie below it, but use the numbers. Both constants were chosen on
# that file by hand, not by fold: what they gain there is no held-out figure.
TOPIC_COSINE = 0.4
OFF_TOPIC_ODDS = 20.0  # added to the log-odds of being wrong, times `off_topic`
_WRONG = STEP_FEATURES.index("wrong_equations")
_NUMBERS_USED = CHAIN_FEATURES.index("question_numbers_used")
_REPEATS = STEP_FEATURES.index("repeats")


@dataclass(frozen=True, slots=True)
class Model:
    """Log-odds = intercept + sum of weight times feature."""

    intercept: float
    weights: tuple[float, ...]

    def odds(self, row: list[float]) -> float:
        """The log-odds of one row of features."""
        return self.intercept + sum(map(float.__mul__, self.weights, map(float, row)))


@lru_cache(maxsize=1)
def models() -> dict[str, Model]:
    """The fitted models by name. Raises ValueError where the file is of other features."""
    content = json.loads(MODELS_FILE.read_text(encoding="utf-8"))
    names = {
        "step_validity": STEP_FEATURES,
        "step_redundancy": STEP_FEATURES,
        "chain_validity": CHAIN_FEATURES,
        "chain_redundancy": ("most_idle_step",),
    }
    out = {}
    for name, features in names.items():
        weights = content[name]["weights"]
        if tuple(weights) != tuple(features):
            raise ValueError(
                f"{MODELS_FILE.name} was fitted on other features ({name}): run "
                "`python -m workers.scoring.fit`."
            )
        out[name] = Model(content[name]["intercept"], tuple(weights.values()))
    return out


def _probability(odds: float) -> float:
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, odds))))


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """validity, redundancy: of the chain; steps: (validity, redundancy) of each step; numbers_used:
    the share of the question's numbers that the chain has."""

    validity: float
    redundancy: float
    steps: list[tuple[float, float]]
    numbers_used: float = 1.0


def likelihoods(chain: ChainFacts, unsupported: bool) -> Likelihoods:
    """How likely each step is right and idle, and the chain as a whole.

    unsupported: whether the answer is a value that no step shows.
    """
    if not chain.steps:
        return Likelihoods(0.0, 0.0, [])
    fitted = models()
    rows = step_features(chain)
    wrong, idle = fitted["step_validity"], fitted["step_redundancy"]
    idle_odds = [idle.odds(row) + REPEAT_ODDS * row[_REPEATS] for row in rows]
    wrong_odds = [wrong.odds(row) for row in rows]
    steps = [
        (1.0 - _probability(bad), _probability(odds))
        for bad, odds in zip(wrong_odds, idle_odds, strict=True)
    ]
    features = chain_features(chain, rows, unsupported)
    whole = fitted["chain_validity"].odds(features)
    # A chain is right only if each of its steps is: where a calculation of a step fails, the chain
    # cannot be likelier right than that step.
    whole = max(
        whole, *(odds if row[_WRONG] else whole for row, odds in zip(rows, wrong_odds, strict=True))
    )
    some = fitted["chain_redundancy"].odds([max(idle_odds)])
    used = float(features[_NUMBERS_USED])
    return Likelihoods(1.0 - _probability(whole), _probability(some), steps, used)


def off_topic(cosine: float, numbers_used: float) -> float:
    """How much a chain is about something else, from 0 (not at all).

    cosine: of the sentence embeddings of chain and question; numbers_used: see `Likelihoods`.
    """
    return max(0.0, TOPIC_COSINE - cosine) * (1.0 - numbers_used)


def lowered(validity: float, strangeness: float) -> float:
    """The validity of a chain whose `off_topic` is known."""
    if not strangeness or not 0.0 < validity < 1.0:
        return validity
    return 1.0 - _probability(log((1.0 - validity) / validity) + OFF_TOPIC_ODDS * strangeness)
