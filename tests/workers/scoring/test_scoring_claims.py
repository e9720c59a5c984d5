"""What the scorer finds in the claims of a rationale whose answer is right, and what it leaves alone."""

import pytest

from workers.scoring import Item, score_items

FLAGS = ("other_value", "two_values", "unit_misfit", "comparison", "other_day", "circular", "unknown_name",
         "from_nowhere", "not_the_result", "diverges")  # fmt: skip


def found(question: str, answer: str, *steps: str) -> list[tuple[int, str]]:
    """(step, code) of the flags that say that a step is wrong, each with its place in the text."""
    text = "\n".join([*steps, f"The answer is {answer}."])
    (scored,) = score_items([Item("1", question, text, (answer,))])
    assert scored.correctness == 1.0
    out = []
    for number, step in enumerate(scored.steps, 1):
        for flag in step.flags:
            if flag.code in FLAGS:
                out.append((number, flag.code))
                assert flag.start == -1 or step.start <= flag.start < flag.end <= step.end
    return out


HUGO = "Hugo bakes 3 cakes a day and Ivy bakes twice as many. How many cakes do they bake in a day together?"
OVENS = "Each oven takes 4 hours a day to warm up. The bakery has 6 ovens. How many hours is that in a week?"
PENS = "A ruler costs $5. A pen costs $2 less than a ruler. How much is the pen?"


@pytest.mark.parametrize(
    ("question", "answer", "steps", "expected"),
    [
        (HUGO, "9", ["The part for Kate is 3 cakes.", "Ivy bakes 3 * 2 = 6 cakes.", "Together 3 + 6 = 9."],
         [(1, "unknown_name")]),
        (OVENS, "168", ["Each oven takes 4*6 = 24 hours a day to warm up.", "So it is 24*7 = 168 hours."],
         [(1, "other_value")]),
        ("The hall has 20 chairs. It has 3 times as many cups as chairs. How many cups?", "60",
         ["The hall has 20 * 3 = 60 chairs."], [(1, "other_value")]),
        ("Omar had $30. Lena gave him half of her $80. How much does Omar have now?", "70",
         ["Half of it is 80 / 2 = $40.", "If Lena gave him half of her $40, then Omar has 30 + 40 = $70."],
         [(2, "other_value")]),
        (PENS, "3", ["The pen costs $1 less than $5 = $3."], [(1, "other_value"), (1, "comparison")]),
        ("Bo starts on floor 3 and rides to the floor that is 4 times that. Which floor is it?", "12",
         ["3 floors * 4 floors = 12 floors"], [(1, "unit_misfit")]),
        ("A bed is 2 feet wide, 8 feet long and 3 feet tall. How much soil does it hold?", "48",
         ["The bed is 2*8*3 = 48 feet long."], [(1, "unit_misfit")]),
        ("On Monday Sue ate 4 times as many figs as Tim. On Tuesday she ate as many as he. Tim ate 5 figs on "
         "Monday. How many did she eat on Monday?", "20", ["Sue ate 4 * 5 = 20 figs on Tuesday."],
         [(1, "other_day")]),
        ("A melon weighs 60g, twice as much as a kiwi. What do 5 kiwis weigh?", "150",
         ["If a kiwi weighs 30g, then a kiwi weighs 60g / 2 = 30g.", "5 kiwis weigh 5 * 30 = 150g."],
         [(1, "circular")]),
        ("A box has 8 pens. Ada buys 5 boxes. How many pens has she?", "40",
         ["She has 5 * 8 = 40 pens.", "She gives away 40 - 17 = 23 pens."],
         [(2, "from_nowhere"), (2, "not_the_result")]),
    ],
)  # fmt: skip
def test_a_step_that_does_not_fit_its_question_is_flagged_at_its_place(
    question, answer, steps, expected
):
    assert sorted(found(question, answer, *steps)) == sorted(expected)


@pytest.mark.parametrize(
    ("question", "answer", "steps"),
    [
        (HUGO, "9", ["Ivy bakes 3 * 2 = 6 cakes a day.", "Together they bake 3 + 6 = 9 cakes a day."]),
        (OVENS, "168", ["The ovens take 4*6 = 24 hours a day together.", "So it is 24*7 = 168 in a week."]),
        (PENS, "3", ["The pen costs $5 - $2 = $3."]),
        ("Omar had $30. Lena gave him half of her $80. How much does Omar have now?", "70",
         ["Lena gave Omar 80 / 2 = $40.", "Omar has 30 + 40 = $70."]),
        ("Mia had 61 songs on her phone. She deleted 9 and added 18. How many are there?", "70",
         ["Mia had 61 - 9 = 52 songs on her phone.", "Then she has 52 + 18 = 70 songs."]),
        ("An apple costs $2 and a pear costs $3. How much do 4 apples and 2 pears cost?", "14",
         ["The apples cost 4 * 2 = $8.", "The pears cost 2 * 3 = $6.", "They cost 8 + 6 = $14."]),
        ("A cable is 4 feet long. How many inches is that?", "48", ["4 feet * 12 inches/foot = 48 inches"]),
        ("Ein Korb hat 12 Eier. Anna kauft 3 Körbe. Wie viele Eier hat Anna?", "36",
         ["Anna hat 12 * 3 = 36 Eier.", "Ein Korb von Bernd hat 36 Eier."]),
        (r"Solve $x^2 = 9$ for positive x.", "3", [r"$x^{2} = 9$, so $x = \sqrt{9} = 3$."]),
    ],
)  # fmt: skip
def test_sound_steps_other_languages_and_formulas_are_left_alone(question, answer, steps):
    assert found(question, answer, *steps) == []


QUESTION = (
    "Ana reads 2 hours a day and sleeps half as long at noon. How many hours is that in 4 days?"
)
STEPS = {
    "sound": "She sleeps 2 / 2 = 1 hour.\nThat is 2 + 1 = 3 a day.\nSo it is 3 * 4 = 12.\nThe answer is 12.",
    "odd": "She reads 2 * 4 = 8 hours.\nThat is 8 * 2 = 16 hours.\nSo it is 16 - 4 = 12.\nThe answer is 12.",
}


def beside(odd: str, others: list[str], worked: str = "") -> list:
    texts = [odd, *others]
    items = [
        Item(str(n), QUESTION, text, ("12",), group="g", worked_solution=worked)
        for n, text in enumerate(texts)
    ]
    return list(score_items(items))


def test_the_step_that_leaves_the_way_of_all_others_is_flagged_and_makes_validity_fall():
    alone = beside(STEPS["odd"], [])[0]
    scored = beside(STEPS["odd"], [STEPS["sound"]] * 2, worked="2/2 = 1\n2+1 = 3\n3*4 = 12")[0]
    (flag,) = [flag for flag in scored.steps[0].flags if flag.code == "diverges"]
    assert "the worked solution goes on to 1" in flag.message
    assert scored.validity < alone.validity
    assert not [f for one in alone.steps for f in one.flags if f.code == "diverges"]


def test_of_a_wrong_answer_validity_is_small_and_the_likeliest_first_wrong_step_is_named():
    wrong = "She sleeps 2 / 2 = 1 hour.\nThat is 2 + 1 = 4 a day.\nSo it is 4 * 4 = 16.\nThe answer is 16."
    scored = beside(wrong, [STEPS["sound"]])[0]
    assert scored.correctness == 0.0
    assert scored.validity <= 0.05
    assert scored.details()["first_wrong_step"] == 2
    assert beside(STEPS["sound"], [])[0].details()["first_wrong_step"] is None


def test_steps_that_say_nothing_that_can_be_recomputed_are_named_as_unchecked():
    text = "Let us think about it.\n2 + 1 = 3 hours.\nThis is for one day.\nSo 3 * 4 = 12."
    assert beside(text, [])[0].details()["unchecked_steps"] == [1, 3]
