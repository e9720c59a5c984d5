"""Fill the slots of a run: lease a batch, write each finished rationale at once, end the run.

A slot belongs to one batch while that is renewed. A batch writes only slots that still belong to it
and are empty, so a killed worker's slots go to another batch after a while, and a worker that comes
back late writes nothing twice.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from curation import queue
from curation.rationales.models import (
    Batch,
    GenerationRun,
    Rationale,
    Slot,
    SlotStatus,
    Source,
    Teacher,
    text_hash,
)
from curation.rationales.scoring import mark_stale
from curation.work import Status, finish

MAX_ATTEMPTS = 3
LEASE = timedelta(seconds=45)


@dataclass(frozen=True)
class Written:
    """What a teacher wrote for one slot; `error` is empty unless it failed."""

    slot_id: int
    text: str
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    reasoning: str = ""
    error: str = ""


def seed_of(run_seed: int, slot: Slot) -> int:
    """The seed of one slot, 0 to 2**31 - 1: the same order with the same seed gives the same texts.

    It is made from the question's content, not its row's number, so it is the same in another
    data base. Samples count up from one start, so that a server that gives child n of a request the
    seed + n (as vLLM does) writes the same text for a sample, whichever others are asked for with it.
    """
    key = f"{run_seed}|{slot.question.content_hash}|{slot.teacher.name}|{slot.temperature}"
    start = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) >> 1
    return (start + slot.sample) % 2**31


def _free() -> Q:
    gone = Q(batch__renewed_at__lt=timezone.now() - LEASE)
    return Q(status=SlotStatus.EMPTY) & (Q(batch__isnull=True) | gone)


def lease_batch(run: GenerationRun, size: int) -> tuple[Teacher, Batch, list[Slot]] | None:
    """Take up to `size` empty slots of one teacher; None when no slot is free to take now."""
    with transaction.atomic():
        first = run.slots.filter(_free()).order_by("id").values("id", "teacher_id").first()
        if first is None:
            return None
        batch = Batch.objects.create(run=run)
        slots = _take(run, batch, first["teacher_id"], first["id"], size)
    return (slots[0].teacher, batch, slots) if slots else None


def extend_batch(
    run: GenerationRun, batch: Batch, teacher: Teacher, size: int, *, in_order: bool
) -> list[Slot]:
    """Take up to `size` more empty slots of the batch's teacher into the same batch.

    So a server that writes many at once never waits for the slowest of a batch. With `in_order`,
    none is taken while the run's next free slot belongs to another teacher: the questions that come
    first are then complete first. Without, the teacher (whose model is costly to start) goes on.
    """
    with transaction.atomic():
        free = run.slots.filter(_free()).order_by("id")
        if not in_order:
            free = free.filter(teacher=teacher)
        first = free.values("id", "teacher_id").first()
        if first is None or first["teacher_id"] != teacher.pk:
            return []
        return _take(run, batch, teacher.pk, first["id"], size)


def _take(
    run: GenerationRun, batch: Batch, teacher_id: int, first_id: int, size: int
) -> list[Slot]:
    ids = list(
        run.slots.filter(_free(), teacher_id=teacher_id, id__gte=first_id)
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("id")
        .values_list("id", flat=True)[:size]
    )
    run.slots.filter(id__in=ids).update(batch=batch, attempts=F("attempts") + 1)
    return list(run.slots.filter(id__in=ids).select_related("question", "teacher").order_by("id"))


def renew_batch(batch: Batch) -> None:
    """Keep the batch's slots; to be called more often than every LEASE."""
    Batch.objects.filter(pk=batch.pk).update(renewed_at=timezone.now())


def write_batch(run: GenerationRun, batch: Batch, written: Sequence[Written]) -> int:
    """Store finished rationales in their slots. Returns how many were stored now.

    Slots that this batch no longer holds are left alone. A slot that failed is tried again until
    MAX_ATTEMPTS, then fails alone, with its reason.
    """
    by_slot = {one.slot_id: one for one in written}
    with transaction.atomic():
        slots = list(
            run.slots.select_for_update()
            .filter(id__in=by_slot, batch=batch, status=SlotStatus.EMPTY)
            .select_related("question", "teacher")
        )
        filled = [slot for slot in slots if not by_slot[slot.pk].error]
        rationales = Rationale.objects.bulk_create(
            [_rationale(run, slot, by_slot[slot.pk]) for slot in filled]
        )
        _mark_filled(filled, rationales)
        for slot in slots:
            error = by_slot[slot.pk].error
            if error:
                poisoned = slot.attempts >= MAX_ATTEMPTS
                status = SlotStatus.FAILED if poisoned else SlotStatus.EMPTY
                Slot.objects.filter(pk=slot.pk).update(status=status, error=error[:500], batch=None)
        mark_stale(run.project, {slot.question_id for slot in filled})
    return len(filled)


def _mark_filled(slots: Sequence[Slot], rationales: Sequence[Rationale]) -> None:
    """One statement for all; only the rationale differs from slot to slot."""
    if slots:
        pairs = zip(slots, rationales, strict=True)
        rationale = Case(*(When(pk=slot.pk, then=Value(made.pk)) for slot, made in pairs))
        Slot.objects.filter(pk__in=[slot.pk for slot in slots]).update(
            status=SlotStatus.FILLED, rationale=rationale, error="", batch=None
        )


def _rationale(run: GenerationRun, slot: Slot, one: Written) -> Rationale:
    # A model may write anything; PostgreSQL cannot store NUL, and nobody can read it.
    text = one.text.replace("\0", "\ufffd").strip()
    return Rationale(
        project_id=run.project_id,
        question_id=slot.question_id,
        source=Source.TEACHER,
        teacher_id=slot.teacher_id,
        text=text,
        text_hash=text_hash(text),
        reasoning=one.reasoning.replace("\0", "\ufffd"),
        temperature=slot.temperature,
        sample=slot.sample,
        seed=seed_of(run.seed, slot),
        finish_reason=one.finish_reason,
        prompt_tokens=one.prompt_tokens,
        completion_tokens=one.completion_tokens,
        seconds=one.seconds,
    )


def release_batch(batch: Batch) -> None:
    """Give back the slots that the batch did not get to; they do not count as attempts."""
    batch.slots.filter(status=SlotStatus.EMPTY).update(batch=None, attempts=F("attempts") - 1)
    Batch.objects.filter(pk=batch.pk).delete()


def fail_poisoned(run: GenerationRun) -> int:
    """Fail slots whose every batch died with them (a crash leaves no error to store)."""
    return run.slots.filter(_free(), attempts__gte=MAX_ATTEMPTS).update(
        status=SlotStatus.FAILED,
        error=f"The worker ended {MAX_ATTEMPTS} times while it wrote this; its log says why.",
    )


def go_on_or_end(run: GenerationRun) -> None:
    """After a batch: wake the next one, or end the run when no slot is empty.

    Empty slots that a live batch of another worker holds need no wake-up: that batch ends the run;
    where it died, the beat wakes the run.
    """
    fail_poisoned(run)
    if run.slots.filter(status=SlotStatus.EMPTY).exists():
        if run.slots.filter(_free()).exists():
            queue.send(queue.FILL_RUN, run.pk)
        return
    failed = run.slots.filter(status=SlotStatus.FAILED).count()
    if failed == run.slot_count:
        reason = run.slots.values_list("error", flat=True).first()
        finish(run, Status.FAILED, error=f"All {failed:,} slots failed: {reason}")
    else:
        finish(run, Status.DONE, error=f"{failed:,} slots failed." if failed else "")
