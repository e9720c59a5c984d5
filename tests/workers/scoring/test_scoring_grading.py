"""Right, wrong and not read, kept apart: probes of every kind, and what a score says of each."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from workers.scoring import Item, find_answer, parse_reference, score_items
from workers.scoring.contract import item_from
from workers.scoring.explain import RULES, explain
from workers.scoring.extract.answers import EXPLICIT, NOTHING
from workers.scoring.grade.grading import UNREAD
from workers.scoring.grade.references import ANSWER_TYPES

REPO = Path(__file__).parents[3]
PROBES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "grading_probes.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
KINDS = defaultdict(list)
for probe in PROBES:
    KINDS[probe["kind"]].append(probe)


def score(text: str, reference: str | None = "7", **more):
    references = () if reference is None else (reference,)
    return next(
        iter(score_items([Item("1", more.pop("question", "How many?"), text, references, **more)]))
    )


def graded(row: dict):
    return next(iter(score_items([item_from(row)])))


@pytest.mark.parametrize("kind", KINDS)
def test_probes_of_a_kind_are_graded_as_expected(kind):
    missed = []
    for row in KINDS[kind]:
        one = graded(row)
        if (one.correctness == 1.0) != (row["expect"] == 1):
            missed.append((row["id"], row["rationale"][-80:], one.grade.verdict, one.grade.reason))
    assert missed == []


def test_the_failing_cases_of_old_are_graded_as_expected(dev_data):
    file = dev_data.parent / "cases" / "grading.jsonl"
    rows = [json.loads(line) for line in file.open(encoding="utf-8")]
    scored = [graded(row) for row in rows]
    assert [
        r["id"] for r, s in zip(rows, scored, strict=True) if s.correctness == 1.0 != r["expect"]
    ] == []
    agree = sum(
        (s.correctness == 1.0) == (r["expect"] == 1) for r, s in zip(rows, scored, strict=True)
    )
    assert agree / len(rows) >= 0.97


@pytest.mark.parametrize(
    ("text", "verdict", "unread"),
    [
        ("The answer is 7.", "right", None),
        ("The answer is 8.", "wrong", None),
        ("We think about it.", "not_read", "nothing_found"),
        ("The answer is not 8.", "not_read", "nothing_found"),
        ("3 + 4 = 7, and then the", "not_read", "cut_off"),
        ("<think>3 + 4 = 7. The answer is 7.", "not_read", "cut_off"),
        ("", "not_read", "empty"),
        ("I'm sorry, but I can't help with that.", "not_read", "refusal"),
        ("The answer is 7 apples for 3 of the 5 people and their x dogs.", "right", None),
        ("The answer is 8 choose 3.", "not_read", "not_understood"),
    ],
)  # fmt: skip
def test_a_verdict_says_why_an_answer_was_not_read(text, verdict, unread):
    found = score(text).to_dict()
    assert (found["verdict"], found["unread"]) == (verdict, unread)
    assert found["correctness"] == {"right": 1.0, "wrong": 0.0}.get(verdict)


def test_without_a_reference_there_is_a_verdict_of_its_own():
    assert score("The answer is 7.", None).to_dict()["verdict"] == "no_reference"


def test_an_ambiguous_choice_and_an_ambiguous_date_are_not_read():
    options = ("A) one", "B) two", "C) three")
    assert score("The answer is (A) or (B).", "A", choices=options).grade.unread == "ambiguous"
    date = "The answer is October 3, 2024."
    assert score(date, "03/10/2024").grade.unread == "ambiguous"
    asked = "Which day, in MM/DD/YYYY?"
    assert score(date, "03/10/2024", question=asked).grade.verdict == "wrong"
    assert score(date, "03/10/2024", question="Which day, as DD/MM/YYYY?").grade.verdict == "right"


@pytest.mark.parametrize("reason", ["length", "error", "abort"])
def test_only_what_generation_cut_off_is_cut_off(reason):
    plain = "Ann has 3 and gets 4 more.\nSo she has 3 + 4 = 7 apples"
    assert score(plain, finish_reason=reason).grade.unread == "cut_off"
    for ended in (None, "stop", "eos"):
        assert score(plain, finish_reason=ended).grade.verdict == "right"
    # A number at the very end of what was cut off may have had more digits; a closed box has not.
    assert score("The answer is 7", finish_reason=reason).grade.unread == "cut_off"
    assert score(r"So \boxed{7}. I", finish_reason=reason).grade.verdict == "right"


def test_a_text_that_was_told_to_have_stopped_is_never_cut_off():
    found = score("3 + 4 = 7 and the", finish_reason="stop")
    assert found.grade.unread != "cut_off" and "cut_off" not in {flag.code for flag in found.flags}


@pytest.mark.parametrize(
    ("text", "answer", "rule"),
    [
        ("<answer>7</answer>", "7", "tag"),
        ('{"answer": "7"}', "7", "json"),
        ("So 7 is our answer.", "7", "answer-is"),
        (r"\boxed{7}", "7", "boxed"),
        ("答案是 7。", "7", "answer-is"),
        ("That leaves 7.", "7", "conclusion"),
    ],
)
def test_details_name_the_place_the_rule_and_both_values(text, answer, rule):
    scored = score(text)
    details = scored.details()
    assert details["answer_method"] == rule
    assert text[details["answer_start"] : details["answer_end"]] == answer
    assert (details["answer_read"], details["reference"], details["reference_read"]) == (
        "7",
        "7",
        "7",
    )


def test_a_number_of_one_group_is_read_as_the_language_writes_it():
    german = "Das Auto kostet 999,50 Euro und der Rest ist klein.\nDie Antwort lautet 1.234."
    assert score(german, "1234").grade.verdict == "right"
    assert score("It costs 999.50 and more.\nThe answer is 1.234.", "1234").grade.verdict == "wrong"


def test_a_reference_of_another_kind_than_its_type_is_met_by_its_own_words_alone():
    assert score("The answer is Monday.", "Monday", answer_type="number").grade.verdict == "right"
    found = score("The answer is Tuesday.", "Monday", answer_type="number")
    assert found.grade.unread == "type_mismatch"


def test_an_answer_that_is_only_denied_has_no_vote():
    texts = ("The answer is 7.", "The answer is 7.", "The answer is not 8.")
    items = [Item(str(n), "How many?", text, ("7",)) for n, text in enumerate(texts)]
    assert [one.consistency for one in score_items(items)] == [1.0, 1.0, None]


def test_an_explanation_shows_span_rule_and_values():
    text = explain(Item("a", "q", "La respuesta es 2,5.", ("2.5",), "number"))
    assert ">>>2,5<<<" in text and "verdict       right" in text and "looked for    number" in text
    for method in EXPLICIT | NOTHING | {"conclusion", "bare"}:
        assert RULES[method]


def test_every_reason_and_every_type_has_its_words():
    assert all(UNREAD.values())
    assert {"number", "expression", "choice", "text", "yes_no", "date", "time"} < set(ANSWER_TYPES)
    assert parse_reference("yes", "yes_no").answer_type == "yes_no"
    assert find_answer("It cannot be determined.", "undetermined").answer is not None
