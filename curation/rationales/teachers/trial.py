"""Trying a teacher: one answer, its latency and cost, before anything is saved."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from curation import celery_app
from curation.db.quotas import lock
from curation.errors import Invalid
from curation.jobs import ACTIVE, Status, ordered_by
from curation.projects.models import Project, User
from curation.rationales.models import Backend, Teacher, TeacherTry
from curation.rationales.teachers.services import check_teacher
from curation.text.clean import clean

KEPT = timedelta(hours=1)
GIVEN_UP = timedelta(minutes=10)  # nobody waits so long at a page
OPEN_AT_ONCE = 5  # for one person: each may cost money
MAX_QUESTION = 4000
FIELDS = (
    *("name", "backend", "model", "base_url", "api_key_env", "prompt_style", "max_tokens", "top_p"),
    *("price_in", "price_out", "concurrency", "samples_per_request", "requests_per_minute"),
    *("tokens_per_minute", "dtype", "context_length", "tensor_parallel", "pipeline_parallel"),
    "gpu_memory",
)
QUESTION = "Tom has 3 boxes with 12 pencils each. He gives 7 pencils away. How many are left?"


def order_try(project: Project, user: User, teacher: Teacher, question: str) -> TeacherTry:
    """Ask the teacher, saved or not, one question. Raises Invalid with what is wrong with it."""
    check_teacher(project, teacher)
    question = clean(question) or QUESTION
    if len(question) > MAX_QUESTION:
        raise Invalid(f"Try it with a question of at most {MAX_QUESTION:,} characters.")
    now = timezone.now()
    mine = TeacherTry.objects.for_project(project)
    mine.filter(created_at__lt=now - KEPT).delete()
    mine.filter(status__in=ACTIVE, created_at__lt=now - GIVEN_UP).update(
        status=Status.FAILED, error="No worker answered within ten minutes.", finished_at=now
    )
    with transaction.atomic():
        lock(user)
        if mine.filter(created_by=user, status__in=ACTIVE).count() >= OPEN_AT_ONCE:
            raise Invalid("Five tries are on their way already: wait for one to end.")
        row = TeacherTry.objects.create(
            project=project,
            **ordered_by(user),
            settings={name: getattr(teacher, name) for name in FIELDS},
            question=question,
        )
        celery_app.send(task_of(teacher), row.pk)
    return row


def task_of(teacher: Teacher) -> str:
    """An address is asked by the `network` worker, a model of ours by the one that has the GPU."""
    return celery_app.TRY_ADDRESS if teacher.backend == Backend.OPENAI else celery_app.TRY_TEACHER


def teacher_of(row: TeacherTry) -> Teacher:
    """The teacher as it was tried; it may never have been saved."""
    return Teacher(project_id=row.project_id, **row.settings)


def still_waited_for(row: TeacherTry) -> bool:
    return row.is_active and row.created_at > timezone.now() - GIVEN_UP
