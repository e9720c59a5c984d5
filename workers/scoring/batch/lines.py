"""Files of rationales: whole groups out of a file of any order, in constant memory.

A light first pass writes, for each good line, its place and its group into a database on disk. Then
groups are read one after the other through it. Where the lines of every group stand together, groups
come in the file's order; where they do not, the scored lines wait in a file until it is their turn.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from workers.scoring.contract import MAX_LINE_BYTES, BadLine, Item, item_from, parse_line

BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line is: its number (1-based), its offset and length in bytes."""

    number: int
    offset: int
    length: int


class Index:
    """The places and groups of a file's lines, kept on disk.

    path: the file of rationales; folder: where the database goes. `bad` lists (line number, reason)
    through `report` as lines are read.
    """

    def __init__(self, path: Path, folder: Path, report):
        self.path = path
        self._db = sqlite3.connect(folder / "lines.sqlite3", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(
            "PRAGMA cache_size = -512"
        )  # KiB: memory stays the same however long the file
        self._db.execute(
            "CREATE TABLE line (number INTEGER PRIMARY KEY, offset INTEGER, "
            "length INTEGER, grp BLOB, place INTEGER, size INTEGER)"
        )
        self.together = True
        self._read(report)
        self._db.execute("CREATE INDEX line_by_group ON line (grp, number)")

    def _read(self, report) -> None:
        last, batch = None, []
        self._db.execute("BEGIN")
        self._db.execute("CREATE TABLE met (grp BLOB PRIMARY KEY) WITHOUT ROWID")
        for place, raw in _raw_lines(self.path, report):
            try:
                key = item_from(parse_line(raw)).group_key
            except BadLine as error:
                report(place.number, str(error))
                continue
            digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=12).digest()
            if digest != last:
                new = self._db.execute("INSERT OR IGNORE INTO met VALUES (?)", (digest,)).rowcount
                self.together = self.together and bool(new)
                last = digest
            batch.append((place.number, place.offset, place.length, digest))
            if len(batch) >= BATCH:
                self._insert(batch)
        self._insert(batch)
        self._db.execute("DROP TABLE met")
        self._db.execute("COMMIT")

    def _insert(self, batch: list) -> None:
        self._db.executemany(
            "INSERT INTO line (number, offset, length, grp) VALUES (?, ?, ?, ?)", batch
        )
        batch.clear()

    def groups(self) -> Iterator[tuple[bytes, int]]:
        """(key, number of lines) of each group, in the order in which groups first appear."""
        yield from self._db.execute(
            "SELECT grp, COUNT(*) FROM line GROUP BY grp ORDER BY MIN(number)"
        )

    def places(self, key: bytes) -> Iterator[Place]:
        """The lines of a group, in the file's order."""
        rows = self._db.execute(
            "SELECT number, offset, length FROM line WHERE grp = ? ORDER BY number", (key,)
        )
        for row in rows:
            yield Place(*row)

    def keep(self, kept: list[tuple[int, int, int]]) -> None:
        """Notes where scored lines wait: (place, size, line number)."""
        self._db.execute("BEGIN")
        self._db.executemany("UPDATE line SET place = ?, size = ? WHERE number = ?", kept)
        self._db.execute("COMMIT")

    def kept(self) -> Iterator[tuple[int, int]]:
        """(place, size) of the scored lines in the file's order."""
        yield from self._db.execute(
            "SELECT place, size FROM line WHERE place IS NOT NULL ORDER BY number"
        )

    def close(self) -> None:
        """Closes the database."""
        self._db.close()


def _raw_lines(path: Path, report) -> Iterator[tuple[Place, bytes]]:
    """Lines that are not blank; one that is too long is reported and skipped without being held."""
    number = offset = 0
    with path.open("rb") as file:
        while raw := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            start, offset = offset, offset + len(raw)
            if len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
                while (more := file.readline(MAX_LINE_BYTES)) and not more.endswith(b"\n"):
                    offset += len(more)
                offset += len(more)
                report(number, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
                continue
            if raw.strip():
                yield Place(number, start, len(raw)), raw


def read_item(file, place: Place) -> tuple[Item, dict]:
    """The item at a place of an open file, and its object."""
    file.seek(place.offset)
    row = parse_line(file.read(place.length))
    return item_from(row), row
