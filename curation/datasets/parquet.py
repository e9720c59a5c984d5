"""A dataset's records as Parquet, with a fixed schema."""

from collections.abc import Iterable
from itertools import chain
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

PLAIN = (
    ("question_id", pa.string()),
    ("reference_answer", pa.string()),
    ("domain", pa.string()),
    ("teacher", pa.string()),
    ("author", pa.string()),
    ("temperature", pa.float64()),
    ("approved_by", pa.string()),
    ("verdict", pa.string()),
)


def messages(more: str = "") -> pa.ListType:
    """A list of messages; `more`: the field beside the content in which thoughts stand, if there is one."""
    names = ("role", "content", more) if more else ("role", "content")
    return pa.list_(pa.struct([(name, pa.string()) for name in names]))


def schema(thoughts: str = "") -> pa.Schema:
    return pa.schema([("prompt", messages()), ("completion", messages(thoughts)), *PLAIN])


class Writer:
    """Writes pieces of records; each becomes a row group, so memory stays constant."""

    def __init__(self, file: IO[bytes], thoughts: str = "") -> None:
        self.schema = schema(thoughts)
        # No pandas metadata and a fixed writer version, so that the same rows give the same bytes.
        self._writer = pq.ParquetWriter(file, self.schema, compression="zstd", version="2.6")

    def write(self, records: list[dict[str, Any]]) -> None:
        columns = [
            _messages([one[name] for one in records], self.schema.field(name).type)
            for name in ("prompt", "completion")
        ]
        columns += [pa.array([one.get(name) for one in records], kind) for name, kind in PLAIN]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self.schema))

    def close(self) -> None:
        self._writer.close()


def _messages(column: list[list[dict[str, str]]], kind: pa.ListType) -> pa.Array:
    """Lists of messages, column by column: half the time of handing Arrow the dicts."""
    offsets, at = [0], 0
    for one in column:
        offsets.append(at := at + len(one))
    fields = list(kind.value_type)
    flat = list(chain.from_iterable(column))
    values = [pa.array([one[field.name] for one in flat], field.type) for field in fields]
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.StructArray.from_arrays(values, fields=fields), type=kind
    )


def write_records(pieces: Iterable[list[dict[str, Any]]], file: IO[bytes], thoughts: str) -> None:
    """Write all records in pieces, so memory stays constant."""
    writer = Writer(file, thoughts)
    try:
        for piece in pieces:
            writer.write(piece)
    finally:
        writer.close()
