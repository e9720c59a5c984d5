"""Events of a training: one JSON object a line, written at once, read from any offset.

Kinds, in the order in which they come (``event`` names the kind, ``time`` is Unix seconds):
``start``, ``checks``, ``resumed``, ``progress``, ``eval``, ``sample``, ``checkpoint``, ``note``,
``saved``, and at the end exactly one of ``end``, ``cancelled`` or ``error``.
"""

from __future__ import annotations

import json
import logging
import math
import os
import time
from pathlib import Path
from typing import Any

EVENTS_FILE = "events.jsonl"
FINAL = frozenset({"end", "cancelled", "error"})
log = logging.getLogger("workers.training")


def _plain(value):
    """NaN and infinity are no JSON: they become null, so that every reader can parse the line."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _in_words(event: str, fields: dict[str, Any]) -> str:
    """One short line for the log: the plain values, long ones and nested ones left to the file."""
    parts = [event]
    for key, value in fields.items():
        if isinstance(value, dict | list | tuple):
            continue
        text = " ".join(str(value).split())
        parts.append(f"{key}={text if len(text) <= 300 else text[:297] + '...'}")
    return " ".join(parts)


class EventWriter:
    """Appends events to ``FOLDER/events.jsonl``, one ``write`` call a line, so none is half there.

    A line that a killed process left unfinished is closed first. Raises OSError when the disk is
    full.
    """

    def __init__(self, folder: str | Path, *, enabled: bool = True):
        self.path = Path(folder) / EVENTS_FILE
        self._file = None
        if enabled:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                os.write(self._file, b"\n")

    def write(self, event: str, **fields) -> None:
        """Write one event and say it in the log as well."""
        if self._file is None:
            return
        line = json.dumps(
            _plain({"event": event, "time": round(time.time(), 3), **fields}), ensure_ascii=False
        )
        os.write(self._file, line.encode("utf-8", "replace") + b"\n")
        log.info("%s", _in_words(event, fields))

    def close(self) -> None:
        """Close the file; further events are dropped."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def read_events(
    path: str | Path, offset: int = 0, *, limit: int = 4_000_000
) -> tuple[list[dict[str, Any]], int]:
    """Events from byte ``offset`` on, and the offset to go on from.

    Only whole lines count: a line that is still being written is left for the next call. A line
    that a killed process cut short is skipped. An absent file gives no events.
    """
    path = Path(path)
    if not path.exists():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(limit)
    end = data.rfind(b"\n") + 1
    events = []
    for line in data[:end].splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # cut short by a kill; what follows is whole again
        if isinstance(event, dict) and "event" in event:
            events.append(event)
    return events, offset + end
