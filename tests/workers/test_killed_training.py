"""A training with its worker killed; see test_killed_workers."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from curation import artifacts
from curation.datasets.services import freeze, order_freeze
from curation.projects.models import Project, User
from curation.questions.formats import Row
from curation.questions.services import add_questions
from curation.rationales.models import Teacher
from curation.training.services import order_training
from tests.workers.killing import (
    SILENT_SECONDS,
    Watched,
    Worker,
    api,
    approve,
    fresh,
    plain,
    wait_until,
    write,
)
from workers.training.events import read_events

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_training(
    project: Project,
    admin_user: User,
    teacher: Teacher,
    admin_client: Client,
    worker: Worker,
    at: Any,
):
    write(project, teacher, 120)
    approve(project)
    held_out = [
        Row(n, f"Ben has {n} pens and buys 2 more. How many?", reference_answer=str(n + 2),
            worked_solution=f"Step 1: {n} + 2 = {n + 2}.\nAnswer: {n + 2}")
        for n in range(10)
    ]  # fmt: skip
    add_questions(project, held_out, "eval")
    version = freeze(order_freeze(project, None, enqueue=False).pk)
    recipe = {"max_steps": 63, "logging_steps": 5, "samples_every": 0, "eval_steps": 20}
    job = order_training(
        project, admin_user, version, preset="demo", recipe=recipe, evaluate_after=False
    )
    events = Path(artifacts.local_folder(job.folder)) / "out" / "events.jsonl"
    seen = Watched(
        job, admin_client, lambda: (fresh(job).step, 63, 0), page=at("training_detail", job.pk),
        api=api(project, f"trainings/{job.pk}"), words="step {done:,} of {total:,}", goes_back=True,
    )  # fmt: skip
    seen.middle(5)
    seen.cancel_and_resume("training")
    wait_until(lambda: any(e["event"] == "resumed" for e in read_events(events)[0]), every=0.1)
    seen.middle(fresh(job).step + 8)
    worker.kill()
    seen.same_everywhere()
    seen.on_the_dashboard()
    worker.take_over(job)
    job = seen.end()
    # What the trainer wrote, step by step, and nothing of what a resumption did again.
    losses, held_out_losses = {}, {}
    for event in read_events(events)[0]:
        if event["event"] == "resumed":
            losses = {k: v for k, v in losses.items() if k <= event["step"]}
            held_out_losses = {k: v for k, v in held_out_losses.items() if k <= event["step"]}
        elif event["event"] == "progress" and event["loss"] is not None:
            losses[event["step"]] = event["loss"]
        elif event["event"] == "eval":
            held_out_losses[event["step"]] = event["loss"]
    points = list(job.points.values_list("step", "loss", "eval_loss"))
    assert {step: loss for step, loss, _ in points if loss is not None} == losses
    assert {step: loss for step, _, loss in points if loss is not None} == held_out_losses
    assert {20, 60, 63} <= set(losses) and {20, 60} <= set(held_out_losses)
    assert set(range(5, 61, 5)) <= set(losses)
    end = [e for e in read_events(events)[0] if e["event"] == "end"][-1]
    assert end["steps"] == job.step == 63 and end["seconds"] > 0
    assert job.tokens_per_second == end["tokens_per_second"]
    learned = max(e["tokens"] for e in read_events(events)[0] if e["event"] == "progress")
    assert end["tokens_learned"] == learned
    told = admin_client.get(api(project, f"trainings/{job.pk}")).json()
    assert told["points"][-1]["step"] == 63 and told["step"] == told["total_steps"] == 63
    assert "63 steps" in plain(admin_client.get(at("training_detail", job.pk)))
    assert "63 of 63" in plain(admin_client.get(at("trainings")))
    assert job.worked < job.finished_at - job.started_at - timedelta(seconds=SILENT_SECONDS - 2)
