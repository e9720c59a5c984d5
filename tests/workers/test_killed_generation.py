"""A generation run with its worker killed, resumed, and its failures tried again; see test_killed_workers."""

from typing import Any

import pytest
from django.test import Client

from curation.projects.models import Project, User
from curation.rationales.generation.orders import order_run
from curation.rationales.models import (
    Rationale,
    Slot,
    Teacher,
)
from tests.workers.killing import (
    Watched,
    Worker,
    api,
    plain,
    write,
)

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_generation_run(
    project: Project,
    admin_user: User,
    teacher: Teacher,
    admin_client: Client,
    worker: Worker,
    at: Any,
):
    write(project, teacher, 40)
    Rationale.objects.all().delete()
    broken = Teacher.objects.create(project=project, name="broken", model="demo:nobody")
    run = order_run(project, admin_user, teachers=[teacher, broken], temperatures=[0.5], samples=6)
    assert run.slot_count == 480

    def rows() -> tuple[int, int, int]:
        slots = Slot.objects.filter(run=run)
        written = Rationale.objects.filter(slot__run=run).count()
        assert written == slots.filter(status="filled").count()
        return written, slots.count(), slots.filter(status="failed").count()

    seen = Watched(
        run, admin_client, rows, page=at("run_detail", run.pk), api=api(project, f"runs/{run.pk}")
    )
    seen.middle()
    worker.kill()
    seen.same_everywhere()
    seen.on_the_dashboard()
    assert f"{rows()[0]} of 480" in plain(admin_client.get(at("runs")))
    worker.take_over(run)
    seen.end()
    seen.same_everywhere()
    assert rows() == (240, 480, 240)
    Teacher.objects.filter(pk=broken.pk).update(model="demo:strong")
    seen.post("run_retry")
    seen.middle(241)
    seen.cancel_and_resume("run")
    run = seen.end()
    seen.same_everywhere()
    assert rows() == (480, 480, 0)
    parts = list(run.parts.all())
    written = Rationale.objects.filter(slot__run=run)
    assert sum(part.rationales for part in parts) == 480
    assert sum(part.completion_tokens for part in parts) == sum(
        written.values_list("completion_tokens", flat=True)
    )
    estimate = admin_client.get(api(project, f"runs/{run.pk}")).json()["progress"]["spent"]
    assert estimate["rationales"] == 480
