"""Order trainings, follow them, end them."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from curation import celery_app
from curation.datasets.models import DatasetVersion
from curation.datasets.services import order_freeze
from curation.errors import Conflict, Invalid
from curation.jobs import (
    Status,
    ordered_before,
    ordered_by,
    resume,
    still_mine,
    take_order,
)
from curation.projects.models import Project, User
from curation.training.models import TrainingJob, TrainingPoint
from curation.training.presets import PRESETS

UNDER_WAY = "This dataset is being trained on already: see the list of trainings."


def export_and_train(
    project: Project, user: User, *, preset: str = "", order_key: str | None = None
) -> TrainingJob:
    """The one click: freeze what is approved and train the project's student on it, then measure."""
    earlier = ordered_before(TrainingJob, project, user, order_key)
    if earlier:
        return earlier
    with transaction.atomic():
        version = order_freeze(project, user, order_key=order_key)
        return order_training(project, user, version, preset=preset, order_key=order_key)


def order_training(
    project: Project,
    user: User | None,
    dataset: DatasetVersion,
    *,
    preset: str = "",
    recipe: dict[str, Any] | None = None,
    evaluate_after: bool = True,
    order_key: str | None = None,
) -> TrainingJob:
    """Order a LoRA training of the project's student on a dataset version, frozen or on its way.

    `recipe` overrides fields of the preset. Raises Invalid for an unknown preset or field or a
    project without a student, Conflict when the same training is on its way already.
    """
    earlier = ordered_before(TrainingJob, project, user, order_key)
    if earlier:
        return earlier
    preset = preset or ("demo" if project.is_demo else "small")
    if preset not in PRESETS:
        raise Invalid(f"{preset!r} is no preset: choose one of {', '.join(PRESETS)}.")
    if dataset.project_id != project.pk:
        raise Invalid("The dataset belongs to another project.")
    _require_frozen(dataset)
    if not project.student:
        raise Invalid("The project names no student: set one in its settings first.")
    try:
        with transaction.atomic():
            if earlier := take_order(TrainingJob, project, user, order_key):
                return earlier
            job = TrainingJob.objects.create(
                project=project,
                **ordered_by(user),
                dataset=dataset,
                base_model=project.student,
                preset=preset,
                recipe=recipe or {},
                evaluate_after=evaluate_after,
                order_key=order_key,
            )
            celery_app.send(celery_app.TRAIN, job.pk)
    except IntegrityError:
        raise Conflict(UNDER_WAY) from None
    return job


def _require_frozen(dataset: DatasetVersion) -> None:
    """Frozen, or on its way. Raises Conflict where it never will be."""
    if dataset.status in (Status.FAILED, Status.CANCELLED):
        raise Conflict(f"Dataset {dataset.number} was not frozen ({dataset.error}): export again.")


def wake_trainings(dataset: DatasetVersion) -> None:
    """A dataset was frozen: the trainings that wait for it may begin; or it failed, and they fail."""
    waiting = TrainingJob.objects.filter(dataset=dataset, status=Status.WAITING)
    if dataset.status == Status.DONE:
        for pk in waiting.values_list("pk", flat=True):
            celery_app.send(celery_app.TRAIN, pk)
    elif dataset.status in (Status.FAILED, Status.CANCELLED):
        waiting.update(
            status=Status.FAILED,
            finished_at=timezone.now(),
            error=f"Dataset {dataset.number} was not frozen: {dataset.error}",
        )


def resume_training(job: TrainingJob) -> None:
    """Go on from the last checkpoint. Raises Conflict where its dataset was never frozen, or the same
    training was ordered anew and is under way."""
    _require_frozen(job.dataset)
    try:
        resume(job, lambda: celery_app.send(celery_app.TRAIN, job.pk))
    except IntegrityError:
        raise Conflict(UNDER_WAY) from None


def record(
    job: TrainingJob,
    changes: dict[str, Any],
    points: list[TrainingPoint],
    *,
    back_to: int | None = None,
) -> bool:
    """Write progress and points of the curves; False when the job is no longer this worker's.

    back_to: the training goes on from its checkpoint at this step, so what it had done after that is no
    part of it any more, and is dropped first.
    """
    with transaction.atomic():
        if not still_mine(job, **changes):
            return False
        if back_to is not None:
            job.points.filter(step__gt=back_to).delete()
        # Of one step the loss may come now and the held-out loss later: neither wipes out the other.
        for names in (("loss", "learning_rate"), ("eval_loss",)):
            TrainingPoint.objects.bulk_create(
                [point for point in points if getattr(point, names[0]) is not None],
                update_conflicts=True,
                unique_fields=["job", "step"],
                update_fields=names,
            )
    return True
