"""Published shapes come in by themselves, whole; what no field takes is named."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from curation.questions.formats import BadRow, Row, read_rows
from curation.questions.reading import Refused, open_table, source_of
from curation.questions.shapes.proposing.heads import is_row, knows
from curation.questions.shapes.understand import understand
from tests.curation.questions.shape_examples import EXAMPLES


def rows_of(value: Any, name: str = "file.json") -> list[Row | BadRow]:
    """The rows of a list as JSON lines, of anything else as one JSON value."""
    if isinstance(value, list):
        raw = "\n".join(json.dumps(one, ensure_ascii=False) for one in value)
    else:
        raw = json.dumps(value, ensure_ascii=False, indent=1)
    return list(read_rows(io.BytesIO(raw.encode()), name=name))


@pytest.mark.parametrize(
    ("rows", "expected"), [pytest.param(r, e, id=name) for name, r, e in EXAMPLES]
)
def test_a_published_shape_comes_in_whole(rows: Any, expected: dict[str, Any]) -> None:
    first, *others = rows_of(rows)
    assert all(isinstance(one, Row) for one in (first, *others)), (first, others)
    for name, value in expected.items():
        found = getattr(first, name)
        if name == "rationales":
            found = [(r.teacher, r.text, r.labelled_right) for r in found]
        assert found == value, name


@pytest.mark.parametrize(
    ("rows", "expected"), [pytest.param(r, e, id=name) for name, r, e in EXAMPLES]
)
def test_an_array_of_the_same_rows_gives_the_same(rows: Any, expected: dict[str, Any]) -> None:
    if isinstance(rows, list):
        array = list(read_rows(io.BytesIO(json.dumps(rows, indent=2).encode())))
        assert array == [*map(renumbered, rows_of(rows), range(1, len(array) + 1))]


def renumbered(row: Row | BadRow, line: int) -> Row | BadRow:
    return type(row)(**{**{f: getattr(row, f) for f in row.__dataclass_fields__}, "line": line})


def test_the_right_answer_of_distractors_is_found_among_its_choices() -> None:
    rows = [
        {"question": f"Q{n}?", "correct_answer": f"r{n}", "distractor1": f"x{n}", "distractor2": f"y{n}"}
        for n in range(40)
    ]  # fmt: skip
    places = set()
    for n, row in enumerate(rows_of(rows)):
        assert isinstance(row, Row) and row.reference_answer
        place = ord(row.reference_answer) - 65
        assert row.choices[place] == f"r{n}" and len(row.choices) == 3
        places.add(place)
    assert places == {0, 1, 2}  # the right one has no place of its own


def test_ratings_of_steps_become_labels_of_steps() -> None:
    prm = {
        "question": {"problem": "1+1?", "ground_truth_answer": "2"},
        "label": {
            "steps": [
                {"completions": [{"text": "So.", "rating": 1}], "chosen_completion": 0},
                {"completions": [{"text": "It is 3.", "rating": -1}], "chosen_completion": None},
            ],
            "finish_reason": "found_error",
        },
    }
    (row,) = rows_of([prm])
    (rationale,) = row.rationales
    assert rationale.text == "So.\nIt is 3." and rationale.labelled_right is False
    marked = [(rationale.text[a:b], label) for a, b, label in rationale.step_labels]
    assert marked == [("So.", 1), ("It is 3.", -1)]


def test_math_shepherds_marks_become_labels_of_steps() -> None:
    text = "What is 1+1? Step 1: 1+1=3 ки Step 2: The answer is: 3 ки"
    (row,) = rows_of(
        [{"input": text, "label": text.replace("3 ки S", "3 + S")[:-2] + "-", "task": "GSM8K"}]
    )
    (rationale,) = row.rationales
    assert (row.question, row.reference_answer) == ("What is 1+1?", None)
    assert [label for *_, label in rationale.step_labels] == [1, -1]
    assert rationale.labelled_right is False and "ки" not in rationale.text


def test_the_number_of_the_first_wrong_step_labels_those_before_it() -> None:
    first, second = rows_of(
        [
            {"problem": "a?", "steps": ["One.", "Two.", "Three."], "label": 1, "generator": "q"},
            {"problem": "b?", "steps": ["One.", "Two."], "label": -1, "generator": "q"},
        ]
    )
    assert [label for *_, label in first.rationales[0].step_labels] == [1, -1]
    assert [label for *_, label in second.rationales[0].step_labels] == [1, 1]
    assert first.rationales[0].teacher == "q"


def mapping_of(*rows: dict[str, Any], **given: str) -> Any:
    raw = "\n".join(map(json.dumps, rows)).encode()
    return understand(open_table(source_of(io.BytesIO(raw)), knows, is_row), given=given)


def test_numbers_that_fit_from_0_and_from_1_are_told_and_can_be_said() -> None:
    row = {"question": "Q?", "choices": ["w", "x", "y", "z"], "answer": 2}
    assert mapping_of(row).ambiguous == ("answer",)
    raw = io.BytesIO(json.dumps(row).encode())
    (one,) = read_rows(raw, mapping={"answer": "right_choice_1"})
    (zero,) = read_rows(raw, mapping={"answer": "right_choice_0"})
    assert (one.reference_answer, zero.reference_answer) == ("B", "C")


def test_numbers_of_classes_without_names_are_no_answers() -> None:
    rows = [{"premise": "A man walks.", "hypothesis": "He moves.", "label": n} for n in (0, 2)]
    assert mapping_of(*rows).roles["label"] == "unused"


def test_what_is_not_known_is_not_used_and_named() -> None:
    found = mapping_of({"question": "Q?", "answer": "2", "annotator": "kim", "tags": ["a"]})
    assert found.unused() == ["annotator"] and found.roles["tags"] == "metadata"


def test_a_correction_goes_before_the_proposal() -> None:
    raw = io.BytesIO(
        json.dumps({"prompt": "P?", "question": "Q?", "gold": "1", "answer": "2"}).encode()
    )
    (row,) = read_rows(raw, mapping={"prompt": "question", "gold": "reference_answer"})
    assert (row.question, row.reference_answer) == ("P?", "1")


def test_a_file_without_a_question_says_what_it_has() -> None:
    with pytest.raises(Refused, match=r"none of its columns looks like a question.*colour, size"):
        rows_of([{"colour": "red", "size": 3}])


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("7", "number"), ("1,234.5", "number"), ("$18", "number"), ("5 (pens)", "number"), ("3/4", "number"),
        ("-3.2e5", "number"), ("40%", "number"), ("2 remainder 1", "text"), ("192.168.0.1", "text"),
        ("$10-4 n$", "expression"), ("\\frac{3}{4}", "expression"), ("x=2", "expression"),
        ("2024-03-10", "date"), ("12/5/2024", "date"), ("January 5", "date"), ("5 pm", "time"),
        ("3:40", "time"), ("[2, 3)", "interval"), ("\\{1, 2\\}", "set"), ("Yes", "yes_no"),
        ("true", "yes_no"), ("Monday", "text"), ("None", "undetermined"),
        ("It cannot be determined from the passage", "undetermined"), ("3:4", "text"),
    ],
)  # fmt: skip
def test_the_type_is_read_from_the_reference(reference: str, kind: str) -> None:
    (row,) = rows_of([{"question": "Q?", "reference_answer": reference}])
    assert row.answer_type == kind


# The small files beside the checkout: question, reference, choices, number of rationales of the first row.
CASES = {
    "alpaca.jsonl": ("What is 1+1?", "2", 0, 1),
    "aqua_outputs_answer.jsonl": ("What is 1+1?", "B", 2, 1),
    "array.json": ("What is 1+1?", "2", 0, 0),
    "asdiv_body.jsonl": (
        "Three red and two green pens are in the box. How many pens are in the box?", "5 (pens)", 0, 0,
    ),
    "bigbench.json": ("Is 1+1 two?", "A", 2, 0),
    "college_expression.jsonl": ("Simplify: $-10-4(n-5)$", "$10-4 n$", 0, 0),
    "commonsenseqa.jsonl": ("Where is a turning door?", "A", 2, 0),
    "gaokao_options_dict.jsonl": ("1+1=( )", "B", 2, 0),
    "generations_list.jsonl": ("What is 1+1?", "2", 0, 1),
    "gpqa_letters.jsonl": ("Which is larger?", "B", 4, 0),
    "gsmplus_none.jsonl": ("Ann has some apples and eats one. How many are left?", "None", 0, 0),
    "input_target.jsonl": ("What is 1+1?", "2", 0, 0),
    "jsonl_passage_options_label.jsonl": (
        "Two shops, A and B, open on Monday.\n\nWhich one could be first?", "B", 2, 0,
    ),
    "math_shepherd.jsonl": ("What is 1+1?", "2", 0, 1),
    "messages.jsonl": ("What is 1+1?", "2", 0, 1),
    "mmlu_index.jsonl": ("How many sides has a square?", "D", 4, 0),
    "olympiadbench.jsonl": ("What is 1+1?", "2", 0, 0),
    "prm800k.jsonl": ("What is 1+1?", "2", 0, 1),
    "problem_answer.jsonl": ("What is 1+1?", "2", 0, 0),
    "query_response.jsonl": ("What is 1+1?", "2", 0, 1),
    "sat_capital_answer.jsonl": ("What is 1+1?", "B", 2, 0),
    "sharegpt.jsonl": ("What is 1+1?", "2", 0, 1),
    "table.csv": ("What is 1+1?", "2", 0, 0),
    "table.tsv": ("What is 1+1?", "2", 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_case_that_failed_once_comes_in_whole(name: str, dev_data: Path) -> None:
    path = dev_data.parent / "cases" / "imports" / name
    with path.open("rb") as file:
        rows = list(read_rows(file, name=name))
    first = rows[0]
    assert all(isinstance(row, Row) for row in rows) and isinstance(first, Row)
    found = (first.question, first.reference_answer, len(first.choices), len(first.rationales))
    assert found == CASES[name]
