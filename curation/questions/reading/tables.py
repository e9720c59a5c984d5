"""CSV, TSV and their kin: delimiter, quotes and head are found from the first rows."""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from curation.questions.reading.source import MAX_COLUMNS, MAX_LINE, Refused, Source
from curation.questions.reading.text import lines_of
from curation.questions.rows import RowError

DELIMITERS = (",", "\t", ";", "|")
NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
TRIED = 200  # rows
_NUMBER = re.compile(r"^\s*[-+]?[\d.,]+%?\s*$")
csv.field_size_limit(MAX_LINE)

Record = dict[str, Any]


@dataclass(frozen=True)
class Dialect:
    """quoted: quotes hold fields together; skipped: lines before the head (Excel's `sep=;`); columns:
    their names; has_head: the first row holds them."""

    delimiter: str
    quoted: bool
    skipped: int
    columns: tuple[str, ...]
    has_head: bool

    @property
    def kind(self) -> str:
        return {",": "CSV", "\t": "TSV"}.get(self.delimiter, "CSV")

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        quoting = csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE
        return csv.reader(lines, delimiter=self.delimiter, quoting=quoting)


def find_dialect(text: str, is_known: Callable[[str], bool]) -> Dialect | None:
    """How the table that begins with `text` is written, or None where it is no table. `is_known` says of
    a name that it is one of a column of questions."""
    lines = text.splitlines(keepends=True)
    skipped = 0
    found = re.match(r"^sep=(.)\s*$", lines[0]) if lines else None
    if found:
        skipped, lines = 1, lines[1:]
    best, best_score = None, 0.0
    for delimiter in [found[1]] if found else DELIMITERS:
        for quoted in (True, False):
            rows = _tried(lines, delimiter, quoted)
            score = _score(rows, is_known)
            if rows and score > best_score:
                best, best_score = (delimiter, quoted, rows), score
    if best is None:
        return None
    delimiter, quoted, rows = best
    head = rows[0]
    has_head = looks_like_head(head, rows[1:], is_known)
    columns = head if has_head else [f"column {n}" for n in range(1, len(head) + 1)]
    return Dialect(delimiter, quoted, skipped, names_of(columns), has_head)


def _tried(lines: Sequence[str], delimiter: str, quoted: bool) -> list[list[str]]:
    quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    try:
        reader = csv.reader(iter(lines), delimiter=delimiter, quoting=quoting)
        rows = [row for row in itertools.islice(reader, TRIED) if any(map(str.strip, row))]
    except csv.Error:
        return []
    # The last may have been cut off in its middle.
    return rows[:-1] if len(rows) > 3 else rows


def _score(rows: list[list[str]], is_known: Callable[[str], bool]) -> float:
    """More for rows of the same width, for more columns, and for a head that names what questions have."""
    if not rows:
        return 0.0
    widths = Counter(len(row) for row in rows)
    width, count = widths.most_common(1)[0]
    known = sum(1 for name in rows[0][:200] if is_known(name[:200]))
    if width < 2:
        return 0.1 if known else 0.0
    share = count / len(rows)
    long = sum(len(cell) > 100_000 for row in rows for cell in row)
    as_wide = len(rows[0]) == width
    return share * (1 + min(width, 20) / 40) + 0.5 * min(known, 3) + 0.2 * as_wide - long


def looks_like_head(
    head: Sequence[str], rows: Sequence[Sequence[str]], is_known: Callable[[str], bool]
) -> bool:
    """Is the first row the names of the columns? They are short, differ, and are no numbers."""
    cells = [cell.strip() for cell in head]
    if len(cells) > MAX_COLUMNS or any(is_known(cell[:200]) for cell in cells):
        return True
    named = [cell for cell in cells if cell]
    if not named or len(set(named)) < len(named) or not rows:
        return False
    if any(_NUMBER.match(cell) or len(cell) > 60 or cell.endswith("?") for cell in named):
        return False
    if any(
        len(rows) and all(n < len(row) and _NUMBER.match(row[n]) for row in rows) and cells[n]
        for n in range(len(cells))
    ):
        return True  # a word above numbers
    firsts = [
        sum(len(row[n]) for row in rows if n < len(row)) / len(rows) for n in range(len(head))
    ]
    return any(mean > 2 * max(len(cell), 8) for mean, cell in zip(firsts, cells, strict=True))


def names_of(head: Sequence[str]) -> tuple[str, ...]:
    """Names of columns, each its own: empty ones and doubled ones get their number."""
    if len(head) > MAX_COLUMNS:
        raise Refused(
            f"This table has {len(head):,} columns, more than {MAX_COLUMNS:,}: leave out what is not needed."
        )
    made: list[str] = []
    taken: set[str] = set()
    for n, cell in enumerate(head, 1):
        name = " ".join(str(cell).replace("\ufeff", "").split())[:200] or f"column {n}"
        if name in taken:
            name = f"{name} ({n})"
        taken.add(name)
        made.append(name)
    return tuple(made)


def table_rows(
    source: Source, encoding: str, dialect: Dialect
) -> Iterator[tuple[int, Record | RowError]]:
    """(line number from 1 at which the row begins, its cells by column)."""
    columns, width = dialect.columns, len(dialect.columns)
    with source.open() as file:
        lines = lines_of(file, encoding)
        for _ in range(dialect.skipped):
            next(lines, "")
        reader = dialect.reader(lines)
        before, first = dialect.skipped, dialect.has_head
        try:
            for row in reader:
                number, before = before + 1, dialect.skipped + reader.line_num  # type: ignore[attr-defined]
                if first:
                    first = False
                    continue
                if len(row) == width:
                    if row[0] or any(map(str.strip, row)):
                        yield number, dict(zip(columns, row, strict=True))
                    continue
                if not any(map(str.strip, row)):
                    continue
                yield number, _fitted(row, columns)
        except csv.Error as error:
            raise Refused(
                f"From line {before + 1:,} on this {dialect.kind} cannot be read ({error}): "
                "a quotation mark that is opened there is not closed."
            ) from None


def _fitted(row: list[str], columns: Sequence[str]) -> Record | RowError:
    """A row of another width: cells beyond the head must be empty, and none may be missing."""
    if len(row) > len(columns) and not any(map(str.strip, row[len(columns) :])):
        return dict(zip(columns, row, strict=False))
    return RowError(f"the row has {len(row):,} cells, and the table {len(columns):,} columns")
