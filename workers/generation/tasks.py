"""Fill the slots of runs, on the `gpu` queue. Rows are the truth: a wake-up fills what is empty."""

import logging
import os
import time
from collections import OrderedDict

from django.conf import settings

from curation.queue import FILL_RUN, app
from curation.rationales.filling import (
    Written,
    go_on_or_end,
    lease_batch,
    release_batch,
    renew_batch,
    seed_of,
    write_batch,
)
from curation.rationales.models import Batch, GenerationRun, Slot, Teacher
from curation.rationales.scoring import order_scoring
from curation.work import Status, begin
from workers.generation.backends import open_backend
from workers.generation.prompts import build_messages
from workers.generation.types import Backend, BackendError, Completion, ModelSpec, Request
from workers.model_places import resolve_model
from workers.pulse import Pulse
from workers.rights import refuse_without_rights

log = logging.getLogger(__name__)

BATCH = 512  # slots leased at once: seconds of work for a small model, minutes for a large one
TASK_SECONDS = 120  # then the task sends itself again, so that no wake-up is held for long
WRITE_EVERY = 1.0  # seconds between writes: a crash loses at most so much
WRITE_SIZE = 64
MAX_WARM = int(os.environ.get("WARM_MODELS", "2"))

_warm: OrderedDict[str, Backend] = OrderedDict()


def warm_backend(spec: ModelSpec) -> Backend:
    """The open backend for the spec; the least used one is closed when there are too many."""
    if spec.key not in _warm:
        while len(_warm) >= MAX_WARM:
            _warm.popitem(last=False)[1].close()
        _warm[spec.key] = open_backend(spec, allowed_hosts=settings.MODEL_HOSTS)
    _warm.move_to_end(spec.key)
    return _warm[spec.key]


def close_warm() -> None:
    """End all warm children, so that another job gets their memory."""
    while _warm:
        _warm.popitem()[1].close()


def spec_of(teacher: Teacher) -> ModelSpec:
    """How to reach a teacher's model."""
    if teacher.backend == "openai":
        return ModelSpec(
            backend="openai",
            model=teacher.model,
            base_url=teacher.base_url,
            api_key_env=teacher.api_key_env,
        )
    return ModelSpec(backend="transformers", model=resolve_model(teacher.model))


@app.task(name=FILL_RUN)
def fill(run_id: int) -> None:
    """Fill empty slots for a while. Any number of workers may do so for one run at once."""
    if refuse_without_rights(GenerationRun, run_id):
        return
    run = begin(GenerationRun, run_id) or _running(run_id)
    if run is None:
        return
    until = time.monotonic() + TASK_SECONDS
    while time.monotonic() < until:
        batch = lease_batch(run, BATCH)
        if batch is None:
            break
        if not fill_batch(run, *batch):
            return
    go_on_or_end(run)
    order_scoring(run.project, None)


def _running(run_id: int) -> GenerationRun | None:
    return GenerationRun.objects.filter(pk=run_id, status=Status.RUNNING).first()


def fill_batch(run: GenerationRun, teacher: Teacher, batch: Batch, slots: list[Slot]) -> bool:
    """Let the teacher write for the leased slots; False when the run was paused or cancelled."""
    requests = [request_of(run, teacher, slot) for slot in slots]
    try:
        backend = warm_backend(spec_of(teacher))
    except (BackendError, ValueError) as error:
        write_batch(run, batch, [Written(slot.pk, "", error=str(error)) for slot in slots])
        return True
    with Pulse(run, on_lost=backend.close, each_time=lambda: renew_batch(batch)) as pulse:
        try:
            _write_as_they_come(run, batch, backend, requests, pulse)
        except BackendError as error:
            if not pulse.lost.is_set():
                log.warning("run %s, teacher %s: %s", run.pk, teacher.name, error)
                _warm.pop(spec_of(teacher).key, None)
                backend.close()
                write_batch(run, batch, [Written(slot.pk, "", error=str(error)) for slot in slots])
        finally:
            release_batch(batch)
    return not pulse.lost.is_set()


def _write_as_they_come(
    run: GenerationRun, batch: Batch, backend: Backend, requests: list[Request], pulse: Pulse
) -> None:
    waiting: list[Written] = []
    written_at = time.monotonic()
    completions = backend.generate(requests)
    for completion in completions:
        if pulse.lost.is_set():
            break
        waiting.append(_written(completion))
        if len(waiting) >= WRITE_SIZE or time.monotonic() - written_at > WRITE_EVERY:
            write_batch(run, batch, waiting)
            order_scoring(run.project, None)
            waiting, written_at = [], time.monotonic()
    if not pulse.lost.is_set():
        write_batch(run, batch, waiting)


def request_of(run: GenerationRun, teacher: Teacher, slot: Slot) -> Request:
    question = slot.question
    return Request(
        id=str(slot.pk),
        messages=tuple(build_messages(teacher.prompt_style, question.text, question.choices)),
        temperature=slot.temperature,
        top_p=teacher.top_p,
        seed=seed_of(run.seed, slot),
        max_tokens=run.max_tokens or teacher.max_tokens,
    )


def _written(completion: Completion) -> Written:
    error = completion.error
    if not error and not completion.text.strip():
        error = "The model wrote nothing."
    return Written(
        slot_id=int(completion.id),
        text=completion.text,
        finish_reason=completion.finish_reason,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        seconds=completion.seconds,
        reasoning=completion.reasoning,
        error=error,
    )
