"""Shapes that several kinds of work share."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field

from curation.api.reading import Body
from curation.listing import MAX_ID
from curation.progress import progress_of
from curation.work import MAX_ORDER_KEY, Work

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


class Order(Body):
    order_key: str | None = Field(
        None,
        max_length=MAX_ORDER_KEY,
        description="Made up by you, such as a UUID: the same order sent twice is carried out once.",
    )


def work_out(work: Work) -> dict[str, Any]:
    who = work.created_by.username if work.created_by_id else None
    plain = ("id", "status", "error", "created_at", "started_at", "finished_at")
    told = {**{name: getattr(work, name) for name in plain}, "created_by": who}
    return told | {"progress": progress_out(work)}


def progress_out(work: Work) -> dict[str, Any]:
    progress = progress_of(work)
    return {name: getattr(progress, name) for name in WorkProgressOut.model_fields}
