"""What is said of a rationale's build: idle steps, contradictions, missing parts, likeness, and the fit."""

import json

import numpy as np
import pytest

from workers.scoring import Item, score_items
from workers.scoring.fitting.__main__ import main
from workers.scoring.fitting.cross_validation import _questions, _questions_of
from workers.scoring.fitting.dev_data import load
from workers.scoring.metrics.similarity import SentenceEmbedder
from workers.scoring.metrics.validity import MODELS_FILE, models

QUESTION = (
    "A baker makes 16 small loaves each day and sells 3 of them before noon. How many are left?"
)
WHOLE = (
    "The baker makes 16 loaves and sells 3 of them.\nOf the first 8 loaves 8 - 3 = 5 are left.\n"
    "The other 16 - 8 = 8 loaves are left too.\nTogether 5 + 8 = 13.\nThe answer is 13."
)


def scored(text, question=QUESTION, **fields):
    (one,) = score_items([Item("1", question, text, ("13",), **fields)])
    return one


def at_steps(one):
    return [[flag.code for flag in step.flags] for step in one.steps]


@pytest.mark.parametrize(
    ("step", "code", "words"),
    [
        ("16 - 3 = 13", "repeats", "This repeats step 2."),
        (
            "A baker makes 16 small loaves each day, sells 3 before noon.",
            "restates_question",
            "question",
        ),
        ("So we take the 3 sold loaves.", "nothing_new", "nothing new"),
    ],
)
def test_each_idle_step_is_named_at_its_place_and_costs_conciseness(step, code, words):
    lines = [
        "We take the 3 sold loaves from the 16 loaves.",
        "16 - 3 = 13",
        step,
        "The answer is 13.",
    ]
    idle, short = scored("\n".join(lines)), scored("\n".join(lines[:2] + lines[3:]))
    assert at_steps(idle) == [[], [], [code], []]
    assert words in idle.steps[2].flags[0].message
    assert at_steps(short) == [[], [], []] and idle.conciseness < short.conciseness


def test_a_value_that_contradicts_an_earlier_one_is_flagged_with_both():
    one = scored("16 - 3 = 13\nThen 16 - 3 = 11, so 11 are left.\nThe answer is 11.")
    messages = [flag.message for flag in one.steps[1].flags if flag.code == "contradiction"]
    assert messages == ["16 - 3 was 13 in step 1, here it is 11."]


def test_missing_truncated_and_empty_parts_are_said_of_the_whole_rationale():
    codes = {text: {flag.code for flag in scored(text).flags} for text in ("", "13", "16 - 3 =")}
    assert codes[""] == {"empty"} and "no_reasoning" in codes["13"]
    assert "cut_off" in codes["16 - 3 ="]
    assert "cut_off" in {flag.code for flag in scored(WHOLE, finish_reason="length").flags}
    assert "no_answer" in {flag.code for flag in scored("The baker works hard every day.").flags}


def test_each_part_of_the_pattern_that_is_missing_costs_structure():
    """Identify, break down, solve, combine."""
    whole = scored(WHOLE).structure
    assert whole > 0.85
    for text in (
        "One does what one can.\nThere is work.\n20 - 7 = 13\nThe answer is 13.",  # nothing identified
        "16 - 3 = 13. The answer is 13.",  # not broken down
        "The baker makes 16 loaves.\nHe sells 3 loaves.\nSome are left.\nThe answer is 13.",  # no work
        "The baker makes 16 loaves and sells 3.\nSo we take the 3 from the 16.\n16 - 3 = 13",  # no end
    ):
        assert scored(text).structure < whole, text


def test_similarity_is_the_mean_raw_cosine_to_the_rest_of_the_group():
    texts = [WHOLE, "The moon is made of rock.\nThe answer is 13.", WHOLE.replace("baker", "cook")]
    embedder = SentenceEmbedder()
    items = [Item(str(n), QUESTION, text, ("13",)) for n, text in enumerate(texts)]
    group = list(score_items(items, embedder=embedder))
    vectors = embedder.encode(texts)
    cosines = vectors @ vectors.T
    for i, one in enumerate(group):
        assert one.similarity == pytest.approx((cosines[i].sum() - 1) / 2, abs=1e-3)
    assert group[0].similarity > group[1].similarity
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_fitted_weights_stand_under_their_features_names():
    content = json.loads(MODELS_FILE.read_text(encoding="utf-8"))
    assert set(models()) == {"step_validity", "step_redundancy", "rationale_validity", "rationale_redundancy",
                             "sound_alone", "sound_group", "topic", "topic_embedded"}  # fmt: skip
    for name in models():
        assert isinstance(content[name]["intercept"], float)
        assert all(isinstance(weight, float) for weight in content[name]["weights"].values())
    assert content["cross_validated"]["swap solutions, paired"] >= 0.95


def test_no_question_is_on_both_sides_of_a_split_and_the_topic_knows_none_of_the_swapped(dev_data):
    data = load(dev_data)
    fold = _questions(data)
    entries = [entry for part in data.values() for entry in part]
    assert {fold[q] for entry in entries for q in _questions_of(entry)} == set(range(10))
    swapped = {pair[0].question for pair in data["pairs"]}
    assert not swapped & {q for pair in data["topic"] for q in (pair.question, pair.owner)}


def test_fitting_without_the_dev_data_is_one_clear_line(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "none")]) == 2
    assert "CHAINWRIGHT_DEV_DATA" in capsys.readouterr().err
