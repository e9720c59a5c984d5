"""Each form of a dataset is loaded by who reads it, and is what was frozen."""

import copy
import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from curation.datasets.exports.files import forms, safe_cell, stream
from curation.datasets.models import DatasetVersion
from curation.datasets.services import freeze, order_freeze
from curation.projects.models import Project, User
from curation.rationales.models import Rationale, Teacher
from curation.reviews.queue.claims import claim
from curation.reviews.submission.submit import ReviewInput, submit
from tests.curation.datasets.test_recipes import give, write
from tests.curation.reviews.reviewing import review

Make = Callable[..., list[Any]]


@pytest.fixture
def version(
    project: Project, reviewer: User, teacher: Teacher, make_questions: Make, make_rationales: Make
) -> DatasetVersion:
    """Three approved examples of two questions, one of them an edit; one rationale is rejected."""
    one, two = make_questions(2, domain="=shop")
    long = f"It is {one.reference_answer}, that much is sure after counting twice.\nAnswer: "
    first, wrong, longer = make_rationales(
        one, ["right", "wrong", long + str(one.reference_answer)]
    )
    seat = claim(project, reviewer, one)
    said = ReviewInput(
        *(first.pk, "approve"), comment="=HYPERLINK(1)", step_labels={"1": 1, "2": -1}, is_best=True
    )
    more = [ReviewInput(wrong.pk, "reject", ["unclear"]), ReviewInput(longer.pk, "approve")]
    submit(project, reviewer, seat.item_id, [said, *more])
    make_rationales(two, ["wrong"])
    review(project, reviewer, two, "edit")
    return freeze(order_freeze(project, None, enqueue=False).pk)


def lines(version: DatasetVersion, form: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(stream(version, form)).splitlines()]


def load(tmp_path: Path, version: DatasetVersion, form: str) -> Any:
    from datasets import load_dataset

    file = tmp_path / f"{form}.jsonl"
    file.write_bytes(b"".join(stream(version, form)))
    return load_dataset("json", data_files=str(file), split="train", cache_dir=str(tmp_path / "c"))


def test_all_forms_come_by_page_as_attachments_twice_the_same(
    version: DatasetVersion, admin_client: Client, reviewer_client: Client
) -> None:
    for form in forms():
        place = reverse("dataset_download", args=["eggs", 1, form])
        assert reviewer_client.get(place).status_code == 403
        answer = admin_client.get(place)
        body = answer.getvalue()
        assert answer["Content-Disposition"].startswith("attachment; ") and body
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert admin_client.get(place).getvalue() == body, form


@pytest.mark.parametrize("form", ["prompt-completion", "messages", "preferences"])
def test_trl_trains_a_step_on_it(version: DatasetVersion, form: str, tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    data = load(tmp_path, version, form)
    raw = Tokenizer(
        models.BPE(vocab={chr(n): n - 9 for n in range(9, 127)}, merges=[], unk_token="?")
    )
    raw.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token="<e>", pad_token="<p>", unk_token="?",
        chat_template="{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}",
    )  # fmt: skip
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), num_attention_heads=2, **size))
    plain = {
        "output_dir": str(tmp_path), "max_steps": 1, "report_to": "none", "use_cpu": True,
        "per_device_train_batch_size": 2, "max_length": 512, "save_strategy": "no", "bf16": False,
    }  # fmt: skip
    if form == "preferences":
        data = data.select_columns(["prompt", "chosen", "rejected"])
        trainer = trl.DPOTrainer(
            model=model,
            ref_model=copy.deepcopy(model),
            args=trl.DPOConfig(**plain),
            train_dataset=data,
            processing_class=tokenizer,
        )
    else:
        trainer = trl.SFTTrainer(
            model=model, args=trl.SFTConfig(**plain), train_dataset=data, processing_class=tokenizer
        )
    assert trainer.train().training_loss > 0


def test_pairs_are_within_a_question_and_say_which_kind_they_are(
    version: DatasetVersion, reviewer: User
) -> None:
    pairs = lines(version, "preferences")
    kinds = sorted(pair["pair"] for pair in pairs)
    assert kinds == [
        *(
            "approved_rejected",
            "approved_rejected",
            "best_other",
            "edit_original",
            "shortest_longest",
        )
    ]
    for pair in pairs:
        chosen, rejected = (
            Rationale.objects.get(pk=pair[f"{one}_id"]) for one in ("chosen", "rejected")
        )
        assert chosen.question_id == rejected.question_id and chosen != rejected
        assert pair["chosen"][0]["content"] == chosen.text
    (edit,) = [pair for pair in pairs if pair["pair"] == "edit_original"]
    assert Rationale.objects.get(pk=edit["chosen_id"]).parent_id == edit["rejected_id"]


def test_what_was_not_read_is_never_the_shortest_right_one(version: DatasetVersion) -> None:
    for rationale in Rationale.objects.all():
        give(rationale, verdict="not_read", unread="nothing_found")
    assert "shortest_longest" not in {pair["pair"] for pair in lines(version, "preferences")}


def test_step_labels_are_loaded_and_ordered_as_they_were_labelled(
    version: DatasetVersion, tmp_path: Path
) -> None:
    (row,) = load(tmp_path, version, "steps")
    assert row["ratings"] == [1, -1] and row["labels"] == [True, False]
    text = Rationale.objects.get(pk=row["rationale_id"]).text
    assert len(row["completions"]) == 2 and all(step in text for step in row["completions"])


def test_alpaca_and_sharegpt_stand_beside_their_dataset_info(version: DatasetVersion) -> None:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(stream(version, "llama-factory"))))
    info = json.loads(archive.read("dataset_info.json"))
    assert {one["file_name"] for one in info.values()} == {"alpaca.jsonl", "sharegpt.jsonl"}
    (first, *_), frozen = lines(version, "alpaca"), lines(version, "plain")
    assert first == {
        "instruction": frozen[0]["question"], "input": "", "output": frozen[0]["rationale"],
    }  # fmt: skip
    turns = json.loads(archive.read("sharegpt.jsonl").splitlines()[0])["conversations"]
    assert [turn["from"] for turn in turns] == ["human", "gpt"]


def test_csv_holds_a_row_a_review_and_nothing_that_a_spreadsheet_calculates(
    version: DatasetVersion,
) -> None:
    rows = list(csv.DictReader(io.StringIO(b"".join(stream(version, "reviews-csv")).decode())))
    assert {row["verdict"] for row in rows} == {"approve", "edit"} and len(rows) == 3
    assert "'=HYPERLINK(1)" in {row["comment"] for row in rows}
    rows = list(csv.DictReader(io.StringIO(b"".join(stream(version, "plain-csv")).decode())))
    assert {row["domain"] for row in rows} == {"'=shop"} and len(rows) == version.example_count


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_cell_that_would_be_calculated_is_text(value: str) -> None:
    assert safe_cell(value) == f"'{value}"


def test_numbers_stay_numbers_in_a_cell() -> None:
    assert safe_cell(-1.5) == "-1.5" and safe_cell(None) == "" and safe_cell("a=b") == "a=b"


def test_thoughts_in_a_field_stand_as_think_where_a_shape_has_none(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    (question,) = make_questions(1)
    write(question, teacher, "Three.\nAnswer: 3", reasoning="Hm.")
    version = freeze(
        order_freeze(
            project, None, selection="unfiltered", thoughts="reasoning_content", enqueue=False
        ).pk
    )
    (row,) = lines(version, "messages")
    assert row["messages"][1]["reasoning_content"] == "Hm."
    (row,) = lines(version, "alpaca")
    assert row["output"] == "<think>\nHm.\n</think>\n\nThree.\nAnswer: 3"


def test_a_stranger_opens_the_folder_checks_it_and_traces_an_example(
    version: DatasetVersion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from datasets import load_dataset

    call_command("export_dataset", project="eggs", number=1, format="folder", out=tmp_path)
    folder = tmp_path / "folder"
    zipfile.ZipFile(tmp_path / "eggs-1.zip").extractall(folder)
    for line in (folder / "checksums.sha256").read_text().splitlines():
        told, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == told
    rows = load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows.num_rows == version.example_count
    assert {row["approved_by"] for row in rows} == {"person rudi"}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["sha256_of_jsonl"] == version.sha256 and manifest["examples"] == 3
    card = (folder / "README.md").read_text()
    assert "load_dataset(" in card and "3 chains of thought for 2 questions" in card


def test_the_croissant_metadata_names_the_file_with_its_hash(
    version: DatasetVersion, tmp_path: Path
) -> None:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(stream(version, "folder"))))
    told = json.loads(archive.read("croissant.json"))
    (file,) = told["distribution"]
    assert hashlib.sha256(archive.read(file["contentUrl"])).hexdigest() == file["sha256"]
    names = {one["name"] for one in told["recordSet"][0]["field"]}
    assert {"examples/prompt", "examples/completion", "examples/approved_by"} <= names
