"""Intervals and tests against published and hand-made values."""

import numpy as np
import pytest
from scipy.stats import t

from workers.evaluation import statistics


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, table I, method 3 (score, no correction)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_shares_have_wilsons_interval_as_published(right, n, low, high):
    found = statistics.share(right, n)
    assert found.value == right / n
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_mcnemar_is_the_exact_binomial_of_the_discordant_pairs():
    a = [True] * 5 + [False] * 1 + [True] * 10 + [False] * 4
    b = [False] * 5 + [True] * 1 + [True] * 10 + [False] * 4
    found, only_a, only_b, p_value = statistics.difference(a, b)
    assert (only_a, only_b) == (5, 1)
    assert p_value == pytest.approx(2 * (1 + 6) / 2**6)  # by hand: 0.21875
    assert found.value == pytest.approx(4 / 20)


def test_models_that_agree_everywhere_do_not_differ():
    found, _, _, p_value = statistics.difference([True] * 30, [True] * 30)
    assert (found.value, p_value) == (0, 1)
    # 30 questions rule out no difference that one question in ten would show: 1.96^2 / (30 + 1.96^2)
    assert found.low == pytest.approx(-0.1135, abs=1e-4)
    assert found.high == pytest.approx(0.1135, abs=1e-4)


def test_ten_questions_of_one_outcome_do_not_make_it_certain():
    found = statistics.mean([1.0] * 10)  # Wilson's bound for 10 of 10
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(statistics.share(10, 10).low)
    apart = statistics.difference([True] * 10, [False] * 10)[0]
    assert apart.value == 1.0 and 0 < apart.low < 0.5 and apart.high == 1.0


def test_a_ratio_to_a_teacher_that_is_hardly_ever_right_has_no_interval_rather_than_nan():
    found = statistics.ratio([1] + [0] * 11, [0, 1] + [0] * 10)
    assert (found.value, found.low, found.high) == (1.0, None, None)


def test_the_bootstrap_of_a_mean_is_near_the_t_interval_of_normal_data():
    data = np.random.default_rng(1).normal(50, 8, 400)
    found = statistics.mean(data)
    half = t.ppf(0.975, 399) * data.std(ddof=1) / 20
    assert found.value == pytest.approx(data.mean())
    assert found.low == pytest.approx(data.mean() - half, abs=0.08)
    assert found.high == pytest.approx(data.mean() + half, abs=0.08)


def test_a_ratio_is_resampled_by_question_so_what_is_shared_cancels():
    rng = np.random.default_rng(2)
    teacher = rng.integers(20, 200, 300)
    student = 0.7 * teacher
    found = statistics.ratio(student, teacher)
    assert found.value == pytest.approx(0.7)
    assert found.high - found.low < 1e-6
    noisy = statistics.ratio(student + rng.normal(0, 10, 300), teacher)
    assert noisy.low < 0.7 < noisy.high and noisy.high - noisy.low < 0.05


def test_few_or_no_values_get_no_interval_instead_of_a_bold_one():
    assert statistics.mean([]).value is None
    assert statistics.share(0, 0).value is None
    assert statistics.ratio([1.0], [0.0]).value is None
    few = statistics.mean([0.2, 0.4, 0.6])
    assert few.value == pytest.approx(0.4) and few.low is None and few.n == 3


def test_the_same_data_give_the_same_interval_and_nearly_constant_data_one_at_all():
    data = [1.0] * 199 + [0.0]
    first, second = statistics.mean(data), statistics.mean(data)
    assert first == second
    assert 0.97 < first.low <= first.value <= first.high <= 1.0
    constant = statistics.mean([0.5] * 20)
    assert 0.4 < constant.low < 0.5 < constant.high < 0.6


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="same questions"):
        statistics.difference([True], [True, False])
    with pytest.raises(ValueError, match="as many"):
        statistics.ratio([1.0], [1.0, 2.0])
