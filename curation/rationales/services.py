"""Writes to teachers and generation runs."""

import itertools
from collections.abc import Iterable, Iterator, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from curation import queue
from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.questions.models import Question, Split
from curation.rationales.models import Backend, GenerationRun, Slot, SlotStatus, Teacher
from curation.work import ACTIVE, RESUMABLE, Status, move, ordered_before

MAX_TEMPERATURES = 20
MAX_SAMPLES = 1000


def save_teacher(project: Project, teacher: Teacher) -> Teacher:
    """Check and store a teacher, new or changed. Raises Invalid with every field that is wrong."""
    teacher.project = project
    if teacher.backend == Backend.OPENAI and not teacher.base_url:
        raise Invalid("An OpenAI-compatible teacher needs its address (base_url).")
    if not teacher.model:
        raise Invalid(
            "A teacher needs its model: a folder on the worker, or the server's name for it."
        )
    if any(sign in teacher.model for sign in "\n\r\0;|$`") or teacher.model.startswith("-"):
        raise Invalid(f"{teacher.model!r} cannot be a model's name.")
    others = Teacher.objects.for_project(project).exclude(pk=teacher.pk)
    if others.filter(name=teacher.name).exists():
        raise Invalid(f"There is a teacher “{teacher.name}” already: choose another name.")
    try:
        teacher.full_clean()
    except ValidationError as error:
        told = (f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise Invalid(" ".join(told)) from None
    teacher.save()
    return teacher


def check_temperatures(temperatures: Sequence[float]) -> list[float]:
    kept = sorted(set(temperatures))
    if not kept or len(kept) > MAX_TEMPERATURES:
        raise Invalid(f"Name 1 to {MAX_TEMPERATURES} temperatures.")
    wrong = [t for t in kept if not 0 <= t <= 2]
    if wrong:
        raise Invalid(f"Temperature {wrong[0]} does not lie between 0 and 2.")
    return kept


def order_run(
    project: Project,
    user: User | None,
    *,
    teachers: Iterable[Teacher],
    temperatures: Sequence[float],
    samples: int = 1,
    questions: QuerySet[Question] | None = None,
    seed: int = 0,
    max_tokens: int | None = None,
    only_missing: bool = False,
    order_key: str | None = None,
) -> GenerationRun:
    """Order rationales: one slot for each question, teacher, temperature and sample.

    `questions` defaults to the project's training questions. Two samples of one slot's question at
    temperature 0 would be the same text, so 0 is ordered once. The slots are rows when this
    returns; workers fill them.
    """
    earlier = ordered_before(GenerationRun, order_key, project=project)
    if earlier:
        return earlier
    teachers = list(teachers)
    kept = check_temperatures(temperatures)
    if not 1 <= samples <= MAX_SAMPLES:
        raise Invalid(f"Order 1 to {MAX_SAMPLES:,} samples at each temperature.")
    if not teachers:
        raise Invalid("Choose at least one teacher.")
    if any(t.project_id != project.pk or not t.writes for t in teachers):
        raise Invalid("A teacher of this order cannot write in this project.")
    if max_tokens is not None and not 1 <= max_tokens <= 100_000:
        raise Invalid("A rationale may have 1 to 100,000 tokens.")
    if questions is None:
        questions = project.questions.filter(split=Split.TRAIN)
    with transaction.atomic():
        run = GenerationRun.objects.create(
            project=project,
            created_by=user,
            temperatures=kept,
            samples=samples,
            seed=seed,
            max_tokens=max_tokens,
            order_key=order_key,
        )
        run.teachers.set(teachers)
        ids = list(questions.order_by("id").values_list("id", flat=True))
        if not ids:
            raise Invalid("There is no question to write for: import questions first.")
        rows = _slots(run, ids, teachers, kept, samples)
        if only_missing:
            there = _slots_there(project, run)
            rows = (s for s in rows if _key(s) not in there)
        while batch := list(itertools.islice(rows, 5000)):
            Slot.objects.bulk_create(batch, batch_size=1000)
            run.slot_count += len(batch)
        if not run.slot_count:
            raise Conflict("Every rationale of this order is there already, or on its way.")
        run.save(update_fields=["slot_count"])
        queue.send(queue.FILL_RUN, run.pk)
    return run


def _key(slot: Slot) -> tuple[int, int, float, int]:
    return slot.question_id, slot.teacher_id, slot.temperature, slot.sample


def _slots_there(project: Project, run: GenerationRun) -> set[tuple[int, int, float, int]]:
    there = Slot.objects.filter(run__project=project).exclude(run=run)
    on_the_way = Q(status=SlotStatus.EMPTY, run__status__in=ACTIVE)
    return set(
        there.filter(Q(status=SlotStatus.FILLED) | on_the_way).values_list(
            "question_id", "teacher_id", "temperature", "sample"
        )
    )


def _slots(
    run: GenerationRun,
    question_ids: Sequence[int],
    teachers: Sequence[Teacher],
    temperatures: Sequence[float],
    samples: int,
) -> Iterator[Slot]:
    # Blocks of questions: within a block each teacher writes for all of them in one batch, so that
    # the first questions are complete, scored and ready for review early in a long run.
    for start in range(0, len(question_ids), 100):
        for teacher in teachers:
            for question_id in question_ids[start : start + 100]:
                for temperature in temperatures:
                    for sample in range(samples if temperature > 0 else 1):
                        yield Slot(
                            run=run,
                            question_id=question_id,
                            teacher=teacher,
                            temperature=temperature,
                            sample=sample,
                        )


def pause_run(run: GenerationRun) -> None:
    move(GenerationRun, run.pk, ACTIVE, Status.PAUSED)


def cancel_run(run: GenerationRun) -> None:
    move(GenerationRun, run.pk, (*ACTIVE, Status.PAUSED), Status.CANCELLED)


def resume_run(run: GenerationRun) -> None:
    """Go on with the empty slots of a paused, cancelled or failed run."""
    with transaction.atomic():
        move(
            GenerationRun,
            run.pk,
            RESUMABLE,
            Status.WAITING,
            finished_at=None,
            heartbeat_at=None,
            error="",
        )
        queue.send(queue.FILL_RUN, run.pk)


def retry_failed(run: GenerationRun) -> int:
    """Empty the failed slots again and go on; returns how many there were."""
    with transaction.atomic():
        emptied = run.slots.filter(status=SlotStatus.FAILED).update(
            status=SlotStatus.EMPTY, attempts=0, error="", batch=None
        )
        if not emptied:
            raise Conflict("No slot of this run has failed.")
        done = (*RESUMABLE, Status.DONE)
        GenerationRun.objects.filter(pk=run.pk, status__in=done).update(
            status=Status.WAITING, finished_at=None, error=""
        )
        queue.send(queue.FILL_RUN, run.pk)
    return emptied
