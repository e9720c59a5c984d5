"""Gzip and zip: looked into without unpacking to the disk, one level deep, with a bound on the bytes."""

import gzip
import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from curation.questions.reading.source import (
    MAX_UNPACKED,
    SNIFFED,
    Bounded,
    Refused,
    Source,
    shown_name,
    source_of,
)

MAX_MEMBERS = 10_000
# A packed table must be read from its end, so it is unpacked first.
MAX_SPOOLED = 1024**3
ENDS = (
    *(".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".tab", ".txt", ".psv", ".xlsx"),
    *(".parquet", ".jsonl.gz", ".json.gz", ".csv.gz", ".tsv.gz", ".ndjson.gz"),
)
PASSED_OVER = (
    "readme",
    "license",
    "licence",
    "dataset_info",
    "dataset_infos",
    "state",
    "metadata",
    "changelog",
)


def gunzipped(source: Source) -> Source:
    """What a gzip file holds."""
    name = source.name.removesuffix(".gz").removesuffix(".GZ")
    what = f"{shown_name(source.name)} is a gzip file that"

    def opener() -> IO[bytes]:
        packed = gzip.GzipFile(fileobj=_Closing(source))
        return io.BufferedReader(Bounded(packed, MAX_UNPACKED, what), 256 * 1024)

    return Source(name, opener)


class _Closing(io.RawIOBase):
    """The source's stream, closed with whatever unpacks it: gzip leaves that to its caller."""

    def __init__(self, source: Source) -> None:
        self._file = source.opener()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def _zip(source: Source) -> Iterator[zipfile.ZipFile]:
    name = shown_name(source.name)
    with source.open() as file:
        try:
            with zipfile.ZipFile(file) as packed:
                yield packed
        except zipfile.BadZipFile as error:
            raise Refused(f"{name} is a damaged zip file ({error}): pack it again.") from None


def is_workbook(source: Source) -> bool:
    with _zip(source) as packed:
        names = {one.filename for one in packed.infolist()[:MAX_MEMBERS]}
    return "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names)


def members(source: Source) -> list[Source]:
    """The files with rows in a zip, by name. Nothing is written under a name that the zip gives."""
    shown = shown_name(source.name)
    with _zip(source) as packed:
        entries = packed.infolist()
        if len(entries) > MAX_MEMBERS:
            raise Refused(
                f"{shown} is a zip of {len(entries):,} files: pack only those with questions."
            )
        found = [one for one in entries if is_wanted(one.filename) and not one.is_dir()]
        if not found:
            held = ", ".join(shown_name(one.filename) for one in entries[:4]) or "nothing"
            raise Refused(
                f"{shown} is a zip that holds {held}: none is JSON, CSV, TSV, XLSX or Parquet."
            )
        if tables := [one for one in found if not one.filename.lower().endswith(".txt")]:
            found = tables  # beside them a text is something to read
        if any(one.flag_bits & 1 for one in found):
            raise Refused(f"{shown} is a zip with a password: pack it without one.")
        if sum(one.file_size for one in found) > MAX_UNPACKED:
            raise Refused(
                f"{shown} unpacks to more than {MAX_UNPACKED // 1024**3} GB: split it into several files."
            )
    return [_member(source, one.filename) for one in sorted(found, key=lambda one: one.filename)]


def is_wanted(path: str) -> bool:
    """Is it a file of rows, by its name?"""
    name = path.replace("\\", "/").rsplit("/", 1)[-1].lower()
    stem = name.split(".", 1)[0]
    hidden = name.startswith((".", "_")) or "__macosx" in path.lower()
    return name.endswith(ENDS) and not hidden and stem not in PASSED_OVER


def _member(source: Source, name: str) -> Source:
    what = f"{shown_name(name)} in the zip"

    def opener() -> IO[bytes]:
        file = source.opener()
        try:
            stream = zipfile.ZipFile(file).open(name)  # noqa: SIM115 (closed with the stream)
        except Exception as error:  # BadZipFile, RuntimeError, NotImplementedError, zlib's
            file.close()
            raise Refused(f"{what} is damaged ({error}): pack it again.") from None
        return io.BufferedReader(_WithFile(stream, file, MAX_UNPACKED, what), 256 * 1024)

    return Source(name.replace("\\", "/").rsplit("/", 1)[-1], opener)


class _WithFile(Bounded):
    def __init__(self, stream: IO[bytes], file: IO[bytes], most: int, what: str) -> None:
        super().__init__(stream, most, what)
        self._below = file

    def close(self) -> None:
        super().close()
        self._below.close()


def seekable(source: Source) -> Source:
    """The same bytes in a temporary file, for formats that are read from their end."""
    with source.open() as file:
        if not isinstance(getattr(file, "raw", None), Bounded):
            return source
        target = tempfile.TemporaryFile()  # noqa: SIM115 (goes with the source)
        left = MAX_SPOOLED
        while piece := file.read(SNIFFED):
            left -= len(piece)
            if left < 0:
                raise Refused(
                    f"{shown_name(source.name)} unpacks to more than 1 GB: send it as it is, not packed."
                )
            target.write(piece)

    return source_of(target, source.name)
