"""Fill the slots of runs. Rows are the truth: a wake-up fills what is empty.

Models of this machine are asked by workers of the `gpu` queue, addresses by those of `network`, many
at once in threads of one process; see `curation.rationales.generation.parts`.
"""

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings

from curation.celery_app import ASK_ADDRESSES, FILL_RUN, GPU, NETWORK, TRY_ADDRESS, TRY_TEACHER, app
from curation.jobs import Status, begin, finish
from curation.rationales.generation.batches import (
    Written,
    extend_batch,
    go_on_or_end,
    halt_run,
    lease_batch,
    note_engine,
    release_batch,
    renew_batch,
    seed_of,
    write_batch,
)
from curation.rationales.generation.budgets import price
from curation.rationales.generation.orders import EXAMPLES
from curation.rationales.generation.parts import (
    teachers_of,
    teachers_with_work,
    wake_run,
)
from curation.rationales.models import Batch, GenerationRun, Rationale, Slot, Teacher, TeacherTry
from curation.rationales.scoring.scores import order_scoring
from curation.rationales.teachers.trial import teacher_of
from workers.authorization import refuse_without_rights
from workers.generation.backends import open_backend
from workers.generation.chat.address_pool import AddressPool
from workers.generation.model_cache import WarmBackends
from workers.generation.prompts import build_messages, get_style
from workers.generation.types import (
    REFUSED,
    Backend,
    BackendError,
    Completion,
    ModelSpec,
    Request,
    storable,
)
from workers.heartbeat import Pulse
from workers.model_paths import find_model
from workers.turns import Turn, in_turns

log = logging.getLogger(__name__)

BATCH = 512  # slots of a model of this machine that are leased at once
VLLM_SECONDS = 120.0  # of a turn on the GPU: a vLLM that ends for another model starts for minutes
WRITE_EVERY = 1.0  # seconds between writes: a crash loses at most so much
WRITE_SIZE = 128
LOG_EVERY = 5.0  # seconds between looks at an engine's log
STARTS_LONG = 0.5  # seconds before the first answer that are no longer part of its writing
TRY_SECONDS = 120.0
TRY_TEMPERATURE = 0.5

_warm = WarmBackends(int(os.environ.get("WARM_MODELS", "2")))
ADDRESSES = AddressPool()  # whatever this process asks keeps their limits together


def warm_backend(spec: ModelSpec) -> Backend:
    """The open backend for the spec; others end where it needs their memory."""
    return _warm.get(spec, settings.MODEL_HOSTS)


def backend_for(spec: ModelSpec) -> Backend:
    """The backend of one batch: a warm model, or for an address one of its own, to be closed."""
    if spec.backend != "openai":
        return warm_backend(spec)
    return open_backend(spec, allowed_hosts=settings.MODEL_HOSTS, pool=ADDRESSES)


def close_warm() -> None:
    """End all warm models, so that another job gets their memory."""
    _warm.close()


def spec_of(teacher: Teacher) -> ModelSpec:
    """How to reach a teacher's model. Raises ValueError where there is no such model here."""
    if teacher.backend == "openai":
        return ModelSpec(
            backend="openai",
            model=teacher.model,
            base_url=teacher.base_url,
            api_key_env=teacher.api_key_env,
            options={
                "concurrency": teacher.concurrency,
                "samples_per_request": teacher.samples_per_request,
                "requests_per_minute": teacher.requests_per_minute,
                "tokens_per_minute": teacher.tokens_per_minute,
            },
        )
    fetches = teacher.backend == "vllm"  # transformers takes a folder only
    model = find_model(teacher.model, settings.MODEL_ROOTS, hub=fetches).where
    if teacher.backend == "vllm":
        options = {
            "tensor_parallel": teacher.tensor_parallel,
            "pipeline_parallel": teacher.pipeline_parallel,
            "gpu_memory": teacher.gpu_memory,
            "max_model_len": teacher.context_length,
        }
        return ModelSpec(backend="vllm", model=model, dtype=teacher.dtype, options=options)
    return ModelSpec(backend="transformers", model=model)


@in_turns(FILL_RUN, GenerationRun)
def fill(run_id: int) -> None:
    """Let models of this machine fill empty slots for a while. Any number of workers may do so for one
    run at once."""
    _fill(run_id, GPU)


@in_turns(ASK_ADDRESSES, GenerationRun)
def ask_addresses(run_id: int) -> None:
    """Let one teacher at an address fill its slots for a while."""
    _fill(run_id, NETWORK)


def _fill(run_id: int, part: str) -> None:
    if refuse_without_rights(GenerationRun, run_id):
        return
    run = begin(GenerationRun, run_id) or _running(run_id)
    if run is None:
        return
    turn, asked = Turn(part, (GenerationRun, run_id)), teachers_of(run, part)
    if not asked and part == GPU:  # a wake-up from before there was a queue for addresses
        wake_run(run)
        return
    while batch := _lease(run, part, asked):
        if not fill_batch(run, *batch, turn):
            return  # where it was resumed at once, the end of the turn wakes it
        if turn.over():
            break
    go_on_or_end(run, part)
    order_scoring(run.project, None)


def _lease(
    run: GenerationRun, part: str, asked: Sequence[int]
) -> tuple[Teacher, Batch, list[Slot]] | None:
    """Slots to begin with: of the models of this machine that are first in order, or of one teacher at
    an address whom nobody asks."""
    if part == GPU:
        return lease_batch(run, BATCH, asked)
    teacher = Teacher.objects.filter(pk__in=teachers_with_work(run, part)).order_by("pk").first()
    return lease_batch(run, at_once(teacher), [teacher.pk]) if teacher else None


def at_once(teacher: Teacher) -> int:
    """Slots that are leased at once. All of them are answered before a turn ends: at an address as many
    as keep it busy."""
    if teacher.backend != "openai":
        return BATCH
    return 2 * teacher.concurrency * max(1, teacher.samples_per_request)


def _running(run_id: int) -> GenerationRun | None:
    return GenerationRun.objects.filter(pk=run_id, status=Status.RUNNING).first()


def fill_batch(
    run: GenerationRun, teacher: Teacher, batch: Batch, slots: list[Slot], turn: Turn
) -> bool:
    """Let the teacher write for the leased slots, and for further ones of its own while the turn
    lasts; False when the run was paused or cancelled."""
    try:
        spec = spec_of(teacher)
        backend = backend_for(spec)
    except (BackendError, ValueError) as error:
        write_batch(run, batch, [Written(slot.pk, "", error=str(error)) for slot in slots])
        release_batch(batch)  # else its teacher would count as being asked
        return True
    if spec.backend == "vllm":
        turn.seconds = VLLM_SECONDS
    engine_log = EngineLog(run, teacher, backend)

    def each_time() -> None:
        renew_batch(batch)
        engine_log.keep()

    with Pulse(run, on_lost=backend.cancel, each_time=each_time) as pulse:
        work = _Filling(run, teacher, batch, slots, turn, pulse)
        try:
            work.write_as_they_come(backend)
        except BackendError as error:
            if not pulse.lost.is_set():
                log.warning("run %s, teacher %s: %s", run.pk, teacher.name, error)
                engine_log.keep(at_once=True)
                if spec.backend != "openai":
                    _warm.drop(spec)
                work.fail_the_rest(str(error))
        finally:
            release_batch(batch)
            if spec.backend == "openai":
                backend.close()
    engine_log.keep(at_once=True)
    return not (pulse.lost.is_set() or work.halted)


class EngineLog:
    """The end of the log of a model's own process, kept in the database: pages may be elsewhere."""

    def __init__(self, run: GenerationRun, teacher: Teacher, backend: Backend) -> None:
        self.run, self.teacher, self.backend = run, teacher, backend
        self.kept, self.kept_at = "", 0.0

    def keep(self, *, at_once: bool = False) -> None:
        if not at_once and time.monotonic() - self.kept_at < LOG_EVERY:
            return
        self.kept_at = time.monotonic()
        tail = self.backend.log_tail()
        if tail and tail != self.kept:
            note_engine(self.run, self.teacher, log=tail)
            self.kept = tail


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
        self.asking = Asking(run, teacher)
        self.first = slots
        self.open = {slot.pk for slot in slots}
        self.counted_to = time.monotonic()  # until when the teacher's time has been counted
        self.halted = ""  # why nothing more can come of this teacher

    def write_as_they_come(self, backend: Backend) -> None:
        waiting: list[Written] = []
        requests = self._requests(self.first)
        self.counted_to = written_at = time.monotonic()
        started = False
        for completion in backend.generate(requests, self._more):
            if self.pulse.lost.is_set():
                return
            if completion.halt:  # what is still on its way may come, and was paid for
                self.halted = completion.error
                continue
            if not started:
                started = True
                self._note_start(completion)
            waiting.append(self.asking.written(completion))
            if len(waiting) >= WRITE_SIZE or time.monotonic() - written_at > WRITE_EVERY:
                self._write(waiting)
                waiting, written_at = [], time.monotonic()
        if not self.pulse.lost.is_set():
            self._write(waiting)
            if self.halted:
                halt_run(self.run, self.teacher, self.halted)

    def _note_start(self, first: Completion) -> None:
        """What passed before the first request was begun is the loading of the model."""
        loading = time.monotonic() - self.counted_to - first.seconds
        if first.seconds > 0 and loading > STARTS_LONG:
            note_engine(self.run, self.teacher, start_seconds=loading)
            self.counted_to += loading

    def fail_the_rest(self, reason: str) -> None:
        self._write([Written(slot_id, "", error=reason) for slot_id in sorted(self.open)])

    def _write(self, written: list[Written]) -> None:
        if written:
            now = time.monotonic()
            write_batch(self.run, self.batch, written, now - self.counted_to)
            self.counted_to = now
            self.open.difference_update(one.slot_id for one in written)
            order_scoring(self.run.project, None)

    def _more(self) -> list[Request]:
        """Further slots for the same teacher, so that its engine never runs dry."""
        if self.pulse.lost.is_set() or self.halted or self.turn.over():
            return []
        # A vLLM takes long to start: its teacher goes on to the end before another one begins.
        is_quick_to_change = self.teacher.backend == "transformers"
        others = teachers_of(self.run, GPU) if is_quick_to_change else ()
        slots = extend_batch(self.run, self.batch, self.teacher, at_once(self.teacher), others)
        self.open.update(slot.pk for slot in slots)
        return self._requests(slots)

    def _requests(self, slots: Sequence[Slot]) -> list[Request]:
        """A slot that cannot be asked for fails alone; the others go on."""
        requests, wrong = [], []
        for slot in slots:
            try:
                requests.append(self.asking.request(slot))
            except ValueError as error:
                wrong.append(Written(slot.pk, "", error=str(error)))
        if wrong:
            self._write(wrong)
        return requests


class Asking:
    """How a run asks one teacher: the prompt style, its examples, the limits; and what came back."""

    def __init__(self, run: GenerationRun, teacher: Teacher) -> None:
        self.run, self.teacher = run, teacher
        self.style = get_style(run.prompt_style or teacher.prompt_style)
        shown = Rationale.objects.filter(pk__in=run.examples).select_related("question")
        by_id = {one.pk: one for one in shown}
        self.examples = [by_id[pk] for pk in run.examples if pk in by_id]

    def request(self, slot: Slot) -> Request:
        """Raises ValueError where the question lacks what the style needs."""
        question = slot.question
        others = [one for one in self.examples if one.question_id != question.pk][:EXAMPLES]
        examples = [
            {"question": o.question.text, "choices": o.question.choices, "rationale": o.text}
            for o in others
        ]
        messages = build_messages(
            self.style.NAME,
            question.text,
            question.choices,
            examples=examples,
            reference_answer=question.reference_answer or "",
        )
        return Request(
            id=str(slot.pk),
            messages=tuple(messages),
            temperature=slot.temperature,
            top_p=self.teacher.top_p,
            seed=seed_of(self.run.seed, slot),
            max_tokens=self.run.max_tokens or self.teacher.max_tokens,
        )

    def written(self, completion: Completion) -> Written:
        error, is_final = completion.error, completion.final
        if not error and not completion.rationale.strip():
            error, is_final = _nothing(completion), completion.finish_reason in REFUSED
        return Written(
            slot_id=int(completion.id),
            text=completion.rationale,
            finish_reason=completion.finish_reason,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            seconds=completion.seconds,
            reasoning=completion.reasoning,
            prompt_style=self.style.label,
            error=error,
            is_final=is_final,
        )


def _nothing(completion: Completion) -> str:
    """Why an answer without any text is none."""
    return {
        "content_filter": "The server's content filter withheld the answer.",
        "refusal": "The model refused to answer, and said no word of why.",
    }.get(completion.finish_reason, "The model wrote nothing.")


@app.task(name=TRY_TEACHER)
def try_teacher(try_id: int) -> None:
    """One answer of a model of this worker, for a teacher that need not be saved."""
    _try(try_id)


@app.task(name=TRY_ADDRESS)
def try_address(try_id: int) -> None:
    """One answer of a model elsewhere: a run of this machine's models must not hold it up."""
    _try(try_id)


def _try(try_id: int) -> None:
    if refuse_without_rights(TeacherTry, try_id):
        return
    row = begin(TeacherTry, try_id)
    if row is None:
        return
    teacher, backend = teacher_of(row), None
    try:
        spec = spec_of(teacher)
        if teacher.backend == "openai":  # somebody waits for it: one attempt, and not for long
            spec = replace(spec, options={**spec.options, "attempts": 1, "timeout": TRY_SECONDS})
        backend = backend_for(spec)
        messages = build_messages(teacher.prompt_style, row.question)
        request = Request(
            id=str(row.pk),
            messages=tuple(messages),
            temperature=TRY_TEMPERATURE,
            top_p=teacher.top_p,
            seed=0,
            max_tokens=teacher.max_tokens,
        )
        began = time.monotonic()
        with Pulse(row, on_lost=backend.close):
            completion = next(iter(backend.generate([request])))
        took = time.monotonic() - began
    except (BackendError, ValueError) as error:
        finish(row, Status.FAILED, error=str(error))
        return
    finally:
        if backend is not None and teacher.backend == "openai":
            backend.close()
    store_try(row, teacher, completion, took)


def store_try(row: TeacherTry, teacher: Teacher, completion: Completion, took: float) -> None:
    """Keep what came back; `took` holds the loading of the model, too."""
    error = completion.error
    if not error and not completion.rationale.strip():
        error = _nothing(completion)
    latency = min(took, completion.seconds or took)
    finish(
        row,
        Status.FAILED if error else Status.DONE,
        error=error,
        answer=storable(completion.text),
        reasoning=storable(completion.reasoning),
        finish_reason=completion.finish_reason,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        latency=latency,
        start_seconds=took - latency,
        cost=price(teacher, completion.prompt_tokens, completion.completion_tokens),
    )
