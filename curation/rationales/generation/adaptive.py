"""Adaptive runs: stop where enough rationales are good, go on where none is.

Such a run goes in rounds. When a round is written and scored, the empty slots of questions that have
enough rationales that pass the rubric are set aside ("saved"); after the last planned round what was
saved is spent on questions of which no rationale passes.
"""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from curation.jobs import Status
from curation.projects.models import Project
from curation.rationales.generation.parts import wake_run
from curation.rationales.models import GenerationRun, Group, Rationale, Slot, SlotStatus, passes


def waits_for_scores(run: GenerationRun) -> bool:
    """Rationales of the run's questions are not scored yet: the next round cannot be chosen."""
    asked = Slot.objects.filter(run=run, status=SlotStatus.FILLED).values("question_id")
    stale = Group.objects.filter(project=run.project, scored__lt=F("revision"))
    return stale.filter(question_id__in=asked).exists()


def next_round(run: GenerationRun) -> None:
    """Set aside what is not needed and begin the next round; in the end, add what was saved."""
    with transaction.atomic():
        this = GenerationRun.objects.filter(pk=run.pk, round=run.round)
        if not this.update(round=F("round") + 1):
            run.refresh_from_db(fields=["round"])
            return  # another worker did it
        run.round += 1
        set_aside(run)
        if not run.slots.filter(status=SlotStatus.EMPTY).exists():
            _spend_again(run)


def set_aside(run: GenerationRun) -> int:
    """The empty slots of questions that have enough good rationales are not needed."""
    good = _passing(run).values("question_id").annotate(n=Count("id")).filter(n__gte=run.enough)
    return run.slots.filter(
        status=SlotStatus.EMPTY, batch=None, question_id__in=good.values("question_id")
    ).update(status=SlotStatus.SAVED)


def _passing(run: GenerationRun) -> QuerySet[Rationale]:
    rationales = Rationale.objects.for_project(run.project).order_by()
    return rationales.filter(passes(run.project.rubric, "score__"))


def _spend_again(run: GenerationRun) -> None:
    saved = run.slots.filter(status=SlotStatus.SAVED).count() - run.extra
    slots = list(_extra_slots(run, saved)) if saved > 0 else []
    if slots:
        Slot.objects.bulk_create(slots, batch_size=1000)
        run.extra, run.slot_count = run.extra + len(slots), run.slot_count + len(slots)
        run.save(update_fields=["extra", "slot_count"])


def _extra_slots(run: GenerationRun, most: int) -> Iterator[Slot]:
    """Up to `enough` more samples for each question without a good rationale, hottest first.

    A question gets at most as many again as were planned for it: some have no answer to be found.
    """
    heats = sorted((heat for heat in run.temperatures if heat > 0), reverse=True)
    teachers = sorted(run.teachers.all(), key=lambda one: (one.price_out, one.pk))
    kinds = [(teacher, heat) for heat in heats for teacher in teachers]
    per_heat = [run.samples if heat > 0 else 1 for heat in run.temperatures]
    planned = sum(per_heat) * len(teachers)
    starving = (
        run.slots.order_by("question_id")
        .exclude(question_id__in=_passing(run).values("question_id"))
        .values_list("question_id")
        .annotate(n=Count("id", filter=Q(sample__gte=run.samples)))
        .filter(n__lt=planned)
    )
    if not kinds:
        return  # at temperature 0 the same text would come again
    for question_id, added in starving:
        for place in range(added, min(added + run.enough, planned)):
            if most <= 0:
                return
            most -= 1
            teacher, heat = kinds[place % len(kinds)]
            sample = run.samples + place // len(kinds)
            yield Slot(
                run=run,
                question_id=question_id,
                teacher=teacher,
                temperature=heat,
                sample=sample,
                round=run.round,
            )


def wake_adaptive(project: Project) -> None:
    """After scoring: runs that waited for it go on."""
    waiting = GenerationRun.objects.filter(project=project, status=Status.RUNNING, enough__gt=0)
    for run in waiting:
        wake_run(run)
