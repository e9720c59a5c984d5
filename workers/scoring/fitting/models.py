"""The small models of scoring, fitted on the dev files: see `fit.py` for what is fitted on what."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from workers.scoring.fitting.dev_data import Rationale, TopicPair
from workers.scoring.metrics.topic import PRIOR_OFF_TOPIC
from workers.scoring.steps.features import STEP_FEATURES

STRENGTH = {
    "step_validity": 0.3,
    "rationale_validity": 0.5,
    "step_redundancy": 0.05,
    "topic": 1.0,
}  # scikit-learn's C
ABOUT_ERRORS = ("wrong_equations", "early_values", "contradictions", "operator_conflicts", "underived",
                "odd_powers", "orphan_numbers", "unexplained_numbers")  # fmt: skip
# The share of wrong rationales that `validity` starts from. The dev files are half wrong by design, so the
# intercept is moved to this prior (King and Zeng 2001, prior correction for case-control samples).
PRIOR_WRONG = 0.2
TEACHER_WEIGHT = 0.05  # of a teachers' pair beside a planted error, whose label is sure


@dataclass(slots=True)
class Linear:
    """A linear score: weights on the features as they are, and an intercept."""

    weights: np.ndarray
    intercept: float

    def score(self, x: np.ndarray) -> np.ndarray:
        """Log-odds, one for each row."""
        return x @ self.weights + self.intercept


def logistic(
    x: np.ndarray, y: np.ndarray, strength: float, intercept: bool = True, weight=None
) -> Linear:
    spread = x.std(axis=0)
    spread[spread < 1e-6] = np.inf  # a feature that never changes has no weight
    middle = x.mean(axis=0) if intercept else np.zeros(x.shape[1])
    model = LogisticRegression(C=strength, max_iter=5_000, fit_intercept=intercept)
    model.fit((x - middle) / spread, y, sample_weight=weight)
    weights = model.coef_[0] / spread
    return Linear(weights, float(model.intercept_[0] - middle @ weights) if intercept else 0.0)


def _steps_of(rationales: list[Rationale]) -> tuple[np.ndarray, np.ndarray]:
    x, y = [], []
    for rationale in rationales:
        for i, row in enumerate(rationale.rows):
            x.append(row)
            y.append(i in rationale.wrong_steps)
    return np.array(x), np.array(y)


def fit(data: dict[str, list]) -> dict[str, Linear]:
    """The models from loaded rationales; `topic_embedded` only where their cosines were added."""
    labelled = [p for p in data["pairs"] if p[0].kind != "repeat step"] + data["gsm8k"]
    step_rationales = [c for pair in labelled for c in pair if c.wrong_steps is not None] + data[
        "validity"
    ]
    step_validity = logistic(*_steps_of(step_rationales), STRENGTH["step_validity"])
    rationale_validity = _fit_pairs(labelled, data["teachers"], data["validity"])
    x = np.vstack([c.rows for c in data["redundancy"]])
    y = np.concatenate([[r == 0 for r in c.ratings] for c in data["redundancy"]])
    # What says that a step is wrong says nothing of its progress: those features get no weight.
    x[:, [STEP_FEATURES.index(name) for name in ABOUT_ERRORS]] = 0.0
    step_redundancy = logistic(x, y, STRENGTH["step_redundancy"])
    most = np.array([[step_redundancy.score(c.rows).max()] for c in data["redundancy"]])
    some = np.array([min(c.ratings) == 0 for c in data["redundancy"]])
    models = {
        "step_validity": step_validity,
        "rationale_validity": rationale_validity,
        "step_redundancy": step_redundancy,
        "rationale_redundancy": logistic(most, some, 10.0),
        "topic": fit_topic(data["topic"], False),
    }
    if all(pair.cosine is not None for pair in data["topic"]):
        models["topic_embedded"] = fit_topic(data["topic"], True)
    return models


def _fit_pairs(pairs: list, teachers: list[Rationale], alone: list[Rationale]) -> Linear:
    """Weights from differences within pairs, then scale and intercept from rationales that models wrote."""
    natural = _pairs_of_teachers(teachers)
    difference = np.array([wrong.features - right.features for right, wrong in pairs + natural])
    weight = np.array([1.0] * len(pairs) + [TEACHER_WEIGHT] * len(natural))
    x = np.vstack([difference, -difference])
    y = np.concatenate([np.ones(len(difference)), np.zeros(len(difference))])
    raw = logistic(x, y, STRENGTH["rationale_validity"], intercept=False, weight=np.tile(weight, 2))
    rationales = [c for pair in pairs for c in pair] + teachers + alone
    scores = np.array([[float(raw.score(c.features))] for c in rationales])
    scale = logistic(scores, np.array([c.wrong for c in rationales]), 10.0)
    wrong = float(np.mean([c.wrong for c in rationales]))
    return Linear(raw.weights * scale.weights[0], scale.intercept + _shift(PRIOR_WRONG, wrong))


def _pairs_of_teachers(teachers: list[Rationale]) -> list[tuple[Rationale, Rationale]]:
    """(right, wrong) solutions of the same question, each wrong one once."""
    by_question: dict[str, list[Rationale]] = {}
    for rationale in teachers:
        by_question.setdefault(rationale.question, []).append(rationale)
    out = []
    for rationales in by_question.values():
        right = [c for c in rationales if not c.wrong]
        wrong = [c for c in rationales if c.wrong]
        out.extend((right[i % len(right)], c) for i, c in enumerate(wrong) if right)
    return out


def _shift(prior: float, share: float) -> float:
    """What moves log-odds fitted on a `share` of positives to a `prior` of them."""
    return float(np.log(prior / (1 - prior)) - np.log(share / (1 - share)))


def fit_topic(pairs: list[TopicPair], embedded: bool) -> Linear:
    """The model of `topic.py`; each source counts the same, and in it own and foreign rationales."""
    x = np.array([pair.row(embedded) for pair in pairs])
    off = np.array([pair.off for pair in pairs])
    cells = [(pair.source, pair.off) for pair in pairs]
    weight = np.array([len(cells) / (len(set(cells)) * cells.count(cell)) for cell in cells])
    model = logistic(x, off, STRENGTH["topic"], weight=weight)
    return Linear(model.weights, model.intercept + _shift(PRIOR_OFF_TOPIC, 0.5))
