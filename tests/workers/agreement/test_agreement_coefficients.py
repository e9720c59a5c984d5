"""Agreement figures against published worked examples, and where no figure can be given."""

import numpy as np
import pytest
from nltk.metrics.agreement import AnnotationTask
from nltk.metrics.distance import binary_distance, interval_distance

from curation.figures.intervals import clustered, clusters_of
from workers.agreement.coefficients import Rating, against_controls, overall, pairs
from workers.agreement.intervals import share_interval
from workers.agreement.rating import Said
from workers.agreement.report import agreement

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", example C: four observers,
# twelve units, missing values.
KRIPPENDORFF = {
    "A": "1 2 3 3 2 1 4 1 2 . . .",
    "B": "1 2 3 3 2 2 4 1 2 5 . 3",
    "C": ". 3 3 3 2 3 4 2 2 5 1 .",
    "D": "1 2 3 3 2 4 4 1 2 5 1 .",
}


def krippendorffs_ratings() -> list[Rating]:
    return [
        Rating(unit, unit, person, int(value))
        for person, row in KRIPPENDORFF.items()
        for unit, value in enumerate(row.split())
        if value != "."
    ]


def of_table(table: list[list[int]], values: list, rationales: int = 1) -> list[Rating]:
    """Ratings by two people whose cross table is `table`, `rationales` items a question."""
    said = [
        (values[i], values[j])
        for i, row in enumerate(table)
        for j, n in enumerate(row)
        for _ in range(n)
    ]
    return [
        Rating(item // rationales, item, person, value)
        for item, both in enumerate(said)
        for person, value in zip("ab", both, strict=True)
    ]


@pytest.mark.parametrize(("ordered", "published"), [(False, 0.743), (True, 0.849)])
def test_alpha_equals_krippendorffs_worked_example(ordered, published):
    figure = overall(krippendorffs_ratings(), ordered=ordered)
    assert round(figure.value, 3) == published
    distance = interval_distance if ordered else binary_distance
    whole = [(one.person, one.item, one.value) for one in krippendorffs_ratings()]
    assert figure.value == pytest.approx(AnnotationTask(whole, distance=distance).alpha())
    assert figure.n == 11  # the twelfth unit has one observer only
    assert figure.low < figure.value < figure.high


def test_kappa_equals_the_worked_example_of_fleiss_levin_and_paik():
    """Statistical Methods for Rates and Proportions, 3rd edition (2003), table 18.1: 0.68."""
    table = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
    figure = pairs(of_table(table, ["neurotic", "other", "psychotic"]))["a", "b"]
    assert figure.value == pytest.approx(0.23 / 0.34)
    assert (round(figure.value, 2), figure.n, figure.same) == (0.68, 100, 89)
    assert figure.low < figure.value < figure.high


# Data set `anxiety` of the R package irr (Gamer, Lemon, Fellows and Singh), raters 2 and 3, from 1 to
# 6; `kappa2(anxiety[,2:3])` and `kappa2(anxiety[,2:3], "squared")` print the figures below. irr takes
# the places of the values that occur: nobody says 5, so 6 stands as 5 here.
ANXIETY = ("3 5 4 5 2 4 2 4 3 3 2 3 3 3 2 2 1 3 3 4", "2 1 4 4 3 2 1 5 1 1 1 2 3 3 1 1 3 3 2 2")


@pytest.mark.parametrize(("ordered", "published"), [(False, -0.006289308), (True, 0.2520325)])
def test_weighted_kappa_equals_the_example_of_irr(ordered, published):
    ratings = [
        Rating(unit, unit, person, int(value))
        for person, row in zip("ab", ANXIETY, strict=True)
        for unit, value in enumerate(row.split())
    ]
    figure = pairs(ratings, ordered=ordered)["a", "b"]
    assert (figure.value, figure.n) == (pytest.approx(published, abs=5e-8), 20)


def test_cohens_own_table_gives_the_kappa_of_his_paper():
    """Cohen (1968), table 1, 200 diagnoses by two judges: kappa 0.492."""
    table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
    figure = pairs(of_table(table, ["personality", "neurosis", "psychosis"]))["a", "b"]
    assert round(figure.value, 3) == 0.492


def test_ordered_labels_count_a_far_miss_for_more_than_a_near_one():
    near = pairs(of_table([[10, 5, 0], [0, 10, 0], [0, 0, 10]], [-1, 0, 1]), ordered=True)
    far = pairs(of_table([[10, 0, 5], [0, 10, 0], [0, 0, 10]], [-1, 0, 1]), ordered=True)
    assert near["a", "b"].value > far["a", "b"].value


def test_rationales_of_one_question_make_a_wider_interval_than_rationales_apart():
    table = [[60, 10], [10, 60]]
    apart = pairs(of_table(table, ["approve", "reject"]))["a", "b"]
    together = pairs(of_table(table, ["approve", "reject"], rationales=10))["a", "b"]
    assert apart.value == together.value
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_the_same_ratings_give_the_same_interval():
    assert overall(krippendorffs_ratings()) == overall(krippendorffs_ratings())


def test_guesses_agree_about_as_far_as_chance():
    random = np.random.default_rng(1)
    said = [Rating(i, i, p, int(random.integers(2))) for i in range(400) for p in "abc"]
    assert abs(overall(said).value) < 0.1
    assert len(pairs(said)) == 3


def test_where_no_figure_can_be_given_the_reason_stands():
    alone = [Rating(i, i, "a", "approve") for i in range(20)]
    assert "two people" in overall(alone).why
    assert pairs(alone) == {}
    one_value = [Rating(i, i, p, "approve") for i in range(20) for p in "ab"]
    for figure in (overall(one_value), pairs(one_value)["a", "b"]):
        assert figure.value is None and "same one thing" in figure.why
    few = pairs(of_table([[3, 1], [1, 3]], ["approve", "reject"]))["a", "b"]
    assert few.value == pytest.approx(0.5) and few.low is None and "Fewer than" in few.why


def test_a_person_who_rates_an_item_twice_is_named():
    with pytest.raises(ValueError, match="'ann' rates item 7 of 3 twice"):
        overall([Rating(3, 7, "ann", "approve"), Rating(3, 7, "ann", "reject")])


def test_controls_count_only_what_is_known():
    said = [Rating(i, i, "ann", "approve") for i in range(10)] + [Rating(99, 99, "bob", "reject")]
    known = {(i, i): "approve" if i < 4 else "reject" for i in range(5)}
    figures = against_controls(said, known)
    assert list(figures) == ["ann"]
    assert (figures["ann"].value, figures["ann"].n) == (0.8, 5)
    assert round(figures["ann"].low, 3) == 0.376 and round(figures["ann"].high, 3) == 0.964


@pytest.mark.parametrize("seed", range(6))
def test_controls_have_the_interval_of_pages_over_the_same_rationales(seed):
    """Two formulas, one here by the libraries and one in the web without any: the same ends."""
    random = np.random.default_rng(seed)
    groups = [random.random(random.integers(1, 9)) < 0.7 for _ in range(2 + 7 * seed)]
    groups = [[bool(one) for one in group] for group in groups]
    if seed == 0:
        groups = [[True] * 4, [True] * 2]
    rows = [(0, len(group), sum(group)) for group in groups]
    ends = clustered(sum(map(sum, groups)), sum(map(len, groups)), clusters_of(rows)[0])
    assert share_interval(groups) == pytest.approx(ends, abs=1e-7)


def test_rationales_of_one_control_question_promise_no_more_than_the_question():
    said = [Rating(q, (q, r), "ann", "approve") for q in range(5) for r in range(4)]
    known = {(one.group, one.item): "approve" if one.group else "reject" for one in said}
    ann = against_controls(said, known)["ann"]
    assert (ann.value, ann.n, ann.same) == (0.8, 20, 16)
    alone = [Rating(i, i, "ann", "approve") for i in range(20)]
    apart = against_controls(alone, {(i, i): "reject" if i < 4 else "approve" for i in range(20)})
    assert ann.high - ann.low > 1.5 * (apart["ann"].high - apart["ann"].low)


def test_the_report_keeps_controls_apart_and_takes_an_edit_there_for_a_rejection():
    said = [Said(q, q, person, "approve", {"1": 1}) for q in range(12) for person in (1, 2)]
    said[1] = Said(0, 0, 2, "edit", {"1": -1})
    said += [Said(50, 50, 1, "edit", known="reject"), Said(50, 51, 1, "edit", known="approve")]
    made = agreement(said)
    assert made["decisions"]["all"]["n"] == 12 and made["decisions"]["all"]["same"] == 11
    (pair,) = made["decisions"]["pairs"]
    assert (pair["a"], pair["b"], pair["n"]) == (1, 2, 12)
    assert made["steps"]["all"]["n"] == 12 and made["steps"]["all"]["same"] == 11
    (met,) = made["controls"]
    assert (met["person"], met["n"], met["same"], met["value"]) == (1, 2, 1, 0.5)
