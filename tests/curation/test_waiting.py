"""What waits says what is in front of it, about how long, and whether anybody listens."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation import celery_app
from curation.dashboard.waiting import KINDS, Board
from curation.datasets.models import DatasetCheck, DatasetVersion, GateRun
from curation.evaluations.models import Evaluation
from curation.jobs import Status
from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.questions.models import Deletion, QuestionImport
from curation.rationales.generation.orders import order_run
from curation.rationales.models import Batch, GenerationRun, MeaningSearch, ScoringRun, Teacher
from curation.rationales.teachers.trial import order_try
from curation.reviews.models import AgreementCount, BulkAction
from curation.training.models import TrainingJob
from tests.conftest import person, signed_in
from tests.curation.api.api_calls import Caller
from tests.curation.training.training_rows import frozen

NOTHING = "Nothing is in front of it: it begins as soon as a worker takes it."


def listen(name: str, workers: int = 1) -> None:
    for n in range(workers):
        celery_app.broker().set(f"{celery_app.LISTENER_PREFIX}{name}:here:{n}", 1, ex=60)


@pytest.fixture(autouse=True)
def nobody_listens_afterwards() -> Any:
    yield
    server = celery_app.broker()
    for key in server.keys(f"{celery_app.LISTENER_PREFIX}*"):
        server.delete(key)


def told(client: Client, work: Any, project: str = "eggs") -> str:
    address = reverse("waiting", args=[project, type(work)._meta.model_name, work.pk])
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


@pytest.fixture
def elsewhere(stranger: User) -> Project:
    return Project.objects.get(slug="elsewhere")


def test_a_scoring_names_its_own_projects_jobs_and_only_counts_those_of_others(
    project: Project, elsewhere: Project, reviewer_client: Client, stranger_client: Client
) -> None:
    listen("cpu")
    mine = ScoringRun.objects.create(project=project, total=100)
    assert told(reviewer_client, mine) == NOTHING
    ago = timezone.now() - timedelta(minutes=10)
    ScoringRun.objects.create(
        project=elsewhere,
        status=Status.RUNNING,
        total=2800,
        done=1200,
        started_at=ago,
        created_at=ago,
    )
    AgreementCount.objects.create(project=project, created_at=ago)
    said = told(reviewer_client, mine)
    assert said.startswith("In front of it: ")
    assert "Agreement count" in said and "waiting" in said
    assert "1 job of other projects." in said and "Elsewhere" not in said and "2,800" not in said
    address = reverse("waiting", args=["eggs", "scoringrun", mine.pk])
    assert stranger_client.get(address).status_code == 404
    theirs = reverse("waiting", args=["elsewhere", "scoringrun", mine.pk])
    assert stranger_client.get(theirs).status_code == 404
    assert reviewer_client.get(reverse("waiting", args=["eggs", "user", 1])).status_code == 404


def test_how_long_is_estimated_from_what_the_last_jobs_took(
    project: Project, elsewhere: Project, reviewer_client: Client
) -> None:
    listen("gpu")
    now = timezone.now()
    for _ in range(3):
        Evaluation.objects.create(
            project=elsewhere,
            status=Status.DONE,
            total=100,
            done=100,
            started_at=now - timedelta(seconds=900),
            finished_at=now,
            worked=timedelta(seconds=200),
        )
    Evaluation.objects.create(
        project=elsewhere, status=Status.RUNNING, total=100, done=40, started_at=now
    )
    mine = Evaluation.objects.create(project=project)
    (place,) = Board().waiting(mine)
    assert (place.queue, place.jobs_in_front, place.others) == ("gpu", 1, 1)
    assert place.seconds == pytest.approx(120, abs=1)
    assert "It begins in about 2 min" in told(reviewer_client, mine)


def test_a_run_waits_behind_a_training_and_at_an_address_behind_nothing(
    project: Project, admin_user: User, teacher: Teacher, make_questions: Any,
    reviewer_client: Client,
) -> None:  # fmt: skip
    make_questions(2)
    far = Teacher.objects.create(
        project=project, name="far", backend="openai", model="m", base_url="https://example.org/v1"
    )
    run = order_run(project, admin_user, teachers=[teacher, far], temperatures=[0.5])
    version = frozen(project)
    TrainingJob.objects.create(
        project=project, dataset=version, base_model="m", preset="p", status=Status.RUNNING,
        total_steps=300, step=20,
    )  # fmt: skip
    for name in celery_app.QUEUES:
        listen(name)
    said = told(reviewer_client, run)
    assert "On the queue “gpu”: In front of it: Training" in said and "20 of 300 steps" in said
    assert f"On the queue “network”: {NOTHING}" in said
    # A worker asks the address: only the other part waits.
    GenerationRun.objects.filter(pk=run.pk).update(status=Status.RUNNING)
    Batch.objects.create(run=run, teacher=far)
    said = told(reviewer_client, GenerationRun.objects.get(pk=run.pk))
    assert "20 of 300 steps" in said and "network" not in said
    assert not said.startswith("On the queue")


def test_what_waits_for_its_projects_own_share_says_so(
    project: Project, elsewhere: Project, reviewer_client: Client
) -> None:
    """Two of four threads are free, for other projects."""
    listen("files")
    for n in range(2):
        QuestionImport.objects.create(
            project=project,
            file_name=f"{n}.jsonl",
            status=Status.RUNNING,
            heartbeat_at=timezone.now(),
        )
    mine = QuestionImport.objects.create(project=project, file_name="more.jsonl")
    theirs = QuestionImport.objects.create(project=elsewhere, file_name="theirs.jsonl")
    (place,) = Board().waiting(mine)
    assert (place.jobs_in_front, place.others, place.seconds) == (2, 0, 15.0)
    said = told(reviewer_client, mine)
    assert said.startswith("In front of it: ") and "0.jsonl" in said and NOTHING not in said
    assert Board().waiting(theirs)[0].jobs_in_front == 0


def test_where_no_worker_listens_it_says_how_one_is_started(
    project: Project, reviewer_client: Client
) -> None:
    job = QuestionImport.objects.create(project=project, file_name="more.jsonl")
    said = told(reviewer_client, job)
    assert "No worker listens on the queue “files”." in said
    assert "python manage.py start files" in said
    listen("files")
    celery_app.cache.clear()
    assert told(reviewer_client, job) == NOTHING
    QuestionImport.objects.filter(pk=job.pk).update(status=Status.RUNNING)
    assert told(reviewer_client, job) == ""


def test_every_kind_of_work_is_answered_for(
    project: Project, admin_user: User, teacher: Teacher, make_questions: Any,
    admin_client: Client, django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    make_questions(1)
    version = DatasetVersion.objects.create(project=project, number=1, recipe={})
    ready = frozen(project, 2)
    whole = {"project": project}
    rows = [
        version,
        QuestionImport.objects.create(**whole),
        Deletion.objects.create(**whole, kind="questions", filters={}, until=1),
        ScoringRun.objects.create(**whole),
        AgreementCount.objects.create(**whole),
        BulkAction.objects.create(**whole, kind="approve", filters={}, until=1),
        DatasetCheck.objects.create(**whole, version=ready),
        GateRun.objects.create(**whole, recipe={}),
        TrainingJob.objects.create(**whole, dataset=ready, base_model="m", preset="p"),
        Evaluation.objects.create(**whole),
        order_run(project, admin_user, teachers=[teacher], temperatures=[0.5]),
        MeaningSearch.objects.create(**whole, user=admin_user, kind="question", text="eggs"),
        order_try(project, admin_user, Teacher(project=project, name="new", model="m"), ""),
    ]
    assert {type(row)._meta.model_name for row in rows} == set(KINDS)
    for row in rows:
        with django_assert_max_num_queries(60):
            assert told(admin_client, row), row


def test_the_api_says_the_same(project: Project, admin_user: User, elsewhere: Project) -> None:
    listen("files")
    for _ in range(3):
        QuestionImport.objects.create(project=project, file_name="before", status=Status.RUNNING)
    QuestionImport.objects.create(project=elsewhere, file_name="secret", status=Status.RUNNING)
    job = QuestionImport.objects.create(project=project, file_name="more.jsonl")
    asked = Caller(admin_user).get(f"imports/{job.pk}")
    assert asked["waiting"] == {
        "queue": "files", "jobs_in_front": 4, "seconds": 15.0, "workers": 1
    }  # fmt: skip


def test_what_is_a_persons_own_or_an_admins_is_nobody_elses(
    project: Project,
    teacher: Teacher,
    admin_user: User,
    reviewer: User,
    admin_client: Client,
    reviewer_client: Client,
) -> None:
    search = MeaningSearch.objects.create(
        project=project, user=reviewer, kind="rationale", text="a"
    )
    tried = order_try(project, admin_user, teacher, "")
    bulk = BulkAction.objects.create(
        project=project, created_by=admin_user, kind="approve", filters={}, until=1
    )
    deletion = Deletion.objects.create(
        project=project, created_by=admin_user, kind="questions", filters={}, until=1
    )
    second = person("bea")
    add_member(project, "bea", "admin")

    def status(client: Client, work: Any) -> int:
        kind = type(work)._meta.model_name
        return client.get(reverse("waiting", args=[project.slug, kind, work.pk])).status_code

    assert status(reviewer_client, search) == 200 and status(admin_client, search) == 404
    assert status(admin_client, tried) == 200 and status(signed_in(second), tried) == 404
    for work in (tried, bulk, deletion):
        assert status(reviewer_client, work) == 404
    assert status(signed_in(second), bulk) == status(signed_in(second), deletion) == 200
