"""What the beat does: wake-ups that were lost, and work whose worker went silent, are sent again."""

import logging

import redis
from django.db.models import F

from curation import queue
from curation.datasets.models import DatasetVersion
from curation.evaluations.models import Evaluation
from curation.projects.models import Project
from curation.questions.models import QuestionImport
from curation.queue import PUT_BACK, app, broker
from curation.rationales.filling import fail_poisoned
from curation.rationales.models import GenerationRun, ScoringRun
from curation.rationales.scoring import order_scoring
from curation.training.models import TrainingJob
from curation.training.services import wake_trainings
from curation.work import MAX_ATTEMPTS, Status, Work, finish, silent

log = logging.getLogger(__name__)

TASK_OF: dict[type[Work], str] = {
    QuestionImport: queue.RUN_IMPORT,
    GenerationRun: queue.FILL_RUN,
    ScoringRun: queue.SCORE_PROJECT,
    DatasetVersion: queue.FREEZE_DATASET,
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
    # Rationales whose scoring was never ordered, because the process died right after writing them.
    for project in Project.objects.filter(groups__scored__lt=F("groups__revision")).distinct():
        order_scoring(project, None)
    return sent


def exhausted(work: Work) -> bool:
    """Ends work whose worker died again and again. Runs and scorings have bounds of their own."""
    if (
        isinstance(work, GenerationRun | ScoringRun)
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
