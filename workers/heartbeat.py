"""A worker's sign of life while it does long work, and its ear for cancelling."""

import threading
from collections.abc import Callable
from types import TracebackType

from django.db import OperationalError, connection

from curation.jobs import Job, still_mine


class Pulse:
    """Writes the work's heartbeat every few seconds from a thread of its own.

    When the row says that the work is no longer this worker's (cancelled, paused, taken over by
    another after a silence), `lost` is set and `on_lost` is called once, from the thread: it should
    end the child process, so that the main thread comes back from waiting for it. `each_time` is
    called after every heartbeat.
    """

    def __init__(
        self,
        work: Job,
        on_lost: Callable[[], None],
        each_time: Callable[[], None] = lambda: None,
        every: float = 2.0,
    ) -> None:
        self._work, self._on_lost, self._each_time, self._every = work, on_lost, each_time, every
        self._done = threading.Event()
        self.lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"pulse of {work}", daemon=True)

    def __enter__(self) -> "Pulse":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._done.wait(self._every):
                try:
                    mine = still_mine(self._work)
                    self._each_time()
                except OperationalError:
                    connection.close()  # the database is away for a moment; the next beat tries again
                    continue
                if not mine:
                    self.lost.set()
                    self._on_lost()
                    return
        finally:
            connection.close()
