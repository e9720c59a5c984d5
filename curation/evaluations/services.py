"""Order evaluations, take in their answers and reports."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from curation import celery_app
from curation.errors import Conflict, Invalid
from curation.evaluations.models import Answer, Evaluation
from curation.jobs import (
    Status,
    finish,
    give_way,
    ordered_before,
    ordered_by,
    resume,
    take_order,
)
from curation.projects.models import Project, User
from curation.questions.models import Question, Split
from curation.rationales.models import Backend
from curation.reviews.queue.items import pull_forward
from curation.training.models import TrainingJob

FAILURE_REASON = "the student fails at this kind"


def held_out(project: Project, options: dict[str, Any]) -> list[Question]:
    """The questions of an evaluation: of its splits, at most `limit` of each subset, in order."""
    questions = project.questions.filter(
        split__in=options["splits"], reference_answer__isnull=False
    ).order_by("split", "subset", "id")
    limit = options.get("limit")
    kept: list[Question] = []
    seen: dict[tuple[str, str], int] = {}
    for question in questions:
        part = (question.split, question.subset)
        seen[part] = seen.get(part, 0) + 1
        if limit is None or seen[part] <= limit:
            kept.append(question)
    return kept


def order_evaluation(
    project: Project,
    user: User | None,
    job: TrainingJob | None = None,
    *,
    compared: Sequence[TrainingJob] = (),
    splits: Sequence[str] = (Split.EVAL, Split.OOD),
    limit: int | None = None,
    order_key: str | None = None,
) -> Evaluation:
    """Order a measurement of the base student, the trained one and the teachers on held-out questions.

    `compared`: further trained students to measure beside them. `limit`: at most so many questions
    of each subset.
    """
    earlier = ordered_before(Evaluation, project, user, order_key)
    if earlier:
        return earlier
    if not set(splits) <= {Split.EVAL, Split.OOD} or not splits:
        raise Invalid("Models are measured on the splits eval and ood, never on what they learned.")
    for one in [job, *compared]:
        if one is not None and (one.project_id != project.pk or one.status != Status.DONE):
            raise Conflict(f"{one} has not ended well, so there is no student of it to measure.")
    if not project.student:
        raise Invalid("The project names no student: set one in its settings first.")
    options = {"splits": list(splits), "limit": limit}
    if not project.questions.filter(split__in=splits, reference_answer__isnull=False).exists():
        raise Conflict("There is no held-out question with an answer: import some as eval or ood.")
    with transaction.atomic():
        if earlier := take_order(Evaluation, project, user, order_key):
            return earlier
        evaluation = Evaluation.objects.create(
            project=project,
            job=job,
            options=options,
            order_key=order_key,
            asks_addresses=_has_addresses(project),
            **ordered_by(user),
        )
        evaluation.compared_jobs.set(compared)
        wake_evaluation(evaluation)
    return evaluation


def _has_addresses(project: Project) -> bool:
    return project.teachers.filter(writes=True, backend=Backend.OPENAI).exists()


def wake_evaluation(evaluation: Evaluation) -> None:
    """Wake the worker that it needs now: what waits for the servers of others holds no GPU."""
    asks = evaluation.asks_addresses
    celery_app.send(celery_app.EVALUATE_ADDRESSES if asks else celery_app.EVALUATE, evaluation.pk)


def addresses_asked(evaluation: Evaluation) -> bool:
    """The teachers at addresses have answered: the models of the worker are next. False when it was no
    longer this worker's."""
    if not give_way(evaluation, asks_addresses=False):
        return False
    evaluation.asks_addresses = False
    wake_evaluation(evaluation)
    return True


def resume_evaluation(evaluation: Evaluation) -> None:
    """Go on; teachers that have answered are not asked again: their answers are in the folder."""
    asks = _has_addresses(evaluation.project)

    def wake() -> None:
        evaluation.asks_addresses = asks
        wake_evaluation(evaluation)

    resume(evaluation, wake, asks_addresses=asks)


def finish_evaluation(
    evaluation: Evaluation,
    report: dict[str, Any],
    verdict: list[str],
    answers: Sequence[Answer],
    weak_domains: Sequence[str] = (),
) -> bool:
    """Store answers, report and verdict together; the kinds at which the student fails go to the
    front of the review queue. False when this worker's attempt was no longer in force."""
    with transaction.atomic():
        # One that a server broke off in the middle has a text, and came.
        failed = sum(answer.finish_reason == "error" and not answer.text for answer in answers)
        came = {"done": len(answers) - failed, "failed": failed, "total": len(answers)}
        if not finish(evaluation, Status.DONE, report=report, verdict=verdict, **came):
            return False
        evaluation.answers.all().delete()
        Answer.objects.bulk_create(answers, batch_size=500)
        if weak_domains:
            pull_forward(evaluation.project, weak_domains, FAILURE_REASON)
    return True
