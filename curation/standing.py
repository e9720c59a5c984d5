"""What stands in the data base beside the tables: triggers and indexes for search that Django's
migrations cannot describe.

They are put in place after every `migrate`, and again after one that made a table anew: SQLite has no
other way to change a table, and forgets the triggers of the old one.
"""

from collections.abc import Callable
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.signals import post_migrate, pre_migrate

Act = Callable[[BaseDatabaseWrapper], None]


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


def triggers_of(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """The triggers that stand now: their names, and their SQL as it was written (on PostgreSQL "")."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname, '' FROM pg_trigger WHERE NOT tgisinternal")
        return dict(cursor.fetchall())


def put_triggers(connection: BaseDatabaseWrapper, wanted: dict[str, str]) -> bool:
    """Make the triggers (by name: their SQL) that are missing or differ; whether one was missing."""
    standing = triggers_of(connection)
    with connection.cursor() as cursor:
        for name, sql in wanted.items():
            if name in standing and connection.vendor == "sqlite" and standing[name] != sql:
                cursor.execute(f"DROP TRIGGER {name}")
            elif name in standing:
                continue
            cursor.execute(sql)
    return bool(set(wanted) - set(standing))


def drop_triggers(connection: BaseDatabaseWrapper, names: list[str]) -> None:
    """Drop triggers where they stand. SQLite only: PostgreSQL keeps them through any change."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for name in names:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def has_table(connection: BaseDatabaseWrapper, table: str) -> bool:
    with connection.cursor() as cursor:
        return table in connection.introspection.table_names(cursor)
