"""What the score of a rationale says, through `score_items`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workers.scoring import Item, score_items
from workers.scoring.metrics.similarity import SentenceEmbedder

REPO = Path(__file__).parents[3]
QUESTION = (
    "Janet has 16 eggs. She eats 3 and bakes 4. She sells the rest at $2. How much does she make?"
)
GOOD = "She has 16 - 3 - 4 = 9 eggs left.\nShe makes 9 * 2 = $18.\n#### 18"
LONG = (
    "She has 16 eggs.\nShe eats 3 and bakes 4.\nShe has 16 - 3 - 4 = 9 eggs left.\n"
    "She has 16 - 3 - 4 = 9 eggs left.\nShe makes 9 * 2 = $18.\n#### 18"
)
WRONG = "She has 16 - 3 = 12 eggs left.\nShe makes 12 * 2 = $24.\n#### 24"
CUT = "She has 16 - 3 - 4 = 9 eggs left.\nShe makes 9 *"


def score(*rationales, reference="18", **kwargs):
    items = [
        Item(str(i), QUESTION, text, (reference,) if reference else ())
        for i, text in enumerate(rationales)
    ]
    return list(score_items(items, **kwargs))


def codes(scored):
    return {f.code for f in scored.flags} | {f.code for s in scored.steps for f in s.flags}


def test_the_score_object_has_exactly_the_fields_of_the_contract():
    scored = score(GOOD)[0].to_dict()
    assert list(scored) == [
        "answer", "correctness", "verdict", "unread", "conciseness", "structure", "similarity", "consistency",
        "validity", "redundancy", "overall", "steps", "flags",
    ]  # fmt: skip
    assert list(scored["steps"][0]) == ["text", "start", "end", "validity", "redundancy", "flags"]
    json.dumps(scored, allow_nan=False)


def test_right_wrong_and_unfinished_rationales_are_told_apart():
    good, wrong, cut = score(GOOD, WRONG, CUT)
    assert (good.correctness, wrong.correctness, cut.correctness) == (1.0, 0.0, None)
    assert good.overall > 0.85 > 0.4 >= wrong.overall
    assert "cut_off" in codes(cut)
    assert cut.found.answer is None


def test_without_a_reference_correctness_is_unknown():
    assert score(GOOD, reference=None)[0].correctness is None


def test_a_reference_that_cannot_be_read_makes_no_rationale_wrong():
    scored = score(GOOD, reference=r"\frac{1")[0]
    assert scored.correctness is None
    assert "cannot_grade" in codes(scored)


def test_wrong_arithmetic_is_flagged_at_its_step_in_words():
    scored = score(WRONG)[0]
    assert [f.message for f in scored.steps[0].flags] == ["16 - 3 is 13, not 12."]
    assert scored.steps[0].validity < 0.5 < scored.steps[1].validity
    assert scored.validity < 0.5


def test_a_repeated_step_is_named_and_costs_conciseness():
    short, long = score(GOOD, LONG)
    assert "This repeats step 3." in [f.message for f in long.steps[3].flags]
    assert long.redundancy > 0.9 > 0.5 > short.redundancy
    assert long.conciseness < short.conciseness == 1.0


def test_a_wrong_rationale_gains_nothing_from_being_short():
    good, wrong = score(GOOD, "#### 24")
    assert wrong.conciseness <= 0.5 < good.conciseness


def test_a_value_used_before_it_is_worked_out_is_flagged():
    swapped = "She makes 9 * 2 = $18.\nShe has 16 - 3 - 4 = 9 eggs left.\n#### 18"
    assert "used_before_known" in codes(score(swapped)[0])
    assert "used_before_known" not in codes(score(GOOD)[0])


def test_an_answer_that_no_step_shows_is_flagged():
    assert "unsupported_answer" in codes(score(GOOD.replace("#### 18", "#### 21"))[0])


def test_consistency_is_the_share_that_agrees():
    values = [s.consistency for s in score(GOOD, LONG, WRONG, GOOD + ".00")]
    assert values == [0.75, 0.75, 0.25, 0.75]
    assert score(GOOD)[0].consistency is None


def test_the_same_text_twice_is_called_a_duplicate():
    first, second = score(GOOD, GOOD)
    assert "duplicate" not in codes(first)
    assert "duplicate" in codes(second)


def test_every_gold_label_of_the_gsm8k_teachers_is_met(dev_data):
    labels, items = [], []
    for number, line in enumerate((dev_data / "gsm8k_teachers_dev.jsonl").open(encoding="utf-8")):
        row = json.loads(line)
        for teacher, one in row.items():
            if isinstance(one, dict):
                items.append(
                    Item(
                        f"{number}-{teacher}",
                        row["question"],
                        one["solution"],
                        (row["ground_truth"],),
                    )
                )
                labels.append(float(one["is_correct"]))
    found = [s.correctness for s in score_items(items)]
    assert [float(one == 1.0) for one in found] == labels
    assert len(labels) == 2800 and found.count(None) == 6  # these end inside a sum


def test_importing_the_scorer_is_light():
    code = (
        "import sys, workers.scoring as s\n"
        "list(s.score_items([s.Item('1', 'q', 'The answer is 5.', ('5',))]))\n"
        "print([m for m in ('torch', 'sympy', 'sentence_transformers', 'numpy') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPO, check=True
    )
    assert run.stdout.strip() == "[]"


EGGS = "Ann has 31 eggs and buys 4 dozen more. She bakes 7 cakes. How many eggs are left?"
OWN = "Ann starts with 31 eggs and buys 4 * 12 = 48 more.\nAnswer: 79"
OTHER = "The parabola meets the axis where y = 0.\nIts slope is then m = 15 / 5 = 3.\nAnswer: 3"
SUMS = "Step 1: 4 * 12 = 48.\nStep 2: 31 + 48 = 79.\nStep 3: 79 - 7 = 72.\nAnswer: 72"


def flagged_off_topic(scored):
    return [any(flag.code == "off_topic" for flag in one.flags) for one in scored]


def test_a_rationale_about_another_question_is_told_by_the_embeddings():
    embedder = SentenceEmbedder()
    items = [Item(str(n), EGGS, text) for n, text in enumerate((OWN, OTHER, SUMS))]
    with_it = list(score_items(items, embedder=embedder))
    assert flagged_off_topic(with_it) == [False, True, False]
    assert with_it[1].validity < 0.5 * with_it[1].soundness
    assert [with_it[n].validity for n in (0, 2)] == [round(with_it[n].soundness, 4) for n in (0, 2)]
    (alone,) = score_items([items[1]], embedder=embedder)
    assert alone.similarity is None and alone.validity == with_it[1].validity


def test_without_embeddings_a_rationale_about_another_question_still_loses_validity():
    own, other, sums = score_items(
        [Item(str(n), EGGS, t) for n, t in enumerate((OWN, OTHER, SUMS))]
    )
    assert other.validity < other.soundness
    for one in (own, sums):
        assert one.validity == round(one.soundness, 4)


@pytest.mark.parametrize(
    ("question", "rationale"),
    [(EGGS, "The answer is 5."), (EGGS, "\\boxed{72}"), ("", OTHER), ("x?", OTHER)],
)
def test_where_there_is_too_little_to_tell_no_rationale_is_called_off_its_topic(
    question, rationale
):
    embedder = SentenceEmbedder()
    (one,) = score_items([Item("1", question, rationale)], embedder=embedder)
    assert one.topic is None and flagged_off_topic([one]) == [False]
    assert one.validity == round(one.soundness, 4)
