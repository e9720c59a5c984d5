"""Example rows, written by the hundred thousand: Django's own way costs several times as much."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from curation.datasets.models import Example

COLUMNS = ("version_id", "position", "rationale_id", "approved_by", "teacher", "author", "verdict")

Laid = tuple[
    int, int, str, str | None, str | None, str
]  # position, rationale, approved_by, teacher, author, verdict


def lay_down(version_id: int, rows: list[Laid]) -> None:
    """Write these examples of a version, within the transaction of the caller."""
    table = connection.ops.quote_name(Example._meta.db_table)
    columns = ", ".join(COLUMNS)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((version_id, *row))
            return
        marks = ", ".join(["%s"] * len(COLUMNS))
        cursor.executemany(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})",
            [(version_id, *row) for row in rows],
        )


@contextmanager
def unmapped() -> Iterator[None]:
    """Who reads through all of a large SQLite file would have all of it mapped into its memory, up to a
    quarter of a gigabyte: it is read as files are read meanwhile."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        (before,) = cursor.execute("PRAGMA mmap_size").fetchone()
        cursor.execute("PRAGMA mmap_size=0")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA mmap_size={int(before)}")
