"""Runs and their slots: nothing lost, nothing twice, whoever dies."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from curation.errors import Conflict, Invalid
from curation.jobs import Status, begin, cancel
from curation.projects.models import Project
from curation.questions.models import Question
from curation.rationales.generation.batches import (
    MAX_ATTEMPTS,
    Written,
    go_on_or_end,
    lease_batch,
    release_batch,
    seed_of,
    write_batch,
)
from curation.rationales.generation.budgets import LEASE
from curation.rationales.generation.orders import order_run, resume_run, retry_failed
from curation.rationales.models import Batch, GenerationRun, Rationale, Slot, SlotStatus, Teacher

Make = Callable[..., list[Question]]


@pytest.fixture
def run(project: Project, teacher: Teacher, make_questions: Make) -> GenerationRun:
    make_questions(3)
    return order_run(project, None, teachers=[teacher], temperatures=[0.3, 0.7], samples=2)


def write_all(batch: Batch, slots: list[Slot], run: GenerationRun) -> int:
    return write_batch(run, batch, [Written(s.pk, f"Answer: {s.pk}") for s in slots])


def test_a_run_knows_its_slots_when_it_is_ordered(run: GenerationRun) -> None:
    assert run.slot_count == run.slots.count() == 3 * 2 * 2


def test_temperature_0_is_ordered_once_whatever_the_samples(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    make_questions(1)
    run = order_run(project, None, teachers=[teacher], temperatures=[0.0, 0.5], samples=3)
    assert run.slot_count == 1 + 3


def test_held_out_questions_are_never_ordered(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    make_questions(2)
    make_questions(5, split="eval")
    assert order_run(project, None, teachers=[teacher], temperatures=[0.3]).slot_count == 2


def test_two_batches_never_hold_the_same_slot(run: GenerationRun) -> None:
    _, _, first = lease_batch(run, 5)
    _, _, second = lease_batch(run, 100)
    assert len(first) == 5 and len(second) == 7
    assert not {s.pk for s in first} & {s.pk for s in second}
    assert lease_batch(run, 5) is None


def test_written_slots_become_rationales_once(run: GenerationRun) -> None:
    _, batch, slots = lease_batch(run, 12)
    assert write_all(batch, slots, run) == 12
    assert write_all(batch, slots, run) == 0
    assert Rationale.objects.count() == 12
    assert run.slots.filter(status=SlotStatus.FILLED).count() == 12


def test_a_dead_workers_slots_go_to_another_and_the_late_one_writes_nothing(
    run: GenerationRun,
) -> None:
    _, dead, slots = lease_batch(run, 12)
    Batch.objects.filter(pk=dead.pk).update(
        renewed_at=timezone.now() - LEASE - timedelta(seconds=1)
    )
    _, newer, again = lease_batch(run, 12)
    assert {s.pk for s in again} == {s.pk for s in slots}
    # The slots are empty still, and the newer worker is writing: they are its alone.
    assert write_all(dead, slots, run) == 0
    bad = [Written(slot.pk, "", error="the late one's own trouble") for slot in slots]
    assert write_batch(run, dead, bad) == 0
    assert set(run.slots.values_list("batch", "error", "rationale")) == {(newer.pk, "", None)}
    assert write_all(newer, again, run) == 12
    assert write_all(dead, slots, run) == 0
    assert Rationale.objects.count() == 12


def test_slots_given_back_do_not_count_as_tried(run: GenerationRun) -> None:
    _, batch, _ = lease_batch(run, 12)
    release_batch(batch)
    assert set(run.slots.values_list("attempts", "batch")) == {(0, None)}


def test_a_poisoned_slot_fails_alone_with_its_reason(run: GenerationRun) -> None:
    begin(GenerationRun, run.pk)
    run.refresh_from_db()
    for _ in range(MAX_ATTEMPTS):
        _, batch, slots = lease_batch(run, 12)
        bad, *good = slots
        write_batch(
            run,
            batch,
            [Written(bad.pk, "", error="boom"), *(Written(s.pk, "Answer: 1") for s in good)],
        )
        go_on_or_end(run)
    run.refresh_from_db()
    assert run.status == Status.DONE
    assert "1 slots failed" in run.error
    assert run.slots.get(status=SlotStatus.FAILED).error == "boom"
    assert Rationale.objects.count() == 11


def test_failed_slots_can_be_ordered_again(run: GenerationRun) -> None:
    run.slots.update(status=SlotStatus.FAILED, error="x")
    begin(GenerationRun, run.pk)
    run.refresh_from_db()
    go_on_or_end(run)
    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert retry_failed(run) == 12
    run.refresh_from_db()
    assert run.status == Status.WAITING
    assert set(run.slots.values_list("status", "attempts", "error")) == {("empty", 0, "")}


def test_a_cancelled_run_goes_on_where_it_stopped(run: GenerationRun) -> None:
    begin(GenerationRun, run.pk)
    _, batch, slots = lease_batch(run, 4)
    write_all(batch, slots, run)
    cancel(run)
    with pytest.raises(Conflict):
        cancel(run)
    resume_run(run)
    assert begin(GenerationRun, run.pk).status == Status.RUNNING
    assert len(lease_batch(run, 100)[2]) == 8


def test_only_what_is_missing_can_be_ordered(
    run: GenerationRun, project: Project, teacher: Teacher
) -> None:
    with pytest.raises(Conflict, match="there already"):
        order_run(
            project, None, teachers=[teacher], temperatures=[0.3, 0.7], samples=2, only_missing=True
        )
    more = order_run(project, None, teachers=[teacher], temperatures=[0.3, 0.5], only_missing=True)
    assert more.slot_count == 3


def test_the_same_order_key_orders_once(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    make_questions(1)
    orders = [
        order_run(project, None, teachers=[teacher], temperatures=[0.3], order_key="k")
        for _ in range(2)
    ]
    assert orders[0] == orders[1] and GenerationRun.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"temperatures": []}, "temperatures"),
        ({"temperatures": [3.0]}, "between 0 and 2"),
        ({"temperatures": [0.3], "samples": 0}, "samples"),
        ({"temperatures": [0.3], "teachers": []}, "teacher"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    project: Project, teacher: Teacher, make_questions: Make, wrong: dict, message: str
) -> None:
    make_questions(1)
    with pytest.raises(Invalid, match=message):
        order_run(project, None, **{"teachers": [teacher], **wrong})
    assert not GenerationRun.objects.exists()


def test_a_seed_depends_on_content_not_on_row_numbers(run: GenerationRun) -> None:
    slots = list(run.slots.select_related("question", "teacher"))
    seeds = {seed_of(0, s) for s in slots}
    assert len(seeds) == len(slots) and all(0 <= s < 2**31 for s in seeds)
    assert seed_of(1, slots[0]) not in seeds


def test_the_data_base_refuses_the_same_slot_twice(run: GenerationRun) -> None:
    slot = run.slots.first()
    slot.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        slot.save()


def test_a_models_nul_is_stored_as_a_replacement_sign(run: GenerationRun) -> None:
    _, batch, slots = lease_batch(run, 1)
    write_batch(run, batch, [Written(slots[0].pk, "a\0b </script> \u202e")])
    assert Rationale.objects.get().text == "a\ufffdb </script> \u202e"
