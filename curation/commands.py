"""What the commands share: finding a project, waiting for work, errors as one clear line."""

import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from curation import celery_app
from curation.errors import ServiceError
from curation.jobs import ACTIVE, Job, Status
from curation.progress import progress_of
from curation.projects.models import Project

NO_WORKER_SECONDS = 20


class StageCommand(BaseCommand):
    """A command whose services' errors end it with one line and a non-zero status."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.work(**options)
        except ServiceError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was ordered goes on by itself.") from None

    def work(self, **options: Any) -> None:
        raise NotImplementedError  # every command has its own

    def say(self, text: str) -> None:
        """A line for the person who waits; stdout stays for the command's result."""
        self.stderr.write(text, ending="\n")


def project_by_slug(slug: str) -> Project:
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        known = ", ".join(Project.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise CommandError(f"There is no project {slug!r}. There are: {known or 'none yet'}.")
    return project


def numbers(text: str) -> list[float]:
    """`0.3,0.5` as [0.3, 0.5], for argparse."""
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no list of numbers such as 0.3,0.5,0.7") from None


def wait_for(
    work: Job, queues: str | Sequence[str], say: Callable[[str], None], *, told: str = ""
) -> Job:
    """Wait until the work has ended, showing its progress. Raises CommandError when it failed, or
    when nobody listens on a queue that it needs."""
    names = [queues] if isinstance(queues, str) else queues
    alone_since: float | None = None
    shown = ""
    while True:
        work.refresh_from_db()
        if work.status not in ACTIVE:
            break
        now = time.monotonic()
        known = celery_app.listeners() or {}
        missing = next((name for name in names if not known.get(name)), None)
        if missing is None:
            alone_since = None
        else:
            alone_since = alone_since or now
            if now - alone_since > NO_WORKER_SECONDS:
                raise CommandError(
                    f"No worker listens on the queue {missing!r}, so {work} waits. Start one: "
                    f"`make run`, or `{celery_app.start_command(missing)}`."
                )
        line = progress(work)
        if line and line != shown and sys.stderr.isatty():
            say(f"{told or work}: {line}")
            shown = line
        time.sleep(0.3)
    if work.status != Status.DONE:
        raise CommandError(f"{told or work} ended as {work.status}: {work.error or 'by a person'}")
    return work


def progress(work: Job) -> str:
    """Where the work stands, in a few words; "" where it cannot say."""
    known = progress_of(work)
    if not known.total:
        return ""
    failed = f", {known.failed:,} failed" if known.failed else ""
    return f"{known.done:,} of {known.total:,} {known.unit}{failed}"
