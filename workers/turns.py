"""Tasks that work in turns: each keeps its worker for a while, then lets the others have it.

A task of this kind is a function of a row's id. A wake-up that comes from the broker is a turn on its
queue, for whichever job is next there (`curation.turns`); called directly, a task works at the row that
it is given.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from celery import Task

from curation import turns
from curation.celery_app import QUEUE_OF, app
from curation.jobs import Job

# Then a turn ends in any case: far below the queue's visibility timeout.
LONGEST_SECONDS = 3600.0

_jobs: dict[tuple[str, type[Job]], Callable[[int], Any]] = {}


class Turn:
    """How long a task keeps its worker: longer while nobody else waits for it.

    job      what it works at: further wake-ups of the same are nobody else
    seconds  while others wait; by default the queue's, see curation.turns.SECONDS
    """

    def __init__(self, queue_name: str, job: tuple[type[Job], int] | None = None) -> None:
        self.began = time.monotonic()
        self._queue, self._job = queue_name, job
        self.seconds = turns.SECONDS[queue_name]

    def over(self) -> bool:
        """Whether to stop at the next good moment."""
        passed = time.monotonic() - self.began
        if passed > LONGEST_SECONDS:
            return True
        return passed > self.seconds and turns.others_wait(self._queue, self._job)


def in_turns(name: str, model: type[Job]) -> Callable[[Callable[[int], Any]], Task]:
    """Make a function of a row's id the task `name`, which works in turns on its queue."""
    queue_name = QUEUE_OF[name]

    def decorate(job: Callable[[int], Any]) -> Task:
        _jobs[queue_name, model] = job

        @app.task(name=name, bind=True)
        @wraps(job)
        def task(self: Task, pk: int) -> Any:
            if self.request.called_directly:
                return job(pk)
            return take_turn(queue_name, model, pk)

        return task

    return decorate


def take_turn(queue_name: str, model: type[Job], pk: int) -> None:
    """Work at the job that is next on the queue. Afterwards each job that is ready then (one that gave
    way, the one of this wake-up if another was next, one that was held back) has one wake-up again."""
    job = turns.take_next(queue_name, (model, pk))
    if job is None:
        return
    try:
        _jobs[queue_name, job.model](job.pk)
    finally:
        turns.wake_ready(queue_name)
