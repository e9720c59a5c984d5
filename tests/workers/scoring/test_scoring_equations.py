"""Which calculations are recomputed, and what is said of the wrong ones."""

import pytest

from workers.scoring.equations.equations import check_text

WRONG = [
    ("16 - 3 = 12", "16 - 3 is 13, not 12."),
    ("She makes 9 * 2 = $<<9*2=19>>19 a day", "9 * 2 is 18, not 19."),
    ("3 apples + 2 apples = 6 apples", "3 + 2 is 5, not 6."),
    ("2(3 + 4) = 15", "2(3 + 4) is 14, not 15."),
    ("12 times 12 equals 143", "12 * 12 is 144, not 143."),
    (r"$\frac{3}{4} \times 8 = 7$", "(3 / 4) * 8 is 6, not 7."),
    ("7 packs × 18 balls/pack = 125 balls", "126"),
    ("5 + 3 = 8 = 4 * 3", "4 * 3 is 12, not 8."),
    ("10 / 4 = 3.5", "10 / 4 is 2.5, not 3.5."),
    ("(120 - 100) / 100 = 25%", "(120 - 100) / 100 is 20%, not 25%."),
    ("0.2 * 100 = 25%", "0.2 * 100 is 20%, not 25%."),
    ("50% + 25% = 80%", "50% + 25% is 75%, not 80%."),
    ("(50 - 100) / 100 = -25%", "(50 - 100) / 100 is -50%, not -25%."),
    ("20% of 50 = 12", "20% * 50 is 10, not 12."),
]
RIGHT = [
    "16 - 3 = 13",
    "10 / 3 = 3.33",
    "10 / 3 = 3",
    "20% * 50 = 10",
    "0.2 = 20%",
    "48/2 = <<48/2=24>>24 clips",
    "$1,000 + $234.50 = $1,234.50",
    "60 students x 2/3 = 40 students",
    "2^3 * 2 = 16",
    "3 + 4 = 7 - 0 = 7",
    "1/2 of 30 = 15",
    "16 + 12 = 28 million",
    "5 dozen * 12 = 60",
]
LEFT_ALONE = [
    "11x + 15 = 301",
    "x = 5",
    "M + 4 + 2 = 8",
    "17 / 5 = 3 remainder 2",
    "Since 2/3 is equal to 40, then 1/3 is equal to 20",
    "2:30 + 15 = 2:45",
    "f(2 + 3) = 9",
    "1 and 1/4 + 1 = 2",
    "0900 - 0130 = 0730",
    "2 hours + 30 minutes = 150 minutes",
    "9**9**9**9 = 3",
    "half of 30 + 2 = 17",
    "(1 + 3)(2 + 2) = 4 (4)",
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_wrong_calculation_is_named_with_its_right_result(text, message):
    wrong = [e for e in check_text(text) if not e.holds]
    assert len(wrong) == 1
    assert message in wrong[0].message


@pytest.mark.parametrize("text", RIGHT)
def test_a_right_calculation_is_checked_and_holds(text):
    equations = check_text(text)
    assert all(e.holds for e in equations)


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_is_not_surely_plain_arithmetic_is_left_alone(text):
    assert [e for e in check_text(text) if not e.holds] == []
