"""Which answer a rationale gives, and where it stands."""

import pytest

from workers.scoring import Item, find_answer, parse_reference, score_items, split_steps

CHOICES = ("A) 5.5", "B) 6", "C) 7", "D) 8", "E) 8.25")

MARKED = [
    (r"So \boxed{42}. Done in 3 steps.", "42"),
    (r"We get \boxed{\frac{1}{\sqrt{2}}}.", r"\frac{1}{\sqrt{2}}"),
    (r"Roots: \boxed{2} and \boxed{3}.", "2, 3"),
    (r"First \boxed{2}. But wait, that is wrong. So \boxed{3}.", "3"),
    ("#### 72", "72"),
    ("some words\nA: 1,234", "1,234"),
    ("Answer: 5 apples", "5"),
    ("The answer is 18.", "18"),
    ("The answer is $18.50. I did this in 3 steps.", "$18.50"),
    ("Final Answer: **73**", "73"),
    ("Final Answer:\n\n**73**", "73"),
    ("### Answer\n\n216", "216"),
    ("<think>is it 5? the answer is 5. no</think>The answer is 4.", "4"),
    ("The answer is not 5 but 6.", "6"),
    ("Thus, the answer is 5, not 6.", "5"),
    ("The answer is 3 and 5.", "3 and 5"),
    ("The answer is 2:30 PM.", "2:30 PM"),
    ("The answer is 12 because 3 * 4 = 12.", "12"),
    ("The answer is 3 * 4 = 12.", "12"),
    ("Answer: 5\nExplanation: we took 7 steps", "5"),
    ("I think the answer is around 20. 4*6=24. So the answer is 24.", "24"),
    (r"The answer is: \[ \frac{1}{2} \]", r"\frac{1}{2}"),
]
PLAIN = [
    ("So she has 5 apples left out of 12.", "5"),
    ("She ate 7. So she has 5 apples left out of 12. I did this in 3 steps.", "5"),
    ("In total, they have 3 + 4 = 7 cats.", "7"),
    ("So the total is $1,250 for 5 nights.", "$1,250"),
    ("After 5 days, he has 20 coins.", "20"),
    ("Therefore, it takes 15 hours to finish 3 books.", "15 hours"),
    ("Therefore x = 5 or x = -3.", "x = 5 or x = -3"),
    ("That leaves him with 7 marbles.", "7"),
    ("$18.50", "$18.50"),
    ("five", "five"),
]
UNFINISHED = [
    "He buys 3*4 = 12 apples. Then he",
    "He buys 3*4 = 12 apples and 5",
    "<think>2+2 is 4 and then 4*3 = 12",
    "Step 1: 3+4 = 7\nStep 2: 7*2 = 14\nStep 3: 14 -",
    "It costs $41 + $8 = $<<41+8.",
]
OPTIONS = [
    ("Correct answer - A", "A"),
    ("so it is 8. Answer D", "D"),
    ("ANSWER:D", "D"),
    ("Hence answer is a.\nAnswer:B", "B"),
    ("the answer is D\n0.497==>1\n150==>?(say x)", "D"),
    ("The correct option is (C) 7.", "C"),
    ("**Answer:** (B)", "B"),
    ("Therefore, the result is 8.25.", "8.25"),
]


@pytest.mark.parametrize(("text", "answer"), MARKED)
def test_a_marked_answer_is_found_whatever_follows_it(text, answer):
    assert find_answer(text).answer == answer


@pytest.mark.parametrize(("text", "answer"), PLAIN)
def test_the_concluding_sentence_is_read_in_plain_words(text, answer):
    assert find_answer(text).answer == answer


@pytest.mark.parametrize("text", UNFINISHED)
def test_a_rationale_that_was_cut_off_has_no_answer(text):
    found = find_answer(text)
    assert found.answer is None
    assert found.method == "cut-off"


@pytest.mark.parametrize(("text", "answer"), OPTIONS)
def test_an_option_is_found_by_its_letter_or_its_text(text, answer):
    assert find_answer(text, "choice", CHOICES).answer == answer


@pytest.mark.parametrize(("text", "answer"), [*MARKED, *PLAIN])
def test_the_span_points_at_the_answer_in_the_text(text, answer):
    found = find_answer(text)
    assert found.end > found.start >= 0
    if ", " not in answer:  # several boxes are joined
        assert text[found.start : found.end] == answer


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        ("She has 3.\n#### 1,200", "1,200"),
        ("Work.\nA: -4", "-4"),
        ("18", "18"),
        (18, "18"),
        (2.5, "2.5"),
    ],
)
def test_references_are_read_in_the_shapes_of_gsm8k(raw, answer):
    reference = parse_reference(raw)
    assert (reference.answer, reference.answer_type, reference.problem) == (answer, "number", "")


@pytest.mark.parametrize("raw", [None, "", "  ", "?", r"\frac{1", "n/a"])
def test_a_reference_that_cannot_be_read_is_a_problem_of_the_data(raw):
    reference = parse_reference(raw)
    assert reference.answer is None
    assert reference.problem


TEXTS = [
    "1. First, 3 + 4 = 7.\n2. Then 7 * 2 = 14.\n\nSo the answer is 14.",
    "She has 3.5 apples. Mr. Smith has 4. So 3.5 + 4 = 7.5.",
    "We have\n\\[\nx = 5\n\\]\nso $x^2 = 25$.",
    "<think>\nLet me see.\nIt is 4.\n</think>\nThe answer is 4.",
    "- a\n- b\n* c",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_steps_lie_in_the_text_in_order_and_lose_no_word(text):
    steps = split_steps(text)
    at = 0
    for step in steps:
        assert text[step.start : step.end] == step.text
        assert step.start >= at
        at = step.end
    kept = "".join(step.text for step in steps)
    lost = text.replace("<think>", "").replace("</think>", "")
    assert "".join(kept.split()) == "".join(lost.split())


def test_running_text_is_split_into_sentences_and_a_formula_stays_with_its_line():
    assert [s.text for s in split_steps(TEXTS[1])] == [
        "She has 3.5 apples.",
        "Mr. Smith has 4.",
        "So 3.5 + 4 = 7.5.",
    ]
    assert len(split_steps(TEXTS[2])) == 2


@pytest.mark.parametrize(
    ("answer", "reference", "right"),
    [
        ("5 cm²", "5 cm^2", True),
        ("5 square centimeters", "5 cm^2", True),
        ("5 sq. ft", "5 square feet", True),
        ("50 m^{2}", "500000 cm^2", True),
        ("2 cubic decimeters", "2", True),
        ("250 cm^3", "0.25 liters", True),
        ("3 feet squared", "3 ft^2", True),
        ("5", "5 cm^2", True),
        ("5 cm", "5 cm^2", False),
        ("5 cm^3", "5 cm^2", False),
        ("5 sq ft", "5 ft", False),
        ("4 m^2", "5 m^2", False),
    ],
)
def test_areas_and_volumes_are_told_from_lengths(answer, reference, right):
    item = Item("a", "How large is it?", f"Answer: {answer}", references=(reference,))
    assert next(iter(score_items([item]))).correctness == float(right)


@pytest.mark.parametrize(
    ("question", "exact", "right", "wrong"),
    [
        ("Round to one decimal place.", "0.25", "0.3", "0.2"),
        ("Round to two decimal places.", "1.125", "1.13", "1.12"),
        ("Round to the nearest whole number.", "2.5", "3", "2"),
        ("Round to the nearest whole number.", "-4.5", "-5", "-4"),
        ("Round to the nearest whole number.", "3.5", "4", "3"),
    ],
)
def test_half_is_rounded_away_from_zero_as_schools_do(question, exact, right, wrong):
    """And not to the even neighbour, as Python's own `round` does."""
    rationales = [Item(says, question, f"Answer: {says}", (exact,)) for says in (right, wrong)]
    assert [one.correctness for one in score_items(rationales)] == [1.0, 0.0]
    for reference, expected in ((right, 1.0), (wrong, 0.0)):
        (one,) = score_items([Item("1", question, f"Answer: {exact}", (reference,))])
        assert one.correctness == expected
