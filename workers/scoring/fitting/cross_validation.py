"""Areas under the ROC of validity and redundancy with their intervals, cross-validated by question."""

import random

import numpy as np

from workers.evaluation.statistics import mean
from workers.scoring.fitting.dev_data import Rationale, TopicPair
from workers.scoring.fitting.models import Linear, fit
from workers.scoring.metrics.validity import REPEAT_ODDS, beyond_prior, either, evidence
from workers.scoring.roc import Area, clustered_area
from workers.scoring.steps.features import STEP_FEATURES

FOLDS = 10


def _questions(data: dict[str, list]) -> dict[str, int]:
    """The fold of every question, dealt at random."""
    names = {c.question for c in data["validity"] + data["redundancy"] + data["teachers"]}
    names |= {p[0].question for p in data["pairs"] + data["gsm8k"]}
    ordered = sorted(names)
    random.Random(7).shuffle(ordered)
    ordered += sorted({pair.question for pair in data["topic"]} - names)
    return {question: i % FOLDS for i, question in enumerate(ordered)}


def cross_validate(data: dict[str, list]) -> dict[str, Area]:
    """Areas under the ROC on questions that the model was not fitted on.

    perturbation: for each kind, "paired" (how often the perturbed rationale scores below its own reference,
    ties half: the area rationale by rationale) and "pooled" (all perturbed against all references). Where
    `add_cosines` was called the rationales are scored as with embeddings on. The topic is learnt from
    questions that step_perturbation_dev does not have.

    Intervals are over questions, with the models as they were fitted: another fit moves an area as well.
    """
    fold = _questions(data)
    models: dict[int, dict[str, Linear]] = {}
    for k in range(FOLDS):
        inside = {
            name: [
                c for c in rationales if all(fold[question] != k for question in _questions_of(c))
            ]
            for name, rationales in data.items()
        }
        models[k] = fit(inside)
    return _areas(data, fold, models)


def _questions_of(entry) -> tuple[str, ...]:
    if isinstance(entry, TopicPair):
        return entry.question, entry.owner
    return (entry[0].question,) if isinstance(entry, tuple) else (entry.question,)


def _areas(data, fold, models) -> dict[str, Area]:
    def validity(rationale: Rationale) -> float:
        fitted = models[fold[rationale.question]]
        whole = float(fitted["rationale_validity"].score(rationale.features))
        whole += evidence(rationale.rows)
        if rationale.topic is None:
            return whole
        embedded = rationale.cosine is not None
        row = (*rationale.topic, rationale.cosine) if embedded else rationale.topic
        odds = float(fitted["topic_embedded" if embedded else "topic"].score(row))
        return either(whole, beyond_prior(odds))

    def redundancy(rationale: Rationale) -> tuple[float, np.ndarray]:
        steps = models[fold[rationale.question]]["step_redundancy"].score(rationale.rows)
        repeated = rationale.rows[:, STEP_FEATURES.index("repeats")]
        steps = steps + REPEAT_ODDS * repeated
        return float(steps.max()), steps

    out: dict[str, Area] = {}
    kinds = [*dict.fromkeys(p[0].kind for p in data["pairs"]), "gsm8k"]
    for kind in kinds:
        pairs = [p for p in data["pairs"] + data["gsm8k"] if p[0].kind == kind]
        of = (lambda c: redundancy(c)[0]) if kind == "repeat step" else validity
        values = [(of(a), of(b)) for a, b in pairs]
        questions = [a.question for a, _ in pairs]
        out[f"{kind}, paired"] = _below(questions, values)
        out[f"{kind}, pooled"] = clustered_area(
            [False, True] * len(values),
            [v for pair in values for v in pair],
            [question for question in questions for _ in range(2)],
        )
    for name, rationales in (
        ("validity, solution", data["validity"]),
        ("validity, solution in full", data["whole"]),
        ("teachers' right answers", data["teachers"]),
    ):
        out[name] = clustered_area(
            [c.wrong for c in rationales],
            [validity(c) for c in rationales],
            [c.question for c in rationales],
        )
    rationales = data["redundancy"]
    idle = [redundancy(c) for c in rationales]
    out["redundancy, solution"] = clustered_area(
        [min(c.ratings) == 0 for c in rationales],
        [most for most, _ in idle],
        [c.question for c in rationales],
    )
    out["redundancy, step"] = clustered_area(
        np.concatenate([[r == 0 for r in c.ratings] for c in rationales]),
        np.concatenate([s for _, s in idle]),
        [c.question for c in rationales for _ in c.ratings],
    )
    return out


def _below(questions: list[str], values: list[tuple[float, float]]) -> Area:
    """How often the second of a pair is larger, ties half; pairs of one question are one value."""
    by_question: dict[str, list[float]] = {}
    for question, (a, b) in zip(questions, values, strict=True):
        by_question.setdefault(question, []).append((b > a) + 0.5 * (b == a))
    every = [won for one in by_question.values() for won in one]
    found = mean([sum(one) / len(one) for one in by_question.values()])
    return Area(sum(every) / len(every), found.low, found.high)
