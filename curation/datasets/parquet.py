"""A dataset's records as Parquet, with a fixed schema."""

from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

PIECE = 1000
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
SCHEMA = pa.schema(
    [
        ("prompt", MESSAGES),
        ("completion", MESSAGES),
        ("question_id", pa.string()),
        ("reference_answer", pa.string()),
        ("domain", pa.string()),
        ("teacher", pa.string()),
        ("author", pa.string()),
        ("temperature", pa.float64()),
        ("approved_by", pa.string()),
    ]
)


def write_records(records: Iterator[dict[str, Any]], file: IO[bytes]) -> None:
    """Write all records in pieces, so memory stays constant."""
    # No pandas metadata and a fixed writer version, so that the same rows give the same bytes.
    with pq.ParquetWriter(file, SCHEMA, compression="zstd", version="2.6") as writer:
        while piece := list(islice(records, PIECE)):
            writer.write_table(pa.Table.from_pylist(piece, schema=SCHEMA))
