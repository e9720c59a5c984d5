"""A full disk, wherever it is met: a sentence that says what to do, no file left behind, nothing half done.

A limit on the size of files (RLIMIT_FSIZE) stands in for a small disk: every write beyond it fails in the
kernel as on a full one, on any machine and for anybody.
"""

import io
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from curation import artifacts
from curation.datasets.formats import place
from curation.datasets.services import freeze, order_freeze
from curation.errors import DISK_FULL, DISK_FULL_WORK, is_disk_full
from curation.projects.models import Project, User
from curation.questions.models import QuestionImport
from curation.reviews.models import Review
from curation.reviews.queue.claims import next_item
from tests.conftest import signed_in
from tests.curation.api.api_calls import token
from tests.curation.training.training_rows import frozen, training
from workers.training.tasks import train

ROOM = 64 * 1024
ROWS = b"".join(
    b'{"question": "What is %d + 1?", "answer": "%d"}\n' % (n, n + 1) for n in range(9000)
)


@contextmanager
def small_disk() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def stored(home: Path) -> list[str]:
    """All files below the home, without those of the database and the broker."""
    ours = ("artifacts", "work", "uploads")
    found = [p for p in home.rglob("*") if p.is_file()]
    return sorted(
        str(p) for p in found if p.relative_to(home).parts[0] in ours or "upload" in p.name
    )


@pytest.fixture(params=["in memory", "on disk"])
def upload(request: pytest.FixtureRequest, settings: Any) -> Callable[[], dict[str, Any]]:
    """A file that fits nowhere: it is received in memory and stored, or is too large for memory already."""
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000 if request.param == "on disk" else 10 * 1024**2
    return lambda: {"file": SimpleUploadedFile("rows.jsonl", ROWS), "split": "train"}


def test_an_upload_by_the_page_is_a_507(
    project: Project, admin_user: User, upload: Callable[[], dict[str, Any]], settings: Any
) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    before = stored(settings.HOME)
    with small_disk():
        answer = client.post(reverse("import_new", args=["eggs"]), upload())
    assert answer.status_code == 507, answer.content
    page = answer.content.decode()
    assert "disk is full" in page and "make room" in page and "</html>" in page
    assert set(stored(settings.HOME)) <= set(before) and not QuestionImport.objects.exists()


def test_an_upload_by_the_api_is_a_507_problem(
    project: Project, admin_user: User, upload: Callable[[], dict[str, Any]], settings: Any
) -> None:
    client = Client(raise_request_exception=False)
    headers = {"authorization": f"Bearer {token(admin_user)}"}
    before = stored(settings.HOME)
    with small_disk():
        answer = client.post(reverse("api:import_create", args=["eggs"]), upload(), headers=headers)
    assert answer.status_code == 507, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == DISK_FULL
    assert set(stored(settings.HOME)) <= set(before) and not QuestionImport.objects.exists()


def test_a_freezing_ends_with_what_to_do_and_leaves_no_file(
    project: Project, make_questions: Any, make_rationales: Any, settings: Any
) -> None:
    for question in make_questions(3):
        make_rationales(
            question, ["She counts them. " * 3000 + f"\nAnswer: {question.reference_answer}"]
        )
    version = order_freeze(project, None, selection="unfiltered")
    before = stored(settings.HOME)
    with small_disk():
        freeze(version.pk)
    version.refresh_from_db()
    assert version.status == "failed" and version.error.startswith(DISK_FULL_WORK)
    assert set(stored(settings.HOME)) <= set(before)
    assert not artifacts.exists(place(version, "jsonl"))


def test_a_training_ends_with_what_to_do(project: Project) -> None:
    dataset = frozen(project)
    with artifacts.writing(place(dataset, "jsonl")) as file:
        file.write(b"{}\n" * ROOM)
    job = training(
        project, dataset, points=0, status="waiting", created_by=project.memberships.first().user
    )
    with small_disk():
        train(job.pk)
    job.refresh_from_db()
    assert job.status == "failed" and job.error.startswith(DISK_FULL_WORK)


@contextmanager
def full_database() -> Iterator[None]:
    """The database refuses what grows, as one does whose disk is full. What was done is rolled back."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA freelist_count")  # what earlier tests left free is used up
                free = cursor.fetchone()[0]
                cursor.execute("PRAGMA page_size")
                size = cursor.fetchone()[0]
                cursor.execute("CREATE TABLE ballast (filling BLOB)")
                cursor.execute(f"INSERT INTO ballast VALUES (zeroblob({free * size}))")
                cursor.execute("PRAGMA page_count")
                cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
            else:
                cursor.execute(
                    "CREATE FUNCTION pg_temp.no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    "RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'; "
                    "END $$"
                )
                for table in (Review._meta.db_table, Project._meta.db_table):
                    cursor.execute(
                        f"CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} "
                        "FOR EACH ROW EXECUTE FUNCTION pg_temp.no_room()"
                    )
        try:
            yield
        finally:
            if (
                connection.vendor == "sqlite"
            ):  # a pragma of the connection, which no rollback undoes
                connection.connection.execute("PRAGMA max_page_count = 4294967294")
            transaction.set_rollback(True)


@pytest.mark.parametrize("door", ["bench", "api", "page"])
def test_a_database_without_room_is_a_507_at_every_door(
    door: str,
    project: Project,
    make_questions: Any,
    make_rationales: Any,
    reviewer: User,
    admin_user: User,
) -> None:
    (question,) = make_questions(1)
    (rationale,) = make_rationales(question, ["right"])
    item = next_item(project, reviewer).item
    long = "long words " * 18_000
    says = [{"rationale": rationale.pk, "verdict": "edit", "edited_text": long}]
    headers = {"authorization": f"Bearer {token(reviewer)}"}
    kind = {"content_type": "application/json"}
    with full_database():
        if door == "bench":
            place, body = reverse("review_submit", args=["eggs"]), {"item": item.pk, "says": says}
            answer = signed_in(reviewer).post(place, body, **kind)
            said = answer.json()["error"]
        elif door == "api":
            place = reverse("api:review_submit", args=["eggs", item.pk])
            answer = Client().post(place, {"says": says}, headers=headers, **kind)
            said = answer.json()["detail"]
        else:
            place, body = reverse("settings", args=["eggs"]), {"name": "Eggs", "guidelines": long}
            answer = signed_in(admin_user).post(place, body)
            said = answer.content.decode()
            assert "<h1>The disk is full</h1>" in said
        assert answer.status_code == 507 and "disk is full" in said, said[:500]


def test_what_a_full_disk_says_is_known_by_its_number_not_its_words() -> None:
    with Path("/dev/full").open("wb", buffering=0) as file, pytest.raises(OSError) as caught:
        file.write(b"x")
    assert is_disk_full(caught.value)
    try:
        try:
            raise OSError(28, os.strerror(28))
        except OSError as error:
            raise ValueError("no parquet") from error
    except ValueError as error:
        assert is_disk_full(error)
    assert not is_disk_full(OSError(2, "no such file")) and not is_disk_full(None)
    assert not is_disk_full(io.UnsupportedOperation("write"))
