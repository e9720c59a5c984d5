"""Parquet, row group by row group, in pieces whose size is bounded."""

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.questions.reading.source import MAX_COLUMNS, MAX_LINE, Refused, Source
from curation.questions.rows import RowError

Record = dict[str, Any]
PIECE = 16 * 1024**2  # bytes that a piece of rows may take
MAX_ROWS = 2_000
MAX_CHUNK = 2 * 1024**3  # bytes of one column in one row group


class Parquet:
    """A Parquet file: `columns`, `row_count`, `row_groups`; its rows in order."""

    def __init__(self, source: Source, name: str) -> None:
        self._source, self._name = source, name
        try:
            with source.open() as file, pq.ParquetFile(file) as found:
                schema, facts = found.schema_arrow, found.metadata
                self.row_count, self.row_groups = facts.num_rows, facts.num_row_groups
                self.columns = tuple(schema.names)
                if len(self.columns) > MAX_COLUMNS or facts.num_columns > 2 * MAX_COLUMNS:
                    raise Refused(
                        f"{name} is a Parquet file of {facts.num_columns:,} columns, more than "
                        f"{MAX_COLUMNS:,}: leave out what is not needed."
                    )
                self._widest = self._look_at(facts)
                self.names = class_names(schema.metadata)
                self._texts = [f.name for f in schema if _is_text(f.type)]
                self._left_out = [f.name for f in schema if _is_binary(f.type)]
        except Refused:
            raise
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            raise _refused(name, error) from None

    def _look_at(self, facts: Any) -> int:
        """Bytes of a row in the group with the widest ones."""
        widest = 1
        for n in range(min(facts.num_row_groups, 10_000)):
            group = facts.row_group(n)
            largest = max(
                (group.column(c).total_uncompressed_size for c in range(group.num_columns)),
                default=0,
            )
            if largest > MAX_CHUNK:
                raise Refused(
                    f"{self._name} is a Parquet file with {largest / 1024**3:.1f} GB in one column of one "
                    "row group: write it again with smaller row groups (row_group_size=10000)."
                )
            if group.num_rows:
                widest = max(widest, group.total_byte_size // group.num_rows)
        return widest

    def rows(self) -> Iterator[tuple[int, Record | RowError]]:
        wanted = [name for name in self.columns if name not in self._left_out]
        size = max(1, min(MAX_ROWS, PIECE // max(self._widest, 1)))
        number = 0
        try:
            with (
                self._source.open() as file,
                pq.ParquetFile(
                    file, read_dictionary=self._texts, buffer_size=1024**2, pre_buffer=False
                ) as found,
            ):
                for batch in found.iter_batches(batch_size=size, columns=wanted, use_threads=False):
                    names = batch.schema.names
                    columns = [
                        self._values(c, n) for c, n in zip(batch.columns, names, strict=True)
                    ]
                    for values in zip(*columns, strict=True):
                        number += 1
                        yield number, dict(zip(names, values, strict=True))
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            raise _refused(self._name, error, number) from None

    def _values(self, column: pa.Array, name: str) -> list[Any]:
        if isinstance(column, pa.DictionaryArray):
            texts = [_bounded(one) for one in column.dictionary]
            return [None if i is None else texts[i] for i in column.indices.to_pylist()]
        labels = self.names.get(name)
        values = column.to_pylist()
        if labels:  # a class of Hugging Face's `datasets` says what its numbers mean
            return [labels[v] if isinstance(v, int) and 0 <= v < len(labels) else v for v in values]
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return [None if v != v else v for v in values]
        return [_plain(v) for v in values]


def class_names(metadata: dict[bytes, bytes] | None) -> dict[str, list[str]]:
    """The names of classes, by column, that `datasets` wrote into the schema."""
    try:
        info = json.loads((metadata or {}).get(b"huggingface", b"{}"))
        features = info.get("info", {}).get("features", {})
        return {
            column: [str(one) for one in f["names"]]
            for column, f in features.items()
            if isinstance(f, dict) and f.get("_type") == "ClassLabel" and f.get("names")
        }
    except (ValueError, AttributeError, TypeError):
        return {}


def _bounded(one: pa.Scalar) -> str | None:
    size = one.as_buffer().size if one.is_valid else 0
    if size > MAX_LINE:
        raise Refused(
            f"A text in this Parquet file is longer than {MAX_LINE // 1024**2} MB: leave it out."
        )
    return one.as_py()


def _plain(value: Any) -> Any:
    """What Parquet knows beyond JSON, as JSON would have it."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, datetime | date | time | timedelta):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and value != value:
        return None
    return None if isinstance(value, bytes) else value


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_binary(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _refused(name: str, error: BaseException, row: int = 0) -> Refused:
    where = f" after row {row:,}" if row else ""
    why = " ".join(str(error).split())[:160]
    return Refused(f"{name} is a Parquet file that cannot be read{where}: {why}. Write it again.")
