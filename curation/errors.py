"""What can go wrong in a service, in kinds that every door (page, API, command) shows alike."""

import errno
import os
import sqlite3
from typing import Any


class ServiceError(Exception):
    """Says in one sentence what is wrong, where, and what to do. Nothing was changed."""


class Invalid(ServiceError):
    """The input cannot be accepted (HTTP 400)."""


class TooMany(ServiceError):
    """Asked too often (HTTP 429); it can be tried again in `wait` seconds."""

    def __init__(self, message: str, wait: int) -> None:
        super().__init__(message)
        self.wait = wait


class Conflict(ServiceError):
    """Somebody else was first, or the thing is not in the state that this needs (HTTP 409)."""

    # What a page can show beside the message, such as what somebody else decided; JSON as it is.
    more: dict[str, Any] = {}


DISK_FULL = (
    "The server's disk is full, so this could not be stored; nothing is half done. Tell the people who "
    "run this installation: make room on the disk, then try again."
)
DISK_FULL_WORK = (
    "The disk is full, so this stopped. Make room on it, then resume this or order it again."
)
# What a write meets where there is no room: on the disk, in a quota, or below the largest size of a file.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# SQLite's codes for the same: full, and a write or the shared memory file that could not grow.
SQLITE_NO_ROOM = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
}
POSTGRESQL_DISK_FULL = "53100"


def is_disk_full(error: BaseException | None) -> bool:
    """Whether the error, or one that it came from, says that a disk is full: that of the artifacts, of
    uploads, or the database's."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return True
        if getattr(error, "sqlite_errorcode", None) in SQLITE_NO_ROOM:
            return True
        if getattr(error, "sqlstate", None) == POSTGRESQL_DISK_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def reason_of(text: str) -> str:
    """Why long work failed, as its row shows it: `text`, led by what to do where a disk was full. The
    processes that train and evaluate hand over their errors as text."""
    full = any(os.strerror(one) in text for one in NO_ROOM)
    return f"{DISK_FULL_WORK} ({text})" if full and DISK_FULL_WORK not in text else text


def status_of(error: BaseException) -> tuple[int, str] | None:
    """The HTTP status and the sentence for an error that people can do something about; else None."""
    for kind, status in ((Conflict, 409), (Invalid, 400), (TooMany, 429)):
        if isinstance(error, kind):
            return status, str(error)
    return (507, DISK_FULL) if is_disk_full(error) else None
