"""Compares hard expressions with Math-Verify in a child process that can be killed.

Nothing of sympy is imported here. The child (`math_verify_child`) loads it once and forks a worker for
every stretch of comparisons, so that a comparison that runs away costs its time limit and a fork,
not a new import. The child is an ordinary subprocess (no multiprocessing), because Celery's prefork
workers may not have multiprocessing children; time is kept here, by waiting on the pipe, because
Math-Verify's own limits use signals that work on a main thread only.
"""

import atexit
import json
import os
import re
import select
import subprocess
import sys
import threading
import time
from functools import lru_cache

from workers.child_environment import without_secrets
from workers.scoring.grade.cannot_compare import CannotCompare

TIME_LIMIT = 3.0  # seconds for one comparison
START_LIMIT = 60.0  # seconds for the child to load sympy on a busy machine
MEMORY_LIMIT = 1_500  # MiB of address space for the child
MAX_CHARS = 400  # an expression longer than this is not compared
MAX_DEPTH = 12  # nested brackets


class HardComparer:
    """Owns the child. Thread-safe: one comparison at a time. `close()` ends the child."""

    def __init__(self, time_limit: float = TIME_LIMIT, memory_mib: int = MEMORY_LIMIT):
        self.time_limit = time_limit
        self.memory_mib = memory_mib
        self._process: subprocess.Popen | None = None
        self._owner = 0
        self._lock = threading.Lock()
        self._buffer = b""

    def compare(self, gold: str, answer: str) -> bool | CannotCompare:
        """Whether two expressions are equal, or why that could not be settled in time."""
        refused = refuse(gold) or refuse(answer)
        if refused:
            return CannotCompare(refused)
        with self._lock:
            reply = self._ask({"gold": gold, "answer": answer})
        if "same" in reply:
            return reply["same"]
        return CannotCompare(reply["reason"])

    def _ask(self, request: dict) -> dict:
        try:
            self._ensure()
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._line(self.time_limit + 2.0)
        except (BrokenPipeError, ConnectionResetError):
            line = None
        if line is None:
            self.close()
            return {"reason": f"it took more than {self.time_limit:g} s or too much memory"}
        return json.loads(line)

    def _ensure(self) -> None:
        """Starts the child where it does not run (also in a process forked from its owner)."""
        if self._process and self._owner == os.getpid() and self._process.poll() is None:
            return
        if self._owner == os.getpid():
            self.close()
        environment = {**without_secrets(), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "workers.scoring.grade.math_verify_child",
                str(self.time_limit),
                str(self.memory_mib),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment,
        )
        self._owner, self._buffer = os.getpid(), b""
        if self._line(START_LIMIT) is None:
            self.close()
            raise RuntimeError(
                "The process that compares expressions did not start: try "
                "`python -m workers.scoring.grade.math_verify_child 3 1500` to see why."
            )

    def _line(self, seconds: float) -> bytes | None:
        deadline = time.monotonic() + seconds
        fd = self._process.stdout.fileno()
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                return None
            chunk = os.read(fd, 65_536)
            if not chunk:
                return None
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def close(self) -> None:
        """Ends the child and whatever it forked."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        try:
            os.killpg(process.pid, 9)
        except ProcessLookupError:
            pass  # it had ended already
        process.wait()
        process.stdin.close()
        process.stdout.close()
        self._buffer = b""


_TOWER = re.compile(
    r"(?:(?:\^|\*\*)\s*+\{?\(?\s*+\w{1,9}+\s*+){3}|(?<!\d)\d{4,}+\s*+\)?!|\^\s*+\{?\d{6}"
)


def refuse(text: str) -> str:
    """Why an expression is not even tried ("" when it is): cheap guards against bombs."""
    if len(text) > MAX_CHARS:
        return f"an expression of {len(text):,} characters is too long"
    depth = deepest = powers = digits = longest = 0
    for ch in text:
        if ch in "({[":
            depth += 1
            deepest = max(deepest, depth)
        elif ch in ")}]":
            depth -= 1
        powers += ch == "^"
        digits = digits + 1 if ch.isdecimal() else 0
        longest = max(longest, digits)
    powers += text.count("**")
    if deepest > MAX_DEPTH:
        return f"brackets are nested {deepest} deep"
    if longest > 60:
        return f"a number of {longest} digits is too long"
    if _TOWER.search(text):
        return "it is a tower of powers or a huge factorial"
    if powers > 12 or "!!" in text:
        return "it has too many powers or factorials"
    return ""


_comparer = HardComparer()
atexit.register(_comparer.close)


@lru_cache(maxsize=4_096)
def compare_in_child(gold: str, answer: str) -> bool | CannotCompare:
    """`HardComparer.compare` in one child shared by this process; the last results are kept."""
    return _comparer.compare(gold, answer)
