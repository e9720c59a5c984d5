"""Reads a data set for training: JSONL, one prompt and its completion a line.

The form is TRL's conversational prompt-completion one
(https://huggingface.co/docs/trl/dataset_formats), which the export of this project writes:
``{"prompt": [{"role": "user", "content": "..."}], "completion": [{"role": "assistant", ...}]}``.
Other keys of a line are left aside. Every broken line stops the training: a frozen data set has
none, so a broken one means a broken file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.training.config import check_message
from workers.training.errors import DataError

MAX_LINE_BYTES = 4_000_000


@dataclass(frozen=True)
class Example:
    """One line: its number in the file (from 1), the messages before, and the answer to learn."""

    line: int
    prompt: list[dict[str, Any]]
    completion: list[dict[str, Any]]


def _no_constant(name: str):
    raise ValueError(f"{name} is no JSON value")


def _parse(raw: bytes, where: str) -> dict[str, Any]:
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where} is not UTF-8 (byte {error.start}). Export the data set again."
        ) from error
    except RecursionError as error:
        raise DataError(f"{where} is nested too deeply. Export the data set again.") from error
    except ValueError as error:
        cut = "" if raw.endswith(b"\n") else " The file seems to be cut off there."
        raise DataError(
            f"{where} is not JSON ({error}).{cut} Export the data set again."
        ) from error


def read_examples(path: str | Path) -> Iterator[Example]:
    """Yield the examples of a file, one line in memory at a time.

    Raises DataError that names the file and the line when the file is absent, empty or broken.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"The data set {path} is not there. Export it again, or correct the path.")
    found = False
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            where = f"{path.name}, line {number}"
            if len(raw) > MAX_LINE_BYTES:
                raise DataError(f"{where} is longer than {MAX_LINE_BYTES:,} bytes. Remove it.")
            if not raw.strip():
                continue
            found = True
            yield _example(_parse(raw, where), number, where)
    if not found:
        raise DataError(
            f"The data set {path} is empty. Approve some rationales, then freeze again."
        )


def _example(row, number: int, where: str) -> Example:
    if not isinstance(row, dict):
        raise DataError(f"{where} is no JSON object. Export the data set again.")
    for key, roles in (("prompt", ("system", "user", "assistant")), ("completion", ("assistant",))):
        messages = row.get(key)
        if not isinstance(messages, list) or not messages:
            raise DataError(f'{where}: "{key}" must be a list of messages that is not empty.')
        for message in messages:
            check_message(message, f"{where}, {key}", DataError, roles)
    return Example(number, row["prompt"], row["completion"])


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file as hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_dataset(path: str | Path):
    """The file as a ``datasets.Dataset`` with columns ``line``, ``prompt`` and ``completion``.

    Rows go into Arrow memory in blocks, so Python objects of a block only exist at a time.
    """
    from datasets import Dataset, concatenate_datasets

    blocks: list[Dataset] = []
    rows: list[dict[str, Any]] = []

    def flush() -> None:
        blocks.append(Dataset.from_list(rows))
        rows.clear()

    for example in read_examples(path):
        rows.append(
            {"line": example.line, "prompt": example.prompt, "completion": example.completion}
        )
        if len(rows) == 20_000:
            flush()
    if rows:
        flush()
    return blocks[0] if len(blocks) == 1 else concatenate_datasets(blocks)
