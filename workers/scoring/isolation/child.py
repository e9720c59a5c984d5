"""The child process of `isolation.process`: works on one text after the other, under limits.

Started as `python -m workers.scoring.isolation.child COUNTER SECONDS MEMORY_MIB`, where COUNTER is an
inherited file descriptor. A message is its length in 4 bytes and a pickle, between two processes of
one program: in a function's name and a list of arguments, out a list of results in the same order,
(True, result) or (False, reason, traceback).
"""

import mmap
import os
import pickle
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from workers.scoring.grade.references import parse_reference
from workers.scoring.isolation.pipe import COUNTER, LENGTH
from workers.scoring.scored import item_of_fields, pack
from workers.scoring.scorer import score_rationale

SEND_AFTER = 0.05  # seconds: no more than so much work is done again when the child is lost


def main() -> None:
    """Serves calls until standard input ends."""
    counter, seconds, memory = (*sys.argv[1:], "-1", "10", "2048")[:3]
    limit_memory(int(memory))
    source = os.fdopen(os.dup(0), "rb")
    sink = os.dup(1)
    os.dup2(2, 1)  # what a library prints must not get between the messages
    progress = _progress(int(counter))
    _send(sink, "ready")
    while head := source.read(LENGTH.size):
        function, calls = pickle.loads(source.read(LENGTH.unpack(head)[0]))
        _answer(FUNCTIONS[function], calls, sink, progress, float(seconds))


def limit_memory(mib: int) -> None:
    """More address space raises MemoryError, which fails one text; no core is written."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20))
    except (ValueError, OSError):
        pass  # a system without such a limit, or with a lower one


def _progress(descriptor: int) -> Callable[[], None]:
    shared = mmap.mmap(descriptor, COUNTER.size) if descriptor >= 0 else bytearray(COUNTER.size)

    def count() -> None:
        COUNTER.pack_into(shared, 0, COUNTER.unpack_from(shared)[0] + 1)

    return count


def _answer(
    function: Callable, calls: list, sink: int, progress: Callable[[], None], seconds: float
) -> None:
    results: list[Any] = []
    sent = time.monotonic()
    for arguments in calls:
        progress()
        # SIGPROF ends the process, also in the middle of a pattern: nothing here handles it.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        results.append((True, None) if arguments is None else _call(function, arguments))
        now = time.monotonic()
        if now - sent > SEND_AFTER:
            _send(sink, results)
            results, sent = [], now
    signal.setitimer(signal.ITIMER_PROF, 0)
    if results:
        _send(sink, results)


def _call(function: Callable, arguments: tuple) -> tuple:
    try:
        return (True, function(*arguments))
    except MemoryError:
        return (False, "it took too much memory")
    except RecursionError:
        return (False, "it is nested too deep")
    except Exception as error:
        return (False, type(error).__name__, traceback.format_exc(limit=-20))


def _send(sink: int, message: Any) -> None:
    body = pickle.dumps(message, protocol=5)
    data = memoryview(LENGTH.pack(len(body)) + body)
    while data:
        data = data[os.write(sink, data) :]


@lru_cache(maxsize=8)
def _limit(student: str, budget: int):
    from workers.scoring.student import student_limit

    return student_limit(student, budget)


def score_alone(limit: tuple[str, int] | None, *fields: Any) -> tuple:
    """`scorer.score_rationale` of an item with these fields (`scored.fields_of`), packed."""
    return pack(score_rationale(item_of_fields(fields), limit=limit and _limit(*limit)))


def reference_problem(
    answers: tuple[str, ...], answer_type: str | None, choices: Sequence[str]
) -> str:
    """Why none of a question's references can be used, "" where one can or there is none."""
    found = [parse_reference(answer, answer_type, tuple(choices)).problem for answer in answers]
    return found[0] if found and all(found) else ""


FUNCTIONS = {"score": score_alone, "references": reference_problem}

if __name__ == "__main__":
    main()
