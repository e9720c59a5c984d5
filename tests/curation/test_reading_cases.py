"""The small files beside the checkout (`cases/reading`), each from its import to the page that shows it."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.datasets.formats import open_format
from curation.datasets.services import freeze, order_freeze
from curation.errors import Invalid
from curation.jobs import Status
from curation.projects.models import Project, User
from curation.questions.models import QuestionImport
from curation.questions.services import order_import
from curation.rationales.importing import run_import
from curation.rationales.models import Rationale
from curation.reviews.queue.claims import next_item
from curation.reviews.submission.submit import ReviewInput, submit
from tests.conftest import score_now

Take = Callable[..., QuestionImport]


@pytest.fixture
def take(project: Project, dev_data: Path) -> Take:
    """take("05", 2): the import of a case, of its second line alone."""
    folder = dev_data.parent / "cases" / "reading"

    def taken(number: str, only: int | None = None, **options: Any) -> QuestionImport:
        found: list[Path] = sorted(folder.glob(f"{number}-*.json*"))
        assert found, f"the cases are not in {folder}"
        lines = found[0].read_bytes().splitlines(keepends=True)
        raw = lines[only - 1] if only else b"".join(lines)
        return run_import(order_import(project, None, io.BytesIO(raw), found[0].name, **options).pk)

    return taken


def bench(client: Client) -> str:
    return client.get(reverse("review", args=["eggs"])).content.decode()


def test_05_line_ends_make_no_second_rationale_and_no_edit(
    project: Project, take: Take, reviewer: User
) -> None:
    assert take("05").rationales_added == 1
    score_now(project)
    rationale, item = Rationale.objects.get(), next_item(project, reviewer).item_id
    assert "\r" not in rationale.text
    with pytest.raises(Invalid, match="changes nothing"):
        submit(
            project, reviewer, item, [ReviewInput(rationale.pk, "edit", edited_text=rationale.text)]
        )


def test_06_one_row_a_line_for_every_reader(project: Project, take: Take, reviewer: User) -> None:
    take("06")
    score_now(project)
    item = next_item(project, reviewer).item_id
    submit(project, reviewer, item, [ReviewInput(Rationale.objects.get().pk, "approve")])
    version = freeze(order_freeze(project, None).pk)
    text = open_format(version, "jsonl").read().decode()
    assert len(text.splitlines()) == 1
    (asked,) = json.loads(text)["prompt"]
    assert asked["content"] == project.questions.get().text


def test_07_an_id_of_two_questions_is_told(project: Project, take: Take) -> None:
    job = take("07")
    assert job.status == Status.FAILED and "stands for another question" in job.error


def test_08_a_corrected_reference_is_told_and_taken_over(project: Project, take: Take) -> None:
    take("08", only=1)
    told = take("08", only=2).differing[0]["fields"]
    assert told["reference answer"] == ["41", "42"] and told["split"] == ["train", "eval"]
    take("08", only=2, take_over="text")
    found = project.questions.get()
    assert (found.reference_answer, found.split) == ("42", "eval")


def test_09_a_text_begins_where_its_script_does(
    project: Project, take: Take, reviewer_client: Client
) -> None:
    take("09")
    score_now(project)
    html = bench(reviewer_client)
    assert '<div class="q" dir="auto"' in html and '<div class="text" dir="auto">' in html


def test_10_code_keeps_its_blanks_and_a_table_is_one(
    project: Project, take: Take, reviewer_client: Client
) -> None:
    take("10")
    score_now(project)
    html = bench(reviewer_client)
    assert "<code>a = 1\n    b = 2</code>" in html
    assert "\n        if i % 2 == 0:\n            s += i\n    return s</code>" in html
    assert '<th dir="auto">item</th>' in html


@pytest.mark.parametrize(("words", "count"), [("苹果", 1), ("cafe\u0301s", 1), ("cafes", 1)])
def test_11_words_are_found_and_two_spellings_are_one_question(
    project: Project, take: Take, admin_client: Client, words: str, count: int
) -> None:
    assert take("11").questions_added == 2
    html = admin_client.get(reverse("questions", args=["eggs"]), {"q": words}).content.decode()
    assert html.count('<tr class="row-link">') == count


def test_12_what_looks_empty_is_refused(project: Project, take: Take) -> None:
    job = take("12")
    assert job.status == Status.FAILED and "empty" in job.error
    assert not project.questions.exists()
