"""A file is seen before it is stored, and what its columns become is corrected: page, API and command."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from curation.projects.models import Project
from curation.questions.models import Question, QuestionImport, SavedMapping
from curation.rationales.importing import run_import
from curation.rationales.models import Rationale

CSV = (
    "passage;stem;opt_a;opt_b;opt_c;key;topic;annotator\n"
    "Two shops open.;Which is first?;shop A;shop B;both;B;logic;kim\n"
    "Two trains leave.;Which is last?;train A;train B;both;A;logic;lee\n"
).encode("cp1252")


def upload(client: Client, content: bytes = CSV, name: str = "set.csv") -> QuestionImport:
    answer = client.post(
        reverse("import_new", args=["eggs"]),
        {"file": SimpleUploadedFile(name, content), "split": "train", "order_key": name, "look": "on"},
    )  # fmt: skip
    assert answer.status_code == 302, answer.content
    return QuestionImport.objects.order_by("-id")[0]


def page(client: Client, job: QuestionImport) -> str:
    return client.get(reverse("import_detail", args=["eggs", job.pk])).content.decode()


def send(client: Client, job: QuestionImport, do: str, roles: dict[str, str], **more: str) -> Any:
    return client.post(
        reverse("import_columns", args=["eggs", job.pk]),
        {"column": list(roles), "role": list(roles.values()), "do": do, **more},
    )


def roles_of(client: Client, job: QuestionImport) -> dict[str, str]:
    seen = client.get(reverse("import_detail", args=["eggs", job.pk])).context
    return {one["name"]: one["role"] for one in seen["columns"]}


def test_a_file_is_seen_and_nothing_is_stored(
    project: Project, admin_client: Client, wake_ups: Callable[[str], int]
) -> None:
    before = wake_ups("files")
    job = upload(admin_client)
    text = page(admin_client, job)
    assert "a CSV with semicolons and 8 columns" in text
    assert "multiple choice with a passage" in text
    assert "As reviewers will see row 2" in text and "Two shops open." in text
    assert "Import 2 questions" in text and "annotator" in text and "kim" in text
    assert job.status == "paused" and wake_ups("files") == before
    assert not Question.objects.exists()


def test_what_columns_become_is_proposed_corrected_and_stored(
    project: Project, admin_client: Client
) -> None:
    job = upload(admin_client)
    roles = roles_of(admin_client, job)
    assert roles["passage"] == "context" and roles["key"] == "right_choice"
    assert (roles["annotator"], roles["topic"]) == ("unused", "domain")
    answer = send(admin_client, job, "look", {**roles, "annotator": "metadata", "topic": "unused"})
    assert answer.status_code == 200
    assert roles_of(admin_client, job)["annotator"] == "metadata"
    assert send(admin_client, job, "store", roles_of(admin_client, job)).status_code == 302
    run_import(job.pk, score=False)
    first = Question.objects.order_by("id")[0]
    assert first.text == "Two shops open.\n\nWhich is first?"
    assert (first.choices, first.reference_answer) == (["shop A", "shop B", "both"], "B")
    assert (first.metadata, first.domain, first.answer_type) == ({"annotator": "kim"}, "", "choice")


def test_a_file_is_stored_once_for_a_double_click(project: Project, admin_client: Client) -> None:
    job = upload(admin_client)
    roles = roles_of(admin_client, job)
    assert send(admin_client, job, "store", roles).status_code == 302
    send(admin_client, job, "store", {**roles, "topic": "unused"})
    job.refresh_from_db()
    assert job.status == "waiting" and job.mapping["topic"] == "domain"


def test_a_saved_mapping_is_chosen_again_by_a_file_of_the_same_columns(
    project: Project, admin_client: Client
) -> None:
    job = upload(admin_client)
    roles = {**roles_of(admin_client, job), "annotator": "subset"}
    assert send(admin_client, job, "save", roles, name="Team export").status_code == 302
    assert SavedMapping.objects.get().roles["annotator"] == "subset"
    again = upload(admin_client, name="next.csv")
    assert again.mapping["annotator"] == "subset"
    other = upload(admin_client, b"question,answer\nWhat is it?,2\n", "other.csv")
    assert other.mapping == {}


def test_what_would_happen_is_counted(project: Project, admin_client: Client) -> None:
    rows = [
        {"question": "Known?", "answer": "1"},
        {"question": "Known, but different?", "answer": "2"},
    ]
    old = "\n".join(map(json.dumps, rows)).encode()
    run_import(upload_now(admin_client, old).pk, score=False)
    rows[1]["answer"] = "3"
    rows += [
        {"question": "New?", "answer": "4", "solution": "s", "response": "So it is 4.", "is_correct": True},
        {"question": "New?", "answer": "4"},
        {"question": "No answer?"},
        {"question": "Unread?", "answer": "\\frac{1}{2"},
    ]  # fmt: skip
    job = upload(admin_client, "\n".join(map(json.dumps, rows)).encode(), "rows.jsonl")
    counts = admin_client.get(reverse("import_detail", args=["eggs", job.pk])).context["counts"]
    told = {
        name: counts.get(name, 0) for name in ("same", "differs", "twice", "no_reference", "unread")
    }
    assert told == {"same": 1, "differs": 1, "twice": 1, "no_reference": 1, "unread": 1}
    assert (counts["rationales"], counts["right"]) == (1, 1)


def upload_now(client: Client, content: bytes) -> QuestionImport:
    client.post(
        reverse("import_new", args=["eggs"]),
        {"file": SimpleUploadedFile("now.jsonl", content), "split": "train", "order_key": "now"},
    )
    return QuestionImport.objects.order_by("-id")[0]


def test_numbers_that_fit_twice_are_asked(project: Project, admin_client: Client) -> None:
    row = {"question": "Which is it?", "choices": ["w", "x", "y", "z"], "answer": 2}
    job = upload(admin_client, json.dumps(row).encode(), "r.jsonl")
    assert "also fits numbers from 1" in page(admin_client, job)
    send(admin_client, job, "store", {**roles_of(admin_client, job), "answer": "right_choice_1"})
    run_import(job.pk, score=False)
    assert Question.objects.get().reference_answer == "B"


def test_the_whole_file_decides_how_the_right_choice_is_named(project: Project) -> None:
    rows = [
        {"question": f"Which of these is {n}?", "choices": ["w", "x", "y", "z"], "answer": 2 if n else 1}
        for n in range(1500)
    ]  # fmt: skip
    rows.append({"question": "The last?", "choices": ["w", "x", "y", "z"], "answer": 4})
    raw = "\n".join(map(json.dumps, rows)).encode()
    from curation.questions.services import order_import

    job = run_import(order_import(project, None, io.BytesIO(raw), "f.jsonl").pk, score=False)
    assert job.status == "done", job.error
    assert Question.objects.order_by("id")[0].reference_answer == "A"
    assert Question.objects.order_by("-id")[0].reference_answer == "D"


def test_a_file_that_cannot_be_read_says_so_on_its_page(
    project: Project, admin_client: Client
) -> None:
    job = upload(admin_client, b"%PDF-1.7", "paper.pdf")
    assert "paper.pdf is a PDF" in page(admin_client, job)
    job = upload(admin_client, b"colour,size\nred,3\n", "things.csv")
    text = page(admin_client, job)
    assert "none of its columns looks like a question" in text and "colour" in text
    send(admin_client, job, "store", {"colour": "question", "size": "reference_answer"})
    run_import(job.pk, score=False)
    assert Question.objects.get().text == "red"


def test_bad_rows_can_be_downloaded_with_their_reason(
    project: Project, admin_client: Client, reviewer_client: Client
) -> None:
    job = upload_now(
        admin_client, b'{"question": "a?", "answer": "1"}\n{"question": ""}\nnonsense\n'
    )
    run_import(job.pk, score=False)
    address = reverse("import_bad_rows", args=["eggs", job.pk])
    rows = [json.loads(line) for line in admin_client.get(address).content.splitlines()]
    assert [(row["line"], row["reason"][:9]) for row in rows] == [
        (2, "the quest"),
        (3, "not JSON:"),
    ]
    assert rows[1]["row"].strip() == "nonsense"
    assert reviewer_client.get(address).status_code == 403


def test_roles_that_are_none_and_strangers_are_refused(
    project: Project, admin_client: Client, reviewer_client: Client, stranger_client: Client
) -> None:
    job = upload(admin_client)
    assert send(admin_client, job, "look", {"stem": "owner"}).status_code == 400
    assert send(reviewer_client, job, "store", {"stem": "question"}).status_code == 403
    assert send(stranger_client, job, "store", {"stem": "question"}).status_code == 404
    job.refresh_from_db()
    assert job.status == "paused" and job.mapping == {}


def command(
    tmp_path: Path, content: bytes, *arguments: str, name: str = "f.csv"
) -> tuple[str, str]:
    path = tmp_path / name
    path.write_bytes(content)
    out, err = io.StringIO(), io.StringIO()
    call_command(
        "import_questions", str(path), "--project", "eggs", *arguments, stdout=out, stderr=err
    )
    return out.getvalue(), err.getvalue()


def test_the_command_says_what_would_happen_and_stores_nothing(
    project: Project, tmp_path: Path
) -> None:
    content = b"prompt,gold,colour\nWhat is 1+1?,2,red\nWhat is 2+2?,4,blue\n"
    out, told = command(
        tmp_path, content, "--map", "question=prompt", "--map", "reference_answer=gold", "--dry-run"
    )
    assert "2 rows read, nothing stored" in out and not Question.objects.exists()
    assert "a CSV with 3 columns, UTF-8" in told and "prompt -> question" in told
    assert "colour is not used (such as red)" in told and "New questions: 2" in told
    out, _ = command(
        tmp_path, content, "--map", "question=prompt", "--map", "reference_answer=gold"
    )
    assert "2 questions added" in out and Question.objects.count() == 2


def test_the_command_reads_a_folder_and_names_an_unknown_column(
    project: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "train.jsonl").write_text('{"question": "a?", "answer": "1"}\n')
    (folder / "test.jsonl").write_text('{"question": "b?", "answer": "2"}\n')
    call_command("import_questions", str(folder), "--project", "eggs", stdout=io.StringIO())
    assert sorted(Question.objects.values_list("text", "split")) == [
        ("a?", "train"),
        ("b?", "eval"),
    ]
    with pytest.raises(CommandError, match="no column 'prompt'"):
        command(tmp_path, b"question,answer\na?,1\n", "--map", "question=prompt")


def test_labels_of_steps_system_prompts_and_reasoning_are_stored(
    project: Project, admin_client: Client, tmp_path: Path
) -> None:
    rows = [
        {"problem": "How many?", "steps": ["One.", "Two."], "label": 1, "generator": "q"},
        {"problem": "How much?", "steps": ["One.", "Two."], "label": -1, "generator": "q"},
    ]
    command(tmp_path, "\n".join(map(json.dumps, rows)).encode(), name="p.jsonl")
    assert Rationale.objects.order_by("id")[0].step_labels == [[0, 4, 1], [5, 9, -1]]
    turns = [
        {"role": "system", "content": "Brief."},
        {"role": "user", "content": "1+1?"},
        {"role": "assistant", "content": "2", "reasoning_content": "one and one"},
    ]
    chat = {"messages": turns}
    command(tmp_path, json.dumps(chat).encode(), name="c.jsonl")
    question = Question.objects.get(text="1+1?")
    assert question.metadata == {"system_prompt": "Brief."}
    assert question.rationales.get().reasoning == "one and one"
    shown = admin_client.get(reverse("question", args=["eggs", question.pk])).content.decode()
    assert "system_prompt" in shown and "Brief." in shown
