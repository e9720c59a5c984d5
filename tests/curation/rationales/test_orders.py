"""Orders of trainings and evaluations."""

from collections.abc import Callable

import pytest

from curation.datasets.models import DatasetVersion
from curation.datasets.services import freeze
from curation.errors import Conflict, Invalid
from curation.evaluations.services import held_out, order_evaluation
from curation.jobs import Status, begin, cancel
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale
from curation.reviews.decisions.rule import apply_rule
from curation.training.models import TrainingJob, TrainingPoint
from curation.training.presets import PRESETS
from curation.training.services import (
    export_and_train,
    order_training,
    record,
    resume_training,
    wake_trainings,
)


@pytest.fixture
def approved(
    project: Project,
    make_questions: Callable[..., list[Question]],
    make_rationales: Callable[..., list[Rationale]],
) -> Project:
    for question in make_questions(2):
        make_rationales(question, ["right"])
    apply_rule(project)
    return project


def test_one_click_freezes_and_orders_the_training(approved: Project, admin_user: User) -> None:
    job = export_and_train(approved, admin_user)
    assert job.dataset.number == 1 and job.status == Status.WAITING
    assert job.base_model == "demo:student"


def test_a_double_click_is_one_dataset_and_one_job(approved: Project, admin_user: User) -> None:
    first = export_and_train(approved, admin_user, order_key="k")
    assert export_and_train(approved, admin_user, order_key="k") == first
    assert DatasetVersion.objects.count() == TrainingJob.objects.count() == 1


def test_a_refused_training_leaves_no_dataset_behind(approved: Project, admin_user: User) -> None:
    with pytest.raises(Invalid, match="preset"):
        export_and_train(approved, admin_user, preset="nonsense")
    Project.objects.filter(pk=approved.pk).update(student="")
    approved.refresh_from_db()
    with pytest.raises(Invalid, match="student"):
        export_and_train(approved, admin_user)
    assert not DatasetVersion.objects.exists()


def test_a_dataset_is_trained_on_once_at_a_time(approved: Project, admin_user: User) -> None:
    job = export_and_train(approved, admin_user)
    with pytest.raises(Conflict, match="trained on already"):
        order_training(approved, admin_user, job.dataset)
    cancel(job)
    assert order_training(approved, admin_user, job.dataset).pk != job.pk


def test_a_dataset_that_failed_fails_the_trainings_that_wait_for_it(
    approved: Project, admin_user: User
) -> None:
    job = export_and_train(approved, admin_user)
    DatasetVersion.objects.update(status=Status.FAILED, error="disk full")
    wake_trainings(DatasetVersion.objects.get())
    job.refresh_from_db()
    assert job.status == Status.FAILED and "disk full" in job.error


def test_progress_of_a_resumed_training_replaces_the_points_it_writes_again(
    approved: Project, admin_user: User
) -> None:
    job = export_and_train(approved, admin_user)
    freeze(job.dataset.pk)
    job = begin(TrainingJob, job.pk)
    assert record(job, {"step": 10}, [TrainingPoint(job=job, step=10, loss=1.0)])
    cancel(job)
    assert not record(job, {"step": 20}, [TrainingPoint(job=job, step=20, loss=0.5)])
    resume_training(job)
    job = begin(TrainingJob, job.pk)
    assert job.attempt == 2
    assert record(job, {"step": 10}, [TrainingPoint(job=job, step=10, loss=0.9)])
    assert list(job.points.values_list("step", "loss")) == [(10, 0.9)]


def test_the_presets_of_the_form_are_those_of_the_trainer() -> None:
    from workers.training.presets import PRESETS as trainers

    assert set(PRESETS) == set(trainers)


def test_only_a_training_that_ended_well_can_be_measured(
    approved: Project, admin_user: User, make_questions: Callable[..., list[Question]]
) -> None:
    job = export_and_train(approved, admin_user)
    make_questions(1, split="eval")
    with pytest.raises(Conflict, match="not ended well"):
        order_evaluation(approved, admin_user, job)


def test_models_are_never_measured_on_what_they_learned(approved: Project) -> None:
    with pytest.raises(Invalid, match="never"):
        order_evaluation(approved, None, splits=["train"])
    with pytest.raises(Conflict, match="held-out"):
        order_evaluation(approved, None)


def test_a_limit_is_one_of_each_subset(
    project: Project, make_questions: Callable[..., list[Question]]
) -> None:
    make_questions(5, split="eval")
    make_questions(5, split="ood", subset="paraphrase")
    make_questions(5, split="ood", subset="floor")
    chosen = held_out(project, {"splits": ["eval", "ood"], "limit": 2})
    assert [q.subset for q in chosen] == ["", "", "floor", "floor", "paraphrase", "paraphrase"]


def test_a_training_of_another_project_cannot_be_measured_here(
    approved: Project, admin_user: User, stranger: User
) -> None:
    job = export_and_train(approved, admin_user)
    TrainingJob.objects.update(status=Status.DONE)
    job.refresh_from_db()
    elsewhere = stranger.memberships.get().project
    with pytest.raises(Conflict):
        order_evaluation(elsewhere, stranger, job)
