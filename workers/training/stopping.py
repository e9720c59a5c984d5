"""Ends a training when somebody cancels it (SIGTERM, SIGINT) or when its worker has gone."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import contextmanager

from workers.training.errors import Cancelled

log = logging.getLogger("workers.training")


class StopRequest:
    """Remembers that the training shall end.

    Outside ``deferred()`` the signal ends what runs at once (model loading, tokenising) by
    raising :class:`Cancelled`. Inside, only the flag is set, and the training loop ends itself
    after its step, with a checkpoint.
    """

    def __init__(self) -> None:
        self.requested = False
        self.reason = ""
        self._deferred = 0

    def install(self) -> None:
        """Take SIGTERM and SIGINT over. Only in the main thread of a process of its own."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, number: int, frame) -> None:
        self.ask(self.reason or f"{signal.Signals(number).name} received")
        if not self._deferred:
            raise Cancelled(self.reason)

    def ask(self, reason: str) -> None:
        """Ask for the end; the first reason is kept."""
        if not self.requested:
            log.info("stopping: %s", reason)
        self.requested = True
        self.reason = self.reason or reason

    @contextmanager
    def deferred(self):
        """While inside, a signal only sets the flag."""
        self._deferred += 1
        try:
            yield
        finally:
            self._deferred -= 1

    def check(self) -> None:
        """Raise :class:`Cancelled` if the end was asked for."""
        if self.requested:
            raise Cancelled(self.reason)


def watch_parent(pid: int, stop: StopRequest, *, every: float = 1.0) -> threading.Thread:
    """End this process as SIGTERM would when process ``pid`` has gone, checked each second.

    A training must not outlive the worker that reports on it. The kernel's own means
    (PR_SET_PDEATHSIG) is not used: it speaks when the *thread* that started us ends, exists on
    Linux only, and does not reach the grandchildren that ``accelerate launch`` starts.
    """
    import psutil  # comes with accelerate; knows a reused process number by its start time

    try:
        parent = psutil.Process(pid)
    except psutil.NoSuchProcess:
        parent = None

    def gone() -> bool:
        if parent is None:
            return True
        try:
            return not parent.is_running() or parent.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    def watch() -> None:
        while not gone():
            time.sleep(every)
        stop.reason = stop.reason or f"the worker (process {pid}) has gone"
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=watch, name="watch-parent", daemon=True)
    thread.start()
    return thread
