"""Backup and restore in one command each: what comes back is what was there at one moment."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from curation import artifacts
from curation.backup import MANIFEST
from curation.datasets.formats import place
from curation.datasets.models import DatasetVersion
from curation.datasets.services import freeze, order_freeze, verify
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import Decision, DecisionLog

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def version(
    project: Project,
    make_questions: Callable[..., list[Question]],
    make_rationales: Callable[..., list[Rationale]],
) -> DatasetVersion:
    for question in make_questions(4):
        make_rationales(question, ["right", "wrong"])
    apply_rule(project)
    return freeze(order_freeze(project, None).pk)


def hashes() -> dict[str, str]:
    """SHA-256 of every artifact, by its path."""
    found = {}
    for name in artifacts.walk():
        with artifacts.open_artifact(name) as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def restored(folder: Path, **options: bool) -> None:
    call_command("restore", folder, **options)


def test_a_restore_brings_back_rows_and_artifacts_as_they_were(
    version: DatasetVersion, tmp_path: Path
) -> None:
    call_command("backup", tmp_path / "one")
    before = hashes()
    assert place(version, "jsonl") in before
    Question.objects.update(text="changed afterwards")
    User.objects.create_user("late", password="a long enough word")
    for name in before:
        artifacts.remove(name)

    restored(tmp_path / "one", replace=True)
    assert hashes() == before
    assert not User.objects.filter(username="late").exists()
    assert not Question.objects.filter(text="changed afterwards").exists()
    assert verify(DatasetVersion.objects.get(pk=version.pk))


def test_the_history_still_cannot_be_changed_after_a_restore(
    version: DatasetVersion, tmp_path: Path
) -> None:
    call_command("backup", tmp_path / "one")
    restored(tmp_path / "one", replace=True)
    logged = DecisionLog.objects.count()
    assert logged
    Decision.objects.filter(outcome="approved").update(outcome="rejected")
    assert DecisionLog.objects.count() > logged
    with pytest.raises(Exception, match="histor"):
        DecisionLog.objects.update(outcome="approved")
    Decision.objects.filter(outcome="rejected").update(outcome="approved")


def test_a_backup_is_of_one_moment_though_others_write_meanwhile(
    version: DatasetVersion, make_questions: Callable[..., list[Question]], tmp_path: Path
) -> None:
    """Each write makes a question and its rationale together: a backup holds both or neither."""
    stop, failed = threading.Event(), []

    def write() -> None:
        try:
            while not stop.is_set():
                from django.db import transaction

                with transaction.atomic():
                    (question,) = make_questions(1)
                    Rationale.objects.create(
                        project=question.project, question=question, source="import", text="t"
                    )
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            call_command("backup", tmp_path / str(number))
    finally:
        stop.set()
        writer.join()
    assert not failed
    counts = [json.loads((tmp_path / str(n) / MANIFEST).read_text())["rows"] for n in range(3)]
    for rows in counts:
        assert rows["rationales_rationale"] == 8 + rows["questions_question"] - 4
    restored(tmp_path / "1", replace=True)
    assert Question.objects.count() == counts[1]["questions_question"]


def test_nothing_is_overwritten_by_accident(version: DatasetVersion, tmp_path: Path) -> None:
    call_command("backup", tmp_path / "one")
    with pytest.raises(CommandError, match="--replace"):
        restored(tmp_path / "one")
    with pytest.raises(CommandError, match="is not empty"):
        call_command("backup", tmp_path / "one")


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%20b c"])
def test_a_home_of_any_name_is_backed_up(name: str, tmp_path: Path) -> None:
    """In a process of its own, since the name of the home is read at the start."""
    home = tmp_path / name
    keep = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "ARTIFACTS_URL")}
    environment = keep | {"CHAINWRIGHT_HOME": str(home)}

    def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True
        )

    home.mkdir()
    with closing(sqlite3.connect(home / "chainwright.sqlite3")) as database:
        database.execute("CREATE TABLE other (id integer)")
    refused = manage("backup", str(tmp_path / "none"))
    assert refused.returncode and "django_migrations" in refused.stderr
    assert not (tmp_path / "none" / MANIFEST).exists()

    with closing(sqlite3.connect(home / "chainwright.sqlite3")) as database:
        database.execute("CREATE TABLE django_migrations (id integer)")
        database.execute("INSERT INTO django_migrations VALUES (1)")
        database.commit()
    done = manage("backup", str(tmp_path / "one"))
    assert not done.returncode, done.stderr
    rows = json.loads((tmp_path / "one" / MANIFEST).read_text())["rows"]
    assert rows == {"django_migrations": 1, "other": 0}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite is restored as one file")
def test_a_restore_leaves_tables_of_other_programs_alone(
    version: DatasetVersion, tmp_path: Path
) -> None:
    call_command("backup", tmp_path / "one")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE of_others (id integer)")
        cursor.execute("INSERT INTO of_others VALUES (1)")
    try:
        restored(tmp_path / "one", replace=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM of_others")
            assert cursor.fetchone()[0] == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS of_others")


@pytest.mark.parametrize("harm", ["changed", "missing", "unfinished", "outside", "other database"])
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    harm: str, version: DatasetVersion, tmp_path: Path
) -> None:
    folder = tmp_path / "one"
    call_command("backup", folder)
    manifest = json.loads((folder / MANIFEST).read_text())
    name = next(name for name in manifest["files"] if name.startswith("artifacts/"))
    if harm == "changed":
        (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    elif harm == "missing":
        (folder / name).unlink()
    elif harm == "unfinished":
        (folder / MANIFEST).unlink()
    elif harm == "outside":
        manifest["files"]["../outside"] = manifest["files"].pop(name)
    else:
        manifest["database"] = "oracle"
    if harm in ("outside", "other database"):
        (folder / MANIFEST).write_text(json.dumps(manifest))
    Question.objects.update(text="still here")
    with pytest.raises(CommandError):
        restored(folder, replace=True)
    assert Question.objects.filter(text="still here").count() == 4


def test_a_check_compares_every_file_and_changes_nothing(
    version: DatasetVersion, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    call_command("backup", tmp_path / "one")
    Question.objects.update(text="still here")
    restored(tmp_path / "one", check=True)
    assert "as backed up" in capsys.readouterr().out
    assert Question.objects.filter(text="still here").count() == 4
