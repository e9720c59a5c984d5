"""Imports end to end, without a worker."""

import io
import json
from collections.abc import Callable

import pytest

from curation import celery_app
from curation.errors import Invalid
from curation.jobs import Status
from curation.projects.models import Project, User
from curation.questions.models import QuestionImport
from curation.questions.services import order_import
from curation.rationales.importing import run_import
from curation.rationales.models import ScoringRun

GOOD = {
    "question": "How many?",
    "ground_truth": "A: 18",
    "6b": {"solution": "x\nA: 26", "is_correct": False},
    "175b": {"solution": "y\nA: 18", "is_correct": True},
}


def order(project: Project, *rows: dict | str, **options: object) -> QuestionImport:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    return order_import(project, None, io.BytesIO(text.encode()), "file.jsonl", **options)


def test_questions_and_their_rationales_come_in_and_scoring_is_ordered(project: Project) -> None:
    job = run_import(order(project, GOOD).pk)
    assert job.status == Status.DONE
    assert (job.questions_added, job.rationales_added) == (1, 2)
    assert sorted(project.teachers.values_list("name", "writes")) == [
        ("175b", False),
        ("6b", False),
    ]
    assert ScoringRun.objects.get(project=project).total == 2


def test_the_same_file_again_adds_nothing(project: Project) -> None:
    run_import(order(project, GOOD).pk)
    again = run_import(order(project, GOOD).pk)
    assert (again.questions_added, again.questions_known, again.rationales_added) == (0, 1, 0)
    assert project.rationales.count() == 2


def test_with_a_bad_row_nothing_is_imported_and_the_line_is_told(project: Project) -> None:
    job = run_import(order(project, GOOD, "{").pk)
    assert job.status == Status.FAILED
    assert "1 of 2 rows cannot be read (line 2: not JSON" in job.error
    assert job.bad_rows[0]["line"] == 2
    assert not project.questions.exists()


def test_good_rows_are_kept_when_the_person_says_so(project: Project) -> None:
    job = run_import(order(project, GOOD, "{", keep_good_rows=True).pk)
    assert (job.status, job.rows_bad, job.questions_added) == (Status.DONE, 1, 1)


def test_an_empty_file_is_refused_and_leaves_no_row(project: Project) -> None:
    with pytest.raises(Invalid, match="empty"):
        order_import(project, None, io.BytesIO(b""), "none.jsonl")
    assert not QuestionImport.objects.exists()


def test_the_same_order_twice_is_one_import(project: Project) -> None:
    assert order(project, GOOD, order_key="k") == order(project, GOOD, order_key="k")
    assert QuestionImport.objects.count() == 1


def test_two_questions_of_the_same_text_in_one_file_are_one(project: Project) -> None:
    twice = {**GOOD, "question": "How  many? "}
    job = run_import(order(project, GOOD, twice).pk)
    assert (job.questions_added, project.questions.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_an_order_wakes_the_files_queue(
    project: Project, admin_user: User, wake_ups: Callable[[str], int]
) -> None:
    order(project, GOOD)
    assert wake_ups(celery_app.FILES) == 1


def test_the_real_teachers_file(project: Project, dev_data) -> None:
    with (dev_data / "gsm8k_teachers_dev.jsonl").open("rb") as file:
        job = run_import(order_import(project, None, file, "gsm8k_teachers_dev.jsonl").pk)
    assert (job.questions_added, job.rationales_added, job.rows_bad) == (700, 2800, 0)
