"""A job whose owner's account is gone is nobody's: no worker does it in the operator's name."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from curation.datasets.models import DatasetCheck, DatasetVersion, GateRun
from curation.evaluations.models import Evaluation
from curation.jobs import Job, Status
from curation.projects.access import OWNER_GONE
from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.questions.models import Deletion, Question, QuestionImport
from curation.rationales.generation.orders import order_run
from curation.rationales.models import GenerationRun, ScoringRun, TeacherTry
from curation.rationales.scoring.scores import order_scoring
from curation.reviews.models import AgreementCount, BulkAction
from curation.training.models import TrainingJob
from tests.conftest import person
from tests.curation.training.training_rows import frozen
from workers.agreement.tasks import count_agreement
from workers.data import tasks as data
from workers.evaluation.tasks import evaluate
from workers.generation import tasks as generation
from workers.scoring.tasks import score
from workers.training import tasks as training

TRY = {"name": "t", "backend": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1"}
# How a row of each kind is made, and the task that does it.
KINDS: dict[type[Job], tuple[Callable[[Project], dict[str, Any]], Callable[[int], Any]]] = {
    QuestionImport: (
        lambda p: {"file_name": "a.jsonl", "artifact": "imports/no"},
        data.run_import_task,
    ),
    Deletion: (lambda p: {"kind": "questions", "until": 0, "why": ""}, data.run_deletion_task),
    DatasetVersion: (lambda p: {"number": 9, "recipe": frozen(p).recipe}, data.freeze_dataset),
    GateRun: (lambda p: {"recipe": frozen(p).recipe}, data.run_gates_task),
    DatasetCheck: (lambda p: {"version": frozen(p)}, data.check_dataset),
    GenerationRun: (lambda p: {"temperatures": [0.5]}, generation.fill),
    TeacherTry: (lambda p: {"settings": TRY, "question": "?"}, generation.try_address),
    ScoringRun: (lambda p: {"embeddings": False}, score),
    TrainingJob: (
        lambda p: {"dataset": frozen(p), "base_model": "demo:none", "preset": "demo"},
        training.train,
    ),
    Evaluation: (lambda p: {"options": {"splits": ["eval"]}}, evaluate),
    BulkAction: (lambda p: {"kind": "approve", "filters": {}, "until": 0}, data.run_bulk_task),
    AgreementCount: (lambda p: {}, count_agreement),
}
ONLY_PEOPLE = (Deletion, BulkAction)  # no command orders these


@pytest.fixture
def leaver(project: Project) -> User:
    """Another admin of the project, whose account is going to be deleted."""
    made = person("leo")
    add_member(project, made.username, "admin")
    return made


def test_every_kind_of_work_is_among_these() -> None:
    assert {model for model in apps.get_models() if issubclass(model, Job)} == set(KINDS)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", KINDS, ids=lambda model: model.__name__)
def test_it_is_refused_when_the_account_was_deleted(
    project: Project, leaver: User, model: type[Job]
) -> None:
    fields, task = KINDS[model]
    row = model.objects.create(project=project, created_by=leaver, **fields(project))
    leaver.delete()
    task(row.pk)
    row.refresh_from_db()
    assert (row.status, row.error) == (Status.FAILED, OWNER_GONE)
    assert row.finished_at is not None and not row.by_operator


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "model", [one for one in KINDS if one not in ONLY_PEOPLE], ids=lambda model: model.__name__
)
def test_what_a_command_ordered_is_begun(project: Project, model: type[Job]) -> None:
    fields, task = KINDS[model]
    row = model.objects.create(project=project, by_operator=True, **fields(project))
    task(row.pk)
    row.refresh_from_db()
    assert row.attempt == 1 and row.error != OWNER_GONE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("restored", [False, True])
def test_a_restoring_asks_for_whoever_wants_that(
    project: Project, admin_user: User, leaver: User, restored: bool
) -> None:
    """The one who deleted is still here, and is not asked for in the other's place."""
    row = Deletion.objects.create(
        project=project, created_by=admin_user, kind="questions", until=0,
        restored_at=timezone.now() if restored else None, restored_by=leaver if restored else None,
    )  # fmt: skip
    leaver.delete()
    data.run_deletion_task(row.pk)
    row.refresh_from_db()
    assert (row.error == OWNER_GONE) == restored


@pytest.mark.django_db(transaction=True)
def test_services_say_who_ordered(
    project: Project,
    leaver: User,
    teacher: Any,
    make_questions: Callable[..., list[Question]],
) -> None:
    make_questions(1)
    mine, commands = (
        order_run(project, who, teachers=[teacher], temperatures=[0.5]) for who in (leaver, None)
    )
    assert not mine.by_operator and commands.by_operator
    leaver.delete()
    mine.refresh_from_db()
    assert mine.created_by is None and not mine.by_operator


@pytest.mark.django_db(transaction=True)
def test_scoring_that_goes_on_is_the_installations_and_not_the_leavers(
    project: Project,
    leaver: User,
    make_questions: Callable[..., list[Question]],
    make_rationales: Callable[..., list[Any]],
) -> None:
    (question,) = make_questions(1)
    (rationale,) = make_rationales(question, ["right"], scored=False)
    run = order_scoring(project, leaver)
    leaver.delete()
    score(run.pk)
    run.refresh_from_db()
    assert run.error == OWNER_GONE
    again = order_scoring(project, None)  # as the beat does
    score(again.pk)
    rationale.refresh_from_db()
    assert rationale.score.correctness == 1.0
