"""Check and store teachers."""

from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from curation.db.quotas import lock
from curation.errors import Conflict, Invalid
from curation.key_names import holds_no_key
from curation.projects.models import Project
from curation.rationales.models import Backend, Teacher
from curation.text.clean import clean_line

MAX_TEMPERATURES = 20


def save_teacher(project: Project, teacher: Teacher) -> Teacher:
    """Check and store a teacher, new or changed. Raises Invalid with every field that is wrong."""
    check_teacher(project, teacher)
    with transaction.atomic():
        if teacher.pk is None:
            refuse_more_teachers(project)
        teacher.save()
    return teacher


def refuse_more_teachers(project: Project, more: int = 1) -> None:
    """Raises Conflict where the project would have too many teachers with `more` of them. Holds the
    project's row until the transaction ends."""
    lock(project)
    most = settings.TEACHERS_PER_PROJECT
    there = Teacher.objects.filter(project=project).count()
    if there + more > most:
        raise Conflict(
            f"A project has at most {most:,} teachers, and this one has {there:,}: use one of them, or ask "
            "the operator (TEACHERS_PER_PROJECT)."
        )


def check_teacher(project: Project, teacher: Teacher) -> None:
    """Raises Invalid with what is wrong with a teacher, saved or not."""
    teacher.project = project
    teacher.name = clean_line(teacher.name)
    if teacher.backend == Backend.OPENAI and not teacher.base_url:
        raise Invalid("An OpenAI-compatible teacher needs its address (base_url).")
    try:
        holds_no_key(teacher.base_url)
    except ValidationError as error:
        raise Invalid(f"base_url: {error.messages[0]}") from None
    if not teacher.model:
        raise Invalid(
            "A teacher needs its model: a folder of the worker's models, or the server's name for it."
        )
    if any(sign in teacher.model for sign in "\n\r;|$`") or teacher.model.startswith("-"):
        raise Invalid(f"{teacher.model!r} cannot be a model's name.")
    if not 0 < teacher.gpu_memory <= 1:
        raise Invalid("The share of the GPU's memory lies above 0 and is at most 1.")
    if min(teacher.price_in, teacher.price_out) < 0 or not 0 < teacher.top_p <= 1:
        raise Invalid("Prices are 0 or more, and top-p lies above 0 and is at most 1.")
    for name in (
        "max_tokens",
        "concurrency",
        "samples_per_request",
        "tensor_parallel",
        "pipeline_parallel",
    ):
        if not getattr(teacher, name):
            raise Invalid(
                f"{Teacher._meta.get_field(name).verbose_name.capitalize()} is at least 1."
            )
    others = Teacher.objects.for_project(project).exclude(pk=teacher.pk)
    if others.filter(name=teacher.name).exists():
        raise Invalid(f"There is a teacher “{teacher.name}” already: choose another name.")
    try:
        teacher.full_clean()
    except ValidationError as error:
        told = (f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise Invalid(" ".join(told)) from None


def check_temperatures(temperatures: Sequence[float]) -> list[float]:
    kept = sorted(set(temperatures))
    if not kept or len(kept) > MAX_TEMPERATURES:
        raise Invalid(f"Name 1 to {MAX_TEMPERATURES} temperatures.")
    wrong = [t for t in kept if not 0 <= t <= 2]
    if wrong:
        raise Invalid(f"Temperature {wrong[0]} does not lie between 0 and 2.")
    return kept
