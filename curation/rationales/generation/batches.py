"""Fill the slots of a run: lease a batch, write each finished rationale at once, end the run.

A slot belongs to one batch while that is renewed. A batch writes only slots that still belong to it
and are empty, so a killed worker's slots go to another batch after a while, and a worker that comes
back late writes nothing twice.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, F, Prefetch, Value, When
from django.utils import timezone

from curation.jobs import Status, finish
from curation.questions.models import Question
from curation.rationales.generation.adaptive import next_round, waits_for_scores
from curation.rationales.generation.budgets import affordable, in_flight, price, what_is_spent
from curation.rationales.generation.parts import is_free, wake_run
from curation.rationales.models import (
    Batch,
    GenerationRun,
    Rationale,
    Slot,
    SlotStatus,
    Source,
    Teacher,
    TeacherPart,
    text_hash,
)
from curation.rationales.scoring.scores import mark_stale
from curation.text.clean import clean
from curation.text.machine_paths import without_paths
from curation.text.storable import mended

MAX_ATTEMPTS = 3
# What `seed_of` reads, once for all slots of a question: they come together.
NAMED_BY_SEED = (Prefetch("question", Question.objects.only("content_hash")), "teacher")


@dataclass(frozen=True)
class Written:
    """What a teacher wrote for one slot; `error` is empty unless it failed, and `is_final` says then that
    the teacher would give the same again. `finish_reason` is empty where the server did not say."""

    slot_id: int
    text: str
    finish_reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    reasoning: str = ""
    prompt_style: str = ""
    error: str = ""
    is_final: bool = False


def seed_of(run_seed: int, slot: Slot) -> int:
    """The seed of one slot, 0 to 2**31 - 1: the same order with the same seed gives the same texts.

    It is made from the question's content, not its row's number, so it is the same in another
    database. Samples count up from one start, so that a server that gives child n of a request the
    seed + n (as vLLM does) writes the same text for a sample, whichever others are asked for with it.
    """
    key = f"{run_seed}|{slot.question.content_hash}|{slot.teacher.name}|{slot.temperature}"
    start = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) >> 1
    return (start + slot.sample) % 2**31


def lease_batch(
    run: GenerationRun, size: int, teachers: Sequence[int] | None = None
) -> tuple[Teacher, Batch, list[Slot]] | None:
    """Take up to `size` empty slots of one teacher, of these `teachers` where they are given; None when
    no slot is free to take now, or the run's budget allows none."""
    with transaction.atomic():
        free = run.slots.filter(is_free(run)).order_by("id").select_related("teacher")
        if teachers is not None:
            free = free.filter(teacher__in=teachers)
        first = free.first()
        if first is None:
            return None
        size = _within_budget(run, first.teacher, size)
        if size < 1:
            return None
        batch = Batch.objects.create(run=run, teacher=first.teacher)
        slots = _take(run, batch, first.teacher_id, first.pk, size)
    return (slots[0].teacher, batch, slots) if slots else None


def _within_budget(run: GenerationRun, teacher: Teacher, size: int) -> int:
    allowed = affordable(run, teacher)
    return size if allowed is None else min(size, allowed)


def extend_batch(
    run: GenerationRun,
    batch: Batch,
    teacher: Teacher,
    size: int,
    in_order_with: Sequence[int] = (),
) -> list[Slot]:
    """Take up to `size` more empty slots of the batch's teacher into the same batch.

    So a server that writes many at once never waits for the slowest of a batch. None is taken while
    the next free slot of the teachers `in_order_with` belongs to another one: the questions that come
    first are then complete first. Without, the teacher (whose model is costly to start, or whom
    nobody else waits for) goes on.
    """
    with transaction.atomic():
        size = _within_budget(run, teacher, size)
        free = run.slots.filter(is_free(run), teacher__in={*in_order_with, teacher.pk})
        free = free.order_by("id")
        first = free.values("id", "teacher_id").first()
        if size < 1 or first is None or first["teacher_id"] != teacher.pk:
            return []
        return _take(run, batch, teacher.pk, first["id"], size)


def _take(
    run: GenerationRun, batch: Batch, teacher_id: int, first_id: int, size: int
) -> list[Slot]:
    ids = list(
        run.slots.filter(is_free(run), teacher_id=teacher_id, id__gte=first_id)
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("id")
        .values_list("id", flat=True)[:size]
    )
    run.slots.filter(id__in=ids).update(batch=batch, attempts=F("attempts") + 1)
    slots = run.slots.filter(id__in=ids).prefetch_related("question", "teacher")
    return list(slots.order_by("id"))


def renew_batch(batch: Batch) -> None:
    """Keep the batch's slots; to be called more often than every LEASE."""
    Batch.objects.filter(pk=batch.pk).update(renewed_at=timezone.now())


def write_batch(
    run: GenerationRun, batch: Batch, written: Sequence[Written], seconds: float = 0.0
) -> int:
    """Store finished rationales in their slots. Returns how many were stored now.

    `seconds` is how long the teacher wrote on them, for its rate.

    Slots that this batch no longer holds are left alone. A slot that failed is tried again until
    MAX_ATTEMPTS or its failure is final, then fails alone, with its reason.
    """
    by_slot = {one.slot_id: one for one in written}
    with transaction.atomic():
        slots = list(
            run.slots.select_for_update(of=("self",))
            .filter(id__in=by_slot, batch=batch, status=SlotStatus.EMPTY)
            # One that was deleted as the run was ordered has its slots still.
            .filter(question__project__isnull=False)
            .prefetch_related(*NAMED_BY_SEED)
        )
        filled = [slot for slot in slots if not by_slot[slot.pk].error]
        rationales = Rationale.objects.bulk_create(
            [_rationale(run, slot, by_slot[slot.pk]) for slot in filled]
        )
        _mark_filled(filled, rationales)
        for slot in slots:
            error = by_slot[slot.pk].error
            if error:
                poisoned = slot.attempts >= MAX_ATTEMPTS or by_slot[slot.pk].is_final
                status = SlotStatus.FAILED if poisoned else SlotStatus.EMPTY
                Slot.objects.filter(pk=slot.pk).update(
                    status=status, error=mended(without_paths(error))[:500], batch=None
                )
        if slots:
            _account(run, slots[0].teacher, [by_slot[slot.pk] for slot in slots], seconds)
        mark_stale(run.project, {slot.question_id for slot in filled})
    return len(filled)


def _account(
    run: GenerationRun, teacher: Teacher, written: Sequence[Written], seconds: float
) -> None:
    """Add to what the teacher has done in the run. An answer that failed may have cost, too."""
    read = sum(one.prompt_tokens for one in written)
    wrote = sum(one.completion_tokens for one in written)
    good = [one for one in written if not one.error]
    TeacherPart.objects.get_or_create(run=run, teacher=teacher)
    TeacherPart.objects.filter(run=run, teacher=teacher).update(
        rationales=F("rationales") + len(good),
        truncated=F("truncated") + sum(one.finish_reason == "length" for one in good),
        prompt_tokens=F("prompt_tokens") + read,
        completion_tokens=F("completion_tokens") + wrote,
        cost=F("cost") + price(teacher, read, wrote),
        seconds=F("seconds") + seconds,
    )


def note_engine(
    run: GenerationRun, teacher: Teacher, *, start_seconds: float | None = None, log: str = ""
) -> None:
    """Keep how long the teacher's model took to load, and the end of its engine's log."""
    changes: dict[str, object] = {}
    if start_seconds is not None:
        changes["start_seconds"] = start_seconds
    if log:
        log = without_paths(mended(log))
        changes |= {"log": log, "log_at": timezone.now()}
    if changes:
        TeacherPart.objects.update_or_create(run=run, teacher=teacher, defaults=changes)


def _mark_filled(slots: Sequence[Slot], rationales: Sequence[Rationale]) -> None:
    """One statement for all; only the rationale differs from slot to slot."""
    if slots:
        pairs = zip(slots, rationales, strict=True)
        rationale = Case(*(When(pk=slot.pk, then=Value(made.pk)) for slot, made in pairs))
        Slot.objects.filter(pk__in=[slot.pk for slot in slots]).update(
            status=SlotStatus.FILLED, rationale=rationale, error="", batch=None
        )


def _rationale(run: GenerationRun, slot: Slot, one: Written) -> Rationale:
    text = clean(mended(one.text))
    return Rationale(
        project_id=run.project_id,
        question_id=slot.question_id,
        source=Source.TEACHER,
        teacher_id=slot.teacher_id,
        text=text,
        text_hash=text_hash(text),
        reasoning=clean(mended(one.reasoning)),
        temperature=slot.temperature,
        sample=slot.sample,
        seed=seed_of(run.seed, slot),
        prompt_style=one.prompt_style,
        finish_reason=one.finish_reason,
        prompt_tokens=one.prompt_tokens,
        completion_tokens=one.completion_tokens,
        seconds=one.seconds,
    )


def halt_run(run: GenerationRun, teacher: Teacher, reason: str) -> None:
    """End the run at once, with its slots as they are: nothing that it asks of this teacher can come to
    anything until somebody does something. It can be resumed then."""
    error = mended(without_paths(f"{teacher.name}: {reason}"))
    finish(run, Status.FAILED, error=f"{error} Mend that, then resume the run.")


def release_batch(batch: Batch) -> None:
    """Give back the slots that the batch did not get to; they do not count as attempts."""
    batch.slots.filter(status=SlotStatus.EMPTY).update(batch=None, attempts=F("attempts") - 1)
    Batch.objects.filter(pk=batch.pk).delete()


def fail_poisoned(run: GenerationRun) -> int:
    """Fail slots whose every batch died with them (a crash leaves no error to store)."""
    return run.slots.filter(is_free(run), attempts__gte=MAX_ATTEMPTS).update(
        status=SlotStatus.FAILED,
        error=f"The worker ended {MAX_ATTEMPTS} times while it wrote this; its log says why.",
    )


def go_on_or_end(run: GenerationRun, part: str | None = None) -> None:
    """After a batch: wake the next one, begin the next round, or end the run.

    With `part` the caller is a turn of that queue, which wakes what is ready when it ends (see
    `curation.turns.wake_ready`); the other part's workers have wake-ups of their own. Empty slots that
    a live batch of another worker holds need none: that batch ends the run; where it died, the beat
    wakes the run.
    """
    fail_poisoned(run)
    empty = run.slots.filter(status=SlotStatus.EMPTY)
    turn = empty.filter(round__lte=run.round) if run.enough else empty
    if turn.exists():
        if (spent := what_is_spent(run)) and not in_flight(run):
            finish(run, Status.PAUSED, error=f"{spent} {empty.count():,} slots are still empty.")
        elif not spent and not part and run.slots.filter(is_free(run)).exists():
            wake_run(run)
        return
    if run.enough:
        if waits_for_scores(run):
            return  # whoever ends the scoring wakes the run
        next_round(run)
        if empty.exists():
            wake_run(run)
            return
    _end(run)


def _end(run: GenerationRun) -> None:
    failed = run.slots.filter(status=SlotStatus.FAILED).count()
    if failed and failed == run.slot_count:
        reason = run.slots.values_list("error", flat=True).first()
        finish(run, Status.FAILED, error=f"All {failed:,} slots failed: {reason}")
    else:
        finish(run, Status.DONE, error=f"{failed:,} slots failed." if failed else "")
