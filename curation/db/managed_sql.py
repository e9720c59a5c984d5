"""What stands in the database beside the tables: triggers and indexes for search that Django's
migrations cannot describe.

They are put in place after every `migrate`, and again after one that made a table anew: SQLite has no
other way to change a table, and forgets the triggers of the old one.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import AppConfig
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.signals import post_migrate, pre_migrate

Act = Callable[[BaseDatabaseWrapper], None]
LOCK = 0x63686169  # any number of our own: that of PostgreSQL's lock for making what stands here


def keep(config: AppConfig, create: Act, drop: Act | None = None) -> None:
    """Call `create` after every `migrate`, and `drop` before one that changes something.

    `create` finds most of what it makes standing already: it says what is missing, and makes that.
    `drop` is for triggers that name other tables: SQLite refuses to rename a table while one does.
    """
    keys = f"standing:{config.label}:{create.__module__}"

    def after(using: str, **_: Any) -> None:
        create(connections[using])

    def before(using: str, plan: list[Any], **_: Any) -> None:
        if plan:
            drop(connections[using])

    post_migrate.connect(after, sender=config, weak=False, dispatch_uid=keys)
    if drop is not None:
        pre_migrate.connect(before, sender=config, weak=False, dispatch_uid=keys)


@contextmanager
def alone(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Nobody else makes what stands here meanwhile: two machines may be updated at the same moment.
    Reading and writing rows goes on."""
    if connection.vendor != "postgresql":
        # Begins with the write lock of the file, see DATABASES in the settings.
        with transaction.atomic(using=connection.alias):
            yield
        return
    with connection.cursor() as cursor:
        # Asked for again and again: who waits within a statement would itself be waited for by
        # CREATE INDEX CONCURRENTLY.
        while not _said_yes(cursor, f"SELECT pg_try_advisory_lock({LOCK})"):
            time.sleep(0.2)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock({LOCK})")


def _said_yes(cursor: Any, sql: str) -> bool:
    cursor.execute(sql)
    return bool(cursor.fetchone()[0])


def triggers_of(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """The triggers that stand now: their names, and their SQL as it was written. PostgreSQL does not
    keep that: it stands in each trigger's comment, "" where there is none."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute(
                "SELECT tgname, COALESCE(obj_description(t.oid, 'pg_trigger'), '') FROM pg_trigger t "
                "JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal "
                "AND c.relnamespace = current_schema()::regnamespace"
            )
        return dict(cursor.fetchall())


def put_triggers(connection: BaseDatabaseWrapper, wanted: dict[str, str]) -> bool:
    """Make the triggers (by name: their SQL) that are missing, and make those anew whose SQL differs;
    whether one was missing. To be called `alone`. No row is written between an old trigger and its new
    one: SQLite holds the lock of the caller's transaction, PostgreSQL replaces in one statement."""
    standing = triggers_of(connection)
    for name, sql in wanted.items():
        if standing.get(name) == sql:
            continue
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                cursor.execute(sql)
                continue
            cursor.execute(sql.replace("CREATE TRIGGER", "CREATE OR REPLACE TRIGGER", 1))
            table = sql.split(" ON ", 1)[1].split()[0]
            cursor.execute(f"COMMENT ON TRIGGER {name} ON {table} IS {quoted(sql)}")
    return bool(set(wanted) - set(standing))


def quoted(text: str) -> str:
    """As a text within SQL that takes no parameters."""
    return "'" + text.replace("'", "''") + "'"


def drop_triggers(connection: BaseDatabaseWrapper, names: list[str]) -> None:
    """Drop triggers where they stand. SQLite only: PostgreSQL keeps them through any change."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for name in names:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def has_table(connection: BaseDatabaseWrapper, table: str) -> bool:
    with connection.cursor() as cursor:
        return table in connection.introspection.table_names(cursor)
