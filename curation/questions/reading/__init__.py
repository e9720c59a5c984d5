"""Reads files of rows, whatever they are: what kind of file it is, is found before a row is judged.

A plain library: it knows neither Django nor what a question is. `open_table` gives the rows as
dictionaries, or refuses the file with one sentence.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from curation.questions.reading.archives import gunzipped, is_workbook, members, seekable
from curation.questions.reading.columnar import Parquet
from curation.questions.reading.json_files import Record, decode, find_rows, json_lines, whole_json
from curation.questions.reading.sheets import Sheet
from curation.questions.reading.source import (
    MAX_LINE,
    SNIFFED,
    Refused,
    Source,
    shown_name,
    source_of,
)
from curation.questions.reading.tables import NAMES, find_dialect, table_rows
from curation.questions.reading.text import encoding_in_words, encoding_of
from curation.questions.rows import RowError

__all__ = ["MAX_LINE", "Record", "Refused", "Source", "Table", "open_table", "source_of"]

Numbered = Iterator[tuple[int, Record | RowError]]
# (place, bytes there, what it is, what to do)
FOREIGN = (
    (0, b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "save it as .xlsx or CSV"),
    (0, b"%PDF", "a PDF", "copy its questions into a table"),
    (0, b"\x89PNG", "a picture", "send the questions as text"),
    (0, b"\xff\xd8\xff", "a picture", "send the questions as text"),
    (0, b"GIF8", "a picture", "send the questions as text"),
    (0, b"7z\xbc\xaf", "a 7z archive", "pack it with zip or gzip"),
    (0, b"Rar!", "a RAR archive", "pack it with zip or gzip"),
    (0, b"BZh", "a bzip2 file", "pack it with gzip or zip"),
    (0, b"\xfd7zXZ", "an xz file", "pack it with gzip or zip"),
    (0, b"\x28\xb5\x2f\xfd", "a zstandard file", "pack it with gzip or zip"),
    (257, b"ustar", "a tar archive", "pack its files with zip"),
    (0, b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (0, b"ARROW1", "an Arrow file", "write it as Parquet"),
    (0, b"\xff\xff\xff\xff", "an Arrow stream", "write it as Parquet"),
    (0, b"\x93NUMPY", "a NumPy array", "write it as CSV"),
    (0, b"\x80\x04\x95", "a pickle", "write it as JSON Lines: pickles are never opened here"),
    (0, b"\x80\x03", "a pickle", "write it as JSON Lines: pickles are never opened here"),
    (0, b"\x7fELF", "a program", "choose the file with the questions"),
    (0, b"{\\rtf", "an RTF text", "save it as CSV"),
    (0, b"version https://git-lfs", "a pointer of Git LFS", "download the file that it stands for"),
)
SPLIT_NAMES = re.compile(r"(?:^|[^a-z])(train|test|dev|valid|validation|eval)(?:[^a-z]|$)")


@dataclass
class Table:
    """A file that can be read. kind: what it is, for a sentence; unit: what its numbers count; columns:
    their names where the file has a head, else (); row_count: where the file says it; split: by the
    name of the file; left_out: columns of bytes (pictures), which are not read."""

    kind: str
    rows: Callable[[], Numbered]
    unit: str = "line"
    columns: tuple[str, ...] = ()
    row_count: int | None = None
    has_head: bool = True
    notes: list[str] = field(default_factory=list)
    left_out: tuple[str, ...] = ()


def never(_: object) -> bool:
    return False


def open_table(
    source: Source,
    is_known: Callable[[str], bool] = never,
    is_row: Callable[[Record], bool] = never,
) -> Table:
    """The rows of a file. `is_known` says of a name that a column of questions may have it: so a head
    is known for one. `is_row` says of an object that it is a question itself, and does not hold them.
    Raises Refused."""
    return _open(source, is_known, is_row, depth=0)


def _open(
    source: Source, is_known: Callable[[str], bool], is_row: Callable[[Record], bool], depth: int
) -> Table:
    name = shown_name(source.name)
    head = source.head()
    if not head:
        raise Refused(f"{name} is empty: nothing to import.")
    if head.startswith((b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06")):
        if depth > 1:
            raise Refused(f"{name} is packed more than twice: unpack it first.")
        return _packed(source, head, is_known, is_row, depth)
    if head.startswith(b"PAR1"):
        parquet = Parquet(seekable(source), name)
        kind = f"a Parquet file with {len(parquet.columns)} columns"
        return Table(
            kind,
            parquet.rows,
            "row",
            parquet.columns,
            parquet.row_count,
            left_out=tuple(parquet._left_out),
        )
    for place, mark, what, instead in FOREIGN:
        if head.startswith(mark, place):
            raise Refused(f"{name} is {what}, which has no rows to read: {instead}.")
    return _text(source, head, name, is_known, is_row)


def _packed(
    source: Source,
    head: bytes,
    is_known: Callable[[str], bool],
    is_row: Callable[[Record], bool],
    depth: int,
) -> Table:
    name = shown_name(source.name)
    if head.startswith(b"\x1f\x8b"):
        table = _open(gunzipped(source), is_known, is_row, depth + 1)
        table.kind += ", packed with gzip"
        return table
    source = seekable(source)
    if is_workbook(source):
        sheet = Sheet(source, name, is_known)
        table = Table(
            f"an Excel file with {len(sheet.columns)} columns", sheet.rows, "row", sheet.columns
        )
        table.has_head = sheet.has_head
        if sheet.others:
            others = ", ".join(f"“{one[:40]}”" for one in sheet.others[:5])
            table.notes.append(f"The sheet “{sheet.sheet}” is read; {others} not.")
        return table
    return several(members(source), "in a zip", is_known, is_row, depth + 1)


def several(
    sources: list[Source],
    where: str,
    is_known: Callable[[str], bool] = never,
    is_row: Callable[[Record], bool] = never,
    depth: int = 1,
) -> Table:
    """Files that belong together, as one after the other. Their names may say a split each."""
    tables = [(one, _open(one, is_known, is_row, depth)) for one in sources]
    if len(tables) == 1:
        table = tables[0][1]
        table.kind += f" ({shown_name(sources[0].name)} {where})"
        return table
    columns = [t.columns for _, t in tables if t.columns]

    def rows() -> Numbered:
        number = 0
        for one, table in tables:
            found = SPLIT_NAMES.search(one.name.lower())
            for _, record in table.rows():
                number += 1
                if found and isinstance(record, dict):
                    record.setdefault("split", found[1])
                yield number, record

    names = ", ".join(shown_name(one.name) for one, _ in tables[:4])
    more = f" and {len(tables) - 4} more" if len(tables) > 4 else ""
    counts = [t.row_count for _, t in tables]
    return Table(
        f"{len(tables)} files {where} ({names}{more})",
        rows,
        "row",
        tuple(dict.fromkeys(c for one in columns for c in one)),
        None if None in counts else sum(filter(None, counts)),
    )


def _text(
    source: Source,
    head: bytes,
    name: str,
    is_known: Callable[[str], bool],
    is_row: Callable[[Record], bool],
) -> Table:
    start = head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1]
    is_json = start in (b"{", b"[")
    encoding = encoding_of(head, is_json=is_json)
    try:
        text = head.decode(encoding, errors="replace").lstrip("\ufeff")
    except LookupError:
        encoding, text = "utf-8", head.decode("utf-8", errors="replace")
    if not text.strip():
        text = text.strip() or _first_text(source, encoding)
        if not text:
            return Table("a file of blank lines", lambda: iter(()))
        is_json = text.startswith(("{", "["))
    beginning = text.lstrip()[:200].lower()
    if beginning.startswith(("<!doctype html", "<html")):
        raise Refused(
            f"{name} is a web page: perhaps the address asked for a sign-in; download the file itself."
        )
    if beginning.startswith("<?xml") or re.match(r"<[a-z][\w-]*[\s>]", beginning):
        raise Refused(f"{name} is XML: save its rows as CSV or JSON Lines.")
    if sum(1 for c in text[:4096] if c < " " and c not in "\t\r\n\f\v") > len(text[:4096]) // 20:
        raise Refused(
            f"{name} is neither JSON, a table, XLSX nor Parquet: send the questions as one of these."
        )
    if is_json and (table := _json(source, text, encoding, is_row)):
        return table
    return _table(source, text, encoding, name, is_known)


def _first_text(source: Source, encoding: str) -> str:
    """The first characters that are not blank, for a file that begins with many."""
    with source.open() as file:
        for _ in range(4000):
            piece = file.read(SNIFFED)
            if not piece:
                return ""
            if piece.strip():
                return piece.decode(encoding, errors="replace").strip()
    return ""


def _json(
    source: Source, text: str, encoding: str, is_row: Callable[[Record], bool]
) -> Table | None:
    coded = "" if encoding in ("utf-8", "utf-8-sig") else f" in {encoding_in_words(encoding)}"
    start = text.lstrip()
    if start.startswith("{") and not _is_lines(start):
        prefix = _where_rows_are(source, encoding, is_row)
        if prefix or "\n" in start.rstrip():
            kind = f"a JSON object with its rows in “{prefix.removesuffix('.item')}”"
            if prefix.endswith("*"):
                kind = "a JSON object whose values are the rows"
            return Table(
                (kind if prefix else "JSON objects") + coded,
                lambda: whole_json(source, encoding, prefix),
                "row",
            )
    if start.startswith("[") and re.match(r"\[\s*(\{|\]|$)", start):
        return Table(
            f"a JSON array{coded}", lambda: whole_json(source, encoding, "item"), "element"
        )

    def rows() -> Numbered:
        with source.open() as file:
            yield from json_lines(file, encoding)

    return Table(f"JSON Lines{coded}", rows, "line")


def _is_lines(start: str) -> bool:
    """More than one line, and at least one of the first ones an object by itself."""
    lines = [line for line in re.split(r"[\r\n]+", start[:SNIFFED]) if line.strip()]
    if len(lines) < 2:
        return False
    for line in lines[:20]:
        try:
            decode(line)
            return True
        except RowError:
            continue
    return False


def _where_rows_are(source: Source, encoding: str, is_row: Callable[[Record], bool]) -> str:
    whole = source.head(MAX_LINE)
    if len(whole) < MAX_LINE:
        try:
            if is_row(decode(whole.decode(encoding, errors="replace").lstrip("\ufeff"))):
                return ""
        except RowError:
            pass
    return find_rows(source, encoding, lambda key, value: is_row({key: value}))


def _table(
    source: Source, text: str, encoding: str, name: str, is_known: Callable[[str], bool]
) -> Table:
    dialect = find_dialect(text, is_known)
    if dialect is None:
        line = " ".join(text.split())[:60]
        raise Refused(
            f"{name} is a text without columns (it begins “{line}”): "
            "send JSON, CSV, TSV, XLSX or Parquet with a column for the question."
        )
    coded = encoding_in_words(encoding)
    with_what = (
        "" if dialect.delimiter in ",\t" else f" with {NAMES.get(dialect.delimiter, 'marks')}"
    )
    kind = f"a {dialect.kind}{with_what} and {len(dialect.columns)} columns, {coded}"
    if not with_what:
        kind = f"a {dialect.kind} with {len(dialect.columns)} columns, {coded}"
    table = Table(kind, lambda: table_rows(source, encoding, dialect), "line", dialect.columns)
    table.has_head = dialect.has_head
    return table
