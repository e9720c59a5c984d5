"""What the beat does: wake-ups that were lost, and work whose worker went silent, are sent again."""

import logging
from datetime import timedelta

import redis
from django.db.models import F
from django.utils import timezone

from curation import queue
from curation.datasets.models import DatasetCheck, DatasetVersion
from curation.evaluations.models import Evaluation
from curation.projects.models import Project
from curation.questions.leftovers import remove_left_over
from curation.questions.models import Deletion, QuestionImport
from curation.questions.uploads import remove_old_files
from curation.queue import PUT_BACK, SWEEP, app, broker
from curation.rationales import meaning
from curation.rationales.filling import fail_poisoned
from curation.rationales.models import GenerationRun, ScoringRun
from curation.rationales.scoring import order_scoring
from curation.reviews.models import AgreementCount, BulkAction
from curation.reviews.queueing import unassign_those_who_left
from curation.training.models import TrainingJob
from curation.training.services import wake_trainings
from curation.webhooks.sending import any_due
from curation.webhooks.sending import tidy as tidy_webhooks
from curation.work import MAX_ATTEMPTS, Status, Work, finish, silent

log = logging.getLogger(__name__)
RETRY_SCORING_AFTER = timedelta(minutes=10)

TASK_OF: dict[type[Work], str] = {
    QuestionImport: queue.RUN_IMPORT,
    GenerationRun: queue.FILL_RUN,
    ScoringRun: queue.SCORE_PROJECT,
    AgreementCount: queue.COUNT_AGREEMENT,
    BulkAction: queue.RUN_BULK,
    Deletion: queue.RUN_DELETION,
    DatasetVersion: queue.FREEZE_DATASET,
    DatasetCheck: queue.CHECK_DATASET,
    TrainingJob: queue.TRAIN,
    Evaluation: queue.EVALUATE,
}


@app.task(name=PUT_BACK)
def put_back() -> int:
    """Send a wake-up for every row that has gone silent; returns how many were sent.

    A waiting row is only woken when its queue is empty: else its wake-up stands in the queue, behind
    other work. A doubled wake-up does nothing.
    """
    sent = 0
    client = broker()
    for model, task in TASK_OF.items():
        try:
            busy = client.llen(queue.QUEUE_OF[task]) > 0
        except redis.RedisError as error:
            log.warning("the broker does not answer: %s", error)
            return sent
        for work in silent(model):
            if exhausted(work):
                continue
            if work.status == Status.WAITING and busy:
                continue
            if model is TrainingJob and work.status == Status.WAITING and not ready(work):
                continue
            log.info("%s has gone silent; waking it", work)
            queue.send(task, work.pk)
            sent += 1
    for run in GenerationRun.objects.filter(status=Status.RUNNING):
        fail_poisoned(run)
    # Else what was set aside for a person who was taken out of the project would wait for ever.
    unassign_those_who_left()
    tidy_webhooks()
    remove_old_files()
    if any_due():
        queue.send(queue.SEND_WEBHOOKS)
    wake_embedding(client)
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


def wake_embedding(client: redis.Redis) -> None:
    """Searches by meaning whose answers still grow, though no wake-up waits: their worker may be gone.
    Where it is not, this one finds nothing left to do."""
    try:
        if client.llen(queue.QUEUE_OF[queue.EMBED_TEXTS]):
            return
    except redis.RedisError as error:
        log.warning("the broker does not answer: %s", error)
        return
    for project_id in meaning.growing():
        queue.send(queue.EMBED_TEXTS, project_id)


def failed_lately(project: Project) -> bool:
    """Whether the project's last scoring failed just now: another at once would fail as well."""
    last = ScoringRun.objects.filter(project=project).order_by("-id").first()
    if last is None or last.status != Status.FAILED or last.finished_at is None:
        return False
    return timezone.now() - last.finished_at < RETRY_SCORING_AFTER


def exhausted(work: Work) -> bool:
    """Ends work whose worker died again and again. A run counts the attempts of each slot instead."""
    if (
        isinstance(work, GenerationRun)
        or work.status != Status.RUNNING
        or work.attempt < MAX_ATTEMPTS
    ):
        return False
    finish(
        work,
        Status.FAILED,
        error=f"Its worker died {work.attempt} times. See the workers' logs before it is resumed.",
    )
    return True


def ready(job: TrainingJob) -> bool:
    """A training waits for its dataset without anybody having lost anything; it ends with one that
    failed, whose worker may have died before it could say so."""
    if job.dataset.status in (Status.FAILED, Status.CANCELLED):
        wake_trainings(job.dataset)
    return job.dataset.status == Status.DONE
