"""Keeps one server process, for as long as the worker that ordered it lives.

``python launch.py COMMAND...``; standard library only, run as a file. The worker holds the
other end of stdin: when that closes (the worker closed it, crashed, or was killed by SIGKILL) the
server is told to end, and killed with everything it started if it does not. When the server ends by
itself, what it started is killed as well, so that its memory really comes back. The exit status is
the server's (128 + n after signal n).
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time

GRACE_SECONDS = 8.0  # a server that ends by itself also takes its shared memory along
PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> int:
    """Run the command until it ends or nobody holds stdin any more."""
    signal.signal(signal.SIGTERM, lambda *_: os.close(0))
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, process_group=0, preexec_fn=_die_with_the_launcher
    )
    worker = os.getppid()
    while not _ended(server.pid):
        if os.getppid() != worker or _closed(0, 0.1):
            server.terminate()
            _wait(server.pid, GRACE_SECONDS)
            break
    # Not collected yet, so the group's number cannot belong to anybody else.
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # only the zombie is left
        pass
    code = server.wait()
    return 128 - code if code < 0 else code


def _closed(descriptor: int, seconds: float) -> bool:
    """Whether the other end is gone; waits for it so long."""
    try:
        ready, _, _ = select.select([descriptor], [], [], seconds)
        return bool(ready) and os.read(descriptor, 4096) == b""
    except (OSError, ValueError):
        return True


def _ended(pid: int) -> bool:
    """Whether the process ended; it stays a zombie, so that its number stays its own."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _wait(pid: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not _ended(pid) and time.monotonic() < until:
        time.sleep(0.05)


def _die_with_the_launcher() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
