"""The ways in which a training can end early. Each carries a reason that a person understands."""

from __future__ import annotations

import errno

#: exit status of ``python -m workers.training``
EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_BAD_CONFIG = 2
EXIT_CANCELLED = 143  # 128 + SIGTERM, what a shell reports for a process that SIGTERM ended


class TrainingError(Exception):
    """The training cannot go on. The text says what is wrong, where, and what to do."""

    code = "failed"

    def __init__(self, reason: str, code: str | None = None):
        super().__init__(reason)
        self.reason = reason
        if code:
            self.code = code


class ConfigError(TrainingError):
    """A field of the configuration is missing, unknown or out of range."""

    code = "config"


class DataError(TrainingError):
    """The data set is absent, broken or does not fit. Names the line where there is one."""

    code = "data"


class CheckFailed(TrainingError):
    """One of the checks before the start failed: training would give a model that does not work."""

    code = "check"


class Cancelled(Exception):
    """SIGTERM or SIGINT came: somebody cancelled the training, or its worker has gone."""


_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# torch and safetensors report a failed write as text only, without the error number.
_DISK_TEXT = ("no space left", "file too large", "disk quota", "inline_container", "unexpected pos")
_MEMORY_TEXT = ("can't allocate memory", "out of memory", "not enough memory")


def explain(error: BaseException) -> tuple[str, str]:
    """Turn any exception into ``(code, reason)`` for the ``error`` event.

    Known troubles (disk, memory, a model that does not load) get a sentence with what to do; all
    others keep their own type and text, so that nothing is hidden.
    """
    if isinstance(error, TrainingError):
        return error.code, error.reason
    text = str(error).strip()
    low = text.lower()
    is_disk = isinstance(error, OSError) and error.errno in _DISK_FULL
    if is_disk or any(sign in low for sign in _DISK_TEXT):
        return (
            "disk",
            f"The disk is full or a file may not grow: {text}. Free some space, then resume.",
        )
    if isinstance(error, MemoryError) or any(sign in low for sign in _MEMORY_TEXT):
        return (
            "memory",
            f"Out of memory: {text.splitlines()[0] if text else type(error).__name__}. Lower "
            "recipe.micro_batch or recipe.max_length, or turn recipe.gradient_checkpointing on.",
        )
    return "unexpected", f"{type(error).__name__}: {text or 'no further text'}"
