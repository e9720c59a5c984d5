"""Fill the slots of runs, on the `gpu` queue. Rows are the truth: a wake-up fills what is empty."""

import logging
import os
import time
from collections.abc import Sequence

import redis
from django.conf import settings

from curation.queue import FILL_RUN, GPU, app, broker
from curation.rationales.filling import (
    Written,
    extend_batch,
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
from workers.generation.prompts import build_messages
from workers.generation.types import Backend, BackendError, Completion, ModelSpec, Request
from workers.generation.warm import WarmBackends
from workers.model_places import resolve_model
from workers.pulse import Pulse
from workers.rights import refuse_without_rights

log = logging.getLogger(__name__)

BATCH = 512  # slots leased at once: seconds of work for a small model, minutes for a large one
TASK_SECONDS = 120  # then the task makes room for others that wait for this worker
LONGEST_SECONDS = 3600  # and then in any case: far below the queue's visibility timeout
WRITE_EVERY = 1.0  # seconds between writes: a crash loses at most so much
WRITE_SIZE = 128

_warm = WarmBackends(int(os.environ.get("WARM_MODELS", "2")))


def warm_backend(spec: ModelSpec) -> Backend:
    """The open backend for the spec; others end where it needs their memory."""
    return _warm.get(spec, settings.MODEL_HOSTS)


def close_warm() -> None:
    """End all warm models, so that another job gets their memory."""
    _warm.close()


def spec_of(teacher: Teacher) -> ModelSpec:
    """How to reach a teacher's model."""
    if teacher.backend == "openai":
        return ModelSpec(
            backend="openai",
            model=teacher.model,
            base_url=teacher.base_url,
            api_key_env=teacher.api_key_env,
        )
    if teacher.backend == "vllm":
        return ModelSpec(backend="vllm", model=resolve_model(teacher.model), dtype="auto")
    return ModelSpec(backend="transformers", model=resolve_model(teacher.model))


@app.task(name=FILL_RUN)
def fill(run_id: int) -> None:
    """Fill empty slots for a while. Any number of workers may do so for one run at once."""
    if refuse_without_rights(GenerationRun, run_id):
        return
    run = begin(GenerationRun, run_id) or _running(run_id)
    if run is None:
        return
    turn = Turn()
    while not turn.over():
        batch = lease_batch(run, BATCH)
        if batch is None:
            break
        if not fill_batch(run, *batch, turn):
            return
    go_on_or_end(run)
    order_scoring(run.project, None)


class Turn:
    """How long this task keeps the worker: longer while nobody else waits for it."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def over(self) -> bool:
        seconds = time.monotonic() - self.began
        return seconds > LONGEST_SECONDS or (seconds > TASK_SECONDS and self._others_wait())

    def _others_wait(self) -> bool:
        try:
            return broker().llen(GPU) > 0
        except redis.RedisError:
            return False  # nobody can be told to wait


def _running(run_id: int) -> GenerationRun | None:
    return GenerationRun.objects.filter(pk=run_id, status=Status.RUNNING).first()


def fill_batch(
    run: GenerationRun, teacher: Teacher, batch: Batch, slots: list[Slot], turn: Turn
) -> bool:
    """Let the teacher write for the leased slots, and for further ones of its own while the turn
    lasts; False when the run was paused or cancelled."""
    try:
        spec = spec_of(teacher)
        backend = warm_backend(spec)
    except (BackendError, ValueError) as error:
        write_batch(run, batch, [Written(slot.pk, "", error=str(error)) for slot in slots])
        return True
    with Pulse(run, on_lost=backend.close, each_time=lambda: renew_batch(batch)) as pulse:
        work = _Filling(run, teacher, batch, slots, turn, pulse)
        try:
            work.write_as_they_come(backend)
        except BackendError as error:
            if not pulse.lost.is_set():
                log.warning("run %s, teacher %s: %s", run.pk, teacher.name, error)
                _warm.drop(spec)
                work.fail_the_rest(str(error))
        finally:
            release_batch(batch)
    return not pulse.lost.is_set()


class _Filling:
    """The slots of one growing batch: what is open, and the writing of what has come."""

    def __init__(
        self,
        run: GenerationRun,
        teacher: Teacher,
        batch: Batch,
        slots: list[Slot],
        turn: Turn,
        pulse: Pulse,
    ) -> None:
        self.run, self.teacher, self.batch, self.turn, self.pulse = run, teacher, batch, turn, pulse
        self.first = slots
        self.open = {slot.pk for slot in slots}

    def write_as_they_come(self, backend: Backend) -> None:
        waiting: list[Written] = []
        written_at = time.monotonic()
        for completion in backend.generate(self._requests(self.first), self._more):
            if self.pulse.lost.is_set():
                return
            waiting.append(_written(completion))
            if len(waiting) >= WRITE_SIZE or time.monotonic() - written_at > WRITE_EVERY:
                self._write(waiting)
                waiting, written_at = [], time.monotonic()
        if not self.pulse.lost.is_set():
            self._write(waiting)

    def fail_the_rest(self, reason: str) -> None:
        self._write([Written(slot_id, "", error=reason) for slot_id in sorted(self.open)])

    def _write(self, written: list[Written]) -> None:
        if written:
            write_batch(self.run, self.batch, written)
            self.open.difference_update(one.slot_id for one in written)
            order_scoring(self.run.project, None)

    def _more(self) -> list[Request]:
        """Further slots for the same teacher, so that its engine never runs dry."""
        if self.pulse.lost.is_set() or self.turn.over():
            return []
        # A vLLM takes long to start: its teacher goes on to the end before another one begins.
        in_order = self.teacher.backend != "vllm"
        slots = extend_batch(self.run, self.batch, self.teacher, BATCH, in_order=in_order)
        self.open.update(slot.pk for slot in slots)
        return self._requests(slots)

    def _requests(self, slots: Sequence[Slot]) -> list[Request]:
        return [request_of(self.run, self.teacher, slot) for slot in slots]


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
    if not error and not completion.chain.strip():
        error = "The model wrote nothing."
    return Written(
        slot_id=int(completion.id),
        text=completion.chain,
        finish_reason=completion.finish_reason,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        seconds=completion.seconds,
        reasoning=completion.reasoning,
        error=error,
    )
