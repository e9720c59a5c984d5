"""What the beat does: wake-ups that were lost, and work whose worker went silent, are sent again."""

import logging
from collections import Counter
from datetime import datetime, timedelta

import redis
from django.apps import apps
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from curation import celery_app, turns
from curation.celery_app import PUT_BACK, SWEEP, app
from curation.evaluations.models import Evaluation
from curation.jobs import ACTIVE, MAX_ATTEMPTS, Job, Status, finish, silent
from curation.projects.models import Project
from curation.questions.leftovers import remove_left_over
from curation.questions.uploads import remove_old_files
from curation.rationales.generation.batches import fail_poisoned
from curation.rationales.generation.parts import (
    PARTS,
    TASK_OF_PART,
    is_free,
    teachers_of,
    to_begin,
)
from curation.rationales.models import GenerationRun, ScoringRun
from curation.rationales.scoring.scores import order_scoring
from curation.rationales.semantic_search import searches
from curation.reviews.queue.assignments import unassign_those_who_left
from curation.training.models import TrainingJob
from curation.training.services import wake_trainings
from curation.webhooks.sending import any_due
from curation.webhooks.sending import tidy as tidy_webhooks

log = logging.getLogger(__name__)
RETRY_SCORING_AFTER = timedelta(minutes=10)
WORK = [apps.get_model(label) for label in turns.TASK_OF]
WakeUps = dict[str, Counter[celery_app.WakeUp]]  # by queue


@app.task(name=PUT_BACK)
def put_back() -> int:
    """Send a wake-up for every row that has gone silent and has none in its queue; returns how many
    were sent. A doubled wake-up does nothing."""
    try:
        lying = {name: celery_app.wake_ups_in(name) for name in celery_app.QUEUES}
    except redis.RedisError as error:
        log.warning("the broker does not answer: %s", error)
        return 0
    sent = sum(wake_again(model, lying) for model in WORK if model is not GenerationRun)
    sent += wake_runs(lying)
    # Else what was set aside for a person who was taken out of the project would wait for ever.
    unassign_those_who_left()
    tidy_webhooks()
    remove_old_files()
    if any_due():
        celery_app.send(celery_app.SEND_WEBHOOKS)
    wake_embedding(lying)
    # Rationales whose scoring was never ordered, because the process died right after writing them.
    for project in Project.objects.filter(groups__scored__lt=F("groups__revision")).distinct():
        if not failed_lately(project):
            order_scoring(project, None)
    return sent


@app.task(name=SWEEP)
def sweep() -> int:
    """Remove files that processes left when they were killed; returns how many."""
    gone = remove_left_over()
    if gone:
        log.info("removed files that were left over: %s", ", ".join(gone))
    return len(gone)


def wake_embedding(lying: WakeUps) -> None:
    """Searches by meaning whose answers still grow, though no wake-up waits: their worker may be gone.
    Where it is not, this one finds nothing left to do."""
    if lying[celery_app.QUEUE_OF[celery_app.EMBED_TEXTS]]:
        return
    for project_id in searches.growing():
        celery_app.send(celery_app.EMBED_TEXTS, project_id)


def wake_again(model: type[Job], lying: WakeUps) -> int:
    """Wake the silent rows of one kind; how many were."""
    sent = 0
    for work in silent(model):
        if exhausted(work):
            continue
        if model is TrainingJob and work.status == Status.WAITING and not ready(work):
            continue
        asks = model is Evaluation and work.asks_addresses
        task = celery_app.EVALUATE_ADDRESSES if asks else turns.TASK_OF[model._meta.label]
        if (task, (work.pk,)) not in lying[celery_app.QUEUE_OF[task]]:
            log.info("%s has gone silent; waking it", work)
            celery_app.send(task, work.pk)
            sent += 1
    return sent


def wake_runs(lying: WakeUps) -> int:
    """Wake each part of a run that nobody is at, though slots of it are free; how many were. One part
    may have lost its worker while another goes on."""
    for run in GenerationRun.objects.filter(status=Status.RUNNING):
        fail_poisoned(run)
    active = Q(generationrun__status__in=ACTIVE, generationrun__created_at__lt=long_ago())
    wanted: list[tuple[str, int]] = []
    for part in PARTS:
        ready = Counter(to_begin(part, active).values_list("generationrun_id", flat=True))
        for pk, teachers in ready.items():
            if not lying[part][TASK_OF_PART[part], (pk,)]:
                wanted += [(part, pk)] * (teachers if part == celery_app.NETWORK else 1)
    # It may be to be ended, or to be begun by a worker that finds it done.
    for run in silent(GenerationRun).filter(created_at__lt=long_ago()):
        if not run.slots.filter(is_free(run)).exists():
            part = celery_app.GPU if teachers_of(run, celery_app.GPU) else celery_app.NETWORK
            if not lying[part][TASK_OF_PART[part], (run.pk,)]:
                wanted.append((part, run.pk))
    for part, pk in wanted:
        log.info("nobody is at run %s on the queue %s; waking it", pk, part)
        celery_app.send(TASK_OF_PART[part], pk)
    return len(wanted)


def long_ago() -> datetime:
    return timezone.now() - settings.SILENT_AFTER


def failed_lately(project: Project) -> bool:
    """Whether the project's last scoring failed just now: another at once would fail as well."""
    last = ScoringRun.objects.filter(project=project).order_by("-id").first()
    if last is None or last.status != Status.FAILED or last.finished_at is None:
        return False
    return timezone.now() - last.finished_at < RETRY_SCORING_AFTER


def exhausted(work: Job) -> bool:
    """Ends work whose worker died again and again. A run counts the attempts of each slot instead."""
    if (
        isinstance(work, GenerationRun)
        or work.status != Status.RUNNING
        or work.lost_workers < MAX_ATTEMPTS
    ):
        return False
    finish(
        work,
        Status.FAILED,
        error=f"Its worker died {work.lost_workers} times. See the workers' logs before it is resumed.",
    )
    return True


def ready(job: TrainingJob) -> bool:
    """A training waits for its dataset without anybody having lost anything; it ends with one that
    failed, whose worker may have died before it could say so."""
    if job.dataset.status in (Status.FAILED, Status.CANCELLED):
        wake_trainings(job.dataset)
    return job.dataset.status == Status.DONE
