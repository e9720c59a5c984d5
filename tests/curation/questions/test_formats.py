"""Files of questions: shapes that are known, rows that cannot be read."""

import io
import json

import pytest

from curation.questions.formats import MAX_LINE, BadRow, Row, read_rows


def rows(*lines: str | bytes | dict, preset: str = "") -> list[Row | BadRow]:
    raw = b"\n".join(
        one
        if isinstance(one, bytes)
        else one.encode()
        if isinstance(one, str)
        else json.dumps(one).encode()
        for one in lines
    )
    return list(read_rows(io.BytesIO(raw), preset))


def test_gsm8k_worked_answers() -> None:
    (row,) = rows({"question": "How many?", "answer": "3+4=<<3+4=7>>7 eggs.\n#### 1,234"})
    assert (row.reference_answer, row.worked_solution) == ("1,234", "3+4=<<3+4=7>>7 eggs.")


def test_gsm8k_solutions_of_four_teachers_with_gold_labels() -> None:
    (row,) = rows(
        {
            "question": "How many?",
            "ground_truth": "Work.\nA: 18",
            "6b": {"solution": "x\nA: 26", "is_correct": False},
            "175b": {"solution": "y\nA: 18", "is_correct": True},
        }
    )
    assert row.reference_answer == "18"
    assert [(r.teacher, r.labelled_right) for r in row.rationales] == [
        ("6b", False),
        ("175b", True),
    ]


def test_the_contracts_own_shape_with_rationales() -> None:
    (row,) = rows(
        {
            "id": 7,
            "question": "Which?",
            "reference_answer": "B",
            "choices": ["A) 1", "B) 2"],
            "split": "eval",
            "rationales": [{"teacher": "t", "text": "Because. Answer: B", "temperature": 0.3}],
        }
    )
    assert (row.id, row.answer_type, row.split) == ("7", "choice", "eval")
    assert row.rationales[0].temperature == 0.3


@pytest.mark.parametrize("key", ["worked_solution", "reference_chain"])
def test_a_worked_solution_comes_in_by_its_name_and_by_its_old_one(key: str) -> None:
    (row,) = rows({"question": "How many?", "reference_answer": "7", key: "3 + 4 = 7."})
    assert row.worked_solution == "3 + 4 = 7."


def test_svamp_aqua_and_math() -> None:
    svamp, aqua, math = rows(
        {
            "ID": "c1",
            "Body": "He has 3",
            "Question": "How many?",
            "Answer": 3.0,
            "Type": "Addition",
        },
        {"question": "Q", "options": ["A)1", "B)2"], "rationale": "r", "correct": "B"},
        {
            "problem": "P",
            "solution": "so \\boxed{\\frac{1}{2}}.",
            "level": "Level 2",
            "type": "Algebra",
        },
    )
    assert (svamp.question, svamp.reference_answer) == ("He has 3. How many?", "3")
    assert (aqua.answer_type, aqua.reference_answer) == ("choice", "B")
    assert (math.reference_answer, math.domain) == ("\\frac{1}{2}", "Algebra")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "a JSON object is needed"),
        ('{"question": "a", "question": "b"}', "stands twice"),
        ('{"question": "a", "answer": NaN}', "NaN"),
        ('{"answer": "3"}', "question is missing"),
        ('{"question": "  ", "answer": "3"}', "empty"),
        ('{"question": ["x"], "answer": "3"}', "must be a text"),
        ('{"question": "a", "answer": "3", "split": "sideways"}', "split"),
        ('{"question": "a\\u0000b", "answer": "3"}', "NUL"),
        ('{"question": "a\\ud800", "answer": "3"}', "surrogate"),
        ('{"question": "a", "answer": "3", "answer_type": "choice"}', "choices are missing"),
        ('{"question": "a", "choices": ["A\\u0000"]}', "choices holds a NUL"),
        ('{"question": "a", "choices": ["A\\ud800"]}', "surrogate"),
        ('{"question": "a", "options": ["A\\u0000"], "correct": "A"}', "options holds a NUL"),
        ('{"question": "a", "ground_truth": "A: 1", "t\\u0000": {"solution": "s"}}', "NUL"),
        ('{"question": "a", "ground_truth": "A: 1", " ": {"solution": "s"}}', "a teacher has no"),
        ('{"question": "a", "answer": 1e999}', "answer is a number that is too large"),
        ('{"question": "a", "answer": ' + "9" * 4000 + "}", "answer is a number that is too large"),
        ('{"Body": "a", "Question": "b?", "Answer": " "}', "the answer is empty"),
        ('{"question": "a", "options": ["A) 1"], "correct": " "}', "the answer is empty"),
        ("[" * 100_000, "nested too deeply"),
        ('{"question": "a", "reference_answer": ' + "9" * 5000 + "}", "too long"),
        (b'{"question": "\xff", "answer": "3"}', "not UTF-8"),
        (
            '{"question": "a", "rationales": [{"teacher": "t", "text": " "}]}',
            "rationale 1 is empty",
        ),
    ],
)
def test_a_bad_row_is_told_by_its_line_and_the_next_is_read(
    line: str | bytes, message: str
) -> None:
    good = '{"question": "Q", "answer": "3"}'
    first, bad, last = rows(good, line, good)
    assert isinstance(first, Row) and isinstance(last, Row)
    assert isinstance(bad, BadRow) and bad.line == 2
    assert message in bad.message


def test_a_line_without_end_takes_bounded_memory_and_the_next_is_read() -> None:
    huge = b'{"question": "' + b"a" * (2 * MAX_LINE) + b'"}'
    bad, good = rows(huge, '{"question": "Q", "answer": "3"}')
    assert isinstance(bad, BadRow) and "longer than" in bad.message
    assert isinstance(good, Row) and good.line == 2


def test_blank_lines_and_a_byte_order_mark_are_passed_over() -> None:
    (row,) = rows(b"\xef\xbb\xbf" + b'{"question": "Q", "answer": "3"}', "", "   ")
    assert row.question == "Q"


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="gsm8k"):
        rows("{}", preset="nonsense")
