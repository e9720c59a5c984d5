"""Shapes that several kinds of work share."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field

from curation.api.core.request_body import Body
from curation.dashboard.waiting import Board
from curation.jobs import MAX_ORDER_KEY, Job
from curation.progress import progress_of
from curation.web.pagination import MAX_ID

# What an integer column of PostgreSQL holds.
MAX_INTEGER = 2**31 - 1
Id = Annotated[int, Field(ge=1, le=MAX_ID)]


class WorkProgressOut(Schema):
    """How far the work has come: the figures that its pages show."""

    done: int
    total: int | None = Field(description="With what failed; null while nobody knows it.")
    failed: int
    unit: str
    percent: int | None = Field(description="Of the total, 0 to 100.")
    rate: float | None = Field(description="Units a second.")
    seconds: float | None = Field(
        description="How long workers were at it, all attempts together, without waiting and pauses."
    )
    seconds_left: float | None = Field(description="Null where it cannot be known.")


class WaitingOut(Schema):
    queue: str
    jobs_in_front: int = Field(
        description="Of all projects; 0 where it begins as soon as it is taken."
    )
    seconds: float | None = Field(description="Until it begins, about; null where unknown.")
    workers: int | None = Field(description="That listen on the queue; null without a broker.")


class WorkOut(Schema):
    """Long work: `status` is waiting, running, paused, done, failed or cancelled."""

    id: int
    status: str
    error: str = Field(description="Why it failed, in words.")
    created_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: WorkProgressOut
    waiting: WaitingOut | None = Field(
        description="What is in front of it; null where it does not wait for a worker."
    )


class Order(Body):
    order_key: str | None = Field(
        None,
        max_length=MAX_ORDER_KEY,
        description="Made up by you, such as a UUID: the same order sent twice is carried out once.",
    )


def work_out(work: Job) -> dict[str, Any]:
    who = work.created_by.username if work.created_by_id else None
    plain = ("id", "status", "error", "created_at", "started_at", "finished_at")
    told = {name: getattr(work, name) for name in plain}
    more = {"created_by": who, "progress": progress_out(work), "waiting": waiting_out(work)}
    return told | more


def progress_out(work: Job) -> dict[str, Any]:
    progress = progress_of(work)
    return {name: getattr(progress, name) for name in WorkProgressOut.model_fields}


_board: ContextVar[Board | None] = ContextVar("board", default=None)


@contextmanager
def one_board() -> Iterator[None]:
    """While a list is made each queue is looked at once."""
    before = _board.set(Board())
    try:
        yield
    finally:
        _board.reset(before)


def waiting_out(work: Job) -> dict[str, Any] | None:
    """Of a run that waits in two places, the one where it waits longer."""
    places = (_board.get() or Board()).waiting(work)
    if not places:
        return None
    place = max(places, key=lambda one: (one.seconds is None, one.seconds or 0.0))
    return {name: getattr(place, name) for name in WaitingOut.model_fields}
