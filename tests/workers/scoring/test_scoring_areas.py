"""Areas under the ROC and their intervals against definitions written out, and against a bootstrap."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from workers.scoring.roc import Area, clustered_area

Z = norm.ppf(0.975)


def made(seed: int, questions: int, each: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(wrong, scores, question): rationales of a question share much of their score and of being wrong."""
    rng = np.random.default_rng(seed)
    question = np.repeat(np.arange(questions), each)
    hard = rng.normal(size=questions)[question]
    wrong = hard + rng.normal(size=len(question)) > 0.3
    scores = np.round(0.8 * wrong + 0.7 * hard + rng.normal(size=len(question)), 1)  # with ties
    return wrong, scores, question


def delong(wrong: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """The area and its standard error, as DeLong, DeLong and Clarke-Pearson 1988 define them."""
    bad, good = scores[wrong], scores[~wrong]
    wins = np.array([[(a > b) + 0.5 * (a == b) for b in good] for a in bad])
    variance = wins.mean(1).var(ddof=1) / len(bad) + wins.mean(0).var(ddof=1) / len(good)
    return wins.mean(), np.sqrt(variance)


def logit_ends(area: float, error: float) -> tuple[float, float]:
    ends = np.log(area / (1 - area)) + np.array([-1, 1]) * Z * error / (area * (1 - area))
    return tuple(1 / (1 + np.exp(-ends)))


def test_with_one_rationale_a_question_it_is_delongs_interval() -> None:
    wrong, scores, _ = made(1, 150, 1)
    found = clustered_area(wrong, scores, range(len(wrong)))
    area, error = delong(wrong, scores)
    assert found.value == pytest.approx(area) == pytest.approx(roc_auc_score(wrong, scores))
    assert (found.low, found.high) == pytest.approx(logit_ends(area, error), abs=1e-9)


def test_rationales_of_one_question_widen_the_interval_as_a_bootstrap_of_questions_does() -> None:
    wrong, scores, question = made(2, 120, 6)
    found = clustered_area(wrong, scores, question)
    alone = clustered_area(wrong, scores, range(len(wrong)))
    assert found.value == alone.value and found.high - found.low > 1.05 * (alone.high - alone.low)
    rng, drawn = np.random.default_rng(3), []
    for _ in range(600):
        rows = np.concatenate([np.arange(6) + 6 * k for k in rng.integers(120, size=120)])
        drawn.append(roc_auc_score(wrong[rows], scores[rows]))
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.01)


def test_the_interval_contains_the_true_area_about_as_often_as_it_says() -> None:
    wrong, scores, _ = made(4, 200_000, 1)
    true = roc_auc_score(wrong, scores)
    held = 0
    for seed in range(400):
        found = clustered_area(*made(100 + seed, 60, 4))
        held += found.low < true < found.high
    assert 0.92 <= held / 400 <= 0.975


def test_nothing_out_of_order_gives_no_interval_rather_than_certainty() -> None:
    assert clustered_area([False, False, True, True], [1, 2, 3, 4], "abcd") == Area(1.0, None, None)
    with pytest.raises(ValueError, match="wrong and right"):
        clustered_area([True, True], [1, 2], "ab")
    for order in product([0.0, 1.0], repeat=4):
        assert 0 <= clustered_area([False, True] * 2, order, "aabb").value <= 1
