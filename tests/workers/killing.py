"""A real worker on the tests' own database and broker, to be killed in the middle of its work."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation import celery_app
from curation.commands import progress as in_words
from curation.jobs import ACTIVE, Job, Status
from curation.progress import progress_of
from curation.projects.models import Project
from curation.questions.formats import Row
from curation.questions.models import Question
from curation.questions.services import add_questions
from curation.rationales.models import Rationale, Source, Teacher, text_hash
from curation.reviews.models import Decision, Outcome
from workers.requeue import put_back

REPOSITORY = Path(__file__).resolve().parents[2]
SILENT_SECONDS = 4
PATIENCE = 180.0  # seconds: for a machine with much else to do


def wait_until(wanted: Callable[[], Any], what: str = "", every: float = 0.01) -> Any:
    """What `wanted` gives once it is true."""
    until = time.monotonic() + PATIENCE
    while not (found := wanted()):
        assert time.monotonic() < until, f"it did not come: {what}"
        time.sleep(every)
    return found


class Worker:
    """`celery -A workers.app worker` on every queue, one task at a time; started again after each kill."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.process: subprocess.Popen | None = None
        name = connection.settings_dict["NAME"]
        if connection.vendor == "postgresql":
            given = os.environ["DATABASE_URL"]
            database = f"{given.rpartition('/')[0]}/{name}"
        else:
            database = f"sqlite:///{name}"
        self.env = os.environ | {
            "DATABASE_URL": database,
            "CHAINWRIGHT_HOME": str(settings.HOME),
            "SILENT_AFTER_SECONDS": str(SILENT_SECONDS),
            "OMP_NUM_THREADS": "1",
            "MODEL_HOSTS": "127.0.0.1",
        }

    def start(self) -> None:
        command = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-P", "solo"]
        command += ["-Q", ",".join(celery_app.QUEUES), "-c", "1", "-l", "warning"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, env=self.env, stdout=out, stderr=out
            )

    def kill(self) -> None:
        """kill -9 of the worker; what it started is left to notice by itself, as it would be."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def take_over(self, work: Job) -> None:
        """Another worker has the work: what the beat does finds that it went silent, and wakes it."""
        before = fresh(work).attempt
        self.start()

        def taken() -> bool:
            now = fresh(work)
            if now.attempt > before or now.status not in ACTIVE:
                return True
            put_back()
            return False

        wait_until(taken, f"{work} is taken over", every=0.3)


def fresh(work: Job) -> Any:
    return type(work).objects.get(pk=work.pk)


class Watched:
    """One piece of work, and every place where its figures are shown."""

    def __init__(
        self,
        work: Job,
        client: Client,
        rows: Callable[[], tuple[int, int | None, int]],
        *,
        page: str = "",
        api: str = "",
        words: str = "{done:,} of {total:,}",
        goes_back: bool = False,
    ) -> None:
        self.work, self.client, self.rows, self.words = work, client, rows, words
        self.page, self.api, self.goes_back = page, api, goes_back
        self.highest, self.seconds, self.ordered = 0, 0.0, timezone.now()

    def now(self) -> Any:
        return fresh(self.work)

    def look(self) -> Any:
        """The row now, in whose figures nothing may be impossible or go back."""
        work = self.now()
        known = progress_of(work)
        assert known.seconds_left is None or known.seconds_left >= 0
        assert known.percent is None or 0 <= known.percent <= 100
        assert known.total is None or 0 <= known.done + known.failed <= known.total
        if not self.goes_back:
            assert known.done >= self.highest
        self.highest = known.done
        assert (known.seconds or 0.0) >= self.seconds
        self.seconds = known.seconds or 0.0
        return work

    def middle(self, least: int = 1) -> Any:
        def there() -> Any:
            work = self.look()
            assert work.status in ACTIVE, f"it was over before its middle: {work.error}"
            return work if progress_of(work).done >= least else None

        return wait_until(there, f"{self.work} in its middle", every=0.002)

    def end(self) -> Any:
        def over() -> Any:
            work = self.look()
            if work.status not in ACTIVE:
                return work
            put_back()  # as the beat does: what a dead worker had leased comes free only after a while
            return None

        work = wait_until(over, f"the end of {self.work}", every=0.5)
        assert work.status == Status.DONE, work.error
        return work

    def post(self, view: str) -> None:
        project = self.work.project
        answer = self.client.post(reverse(view, args=[project.slug, self.work.pk]))
        assert answer.status_code == 302, answer.content

    def cancel_and_resume(self, kind: str) -> None:
        self.post(f"{kind}_cancel")
        assert self.now().status == Status.CANCELLED
        before = self.now().attempt
        self.same_everywhere()
        self.post(f"{kind}_resume")
        wait_until(lambda: self.look().attempt > before, f"{self.work} resumed", every=0.1)

    def same_everywhere(self) -> None:
        """Rows, page, API, dashboard and command say the same; asked again where a worker still writes."""
        said: dict[str, Any] = {}

        def same() -> bool:
            said.clear()
            work = self.look()
            done, total, failed = self.rows()
            said["rows"], known = (done, total, failed), progress_of(work)
            said["progress"] = (known.done, known.total, known.failed)
            if said["progress"] != said["rows"]:
                return False
            words = self.words.format(done=done, total=total or 0)
            if self.page:
                said["page"] = plain(self.client.get(self.page))
                if words not in said["page"]:
                    return False
            if self.api:
                told = self.client.get(self.api).json()
                told = told.get("run", told)["progress"]
                said["api"] = tuple(told[name] for name in ("done", "total", "failed"))
                if said["api"] != said["rows"]:
                    return False
            if total:
                said["command"] = in_words(work)
                if f"{done:,} of {total:,}" not in said["command"]:
                    return False
            return True

        until = time.monotonic() + PATIENCE / 3
        while not same():
            assert time.monotonic() < until, said
            time.sleep(0.2)

    def on_the_dashboard(self) -> None:
        done, total, _ = self.rows()
        slug = self.work.project.slug
        html = plain(self.client.get(reverse("dashboard_live", args=[slug])))
        assert f"{done:,} of {total:,}" in html, html


def plain(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def api(project: Project, path: str) -> str:
    return f"/api/v1/projects/{project.slug}/{path}"


def write(project: Project, teacher: Teacher, count: int, each: int = 1) -> list[Question]:
    """So many training questions with unscored rationales of a teacher."""
    first = project.questions.count()
    rows = [
        Row(n, f"Ann has {n} eggs and buys 2 more. How many?", reference_answer=str(n + 2))
        for n in range(first, first + count)
    ]
    questions, _ = add_questions(project, rows, "train")
    Rationale.objects.bulk_create(
        Rationale(
            project=project,
            question=question,
            source=Source.TEACHER,
            teacher=teacher,
            text=(text := f"Step 1: {n} + 2 = {n + 2}.\nShe checks it {k} times.\nAnswer: {n + 2}"),
            text_hash=text_hash(text),
            finish_reason="stop",
            completion_tokens=20,
        )
        for n, question in enumerate(questions, first)
        for k in range(each)
    )
    return questions


def approve(project: Project) -> None:
    Decision.objects.bulk_create(
        Decision(rationale=one, project=project, outcome=Outcome.APPROVED, rule=project.rubric)
        for one in project.rationales.all()
    )
