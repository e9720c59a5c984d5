"""Writes to teachers and generation runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from curation.errors import Conflict, Invalid
from curation.jobs import (
    ACTIVE,
    RESUMABLE,
    Status,
    move,
    ordered_before,
    ordered_by,
    refuse_resuming_beyond,
    resume,
    take_order,
)
from curation.projects.models import Project, User
from curation.questions.models import Question, Split
from curation.rationales.generation.budgets import what_is_spent
from curation.rationales.generation.parts import wake_run
from curation.rationales.generation.planning import plan
from curation.rationales.generation.prompt_styles import FEW_SHOT, HINT, styles
from curation.rationales.models import GenerationRun, Rationale, Slot, SlotStatus, Teacher
from curation.rationales.teachers.services import check_temperatures

MAX_SAMPLES = 1000
MAX_TOKENS = 100_000
MAX_BUDGET = 10**15
EXAMPLES = 3  # shown by the few-shot style


@dataclass(frozen=True)
class Budget:
    """What a run may take; None is no limit. It is paused when a limit is reached."""

    money: float | None = None
    tokens: int | None = None
    rationales: int | None = None

    def __post_init__(self) -> None:
        given = [one for one in (self.money, self.tokens, self.rationales) if one is not None]
        if any(not 0 < one <= MAX_BUDGET for one in given):
            raise Invalid("A budget is more than 0; leave it empty for no limit.")

    def stored(self) -> dict[str, float | int | None]:
        return {
            "budget_money": self.money,
            "budget_tokens": self.tokens,
            "budget_rationales": self.rationales,
        }


def order_run(
    project: Project,
    user: User | None,
    *,
    teachers: Iterable[Teacher],
    temperatures: Sequence[float],
    samples: int = 1,
    questions: QuerySet[Question] | None = None,
    filters: dict[str, Any] | None = None,
    seed: int = 0,
    max_tokens: int | None = None,
    prompt_style: str = "",
    budget: Budget | None = None,
    enough: int = 0,
    only_missing: bool = False,
    order_key: str | None = None,
) -> GenerationRun:
    """Order rationales: one slot for each question, teacher, temperature and sample.

    `questions` defaults to the project's training questions; `filters` says in words how they were
    chosen. Two samples of one slot's question at temperature 0 would be the same text, so 0 is
    ordered once. With `enough`, a question is left alone once so many of its rationales pass the rubric.
    The slots are rows when this returns; workers fill them.
    """
    earlier = ordered_before(GenerationRun, project, user, order_key)
    if earlier:
        return earlier
    teachers = list(teachers)
    kept = check_temperatures(temperatures)
    if not 1 <= samples <= MAX_SAMPLES:
        raise Invalid(f"Order 1 to {MAX_SAMPLES:,} samples at each temperature.")
    if not 0 <= enough <= MAX_SAMPLES:
        raise Invalid(f"Enough is 1 to {MAX_SAMPLES:,} rationales; 0 asks for all.")
    _check_order(project, teachers, max_tokens)
    if questions is None:
        questions = project.questions.filter(split=Split.TRAIN)
    questions, examples = _for_style(project, questions, prompt_style)
    _check_size(questions, len(teachers) * sum(samples if heat else 1 for heat in kept))
    with transaction.atomic():
        if earlier := take_order(GenerationRun, project, user, order_key):
            return earlier
        run = GenerationRun.objects.create(
            project=project,
            **ordered_by(user),
            temperatures=kept,
            samples=samples,
            filters=filters or {},
            seed=seed,
            max_tokens=max_tokens,
            prompt_style=prompt_style,
            examples=examples,
            enough=enough,
            order_key=order_key,
            **(budget or Budget()).stored(),
        )
        run.teachers.set(teachers)
        if not questions.exists():
            raise Invalid("There is no question to write for: import questions first.")
        run.slot_count = plan(run, questions, teachers, only_missing=only_missing)
        if not run.slot_count:
            raise Conflict("Every rationale of this order is there already, or on its way.")
        run.save(update_fields=["slot_count"])
        wake_run(run)
    return run


def _check_size(questions: QuerySet[Question], of_each: int) -> None:
    if (asked := questions.count() * of_each) > settings.SLOTS_PER_RUN:
        raise Invalid(
            f"This run would ask for {asked:,} rationales, and one may ask for {settings.SLOTS_PER_RUN:,}: "
            "choose fewer questions, teachers, temperatures or samples (SLOTS_PER_RUN)."
        )


def _check_order(project: Project, teachers: list[Teacher], max_tokens: int | None) -> None:
    if not teachers:
        raise Invalid("Choose at least one teacher.")
    if any(t.project_id != project.pk or not t.writes for t in teachers):
        raise Invalid("A teacher of this order cannot write in this project.")
    if max_tokens is not None and not 1 <= max_tokens <= MAX_TOKENS:
        raise Invalid(f"A rationale may have 1 to {MAX_TOKENS:,} tokens.")


def _for_style(
    project: Project, questions: QuerySet[Question], style: str
) -> tuple[QuerySet[Question], list[int]]:
    """The questions that can be asked in the style, and the rationales that it shows as examples."""
    if style and style not in styles():
        raise Invalid(f"There is no prompt style {style!r}: there are {', '.join(styles())}.")
    if style == HINT:
        questions = questions.exclude(reference_answer=None).exclude(reference_answer="")
        if not questions.exists():
            raise Invalid("A hint is the reference answer, and none of these questions has one.")
    if style != FEW_SHOT:
        return questions, []
    approved = Rationale.objects.for_project(project).filter(decision__outcome="approved")
    best = approved.filter(question__split=Split.TRAIN).order_by("-score__overall", "id")
    chosen: dict[int, int] = {}
    for pk, question in best.values_list("pk", "question_id")[: 20 * EXAMPLES]:
        chosen.setdefault(question, pk)
    if not chosen:
        raise Invalid("Few-shot shows approved rationales, and this project has none yet.")
    # One more than is shown: a question never sees its own rationale.
    return questions, list(chosen.values())[: EXAMPLES + 1]


def order_cut_off(
    run: GenerationRun, user: User | None, max_tokens: int, order_key: str | None = None
) -> GenerationRun:
    """Order the answers of a run that were cut off once more, alone, with more tokens.

    The cut off ones stay as they are; so do the good ones. The same seeds are used.
    """
    earlier = ordered_before(GenerationRun, run.project, user, order_key)
    if earlier:
        return earlier
    if not 1 <= max_tokens <= MAX_TOKENS:
        raise Invalid(f"A rationale may have 1 to {MAX_TOKENS:,} tokens.")
    cut_off = run.slots.filter(rationale__finish_reason="length", rationale__project__isnull=False)
    before = [run.max_tokens] if run.max_tokens else [t.max_tokens for t in run.teachers.all()]
    if max_tokens <= max(before, default=0):
        raise Invalid(f"These were cut off at {max(before):,} tokens: give them more.")
    with transaction.atomic():
        if earlier := take_order(GenerationRun, run.project, user, order_key):
            return earlier
        again = GenerationRun.objects.create(
            project=run.project,
            **ordered_by(user),
            redo_of=run,
            temperatures=run.temperatures,
            samples=run.samples,
            filters=run.filters,
            seed=run.seed,
            max_tokens=max_tokens,
            prompt_style=run.prompt_style,
            examples=run.examples,
            order_key=order_key,
        )
        again.teachers.set(run.teachers.all())
        rows = cut_off.order_by("id").values("question_id", "teacher_id", "temperature", "sample")
        slots = [Slot(run=again, **row) for row in rows.iterator()]
        if not slots:
            raise Conflict("No answer of this run was cut off.")
        Slot.objects.bulk_create(slots, batch_size=1000)
        again.slot_count = len(slots)
        again.save(update_fields=["slot_count"])
        wake_run(again)
    return again


def set_budget(run: GenerationRun, budget: Budget) -> None:
    """Change the limits of a run that has not ended; a paused one can then go on."""
    open_to = (*ACTIVE, *RESUMABLE)
    changed = GenerationRun.objects.filter(pk=run.pk, status__in=open_to).update(**budget.stored())
    if not changed:
        raise Conflict("This run has ended: order another one.")


def pause_run(run: GenerationRun) -> None:
    move(GenerationRun, run.pk, ACTIVE, Status.PAUSED)


def resume_run(run: GenerationRun) -> None:
    """Go on with the empty slots of a paused, cancelled or failed run."""
    if run.slots.filter(status=SlotStatus.EMPTY).exists() and (spent := _spent_now(run)):
        raise Conflict(f"{spent} Raise the budget first.")
    resume(run, lambda: wake_run(run))


def _spent_now(run: GenerationRun) -> str:
    """The limits may have been changed since `run` was read."""
    return what_is_spent(GenerationRun.objects.get(pk=run.pk))


def retry_failed(run: GenerationRun) -> int:
    """Empty the failed slots again and go on; returns how many there were."""
    with transaction.atomic():
        # Those of deleted questions wait until these are restored.
        failed = run.slots.filter(status=SlotStatus.FAILED, question__project__isnull=False)
        emptied = failed.update(status=SlotStatus.EMPTY, attempts=0, error="", batch=None)
        if not emptied:
            raise Conflict("No slot of this run has failed that could be tried again.")
        ended = GenerationRun.objects.filter(pk=run.pk, status__in=(*RESUMABLE, Status.DONE))
        if ended.exists():
            refuse_resuming_beyond(run)
            ended.update(status=Status.WAITING, finished_at=None, error="")
        wake_run(run)
    return emptied
