"""Files of questions as rows: what the file is, what its columns are, and each row as a question.

`read_rows` streams with bounded memory and yields, for every row, a Row or a BadRow that names its place.
The kinds of file stand in `reading`, what columns become in `shapes`; both are found by themselves, and a
person's corrections go before them.
"""

import json
from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from typing import IO, Any

from curation.questions.reading import MAX_LINE, Refused, Source, Table, open_table, source_of
from curation.questions.rows import MAX_TEXT, BadRow, RationaleRow, Row, RowError
from curation.questions.shapes.convert import Converter
from curation.questions.shapes.finals import last_boxed, split_worked_answer
from curation.questions.shapes.proposing.heads import is_row, knows
from curation.questions.shapes.types import ANSWER_TYPES
from curation.questions.shapes.understand import first_records, records, understand

__all__ = [
    "ANSWER_TYPES",
    "MAX_LINE",
    "MAX_TEXT",
    "PRESETS",
    "SPLITS",
    "BadRow",
    "RationaleRow",
    "Refused",
    "Row",
    "RowError",
    "last_boxed",
    "open_questions",
    "parse_row",
    "read_rows",
    "rows_of",
    "split_worked_answer",
]

SPLITS = ("train", "eval", "ood")
# Names of shapes that an order may give. All but our own say nothing that the file does not say itself.
PRESETS = ("chainwright", "gsm8k", "gsm8k-solutions", "math", "svamp", "aqua")
SHOWN_RAW = 2_000  # characters of a bad row that are kept


def open_questions(source: Source) -> Table:
    """The file as a table of rows. Raises Refused with one sentence."""
    return open_table(source, knows, is_row)


def read_rows(
    file: IO[bytes],
    preset: str = "",
    mapping: AnyMapping[str, str] | None = None,
    name: str = "The file",
) -> Iterator[Row | BadRow]:
    """Yield a Row or a BadRow for every row that is not blank. `preset` "" finds the shape itself;
    `mapping` says of columns what they become. Raises Refused for a file that cannot be read at all."""
    if preset and preset not in PRESETS:
        raise ValueError(f"{preset!r} is no preset: choose one of {', '.join(PRESETS)}.")
    table = open_questions(source_of(file, name))
    sample = first_records(table)
    if not sample:
        yield from unread(table)
        return
    found = understand(table, sample, mapping, preset)
    yield from rows_of(table, Converter(found))


def unread(table: Table) -> Iterator[BadRow]:
    """The rows of a table of which none could be read."""
    for number, record in records(table):
        if isinstance(record, RowError):
            yield BadRow(number, str(record))


def rows_of(table: Table, converter: Converter) -> Iterator[Row | BadRow]:
    """The rows of a table as questions."""
    for number, record in records(table):
        if isinstance(record, RowError):
            yield BadRow(number, str(record), record.raw)
            continue
        try:
            yield converter.row(number, record)
        except RowError as error:
            yield BadRow(number, str(error), _raw(record))
        except RecursionError:
            yield BadRow(number, "nested too deeply")


def _raw(record: dict[str, Any]) -> str:
    try:
        return json.dumps(record, ensure_ascii=True, default=str)[:SHOWN_RAW]
    except (ValueError, RecursionError):
        return ""


def parse_row(line: int, value: dict[str, Any], preset: str = "") -> Row:
    """Turn one decoded object into a Row. Raises RowError with what is wrong."""
    table = Table("one object", lambda: iter([(line, value)]))
    sample = first_records(table)
    try:
        found = understand(table, sample, None, preset)
    except Refused as error:
        raise RowError(str(error)) from None
    return Converter(found).row(line, sample[0])
