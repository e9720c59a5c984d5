"""Works on texts in a child process that can be killed, so that no text holds up its worker.

A pattern or a parser that runs away inside Python holds the interpreter's lock: no thread of the same
process can end it, and none can write a heartbeat. So whatever reads a text that a model or a person
wrote runs in `isolation.child`, which has a limit of processor time for each text and a limit of
memory. The text at which the child ends fails alone, with the reason; a new child goes on with the
next one. The child is an ordinary subprocess, since Celery's prefork workers may not have
multiprocessing children.
"""

import atexit
import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from workers.scoring.isolation.pipe import Child

TEXT_SECONDS = 10.0  # of processor time, for one text; a long one takes some tenths of a second
# Seconds on the clock without any progress: the child may wait for Math-Verify to start (`math_verify`), or
# for a processor on a busy machine.
STALLED_SECONDS = 90.0
MEMORY_MIB = 2_048  # address space of the child
BATCH_TEXTS = 32
BATCH_CHARACTERS = 200_000
# Children that ended for no known reason, without any result or text to blame, before the work is
# given up; and texts in a row that are blamed for such an end: more of them say that the machine is
# at fault.
LOST_IN_A_ROW = 3
BLAMED_IN_A_ROW = 20
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no result for a text: part of a sentence, such as "it took more than 10 s"."""

    reason: str
    trace: str = ""


class TextError(Exception):
    """A text that could not be worked on; the message is the `Failure.reason`."""


@dataclass(slots=True, eq=False)
class _Call:
    """The arguments of one call; failure: set where a child was lost at it."""

    arguments: tuple
    lost: int = 0
    failure: Failure | None = None


class TextProcess:
    """A child process that calls functions on texts under limits. Thread-safe: one caller at a time.

    seconds: processor time for one call; stalled: seconds on the clock without any progress after
    which the child is ended; memory_mib: its address space; while_waiting: called about once a second
    in the caller's thread while the child works. The child starts with the first call and is kept.
    """

    def __init__(
        self,
        *,
        seconds: float = TEXT_SECONDS,
        stalled: float = STALLED_SECONDS,
        memory_mib: int = MEMORY_MIB,
        while_waiting: Callable[[], None] | None = None,
    ) -> None:
        self.seconds, self.stalled, self.memory_mib = seconds, stalled, memory_mib
        self.while_waiting = while_waiting
        self._lock = threading.Lock()
        self._child: Child | None = None
        atexit.register(self.close)

    def map(self, function: str, calls: Iterable[tuple]) -> Iterator[Any]:
        """The results of `isolation_child.FUNCTIONS[function](*arguments)` for each of `calls`, in
        order; a `Failure` where the function raised, or where the child had to be ended.

        Raises RuntimeError when no child can be started.
        """
        with self._lock:
            waiting = _Waiting(calls)
            sent: deque[_Call] = deque()
            losses = _Losses()
            try:
                while waiting:
                    ended = ""
                    try:
                        for result in self._serve(function, waiting, sent):
                            losses.forget(result)
                            yield result
                    except (EOFError, BrokenPipeError):
                        pass  # its exit status says why
                    except _Stalled as error:
                        ended = str(error)
                    if sent:
                        self._blame(sent, ended, losses)
                        waiting.put_back(sent)
                        sent.clear()
            finally:
                if sent:  # the caller went away, or `while_waiting` raised
                    self.close()

    def call(self, function: str, *arguments: Any) -> Any:
        """One result. Raises TextError with the reason where there is none."""
        (result,) = self.map(function, [arguments])
        if isinstance(result, Failure):
            raise TextError(result.reason)
        return result

    def close(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _running(self) -> Child:
        if self._child is not None and not self._child.is_usable():
            self.close()
        if self._child is None:
            self._child = Child(self.seconds, self.memory_mib)
        return self._child

    def _serve(
        self, function: str, waiting: "_Waiting", sent: deque[_Call]
    ) -> Iterator[Any | Failure]:
        """Feeds the child and gives its results until nothing is left. Raises EOFError or
        BrokenPipeError when the child is gone, _Stalled when it should be ended."""
        child = self._running()
        progress, moved = child.started, time.monotonic()
        ticked = moved
        while True:
            if not child.sending and waiting and len(sent) <= BATCH_TEXTS:
                batch = waiting.batch()
                child.send((function, [None if c.failure else c.arguments for c in batch]))
                sent.extend(batch)
            if not sent:
                return
            child.exchange(seconds=1.0)
            for results in child.received():
                for result in results:
                    child.answered += 1
                    yield sent.popleft().failure or _result(result)
            now = time.monotonic()
            if child.started != progress:
                progress, moved = child.started, now
            elif now - moved > self.stalled:
                raise _Stalled(f"it took more than {self.stalled:g} s")
            if self.while_waiting is not None and now - ticked >= 1.0:
                self.while_waiting()
                ticked = time.monotonic()

    def _blame(self, sent: deque[_Call], ended: str, losses: "_Losses") -> None:
        """The child is lost: note why at the text that it was at. What it had worked on before
        without having answered yet is quickly done again.

        Raises RuntimeError when the texts cannot be the reason.
        """
        child, self._child = self._child, None
        at = child.started - child.answered - 1
        status = child.end()
        if status == -signal.SIGPROF:
            ended = f"it took more than {self.seconds:g} s of processor time"
        reason = ended or f"the process that worked on it ended ({status})"
        log.warning("a process that scores texts is lost: %s", reason)
        call = sent[at] if 0 <= at < len(sent) else None  # None: it was between two texts
        if call is not None:
            call.lost += 1
            # Somebody may have killed it for another reason: such a text gets a second try.
            if ended or call.lost > 1:
                call.failure = Failure(reason)
        losses.count(known=bool(ended), blamed=call is not None and call.failure is not None)
        if losses.too_many():
            raise RuntimeError(
                f"The process that scores texts ends again and again: {reason}. Try `python -m "
                "workers.scoring.isolation.child` to see why."
            )


@dataclass(slots=True)
class _Losses:
    """Children that were lost without anything having come of it: a text that runs away is blamed,
    and the next child goes on behind it, however many such texts follow each other."""

    unexplained: int = 0
    blamed: int = 0

    def count(self, *, known: bool, blamed: bool) -> None:
        self.unexplained = 0 if blamed else self.unexplained + 1
        if blamed and not known:
            self.blamed += 1

    def forget(self, result: Any) -> None:
        """A result came. The `Failure` of a text that was blamed does not say that a child works."""
        self.unexplained = 0
        if not isinstance(result, Failure):
            self.blamed = 0

    def too_many(self) -> bool:
        return self.unexplained > LOST_IN_A_ROW or self.blamed > BLAMED_IN_A_ROW


class _Stalled(Exception):
    """There was no progress for too long."""


class _Waiting:
    """The calls that no child has been given, or one that is lost; true where there are any."""

    def __init__(self, calls: Iterable[tuple]) -> None:
        self._new = iter(calls)
        self._next: deque[_Call] = deque()

    def __bool__(self) -> bool:
        if not self._next:
            self._next.extend(_Call(arguments) for arguments in islice(self._new, 1))
        return bool(self._next)

    def put_back(self, calls: Iterable[_Call]) -> None:
        self._next.extendleft(reversed(list(calls)))

    def batch(self) -> list[_Call]:
        """The next ones that are sent together: a few long ones, or many short ones."""
        batch: list[_Call] = []
        size = 0
        while self and len(batch) < BATCH_TEXTS and size < BATCH_CHARACTERS:
            call = self._next.popleft()
            size += sum(len(part) for part in call.arguments if isinstance(part, str))
            batch.append(call)
        return batch


def _result(result: tuple) -> Any:
    done, *rest = result
    return rest[0] if done else Failure(*rest)
