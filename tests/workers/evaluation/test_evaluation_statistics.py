"""Intervals and tests against published and hand-made values."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import bootstrap, norm, t

from workers.evaluation import statistics
from workers.evaluation.types import Estimate


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


# (both, the first alone, the second alone, neither) of two published tables with Tango's interval of
# the difference and Tang's of the ratio: Fagerland, Lydersen and Laake, "Statistical Analysis of
# Contingency Tables" (2017), chapter 8, tables of Cavo et al. 2012 and of Bentur et al. 2009.
PUBLISHED = [
    ((59, 6, 16, 80), (-0.1240, -0.0054), (0.7476, 0.9876)),
    ((1, 1, 7, 12), (-0.5172, -0.0260), (0.0653, 0.9069)),
]
TABLES = [
    *(table for table, _, _ in PUBLISHED),
    (10, 0, 0, 0),
    (0, 1, 1, 10),
    (5, 5, 0, 0),
    (0, 0, 3, 7),
    (431, 10, 48, 11),
]


def paired(both: int, first: int, second: int, neither: int) -> tuple[list[bool], list[bool]]:
    left = [True] * (both + first) + [False] * (second + neither)
    right = [True] * both + [False] * first + [True] * second + [False] * neither
    return left, right


@pytest.mark.parametrize(("table", "difference", "ratio"), PUBLISHED)
def test_paired_outcomes_have_the_published_score_intervals(table, difference, ratio):
    left, right = paired(*table)
    found = statistics.difference(left, right)[0]
    assert (round(found.low, 4), round(found.high, 4)) == difference
    found = statistics.ratio(left, right)
    assert (round(found.low, 4), round(found.high, 4)) == ratio


def restricted(table, ratio: float) -> float:
    """The score statistic of a ratio, with the table that is likeliest under it found by a search."""
    both, first, second, _ = table
    n = sum(table)
    a, b = both + first, both + second

    def unlikely(second_alone: float, shared: float) -> float:
        cells = (shared, ratio * (shared + second_alone) - shared, second_alone)
        cells += (1 - sum(cells),)
        if min(cells) < -1e-12:
            return 1e12
        return -sum(k * np.log(max(c, 1e-300)) for k, c in zip(table, cells, strict=True) if k)

    best = min(
        (
            minimize(
                lambda x: unlikely(*x),
                start,
                method="Nelder-Mead",
                options={"xatol": 1e-13, "fatol": 1e-13, "maxiter": 20_000, "maxfev": 20_000},
            )
            for start in ((0.1, 0.1), (0.02, 0.5), (0.3, 0.02))
        ),
        key=lambda found: found.fun,
    ).x
    first_alone = ratio * (best[0] + best[1]) - best[1]
    variance = best[1] * (1 - ratio) ** 2 + first_alone + ratio**2 * best[0]
    return (a - ratio * b) / np.sqrt(n * variance)


@pytest.mark.parametrize("table", PUBLISHED)
def test_at_the_ends_of_tangs_interval_the_score_is_the_normals_quantile(table):
    left, right = paired(*table[0])
    found = statistics.ratio(left, right)
    assert restricted(table[0], found.low) == pytest.approx(1.959964, abs=1e-5)
    assert restricted(table[0], found.high) == pytest.approx(-1.959964, abs=1e-5)


@pytest.mark.parametrize("table", TABLES)
def test_intervals_of_paired_outcomes_turn_with_the_pair(table):
    left, right = paired(*table)
    there, back = statistics.difference(left, right)[0], statistics.difference(right, left)[0]
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-9)
    there, back = statistics.ratio(left, right), statistics.ratio(right, left)
    if back.value:
        assert there.low == pytest.approx(1 / back.high, rel=1e-6)
    assert 0 <= there.low <= there.value < there.high


def test_a_score_interval_of_the_difference_leaves_zero_out_as_mcnemars_statistic_does():
    # Tango's score at zero is McNemar's (b - c) / sqrt(b + c), for whatever table.
    for only_a, only_b in ((10, 3), (10, 2), (30, 16), (30, 15), (5, 1), (6, 0), (3, 0)):
        found = statistics.difference(*paired(40, only_a, only_b, 9))[0]
        apart = (only_a - only_b) / np.sqrt(only_a + only_b) > norm.ppf(0.975)
        assert (found.low > 0) == apart


@pytest.mark.parametrize("n", [1, 10, 20, 500])
def test_as_many_right_answers_as_the_teacher_do_not_make_it_certain(n):
    found = statistics.ratio([1] * n, [1] * n)
    assert found.value == 1.0
    assert found.low == pytest.approx(statistics.share(n, n).low, abs=1e-9)  # Wilson's z^2 bound
    assert found.high == pytest.approx(1 / found.low)


def test_a_ratio_to_a_teacher_that_is_hardly_ever_right_says_next_to_nothing():
    found = statistics.ratio([1] + [0] * 11, [0, 1] + [0] * 10)
    assert found.value == 1.0 and found.low < 0.11 and found.high > 9


def test_the_mean_of_outcomes_has_nearly_wilsons_interval():
    # By t instead of the normal and n-1 instead of n, so a little wider, and less so for larger n.
    for n, close in ((20, 0.04), (200, 0.003), (2000, 0.0003)):
        found = statistics.mean([1.0] * (9 * n // 10) + [0.0] * (n // 10))
        wilson = statistics.share(9 * n // 10, n)
        assert wilson.low - close < found.low < wilson.low
        assert wilson.high < found.high < wilson.high + close


def test_a_mean_has_the_t_interval_where_its_bounds_are_far():
    data = np.random.default_rng(1).normal(50, 8, 400)
    found = statistics.mean(data, bounds=(-1e7, 1e7))
    half = t.ppf(0.975, 399) * data.std(ddof=1) / 20
    assert found.value == pytest.approx(data.mean())
    assert (found.low, found.high) == pytest.approx((data.mean() - half, data.mean() + half), 1e-6)


def test_values_outside_of_their_bounds_are_refused():
    with pytest.raises(ValueError, match="outside 0 to 1"):
        statistics.mean([0.5] * 11 + [1.2])


def test_a_ratio_of_lengths_is_paired_so_what_is_shared_cancels():
    rng = np.random.default_rng(2)
    teacher = rng.integers(20, 200, 300)
    student = 0.7 * teacher
    # Not one question differs: nothing shows how far another may.
    assert statistics.ratio(student, teacher) == Estimate(pytest.approx(0.7), None, None, 300)
    noisy = statistics.ratio(student + rng.normal(0, 10, 300), teacher)
    assert noisy.low < 0.7 < noisy.high and noisy.high - noisy.low < 0.05


def test_the_interval_of_a_ratio_of_lengths_is_near_that_of_a_bootstrap():
    rng = np.random.default_rng(3)
    student, teacher = rng.gamma(8, 5, 400), rng.gamma(6, 10, 400)
    found = statistics.ratio(student, teacher)
    drawn = bootstrap(
        (student, teacher),
        lambda a, b, axis: a.mean(axis) / b.mean(axis),
        paired=True,
        rng=np.random.default_rng(4),
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((drawn.low, drawn.high), abs=0.006)


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


@pytest.mark.parametrize(
    "values",
    [
        [1.0] * 9 + [1.0000001],
        [1.0000001] * 10,
        [0.0] * 10 + [-1e-7],
        [0.0] * 30 + [5e-324],
        [1.0] * 99 + [1 - 1.2e-16],
        [1.0] * 9 + [1 - 1e-9],
    ],
)
def test_values_that_differ_by_rounding_have_the_interval_of_equal_ones(values):
    found, equal = statistics.mean(values), statistics.mean([round(values[0])] * len(values))
    assert 0 <= found.low <= found.value <= found.high <= 1
    for end in ("value", "low", "high"):
        assert getattr(found, end) == pytest.approx(getattr(equal, end), abs=1e-6)


def test_what_is_no_number_or_outside_is_refused():
    for value in (float("nan"), 1.001, -0.001):
        with pytest.raises(ValueError, match="outside 0 to 1"):
            statistics.mean([0.5] * 10 + [value])
