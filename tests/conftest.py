"""What all tests share: a real broker, the three standing people, and makers of rows."""

import itertools
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseOperations
from django.test import Client
from django.test.utils import setup_databases

from curation import celery_app
from curation.projects.models import Project, User
from curation.projects.services import add_member, create_project
from curation.questions.formats import Row
from curation.questions.models import Question
from curation.questions.services import add_questions
from curation.rationales.models import Rationale, Source, Teacher, text_hash
from curation.rationales.scoring.scores import mark_stale, store_scores, waiting_groups
from curation.reviews.decisions import audit_triggers
from curation.reviews.queue.items import enqueue
from curation.supervisor import valkey_command
from tests.migrated import migrated

# A real hash takes a tenth of a second by design; thousands of sign-ups in tests need none.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_report_header() -> str:
    return seeded()


def seeded() -> str:
    """How to draw the same again, for whoever reads of a failure."""
    return f"AT_RANDOM_SEED={os.environ['AT_RANDOM_SEED']} draws the same at random again"


@pytest.fixture
def seed() -> int:
    """Of what a test draws at random: another one in each run, see tests/environment.py. It is printed,
    so that it is beside a failure."""
    print(seeded())
    return int(os.environ["AT_RANDOM_SEED"])


@pytest.fixture(scope="session")
def dev_data() -> Path:
    """The labelled data for trying, beside the checkout or where CHAINWRIGHT_DEV_DATA says. Where it is
    absent its tests are skipped, in CI they fail: what CI skips nobody ever runs."""
    folder = Path(os.environ.get("CHAINWRIGHT_DEV_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        absent = f"the development data is not in {folder}: set CHAINWRIGHT_DEV_DATA to its folder"
        if os.environ.get("CI", "").lower() in ("", "0", "false"):
            pytest.skip(absent)
        pytest.fail(absent, pytrace=False)
    return folder


if connection.vendor == "sqlite":

    @pytest.fixture(scope="session")
    def django_db_setup(
        django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
    ) -> None:
        """pytest-django's, from a database that is kept migrated. It goes with the tests' home."""
        target = Path(connection.creation._get_test_db_name())
        with django_db_blocker.unblock(), migrated(target) as is_ready:
            setup_databases(verbosity=0, interactive=False, keepdb=is_ready)
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.fixture(scope="session", autouse=True)
def broker() -> Iterator[None]:
    """A real Redis-protocol server: the one of REDIS_URL, else Valkey on a private socket."""
    if "REDIS_URL" in os.environ:
        celery_app.broker().flushdb()
        yield
        return
    server = subprocess.Popen(valkey_command(), stdout=subprocess.DEVNULL)
    until = time.monotonic() + 10
    while not settings.REDIS_SOCKET.exists() and time.monotonic() < until:
        time.sleep(0.02)
    yield
    server.terminate()
    server.wait(10)


@pytest.fixture(scope="session", autouse=True)
def history_goes_with_the_test() -> Iterator[None]:
    """A flush between two tests empties all tables; on SQLite by DELETE, which the history refuses. Its
    triggers are dropped before, and `post_migrate`, which a flush sends, puts them back."""
    patch = pytest.MonkeyPatch()
    flush = DatabaseOperations.sql_flush

    def flushing(self: DatabaseOperations, *args: Any, **kwargs: Any) -> list[str]:
        dropped = [f"DROP TRIGGER IF EXISTS {name}" for name in audit_triggers.sqlite_triggers()]
        return [*dropped, *flush(self, *args, **kwargs)]

    patch.setattr(DatabaseOperations, "sql_flush", flushing)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def empty_queues() -> Iterator[None]:
    yield
    server = celery_app.broker()
    server.delete(*celery_app.QUEUES, *server.keys("chainwright:count:*"))
    cache.clear()


@pytest.fixture
def wake_ups() -> Callable[[str], int]:
    """How many messages stand in a queue (`cpu`, `gpu` or `quick`)."""
    return lambda name: celery_app.broker().llen(name)


def person(name: str, **fields: Any) -> User:
    return User.objects.create_user(name, password="a long enough word", **fields)


@pytest.fixture
def admin_user(db: None) -> User:
    return person("ada", may_create_projects=True)


@pytest.fixture
def reviewer(db: None) -> User:
    return person("rudi")


@pytest.fixture
def stranger(db: None) -> User:
    """Admin of a project of their own, and of no other."""
    user = person("sam", may_create_projects=True)
    create_project(user, "Elsewhere", "elsewhere")
    return user


@pytest.fixture
def project(admin_user: User, reviewer: User) -> Project:
    made = create_project(admin_user, "Eggs", "eggs", use_embeddings=False, student="demo:student")
    add_member(made, reviewer.username, "reviewer")
    return made


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin_client(admin_user: User) -> Client:
    return signed_in(admin_user)


@pytest.fixture
def reviewer_client(reviewer: User) -> Client:
    return signed_in(reviewer)


@pytest.fixture
def stranger_client(stranger: User) -> Client:
    return signed_in(stranger)


@pytest.fixture
def teacher(project: Project) -> Teacher:
    return Teacher.objects.create(project=project, name="strong", model="demo:strong")


@pytest.fixture
def make_questions(project: Project) -> Callable[..., list[Question]]:
    """make_questions(3, split="train", project=…, …fields of Row): questions with answers 1, 2, 3 …"""
    counter = itertools.count(1)

    def make(
        count: int, split: str = "train", to: Project | None = None, **fields: Any
    ) -> list[Question]:
        rows = []
        for _ in range(count):
            n = next(counter)
            defaults = {
                "question": f"Ann has {n} eggs and buys 2 more. How many eggs has she?",
                "reference_answer": str(n + 2),
                "domain": "shop",
                "difficulty": "1",
            }
            rows.append(Row(line=n, **{**defaults, **fields}))
        return add_questions(to or project, rows, split)[0]

    return make


@pytest.fixture
def make_rationales(teacher: Teacher) -> Callable[..., list[Rationale]]:
    """make_rationales(question, ["right", "wrong", or any text]): rationales, scored and in the queue."""

    def make(
        question: Question, kinds: list[str], scored: bool = True, by: Teacher | None = None
    ) -> list[Rationale]:
        made = []
        for place, kind in enumerate(kinds):
            answer = int(question.reference_answer or 0) + (kind == "wrong") * (place + 1)
            text = kind
            if kind in ("right", "wrong"):
                text = f"She starts with {answer - 2} eggs.\nStep {place + 1}: {answer - 2} + 2 = {answer}."
                text += f"\nAnswer: {answer}"
            writer = by or (
                teacher
                if teacher.project_id == question.project_id
                else Teacher.objects.get_or_create(
                    project_id=question.project_id, name="strong", model="demo:strong"
                )[0]
            )
            made.append(
                Rationale.objects.create(
                    project_id=question.project_id,
                    question=question,
                    source=Source.TEACHER,
                    teacher=writer,
                    text=text,
                    text_hash=text_hash(text),
                    temperature=0.5,
                    sample=place,
                    finish_reason="stop",
                    completion_tokens=20,
                )
            )
        mark_stale(question.project, [question.pk])
        if scored:
            score_now(question.project)
        return made

    return make


def score_now(project: Project) -> None:
    """Score what waits with the real scorers, without a worker."""
    from workers.scoring import SCORER_VERSION, score_items
    from workers.scoring.tasks import items

    groups = waiting_groups(project.pk, 10_000)
    questions = [group.question_id for group in groups]
    rationales = (
        Rationale.objects.filter(question_id__in=questions)
        .select_related("question", "teacher")
        .order_by("question_id", "id")
    )
    scores = {int(s.item.id): s.details() | s.to_dict() for s in score_items(items(rationales))}
    store_scores(groups, scores, SCORER_VERSION)
    enqueue(project, questions)
