"""Run a training job, on the `gpu` queue: launch its process, turn its events into rows, end it.

The process is the training; this task only watches it. When this worker dies the process stops with
a checkpoint, and whoever takes the job over goes on from there.
"""

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from curation import artifacts
from curation.celery_app import TRAIN
from curation.datasets.formats import place
from curation.errors import ServiceError
from curation.evaluations.services import order_evaluation
from curation.jobs import Status, begin, ending, finish
from curation.projects.access import refusal
from curation.questions.models import Question
from curation.questions.prompts import prompt_of
from curation.training.models import TrainingJob, TrainingPoint
from curation.training.services import record
from workers.authorization import refuse_without_rights
from workers.generation.tasks import close_warm
from workers.heartbeat import Pulse
from workers.model_paths import find_model
from workers.training.config import TrainingConfig
from workers.training.errors import ConfigError
from workers.training.process import TrainingProcess, launch
from workers.turns import in_turns

POLL_SECONDS = 0.5
EVAL_EXAMPLES = 64
SAMPLE_PROMPTS = 3
log = logging.getLogger(__name__)


@in_turns(TRAIN, TrainingJob)
def train(job_id: int) -> None:
    """Train until the process has ended, or the job was cancelled or taken over."""
    job = TrainingJob.objects.select_related("dataset", "project").filter(pk=job_id).first()
    if job is None or job.dataset.status != Status.DONE:
        return  # the freezing of its dataset wakes it
    if refuse_without_rights(TrainingJob, job_id):
        return
    job = begin(TrainingJob, job_id)
    if job is None:
        return
    with ending(job):
        close_warm()
        folder = artifacts.local_folder(job.folder)
        try:
            config = write_config(job, folder)
            process = launch(config, folder / "train.log", resume=job.attempt > 1)
        except (ConfigError, ValueError, OSError) as error:
            finish(job, Status.FAILED, error=str(error))
            return
        try:
            _watch(job, process)
        finally:
            process.close()


def write_config(job: TrainingJob, folder: Path) -> Path:
    """Lay the dataset, the held-out examples and the configuration beside each other."""
    dataset = folder / "dataset.jsonl"
    with (
        artifacts.open_artifact(place(job.dataset, "jsonl")) as source,
        dataset.open("wb") as target,
    ):
        while chunk := source.read(1024 * 1024):
            target.write(chunk)
    unseen = job.project.questions.filter(split="eval").order_by("id")
    held_out = list(unseen.exclude(worked_solution="")[:EVAL_EXAMPLES])
    base = find_model(job.base_model, settings.MODEL_ROOTS, hub=True)
    values: dict[str, Any] = {
        "base_model": base.where,
        "base_model_name": base.name,
        "dataset": str(dataset),
        "dataset_sha256": job.dataset.sha256,
        "output_dir": str(folder / "out"),
        "recipe": {"preset": job.preset, **job.recipe},
        "sample_prompts": [_prompt(question) for question in unseen[:SAMPLE_PROMPTS]],
    }
    if held_out:
        values["eval_dataset"] = str(folder / "held_out.jsonl")
        (folder / "held_out.jsonl").write_text(
            "".join(json.dumps(_example(one), ensure_ascii=False) + "\n" for one in held_out)
        )
    path = folder / "config.json"
    TrainingConfig.from_dict(values).save(path)
    return path


def _prompt(question: Question) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt_of(question)}]


def _example(question: Question) -> dict[str, Any]:
    return {
        "prompt": _prompt(question),
        "completion": [{"role": "assistant", "content": question.worked_solution}],
    }


def _watch(job: TrainingJob, process: TrainingProcess) -> None:
    # The file holds the events of earlier attempts as well, among them what came after their worker was
    # gone. The row knows up to where it has them.
    offset, began, error = job.events_read, job.begun_at.timestamp(), ""
    with Pulse(job, on_lost=lambda: process.terminate(grace=10)) as pulse:
        while True:
            status = process.poll()
            events, offset = process.events(offset)
            if events and not take_in(job, events, offset):
                break
            for event in events:
                if event["event"] == "error" and event["time"] >= began:
                    error = event["reason"]
            if status is not None and not events:
                break
            time.sleep(POLL_SECONDS if not events else 0.05)
        if process.poll() is not None and not pulse.lost.is_set():
            # Before the row says that it is done: whoever reads that may fetch the adapter at once,
            # on another machine.
            artifacts.upload_folder(job.folder)
    if pulse.lost.is_set():
        return
    if process.poll() == 0:
        if finish(job, Status.DONE, seconds_left=None) and job.evaluate_after:
            _measure(job)
    else:
        finish(job, Status.FAILED, error=error or process.failure(), seconds_left=None)


def _measure(job: TrainingJob) -> None:
    """Order the evaluation that was wanted. What stands against it is no fault of the training."""
    done = TrainingJob.objects.select_related("created_by").get(pk=job.pk)
    if why := refusal(done.created_by, done.project_id, by_operator=done.by_operator):
        log.warning("%s was not measured: %s", job, why)
        return
    try:
        order_evaluation(job.project, done.created_by, done)
    except ServiceError as error:
        log.warning("%s was not measured: %s", job, error)


def take_in(job: TrainingJob, events: list[dict[str, Any]], offset: int | None = None) -> bool:
    """Turn events into changes of the job's row and points of its curves. `offset`: up to where they are
    read then, noted in the same transaction: so each counts once, whenever a worker dies."""
    with transaction.atomic():
        for part in _parts(events):
            if not _take_in(job, part, {} if offset is None else {"events_read": offset}):
                return False
    return True


def _parts(events: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The events, in parts that begin where a training went back to a checkpoint."""
    part: list[dict[str, Any]] = []
    for event in events:
        if event["event"] == "resumed" and part:
            yield part
            part = []
        part.append(event)
    yield part


def _take_in(job: TrainingJob, events: list[dict[str, Any]], changes: dict[str, Any]) -> bool:
    points: dict[int, TrainingPoint] = {}
    back_to = None
    for event in events:
        kind = event["event"]
        if kind == "resumed":
            back_to = changes["step"] = event["step"]
        if kind == "checks":
            changes["checks"] = {k: v for k, v in event.items() if k not in ("event", "time")}
        elif kind == "progress":
            changes |= {
                "step": event["step"],
                "total_steps": event["total"],
                "epoch": event["epoch"],
                "seconds_left": event["seconds_left"],
                "tokens_per_second": event["tokens_per_second"],
            }
            if event["loss"] is not None:
                point = points.setdefault(event["step"], TrainingPoint(job=job, step=event["step"]))
                point.loss, point.learning_rate = event["loss"], event["lr"]
        elif kind == "eval":
            point = points.setdefault(event["step"], TrainingPoint(job=job, step=event["step"]))
            point.eval_loss = event["loss"]
        elif kind == "sample":
            changes["says"] = event["samples"]
        elif kind == "saved":
            changes["adapter_sha256"] = event["sha256"]
        elif kind == "end" and not event["already"]:
            # Of the whole training, not of its last steps or its last resumption.
            changes["step"] = event["steps"]
            if pace := event.get("tokens_per_second"):
                changes["tokens_per_second"] = pace
    return record(job, changes, list(points.values()), back_to=back_to)
