"""Lists of questions and imports by page."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from curation import artifacts
from curation.projects.models import Project
from curation.questions.models import Question, QuestionImport
from curation.rationales.importing import run_import

Make = Callable[..., list[Any]]
GOOD = b'{"question": "2 + 2?", "answer": "It is 4.\\n#### 4"}\n'
BAD = GOOD + b'{"question": ""}\n{"answer": "5"}\n'


@pytest.fixture
def job(project: Project, admin_client: Client) -> QuestionImport:
    order(admin_client, BAD)
    made = QuestionImport.objects.get()
    run_import(made.pk, score=False)
    made.refresh_from_db()
    return made


def order(client: Client, content: bytes, **fields: str) -> Any:
    file = SimpleUploadedFile("rows.jsonl", content)
    return client.post(
        reverse("import_new", args=["eggs"]),
        {"file": file, "preset": "", "split": "train", "order_key": "k1", **fields},
    )


def addresses(job: QuestionImport | None = None) -> dict[str, str]:
    of_job = {
        name: reverse(name, args=["eggs", job.pk])
        for name in ("import_detail", "import_again", "import_cancel")
        if job
    }
    return {name: reverse(name, args=["eggs"]) for name in ("questions", "import_new")} | of_job


def test_a_stranger_finds_nothing(job: QuestionImport, stranger_client: Client) -> None:
    for address in addresses(job).values():
        answers = {
            stranger_client.get(address).status_code,
            stranger_client.post(address).status_code,
        }
        assert 404 in answers and answers <= {404, 405}
    assert QuestionImport.objects.count() == 1


def test_an_import_of_another_project_is_not_there(
    job: QuestionImport, stranger_client: Client
) -> None:
    assert (
        stranger_client.get(reverse("import_detail", args=["elsewhere", job.pk])).status_code == 404
    )
    assert (
        stranger_client.post(reverse("import_again", args=["elsewhere", job.pk])).status_code == 404
    )


def test_a_reviewer_reads_and_may_not_import(
    job: QuestionImport, reviewer_client: Client, wake_ups: Callable[[str], int]
) -> None:
    before = wake_ups("files")
    assert reviewer_client.get(addresses()["questions"]).status_code == 200
    assert reviewer_client.get(addresses(job)["import_detail"]).status_code == 200
    assert reviewer_client.get(addresses()["import_new"]).status_code == 403
    assert order(reviewer_client, GOOD).status_code == 403
    for name in ("import_again", "import_cancel"):
        assert reviewer_client.post(addresses(job)[name]).status_code == 403
    assert QuestionImport.objects.count() == 1 and wake_ups("files") == before


def test_an_import_is_ordered_once_for_a_double_click(
    project: Project, admin_client: Client
) -> None:
    first, again = order(admin_client, GOOD), order(admin_client, GOOD)
    assert first.status_code == again.status_code == 302
    assert first["Location"] == again["Location"]
    assert QuestionImport.objects.count() == 1


def test_an_empty_file_is_told_at_the_field(project: Project, admin_client: Client) -> None:
    answer = order(admin_client, b"")
    assert answer.status_code == 400 and "is empty" in answer.content.decode()
    assert not QuestionImport.objects.exists()


def test_fields_that_the_form_does_not_have_change_nothing(
    project: Project, admin_client: Client
) -> None:
    order(admin_client, GOOD, status="done", artifact="../../etc/passwd", project="1")
    job = QuestionImport.objects.get()
    assert job.status == "waiting" and artifacts.exists(job.artifact)


def test_bad_rows_are_named_by_line_and_the_good_ones_can_be_kept(
    job: QuestionImport, admin_client: Client
) -> None:
    page = admin_client.get(addresses(job)["import_detail"]).content.decode()
    assert "2 of 3 rows cannot be read" in page
    assert "the question is empty" in page and "question is missing" in page
    assert not Question.objects.exists()
    answer = admin_client.post(addresses(job)["import_again"], {"order_key": "k2"})
    again = QuestionImport.objects.exclude(pk=job.pk).get()
    assert answer["Location"].endswith(f"/imports/{again.pk}/")
    run_import(again.pk, score=False)
    assert Question.objects.get().reference_answer == "4"


def test_a_running_import_looks_again_and_an_ended_one_does_not(
    job: QuestionImport, admin_client: Client
) -> None:
    assert "every 1s" not in admin_client.get(addresses(job)["import_detail"]).content.decode()
    QuestionImport.objects.update(status="waiting")
    fragment = admin_client.get(addresses(job)["import_detail"], headers={"HX-Request": "true"})
    text = fragment.content.decode()
    assert "every 1s" in text and "<html" not in text


def test_a_waiting_import_can_be_cancelled_and_only_once(
    project: Project, admin_client: Client
) -> None:
    order(admin_client, GOOD)
    job = QuestionImport.objects.get()
    assert admin_client.post(addresses(job)["import_cancel"]).status_code == 302
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert admin_client.post(addresses(job)["import_cancel"]).status_code == 409


def test_filters_keep_what_they_name(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    shop, farm = make_questions(2)
    Question.objects.filter(pk=farm.pk).update(domain="farm", text="Hens on a farm?")
    held_out = make_questions(1, split="eval")[0]
    make_rationales(shop, ["right"])
    for query, kept in {
        "domain=farm": {farm.pk},
        "q=hens": {farm.pk},
        f"q=%23{shop.pk}": {shop.pk},
        "split=eval": {held_out.pk},
        "state=waiting": {shop.pk},
        "state=no_rationales": {farm.pk, held_out.pk},
        "state=approved": set(),
    }.items():
        page = reviewer_client.get(f"{addresses()['questions']}?{query}")
        assert {row.pk for row in page.context["page"].rows} == kept, query


@pytest.mark.parametrize(
    "query",
    [
        "text__regex=a",
        "project=1",
        "split=all",
        "state=x",
        "after=x",
        "after=-1",
        "q=%23x",
        "q=%00",
    ],
)
def test_filters_that_are_not_on_the_list_are_refused(
    query: str, project: Project, reviewer_client: Client
) -> None:
    assert reviewer_client.get(f"{addresses()['questions']}?{query}").status_code == 400


def test_pages_go_by_key_and_take_as_many_queries_whatever_their_number(
    make_questions: Make, reviewer_client: Client, django_assert_max_num_queries: Any
) -> None:
    make_questions(120)
    seen: list[int] = []
    query = ""
    for _ in range(3):
        with django_assert_max_num_queries(9):
            page = reviewer_client.get(f"{addresses()['questions']}?{query}").context["page"]
        seen += [row.pk for row in page.rows]
        query = page.query
    assert seen == sorted(seen) and len(set(seen)) == 120 and query == ""


def test_hostile_names_and_rows_are_shown_as_text(project: Project, admin_client: Client) -> None:
    row = json.dumps({"question": "<script>alert(1)</script>", "<script>": 1, "split": "<b>x</b>"})
    file = SimpleUploadedFile("<img src=x>.jsonl", (row + "\n").encode())
    admin_client.post(
        reverse("import_new", args=["eggs"]), {"file": file, "split": "train", "order_key": "h"}
    )
    job = QuestionImport.objects.get()
    run_import(job.pk, score=False)
    for address in (addresses(job)["import_detail"], addresses()["import_new"]):
        page = admin_client.get(address).content.decode()
        assert "<script>alert" not in page and "<img src=x" not in page and "<b>x</b>" not in page
