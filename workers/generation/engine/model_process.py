"""The parent's end of the model process: start it, talk to it, end it.

Plain ``subprocess.Popen`` in a process group of its own (Celery's prefork workers are daemons
and may not have multiprocessing children), two non-blocking pipes and one selector: no threads,
so nothing is left over in the worker when the child is gone.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections import deque
from pathlib import Path
from typing import IO, Any

import workers
from workers.child_environment import without_secrets
from workers.generation.types import ModelSpec, storable

ROOT = Path(workers.__file__).resolve().parent.parent
TAIL_BYTES = 4000


class ChildGone(Exception):
    """The model process ended, or gave no sign of life; the message says why."""


class Child:
    """One model process. Not thread-safe."""

    def __init__(self, spec: ModelSpec, log_path: str = "") -> None:
        self.log: IO[bytes] = (
            Path(log_path).open("ab+") if log_path else tempfile.TemporaryFile()  # noqa: SIM115
        )
        self.log.seek(0, os.SEEK_END)
        self.log_begin = self.log.tell()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers.generation.engine.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            bufsize=0,
            env=child_environment(spec.threads),
            process_group=0,
        )
        assert self.process.stdin and self.process.stdout  # both are pipes
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        self._finalizer = weakref.finalize(self, _end, self.process)
        self.owner = os.getpid()
        self._out = bytearray()
        self._partial = bytearray()
        self._events: deque[dict[str, Any]] = deque()
        self._selector = selectors.DefaultSelector()
        for pipe in (self._stdin, self._stdout):
            os.set_blocking(pipe.fileno(), False)
        self._selector.register(self._stdout, selectors.EVENT_READ)
        tied = threading.current_thread() is threading.main_thread()
        self.send({"op": "load", "spec": spec.to_dict(), "parent": os.getpid(), "tied": tied})

    def send(self, order: dict[str, Any]) -> None:
        """Queue one order; it is written while events are waited for, and as far as fits now."""
        self._out += json.dumps(order).encode() + b"\n"
        self._write()

    def receive(self, seconds: float) -> dict[str, Any]:
        """The next event. Raises ChildGone when the child ended or was silent for ``seconds``.

        The caller's own pauses between two calls do not count as silence.
        """
        deadline = time.monotonic() + seconds
        while not self._events:
            left = deadline - time.monotonic()
            if left <= 0:
                raise ChildGone(f"The model process gave no sign of life for {seconds:g} seconds.")
            for key, _ in self._selector.select(min(left, 1.0)):
                if key.fileobj is self._stdin:
                    self._write()
                else:
                    self._read()
        return self._events.popleft()

    def alive(self) -> bool:
        """Whether the process runs and belongs to this process (not to one we were forked from)."""
        return self.owner == os.getpid() and self.process.poll() is None

    def end(self) -> None:
        """End the process and its group now, and give its file handles back."""
        if self.owner == os.getpid():
            self._finalizer()
        else:
            self._finalizer.detach()
        self._selector.close()
        for pipe in (self._stdin, self._stdout, self.log):
            pipe.close()

    def tail(self) -> str:
        """The last lines that the process wrote to its log."""
        size = os.fstat(self.log.fileno()).st_size
        begin = max(self.log_begin, size - TAIL_BYTES)
        return storable(os.pread(self.log.fileno(), TAIL_BYTES, begin).decode("utf-8", "replace"))

    def _write(self) -> None:
        while self._out:
            try:
                written = os.write(self._stdin.fileno(), self._out[:65536])
            except BlockingIOError:
                break
            except BrokenPipeError:  # the reading side tells why the child ended
                self._out.clear()
                break
            del self._out[:written]
        watched = self._stdin in self._selector.get_map()
        if self._out and not watched:
            self._selector.register(self._stdin, selectors.EVENT_WRITE)
        elif watched and not self._out:
            self._selector.unregister(self._stdin)

    def _read(self) -> None:
        data = os.read(self._stdout.fileno(), 1 << 20)
        if not data:
            raise ChildGone(self._obituary())
        self._partial += data
        *lines, rest = self._partial.split(b"\n")
        self._partial = bytearray(rest)
        self._events.extend(json.loads(line) for line in lines)

    def _obituary(self) -> str:
        try:
            code = self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "The model process closed its output without ending."
        if code == -signal.SIGKILL:
            return "The model process was killed (signal 9), most often because memory ran out."
        if code < 0:
            return f"The model process crashed ({signal.Signals(-code).name})."
        lines = [line for line in self.tail().splitlines() if line.strip()]
        last = f": {lines[-1].strip()[:300]}" if lines else ""
        return f"The model process ended with status {code}{last}"


def child_environment(threads: int) -> dict[str, str]:
    """The child's environment: one thread's worth of settings, no network, none of our secrets."""
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    return {
        **without_secrets(),
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TRANSFORMERS_VERBOSITY": "error",
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    # Not yet waited for, so neither the process's nor its group's number can be another's.
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
