"""Starts a training as a process of its own and watches it; what the Celery task calls.

Nothing here imports torch, Django or Celery. The training runs in its own session (so that a
signal reaches it and all its children), at a lower priority, and ends by itself with a checkpoint
when the process that started it has gone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil  # comes with accelerate

from workers.child_environment import HUB_TOKEN, without_secrets
from workers.training.config import TrainingConfig
from workers.training.errors import EXIT_BAD_CONFIG, EXIT_CANCELLED, EXIT_DONE
from workers.training.events import EVENTS_FILE, read_events


class TrainingProcess:
    """A running (or ended) training. Call :meth:`poll` now and then, and :meth:`close` at the end."""

    def __init__(self, process: subprocess.Popen[bytes], events_path: Path, log_path: Path):
        self.process = process
        self.events_path = events_path
        self.log_path = log_path
        self.pid = process.pid

    def events(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Whole events from byte ``offset`` on, and the offset for the next call."""
        return read_events(self.events_path, offset)

    def poll(self) -> int | None:
        """The exit status, or None while it runs. Reaps, so that no zombie stays."""
        return self.process.poll()

    def alive(self) -> bool:
        """True while the training's own process runs."""
        return self.poll() is None

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end; None when ``timeout`` seconds were not enough."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def terminate(self, grace: float = 30.0) -> int:
        """SIGTERM to the whole group, ``grace`` seconds for the checkpoint, then SIGKILL.

        Waits for all of the group, not only for the process that was started: accelerate's
        launcher ends at once and leaves its training to write the checkpoint. Returns the exit
        status (143 after a clean stop, -15 of a launcher, -9 after a kill).
        """
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + grace
        while self._group_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        self._signal(signal.SIGKILL)
        return self.process.wait()

    def _group_alive(self) -> bool:
        self.poll()
        for pid in psutil.pids():
            try:
                mine = os.getpgid(pid) == self.pid
                if mine and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                    return True
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue  # it ended while we looked
        return False

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass  # nobody of the group is left

    def failure(self) -> str:
        """Why it ended, in words, for a training that ended without an ``error`` event."""
        status = self.poll()
        if status in (None, EXIT_DONE):
            return ""
        if status in (EXIT_CANCELLED, -signal.SIGTERM):
            return "It was cancelled."
        for line in reversed(self.log_tail().splitlines()):
            if line.startswith(("Failed: ", "Configuration: ")):
                return line.partition(": ")[2]
        if status == -signal.SIGKILL:
            return "It was killed (signal 9), most often because the machine ran out of memory."
        if status < 0:
            return f"It ended by {signal.Signals(-status).name}."
        hint = " Its configuration was refused." if status == EXIT_BAD_CONFIG else ""
        return f"It ended with status {status}.{hint} See the log."

    def log_tail(self, size: int = 20_000) -> str:
        """The last ``size`` bytes of the log as text."""
        with self.log_path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - size))
            return file.read().decode("utf-8", "replace")

    def close(self, grace: float = 5.0) -> int:
        """End it if it still runs, and reap it."""
        return self.terminate(grace) if self._group_alive() else self.process.wait()


def launch(
    config_path: str | Path,
    log_path: str | Path,
    *,
    resume: bool = False,
    nice: int = 5,
    accelerate_args: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> TrainingProcess:
    """Start ``python -m workers.training CONFIG`` and return at once.

    config_path      a TrainingConfig as JSON; read here first, so ConfigError comes before a start.
    log_path         stdout and stderr are appended there.
    accelerate_args  for many GPUs: arguments of ``accelerate launch`` (an operator's, never a
                     user's), such as ``["--config_file", "fsdp.yaml"]``; None starts plain Python.

    No shell is involved: everything goes as an argument list.
    """
    config_path, log_path = Path(config_path).resolve(), Path(log_path)
    config = TrainingConfig.load(config_path)
    command = [sys.executable]
    if accelerate_args is not None:
        command += ["-m", "accelerate.commands.launch", *accelerate_args]
    command += ["-m", "workers.training", str(config_path)]
    command += ["--parent", str(os.getpid()), "--nice", str(nice)]
    if resume:
        command.append("--resume")
    log_path.parent.mkdir(parents=True, exist_ok=True)
    # A base model of the hub may be a private one, which needs the hub's token; a folder needs none.
    env = without_secrets(environment, keep=() if config.model_is_folder else (HUB_TOKEN,))
    root = str(Path(__file__).resolve().parents[2])
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [root, env.get("PYTHONPATH", "")]))
    env["PYTHONUNBUFFERED"] = "1"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=env,
        )
    return TrainingProcess(process, Path(config.output_dir) / EVENTS_FILE, log_path)
