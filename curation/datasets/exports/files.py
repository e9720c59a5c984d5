"""Shapes as bytes: JSON lines, CSV, and the folder that `datasets.load_dataset` opens, as a ZIP."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from curation.datasets.exports.shapes import SHAPES, TABLES
from curation.datasets.formats import open_format, to_line
from curation.datasets.models import DatasetVersion

READ = 1 << 20
# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def forms() -> dict[str, tuple[str, str, str]]:
    """Name -> (what it is called on pages, the file's extension, its type of content)."""
    told = {
        name: (title, f"{name}.jsonl", "application/x-ndjson")
        for name, (title, _) in SHAPES.items()
    }
    for name in TABLES:
        told[f"{name}-csv"] = (f"{SHAPES[name][0]}, CSV", f"{name}.csv", "text/csv; charset=utf-8")
    told["folder"] = ("Folder for load_dataset", "zip", "application/zip")
    told["llama-factory"] = ("LLaMA-Factory", "llama-factory.zip", "application/zip")
    return told


def stream(version: DatasetVersion, form: str) -> Iterator[bytes]:
    """The bytes of the dataset in this form, as they are made."""
    if form == "folder":
        from curation.datasets.exports.folder import members

        return zipped(version, members(version))
    if form == "llama-factory":
        return zipped(version, llama_factory(version))
    if form.endswith("-csv"):
        return csv_lines(SHAPES[form.removesuffix("-csv")][1](version))
    return (to_line(row) for row in SHAPES[form][1](version))


def csv_lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """A header and a line a row, for spreadsheets: a cell that they would calculate gets a ' before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    columns: list[str] = []
    for row in rows:
        if not columns:
            columns = list(row)
            writer.writerow(columns)
        writer.writerow([safe_cell(row.get(name)) for name in columns])
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()


def safe_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return str(value)  # a number is one, also below zero
    return f"'{value}" if value.startswith(FORMULA) else value


Member = tuple[str, Callable[[], Iterator[bytes]]]


def llama_factory(version: DatasetVersion) -> Iterator[Member]:
    """`dataset_info.json` beside the data, as LLaMA-Factory's `dataset_dir` wants it."""
    name = f"{version.project.slug}-{version.number}".replace("-", "_")
    info = {
        f"{name}_alpaca": {"file_name": "alpaca.jsonl"},
        f"{name}_sharegpt": {"file_name": "sharegpt.jsonl", "formatting": "sharegpt"},
    }
    yield "dataset_info.json", lambda: iter([json.dumps(info, indent=2).encode() + b"\n"])
    for shape in ("alpaca", "sharegpt"):
        yield f"{shape}.jsonl", lambda shape=shape: stream(version, shape)


def stored(version: DatasetVersion, form: str) -> Iterator[bytes]:
    with open_format(version, form) as file:
        while part := file.read(READ):
            yield part


class _Outlet(io.RawIOBase):
    """What a ZIP is written to: keeps what was written until it is handed on."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def taken(self) -> Iterator[bytes]:
        parts, self.parts = self.parts, []
        return iter(parts)


def zipped(version: DatasetVersion, members: Iterator[Member]) -> Iterator[bytes]:
    """The members as a ZIP, with `checksums.sha256` of all of them (`sha256sum -c` reads it). Times are the
    dataset's, so the same members give the same bytes."""
    at = version.finished_at or version.created_at
    moment = (max(at.year, 1980), at.month, at.day, at.hour, at.minute, at.second // 2 * 2)
    outlet, sums = _Outlet(), []
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, parts in members:
            digest = hashlib.sha256()
            with archive.open(zipfile.ZipInfo(name, moment), "w", force_zip64=True) as file:
                for part in parts():
                    digest.update(part)
                    file.write(part)
                    yield from outlet.taken()
            sums.append(f"{digest.hexdigest()}  {name}\n")
        told = zipfile.ZipInfo("checksums.sha256", moment)
        archive.writestr(told, "".join(sums))
    yield from outlet.taken()
