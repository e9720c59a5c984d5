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
from curation.celery_app import QUEUE_OF, app, others_wait, send
from curation.jobs import Job

# Then a turn ends in any case: far below the queue's visibility timeout.
LONGEST_SECONDS = 3600.0

_jobs: dict[tuple[str, type[Job]], Callable[[int], Any]] = {}


class Turn:
    """How long a task keeps its worker: longer while nobody else waits for it.

    seconds  while others wait; by default the queue's, see curation.turns.SECONDS
    """

    def __init__(self, queue_name: str, seconds: float | None = None) -> None:
        self.began = time.monotonic()
        self._queue = queue_name
        self.seconds = turns.SECONDS[queue_name] if seconds is None else seconds

    def over(self) -> bool:
        """Whether to stop at the next good moment."""
        passed = time.monotonic() - self.began
        return passed > LONGEST_SECONDS or (passed > self.seconds and others_wait(self._queue))


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
    """Work at the job that is next on the queue. A wake-up whose job is ready but not next is sent
    again, to the end of the queue."""
    job = turns.next_job(queue_name, (model, pk))
    if job is None:
        return
    turns.note_turn(queue_name, job)
    try:
        _jobs[queue_name, job.model](job.pk)
    finally:
        if (job.model, job.pk) != (model, pk):
            send(turns.task_on(model, queue_name), pk)
        elif waiting := turns.held_back_job(queue_name, job.project_id):
            send(turns.task_on(waiting.model, queue_name), waiting.pk)
