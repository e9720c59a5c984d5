"""The parent's end of an `isolation.child`: its process, its two pipes and its counter of progress."""

import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from mmap import mmap
from typing import Any

from workers.child_environment import without_secrets

START_SECONDS = 120.0  # for the child to load on a busy machine
CHILD = "workers.scoring.isolation.child"  # the module that is started
LENGTH = struct.Struct("<I")
COUNTER = struct.Struct("<Q")


class Child:
    """A running child. `answered` is counted by the owner, `started` by the child itself.

    seconds, memory_mib: limits of the child, see `isolation.TextProcess`. Raises RuntimeError where it
    does not start.
    """

    def __init__(self, seconds: float, memory_mib: int) -> None:
        self.answered = 0
        self.sending = memoryview(b"")
        self._received = bytearray()
        self._owner = os.getpid()
        with tempfile.TemporaryFile() as file:
            file.write(bytes(COUNTER.size))
            file.flush()
            self._counter = mmap(file.fileno(), COUNTER.size)
            path = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
            self.process = subprocess.Popen(
                [sys.executable, "-m", CHILD,
                 str(file.fileno()), str(seconds), str(memory_mib)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                pass_fds=(file.fileno(),), start_new_session=True, env=without_secrets() | path,
            )  # fmt: skip
        self._to, self._from = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(self._to, False)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        try:
            while not any(True for _ in self.received()):
                if time.monotonic() > deadline:
                    raise EOFError
                self.exchange(1.0)
        except EOFError:
            status = self.end()
            raise RuntimeError(
                f"The process that scores texts did not start ({status}): try "
                "`python -m workers.scoring.isolation.child` to see why."
            ) from None

    @property
    def started(self) -> int:
        """How many texts the child has begun with."""
        return COUNTER.unpack_from(self._counter)[0]

    def is_usable(self) -> bool:
        """Whether it runs and is this process's own: a fork of its owner may not use it."""
        return self._owner == os.getpid() and self.process.poll() is None

    def send(self, message: Any) -> None:
        """Give a message to be sent by the next calls of `exchange`."""
        body = pickle.dumps(message, protocol=5)
        self.sending = memoryview(LENGTH.pack(len(body)) + body)

    def exchange(self, seconds: float) -> None:
        """Send and receive what goes at once; wait for it at most so long.

        Raises EOFError or BrokenPipeError when the child is gone.
        """
        to = [self._to] if self.sending else []
        readable, writable, _ = select.select([self._from], to, [], seconds)
        if readable:
            block = os.read(self._from, 1 << 20)
            if not block:
                raise EOFError
            self._received += block
        if writable:
            self.sending = self.sending[os.write(self._to, self.sending) :]

    def received(self) -> Iterator[Any]:
        """The whole messages that have come."""
        while len(self._received) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._received)[0]
            if len(self._received) < end:
                return
            message = pickle.loads(memoryview(self._received)[LENGTH.size : end])
            del self._received[:end]
            yield message

    def end(self) -> int | None:
        """Kill the child where it still runs; its exit status, None where another process owns it."""
        if self._owner != os.getpid():
            return None
        if self.process.poll() is None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it has just ended
        status = self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        return status
