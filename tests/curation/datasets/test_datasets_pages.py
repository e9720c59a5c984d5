"""Datasets by page: the list, freezing, one with its card, downloads."""

import hashlib
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.datasets import verification
from curation.datasets.models import DatasetCheck, DatasetVersion, Example
from curation.datasets.services import freeze, order_freeze
from curation.projects.models import Membership, Project, User
from curation.reviews.decisions.rule import apply_rule
from curation.text.markdown import to_html
from workers.data.tasks import check_dataset
from workers.requeue import put_back

Make = Callable[..., list[Any]]


def address(name: str, *more: Any) -> str:
    return reverse(name, args=["eggs", *more])


@pytest.fixture
def approved(project: Project, make_questions: Make, make_rationales: Make) -> None:
    for question in make_questions(3):
        make_rationales(question, ["right", "wrong"])
    apply_rule(project)


@pytest.fixture
def version(project: Project, admin_user: User, approved: None) -> DatasetVersion:
    return freeze(order_freeze(project, admin_user, enqueue=False).pk)


def everything(version: DatasetVersion) -> list[tuple[str, str]]:
    n = version.number
    return [
        ("get", address("datasets")),
        ("get", address("dataset_detail", n)),
        ("post", address("dataset_verify", n)),
        ("get", address("dataset_verified", n)),
        ("post", address("dataset_freeze")),
        *(("get", address("dataset_download", n, form)) for form in ("jsonl", "parquet", "md")),
    ]


def test_a_stranger_finds_nothing(version: DatasetVersion, stranger_client: Client) -> None:
    for verb, place in everything(version):
        assert getattr(stranger_client, verb)(place).status_code == 404
    assert DatasetVersion.objects.count() == 1


def test_the_same_number_in_ones_own_project_is_not_the_others(
    version: DatasetVersion, stranger_client: Client
) -> None:
    for name, more in (("dataset_detail", []), ("dataset_download", ["jsonl"])):
        own = reverse(name, args=["elsewhere", version.number, *more])
        assert stranger_client.get(own).status_code == 404


def test_a_reviewer_reads_datasets_and_neither_freezes_nor_takes_them_out(
    version: DatasetVersion, reviewer_client: Client
) -> None:
    listed = reviewer_client.get(address("datasets")).content.decode()
    assert "Dataset 1" in listed and "Freeze a dataset" not in listed
    detail = reviewer_client.get(address("dataset_detail", 1)).content.decode()
    assert version.sha256 in detail and "JSONL for TRL" not in detail
    form = {"selection": "approved", "order_key": "k"}
    assert reviewer_client.post(address("dataset_freeze"), form).status_code == 403
    for kind in ("jsonl", "parquet", "md"):
        assert reviewer_client.get(address("dataset_download", 1, kind)).status_code == 403
    assert DatasetVersion.objects.count() == 1


def test_freezing_by_page_orders_once_for_a_double_click(
    approved: None, admin_client: Client, wake_ups: Callable[[str], int],
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    form = {"selection": "approved", "teachers": ["strong"], "limit": "2", "seed": "7",
            "order_key": "k1", "sha256": "0" * 64, "status": "done"}  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        first = admin_client.post(address("dataset_freeze"), form)
        again = admin_client.post(address("dataset_freeze"), form)
    assert first.headers["Location"] == again.headers["Location"] == address("dataset_detail", 1)
    made = DatasetVersion.objects.get()
    assert (made.status, made.sha256) == ("waiting", "")
    assert (made.recipe["teachers"], made.recipe["limit"], made.recipe["seed"]) == (
        ["strong"],
        2,
        7,
    )
    assert wake_ups("files") == 1


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"selection": "secret"}, "not one of the available choices"),
        ({"selection": "approved", "teachers": ["nobody"]}, "not one of the available choices"),
        ({"selection": "approved", "limit": "0"}, "greater than or equal to 1"),
        ({"selection": "approved", "seed": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_frozen_is_told_in_the_form(
    approved: None, admin_client: Client, form: dict[str, Any], words: str
) -> None:
    answer = admin_client.post(address("dataset_freeze"), form | {"order_key": "k"})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not DatasetVersion.objects.exists()


def test_with_nothing_approved_the_form_says_what_to_do(
    project: Project, admin_client: Client
) -> None:
    assert "Nothing is frozen yet" in admin_client.get(address("datasets")).content.decode()
    form = {"selection": "approved", "order_key": "k"}
    answer = admin_client.post(address("dataset_freeze"), form)
    assert answer.status_code == 400
    assert "No rationale is approved yet" in answer.content.decode()


def test_a_dataset_on_its_way_is_polled_and_a_frozen_one_is_not(
    project: Project, admin_user: User, approved: None, admin_client: Client
) -> None:
    waiting = order_freeze(project, admin_user, enqueue=False)
    page, rows = address("dataset_detail", 1), address("datasets")
    assert 'hx-trigger="every 2s"' in admin_client.get(page).content.decode()
    assert 'hx-trigger="every 2s"' in admin_client.get(rows).content.decode()
    freeze(waiting.pk)
    polled = admin_client.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "every 2s" not in polled and "<html" not in polled
    assert "every 2s" not in admin_client.get(rows).content.decode()


def test_the_page_shows_numbers_hash_card_and_first_examples(
    version: DatasetVersion, reviewer_client: Client
) -> None:
    html = reviewer_client.get(address("dataset_detail", 1)).content.decode()
    assert version.sha256 in html and "approved rationales" in html
    assert "<h2>Eggs, dataset 1</h2>" in html  # the card's heading, one level down
    assert "Ann has 1 eggs" in html and "approved by rule, rubric 1" in html


def test_what_was_written_in_an_example_stays_text(
    version: DatasetVersion, reviewer_client: Client
) -> None:
    evil = "</pre><script>alert(1)</script>"
    rationale = Example.objects.filter(version=version).first().rationale
    type(rationale).objects.filter(pk=rationale.pk).update(text=evil)
    html = reviewer_client.get(address("dataset_detail", 1)).content.decode()
    assert "<script>alert" not in html and "&lt;script&gt;alert(1)" in html


def test_verifying_says_whether_the_rows_still_give_the_same_bytes(
    version: DatasetVersion, admin_client: Client, reviewer_client: Client
) -> None:
    place = address("dataset_verify", 1)
    assert reviewer_client.post(place).status_code == 403  # it reads the whole dataset
    assert "The same bytes" in admin_client.post(place).content.decode()
    DatasetVersion.objects.update(sha256="0" * 64)
    assert "other bytes" in admin_client.post(place).content.decode()
    DatasetVersion.objects.update(status="failed")
    assert admin_client.post(place).status_code == 409


def test_a_large_dataset_is_verified_by_a_worker_and_the_page_tells_how_far(
    version: DatasetVersion, admin_client: Client, reviewer_client: Client, monkeypatch: Any
) -> None:
    monkeypatch.setattr(verification, "INLINE", 0)
    monkeypatch.setattr(verification, "LINES_AT_ONCE", 1)
    place, told = address("dataset_verify", 1), address("dataset_verified", 1)
    assert "Waits for a worker" in admin_client.post(place).content.decode()
    assert "Waits for a worker" in admin_client.post(place).content.decode()  # a double click
    check = DatasetCheck.objects.get()
    assert reviewer_client.get(told).status_code == 403
    # Its worker died after a line: the page says how far it came, and the next one begins anew.
    silent = timezone.now() - timedelta(hours=1)
    DatasetCheck.objects.update(status="running", attempt=1, done=1, heartbeat_at=silent)
    assert "1 of 3 lines" in admin_client.get(told).content.decode()
    assert put_back() >= 1
    check_dataset(check.pk)
    check_dataset(check.pk)
    check.refresh_from_db()
    assert (check.status, check.same, check.done, check.attempt) == ("done", True, 3, 2)
    page = admin_client.get(address("dataset_detail", 1)).content.decode()
    assert "The same bytes" in page and "ada" in page
    # Who is no admin any more when its turn comes learns nothing.
    admin_client.post(place)
    Membership.objects.filter(user__username="ada").update(role="reviewer")
    check_dataset(DatasetCheck.objects.last().pk)
    assert "only an admin" in DatasetCheck.objects.last().error


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_downloads_are_attachments_of_the_frozen_bytes(
    version: DatasetVersion, admin_client: Client
) -> None:
    answer = admin_client.get(address("dataset_download", 1, "jsonl"))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="eggs-1.jsonl"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    content = body_of(answer)
    assert hashlib.sha256(content).hexdigest() == version.sha256
    assert json.loads(content.splitlines()[0])["completion"][0]["role"] == "assistant"

    table = admin_client.get(address("dataset_download", 1, "parquet"))
    assert pq.read_table(io.BytesIO(body_of(table))).num_rows == 3
    card = admin_client.get(address("dataset_download", 1, "md"))
    assert card.headers["Content-Disposition"].startswith("attachment")
    assert body_of(card).decode() == version.card


def test_there_is_no_other_form_and_nothing_of_an_unfinished_dataset(
    version: DatasetVersion, admin_client: Client
) -> None:
    for form in ("exe", "sqlite3", "tar"):
        assert admin_client.get(address("dataset_download", 1, form)).status_code == 404
    DatasetVersion.objects.update(status="failed", error="The disk is full.")
    assert admin_client.get(address("dataset_download", 1, "jsonl")).status_code == 404
    assert "The disk is full." in admin_client.get(address("dataset_detail", 1)).content.decode()


def test_lists_and_pages_take_few_queries(
    version: DatasetVersion, project: Project, admin_user: User, admin_client: Client,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    for _ in range(4):
        freeze(order_freeze(project, admin_user, enqueue=False).pk)
    with django_assert_max_num_queries(10):
        admin_client.get(address("datasets"))
    with django_assert_max_num_queries(8):
        admin_client.get(address("dataset_detail", 1))


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("<script>alert(1)</script>", "<script"),
        ("[x](javascript:alert(1))", 'javascript:alert(1)"'),
        ("![x](http://evil.example/a.png)", "<img"),
        ('<a href="x" onclick="alert(1)">y</a>', '<a href="x" onclick'),
        ("[x](data:text/html;base64,AAAA)", 'href="data:'),
    ],
)
def test_markdown_gives_no_scripts_pictures_or_strange_links(text: str, never: str) -> None:
    assert never not in to_html(text)


def test_markdown_gives_lists_code_and_lower_headings() -> None:
    html = to_html("# A\n\n- `x`\n\n| a |\n| - |\n| 1 |\n")
    for part in ("<h2>A</h2>", "<li><code>x</code></li>", "<td>1</td>"):
        assert part in html
