"""Trainings and evaluations as work: lost wake-ups, dead data sets, resumptions, late files."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation import artifacts
from curation.datasets.formats import records
from curation.datasets.models import DatasetVersion, Example
from curation.errors import Conflict, Invalid
from curation.evaluations.models import Evaluation
from curation.jobs import MAX_ATTEMPTS, Status, begin, cancel, ending
from curation.projects.models import Project, User
from curation.questions.models import Question, QuestionImport
from curation.questions.services import order_import
from curation.rationales.models import Rationale
from curation.training.models import TrainingJob
from curation.training.services import order_training, resume_training
from tests.curation.training.training_rows import frozen, training
from workers.evaluation.tasks import evaluate, without_paths
from workers.generation.prompts import build_messages
from workers.requeue import put_back
from workers.training.tasks import write_config

LONG_AGO = timedelta(hours=1)


def test_a_training_whose_dataset_was_not_frozen_cannot_be_resumed(project: Project) -> None:
    dataset = frozen(project)
    job = training(project, dataset, points=0, status="failed")
    DatasetVersion.objects.filter(pk=dataset.pk).update(status="failed", error="the disk is full")
    with pytest.raises(Conflict, match="the disk is full"):
        resume_training(TrainingJob.objects.get(pk=job.pk))
    job.refresh_from_db()
    assert job.status == Status.FAILED


def test_resuming_beside_the_same_training_under_way_is_a_conflict(
    project: Project, admin_client: Client
) -> None:
    dataset = frozen(project)
    first = order_training(project, None, dataset)
    cancel(first)
    order_training(project, None, dataset)
    url = reverse("training_resume", args=[project.slug, first.pk])
    assert admin_client.post(url).status_code == 409
    first.refresh_from_db()
    assert first.status == Status.CANCELLED


def test_a_training_does_not_wait_for_ever_for_a_dataset_that_failed(project: Project) -> None:
    dataset = frozen(project)
    job = order_training(project, None, dataset)
    # The worker died between the end of the freezing and the waking of its trainings.
    DatasetVersion.objects.filter(pk=dataset.pk).update(
        status="failed", error="no rationale was left"
    )
    TrainingJob.objects.filter(pk=job.pk).update(created_at=timezone.now() - LONG_AGO)
    put_back()
    job.refresh_from_db()
    assert job.status == Status.FAILED and "no rationale was left" in job.error
    assert job.finished_at is not None


def test_work_that_kills_each_of_its_workers_is_ended_with_the_reason(project: Project) -> None:
    dataset = frozen(project)
    job = order_training(project, None, dataset)
    TrainingJob.objects.filter(pk=job.pk).update(
        status="running", attempt=MAX_ATTEMPTS, heartbeat_at=timezone.now() - LONG_AGO
    )
    put_back()
    job.refresh_from_db()
    assert job.status == Status.FAILED and f"{MAX_ATTEMPTS} times" in job.error


def test_an_error_that_nobody_expected_ends_the_work_and_is_told(project: Project) -> None:
    job = order_training(project, None, frozen(project))
    mine = begin(TrainingJob, job.pk)
    with pytest.raises(ZeroDivisionError), ending(mine):
        1 / 0  # noqa: B018
    job.refresh_from_db()
    assert job.status == Status.FAILED and "ZeroDivisionError: division by zero" in job.error


def test_an_evaluation_whose_questions_went_meanwhile_ends_with_the_reason(
    project: Project,
) -> None:
    evaluation = Evaluation.objects.create(
        project=project, options={"splits": ["eval"]}, by_operator=True
    )
    evaluate(evaluation.pk)
    evaluation.refresh_from_db()
    assert evaluation.status == Status.FAILED and "no held-out question" in evaluation.error


def test_a_stored_report_names_no_place_on_the_workers_disk() -> None:
    where = "/srv/models/student"
    facts = {"seed": 0, "tokenizer": where, "models": {"base": {"model": where, "adapter": ""}}}
    stored = without_paths({"primary_split": "eval", "facts": facts})
    assert stored == {"primary_split": "eval", "facts": {"seed": 0}}


@pytest.mark.parametrize(
    "choices", [["red", "blue"], ["A) red", "B) blue"], ["(a) red", "b. blue"], ["B) red", "x"]]
)
def test_a_student_learns_the_prompt_that_it_is_measured_with(
    project: Project,
    make_questions: Callable[..., list[Question]],
    make_rationales: Callable[..., list[Rationale]],
    choices: list[str],
) -> None:
    fields: dict[str, Any] = {
        "answer_type": "choice", "choices": tuple(choices), "reference_answer": "1",
        "worked_solution": "It is A.",
    }  # fmt: skip
    (question,) = make_questions(1, **fields)
    (held_out,) = make_questions(1, split="eval", **fields | {"question": "Held out?"})
    (rationale,) = make_rationales(question, ["text"], scored=False)
    dataset = frozen(project)
    Example.objects.filter(version=dataset).delete()
    Example.objects.create(version=dataset, position=0, rationale=rationale)
    (record,) = records(dataset)
    assert record["prompt"] == build_messages("plain", question.text, question.choices)
    with artifacts.writing(f"datasets/{project.pk}/1/dataset.jsonl") as file:
        file.write(b"{}\n")
    job = training(project, dataset, points=0)
    folder = artifacts.local_folder(job.folder)
    config = json.loads(write_config(job, folder).read_text())
    asked = build_messages("plain", held_out.text, held_out.choices)
    assert config["sample_prompts"] == [asked]
    assert json.loads((folder / "held_out.jsonl").read_text())["prompt"] == asked


class Upload(io.BytesIO):
    """Notes whether a transaction, and so SQLite's one write lock, was open while it was read."""

    inside: bool | None = None

    def read(self, size: int | None = -1) -> bytes:
        self.inside = transaction.get_connection().in_atomic_block
        return super().read(size)


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_stored_without_holding_the_data_base(project: Project) -> None:
    file = Upload(b'{"question": "a", "answer": "1"}\n')
    job = order_import(project, None, file, "a.jsonl", order_key="k1")
    assert file.inside is False
    with artifacts.open_artifact(job.artifact) as stored:
        assert stored.read() == file.getvalue()
    file.seek(0)
    before = artifacts.files_in("imports")
    assert order_import(project, None, file, "a.jsonl", order_key="k1") == job
    assert artifacts.files_in("imports") == before
    with pytest.raises(Invalid, match="empty"):
        order_import(project, None, io.BytesIO(b""), "b.jsonl")
    assert artifacts.files_in("imports") == before and QuestionImport.objects.count() == 1


def test_an_order_key_that_no_form_made_is_refused(project: Project, admin_client: Client) -> None:
    url = reverse("export_and_train", args=[project.slug])
    for key in ("a" * 65, "a\0b"):
        assert admin_client.post(url, {"order_key": key}).status_code == 400


def test_a_dataset_of_another_project_trains_no_student_here(
    project: Project, stranger: User
) -> None:  # A2
    theirs = frozen(Project.objects.get(slug="elsewhere"))
    with pytest.raises(Invalid, match="belongs to another project"):
        order_training(project, None, theirs)
    assert not TrainingJob.objects.exists()


def test_the_training_is_told_the_hash_of_the_frozen_bytes(project: Project) -> None:
    """So that a file that was cut off or changed on its way is refused, and not trained on."""
    dataset = frozen(project)
    with artifacts.writing(f"datasets/{project.pk}/1/dataset.jsonl") as file:
        file.write(b"{}\n")
    job = training(project, dataset, points=0)
    config = json.loads(write_config(job, artifacts.local_folder(job.folder)).read_text())
    assert config["dataset_sha256"] == dataset.sha256 != ""
