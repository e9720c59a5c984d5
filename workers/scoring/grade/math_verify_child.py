"""The child process of `math_verify`: loads Math-Verify once, forks, and compares under limits.

Started as `python -m workers.scoring.grade.math_verify_child SECONDS MEMORY_MIB`. Reads one JSON
object a line ({"gold": ..., "answer": ...}) and writes one ({"same": true} or {"reason": "..."}). The
process that reads lines never compares: it passes them to a fork of itself and kills that when time is up.
"""

import json
import logging
import os
import resource
import select
import signal
import sys
import time


def main() -> None:
    """Serves comparisons until standard input ends."""
    seconds, memory = float(sys.argv[1]), int(sys.argv[2])
    from workers.scoring.grade import (
        math_verify_compare,  # loads sympy, before any limit and any fork
    )

    logging.disable(logging.CRITICAL)
    math_verify_compare.warm_up()
    out = sys.stdout.buffer
    out.write(b'{"ready": true}\n')
    out.flush()
    worker = Worker(seconds, memory)
    for line in sys.stdin.buffer:
        out.write(worker.ask(line) + b"\n")
        out.flush()
    worker.end()


class Worker:
    """A fork that compares; replaced when it runs out of time or memory."""

    def __init__(self, seconds: float, memory: int):
        self.seconds, self.memory, self.pid = seconds, memory, 0

    def ask(self, line: bytes) -> bytes:
        """The reply to one request, within the time limit."""
        if not self.pid:
            self._fork()
        os.write(self.to, line)
        reply = self._read()
        if reply is None:
            self.end()
            return json.dumps(
                {"reason": f"it took more than {self.seconds:g} s or more than {self.memory} MiB"}
            ).encode()
        return reply

    def _read(self) -> bytes | None:
        buffer, deadline = b"", time.monotonic() + self.seconds
        while not buffer.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.back], [], [], left)[0]:
                return None
            chunk = os.read(self.back, 65_536)
            if not chunk:
                return None
            buffer += chunk
        return buffer.rstrip(b"\n")

    def _fork(self) -> None:
        child_in, self.to = os.pipe()
        self.back, child_out = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(child_in)
            os.close(child_out)
            return
        os.close(self.to)
        os.close(self.back)
        _serve(child_in, child_out, self.memory)

    def end(self) -> None:
        """Kills the fork and collects it."""
        if not self.pid:
            return
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.to)
        os.close(self.back)
        self.pid = 0


def _serve(source: int, sink: int, memory: int) -> None:
    from workers.scoring.grade import math_verify_compare

    resource.setrlimit(resource.RLIMIT_AS, (memory << 20, memory << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(source, "rb") as lines:
        for line in lines:
            request = json.loads(line)
            try:
                reply = math_verify_compare.compare(request["gold"], request["answer"])
            except (MemoryError, RecursionError) as error:
                reply = {"reason": f"it is too large ({type(error).__name__})"}
            os.write(sink, json.dumps(reply).encode() + b"\n")
    os._exit(0)


if __name__ == "__main__":
    main()
