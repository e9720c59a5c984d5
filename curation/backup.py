"""Backups of the whole installation: the database as it was at one moment, and every artifact.

A backup is a folder:

    manifest.json         when, which database, how many rows a table, size and SHA-256 of every file
    database.sqlite3      or database.dump, a custom-format archive of pg_dump
    artifacts/            the files below ARTIFACTS_URL

The database is copied first, from one snapshot, while people and workers go on. Artifacts are written once
and never changed, so the files that the snapshot names can be copied afterwards. What is still being
written (a training that runs) is copied as far as it has come: after a restore that job resumes from
its last checkpoint. `manifest.json` is written last: a folder without it is not a backup.

The broker is left out on purpose, since rows are the truth and the beat sends lost wake-ups again. So are
secrets (`SECRET_KEY`, keys of models): they belong into the operator's own store.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from curation import artifacts
from curation.errors import Invalid

MANIFEST = "manifest.json"
SQLITE, POSTGRESQL = "database.sqlite3", "database.dump"
MIGRATIONS = "django_migrations"  # every database of ours has it
FORMAT = 1
BLOCK = 1 << 20


def make_backup(folder: Path) -> dict[str, Any]:
    """Write a backup into `folder`, which must be new or empty; returns its manifest.

    Raises Invalid where the folder is in use or the database's own tool fails.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Invalid(f"{folder} is not empty: name a new folder for each backup.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    vendor = connection.vendor
    name, rows = _dump_sqlite(folder) if vendor == "sqlite" else _dump_postgresql(folder)
    if MIGRATIONS not in rows:
        raise Invalid(
            "The database that DATABASE_URL names holds no Chainwright (it has no table "
            f"{MIGRATIONS}): run manage.py migrate first, or name the right database."
        )
    files = {path: _fetch(path, folder) for path in artifacts.walk()}
    manifest = {
        "format": FORMAT,
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "database": vendor,
        "rows": rows,
        "files": {
            name: _facts(folder / name),
            **{f"artifacts/{path}": facts for path, facts in files.items() if facts},
        },
    }
    part = folder / f"{MANIFEST}.part"
    part.write_text(json.dumps(manifest, indent=1))
    part.replace(folder / MANIFEST)
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a backup. Raises Invalid where `folder` holds no whole backup of this database."""
    path = folder / MANIFEST
    if not path.is_file():
        raise Invalid(f"{folder} is not a complete backup: it has no {MANIFEST}.")
    try:
        manifest = json.loads(path.read_text())
        wanted = manifest["database"]
        ours, rows = manifest["format"] == FORMAT, manifest["rows"]
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{path} cannot be read: {error}.") from error
    if not ours:
        raise Invalid(f"{folder} was made by another version of Chainwright: use that one.")
    if MIGRATIONS not in rows:
        raise Invalid(f"{folder} is not a backup of a Chainwright: it has no table {MIGRATIONS}.")
    if wanted != connection.vendor:
        raise Invalid(
            f"This is a backup of {wanted}, and DATABASE_URL names {connection.vendor}. A backup is "
            "restored to the kind of database that it came from."
        )
    return manifest


def check_backup(folder: Path) -> dict[str, Any]:
    """Compare every file of a backup with its hash. Raises Invalid naming the first that differs."""
    manifest = read_manifest(folder)
    for name, facts in manifest["files"].items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise Invalid(f"{name!r} leads out of the backup: nothing was restored.")
        if not path.is_file():
            raise Invalid(f"{name} is missing from the backup: nothing was restored.")
        if _facts(path) != facts:
            raise Invalid(f"{name} is not what was backed up: nothing was restored.")
    return manifest


def restore_backup(folder: Path, *, replace: bool = False) -> dict[str, Any]:
    """Put a backup in the place of this installation's database and artifacts; returns its manifest.

    Everything is checked before anything is touched, and the rows are counted afterwards. Artifacts that
    are not in the backup are left alone: no row names them. Nothing may use the database meanwhile.

    replace  overwrite a database that holds people
    """
    manifest = check_backup(folder)
    if not replace and _holds_people():
        raise Invalid(
            "This database holds people and projects. Restoring replaces all of it: add --replace if "
            "that is what you want, and make a backup of it first."
        )
    if connection.vendor == "sqlite":
        _load_sqlite(folder / SQLITE)
    else:
        _load_postgresql(folder / POSTGRESQL)
    for name in manifest["files"]:
        if name.startswith("artifacts/"):
            with (
                (folder / name).open("rb") as source,
                artifacts.writing(name.removeprefix("artifacts/")) as target,
            ):
                shutil.copyfileobj(source, target, BLOCK)
    found = _count_rows()
    if wrong := sorted(t for t, rows in manifest["rows"].items() if found.get(t) != rows):
        raise Invalid(f"After the restore the number of rows differs in: {', '.join(wrong)}.")
    return manifest


def _fetch(path: str, folder: Path) -> dict[str, Any] | None:
    """Copy one artifact; None where it was removed since it was listed."""
    target = folder / "artifacts" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with artifacts.open_artifact(path) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, BLOCK)
    except FileNotFoundError:
        target.unlink(missing_ok=True)
        return None
    return _facts(target)


def _facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def _count_rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        counts = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            counts[table] = cursor.fetchone()[0]
    return counts


def _holds_people() -> bool:
    if "projects_user" not in connection.introspection.table_names():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM projects_user)")
        return bool(cursor.fetchone()[0])


def _dump_sqlite(folder: Path) -> tuple[str, dict[str, int]]:
    """SQLite's online backup copies one consistent state while others write."""
    # Quoted: with a # or ? in a folder's name SQLite would open another, empty file.
    source = Path(connection.settings_dict["NAME"]).resolve().as_uri() + "?mode=ro"
    path = folder / SQLITE
    with (
        closing(sqlite3.connect(source, uri=True, timeout=60)) as live,
        closing(sqlite3.connect(path)) as copy,
    ):
        live.backup(copy)  # in one piece: in several, each write of others would begin it again
        copy.execute("PRAGMA journal_mode=DELETE")
        tables = [
            name
            for (name,) in copy.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        known = set(connection.introspection.table_names())
        rows = {
            table: copy.execute(
                f"SELECT count(*) FROM {connection.ops.quote_name(table)}"
            ).fetchone()[0]
            for table in sorted(tables)
            if table in known
        }
    return SQLITE, rows


def _load_sqlite(path: Path) -> None:
    target = Path(connection.settings_dict["NAME"])
    # The old log is emptied, so that it can go before its database does.
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    part = target.with_name(f"{target.name}.restoring")
    shutil.copyfile(path, part)
    part.chmod(0o600)
    for ending in ("-wal", "-shm"):
        target.with_name(target.name + ending).unlink(missing_ok=True)
    part.replace(target)


def _dump_postgresql(folder: Path) -> tuple[str, dict[str, int]]:
    """Dump and counts come from one snapshot, so they cannot differ."""
    path = folder / POSTGRESQL
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
        rows = _count_rows()
        _run_tool(
            "pg_dump",
            *("--format=custom", "--no-owner", "--no-privileges"),
            *(f"--snapshot={snapshot}", f"--file={path}"),
        )
    return POSTGRESQL, rows


def _load_postgresql(path: Path) -> None:
    """All or nothing; our tables that the backup does not know go afterwards. Tables of other programs
    in the same database stay."""
    before = set(connection.introspection.django_table_names(only_existing=True))
    connection.close()
    _run_tool(
        "pg_restore",
        *("--clean", "--if-exists", "--no-owner", "--no-privileges"),
        *("--exit-on-error", "--single-transaction"),
        *("--dbname", connection.settings_dict["NAME"], str(path)),
    )
    known = json.loads((path.parent / MANIFEST).read_text())["rows"]
    with connection.cursor() as cursor:
        for table in sorted(before - set(known)):
            cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)} CASCADE")


def _run_tool(tool: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on our database; the password goes through the environment."""
    found = shutil.which(tool)
    if not found:
        raise Invalid(
            f"{tool} is not installed here: it comes with PostgreSQL's client (Debian: "
            "postgresql-client), of the server's version or newer."
        )
    where = connection.settings_dict
    environment = {
        **os.environ,
        "PGHOST": where["HOST"] or "",
        "PGPORT": str(where["PORT"] or ""),
        "PGUSER": where["USER"] or "",
        "PGPASSWORD": where["PASSWORD"] or "",
        "PGDATABASE": where["NAME"],
    }
    environment = {name: value for name, value in environment.items() if value}
    done = subprocess.run(
        [found, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise Invalid(f"{tool} failed: {last}")
