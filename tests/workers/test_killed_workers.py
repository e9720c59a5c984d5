"""Each kind of work with its worker killed (kill -9) in the middle, cancelled and resumed: what its pages,
the API, the lists, the dashboard and the commands show is what the rows say, and never goes back."""

import io
import json
from typing import Any

import pytest
from django.db.models import Q
from django.test import Client

from curation import artifacts, celery_app
from curation.datasets.formats import place
from curation.datasets.models import DatasetVersion
from curation.datasets.services import verify
from curation.jobs import Status, cancel
from curation.projects.models import Project, User
from curation.questions.services import order_import
from curation.rationales.models import Group, Score, Teacher
from curation.rationales.scoring.scores import mark_stale, order_scoring
from tests.workers.killing import Watched, Worker, api, fresh, plain, wait_until, write

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_an_import(
    project: Project, admin_user: User, admin_client: Client, worker: Worker, at: Any
):
    lines = [
        {"question": f"How many are {n} and {n}?", "reference_answer": str(2 * n),
         "rationales": [{"teacher": "web", "text": f"{n} + {n} = {2 * n}. Answer: {2 * n}"}]}
        if n % 500 else {"question": ""}
        for n in range(4000)
    ]  # fmt: skip
    file = io.BytesIO("\n".join(map(json.dumps, lines)).encode())
    job = order_import(project, admin_user, file, "sums.jsonl", keep_good_rows=True)
    seen = Watched(
        job,
        admin_client,
        lambda: (project.questions.count(), 4000, 8),
        page=at("import_detail", job.pk),
        api=api(project, f"imports/{job.pk}"),
        words="4,000 rows read, {done:,} written",
    )
    seen.middle()
    worker.kill()
    seen.same_everywhere()
    seen.on_the_dashboard()
    worker.take_over(job)
    job, seen.words = seen.end(), "New questions {done:,}"
    seen.same_everywhere()
    assert (job.questions_added, job.questions_known, job.rows_bad) == (3992, 0, 8)
    assert job.rationales_added == project.rationales.count() == 3992


def test_a_scoring_run(
    project: Project,
    admin_user: User,
    teacher: Teacher,
    admin_client: Client,
    worker: Worker,
    at: Any,
):
    mark_stale(project, [one.pk for one in write(project, teacher, 400, each=3)])
    run = order_scoring(project, admin_user)

    def rows() -> tuple[int, int, int]:
        now = fresh(run)
        mine = Score.objects.filter(
            project=project, scored_at__gte=now.started_at or now.created_at
        )
        waiting = Q(question__group__scored=0) & Q(score=None)
        total = mine.count() + project.rationales.filter(waiting).count()
        return mine.count(), total, 0

    seen = Watched(
        run, admin_client, rows, page=at("scoring_state"), api=api(project, "scoring"),
        words="{done:,} of {total:,} rationales",
    )  # fmt: skip
    seen.middle()
    worker.kill()
    joined = write(project, teacher, 100, each=2)
    mark_stale(project, [one.pk for one in joined])
    assert rows()[1] == 1400
    seen.same_everywhere()
    seen.on_the_dashboard()
    told = admin_client.get(api(project, "scoring")).json()
    assert (told["done"], told["total"]) == rows()[:2]
    # Scored in this run before, and again with what joined its group: it is no other rationale.
    scored = Score.objects.order_by("pk").first()
    group = Group.objects.get(question__rationales=scored.pk)
    Group.objects.filter(pk=group.pk).update(revision=group.revision + 1)
    worker.take_over(run)
    run = seen.end()
    assert rows() == (1400, 1400, 0) and (run.done, run.total) == (1400, 1400)
    seen.page = ""
    seen.same_everywhere()
    assert "all of them" in plain(admin_client.get(at("dashboard_live") + "?now"))


def test_a_cancelled_scoring_goes_on_as_a_run_of_its_own(
    project: Project, admin_user: User, teacher: Teacher, worker: Worker
):
    mark_stale(project, [one.pk for one in write(project, teacher, 400)])
    first = order_scoring(project, admin_user)
    wait_until(lambda: fresh(first).done, every=0.002)
    cancel(first)
    wait_until(lambda: Score.objects.count() == fresh(first).done)
    second = order_scoring(project, admin_user)
    wait_until(lambda: fresh(second).status == Status.DONE, every=0.1)
    first, second = fresh(first), fresh(second)
    assert first.done + second.done == Score.objects.count() == 400
    assert second.done == second.total and first.done <= first.total


def test_a_freeze(
    project: Project, dataset: DatasetVersion, admin_client: Client, worker: Worker, at: Any
):
    celery_app.send(celery_app.FREEZE_DATASET, dataset.pk)

    def rows() -> tuple[int, int | None, int]:
        done = fresh(dataset).status == Status.DONE
        return (dataset.examples.count(), dataset.examples.count(), 0) if done else (0, None, 0)

    seen = Watched(dataset, admin_client, rows, api=api(project, f"datasets/{dataset.number}"))
    wait_until(lambda: dataset.examples.exists() and seen.look().is_active, every=0.001)
    worker.kill()
    seen.same_everywhere()
    assert "Freezing dataset 1" in plain(admin_client.get(at("dashboard_live")))
    worker.take_over(dataset)
    dataset = seen.end()
    seen.page, seen.words = at("dataset_detail", 1), "Examples {done:,} Questions 1,500"
    seen.same_everywhere()
    assert (dataset.example_count, dataset.question_count) == (3000, 1500)
    with artifacts.open_artifact(place(dataset, "jsonl")) as file:
        assert sum(1 for _ in file) == 3000
    assert verify(dataset)
