"""Trainings of a student on a dataset version."""

from django.db import models
from django.db.models import Q

from curation.datasets.models import DatasetVersion
from curation.jobs import Job
from curation.progress import Counted
from curation.projects.models import Project, ProjectQuerySet


class TrainingJob(Job):
    """One LoRA training. It runs as its own process; its events come back as rows."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="training_jobs")
    dataset = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="jobs")
    base_model = models.CharField(max_length=300)
    preset = models.CharField(max_length=40)
    recipe = models.JSONField(default=dict, help_text="What was changed against the preset.")
    evaluate_after = models.BooleanField(default=True)
    step = models.PositiveIntegerField(default=0)
    total_steps = models.PositiveIntegerField(default=0)
    epoch = models.FloatField(default=0.0)
    seconds_left = models.FloatField(null=True)
    tokens_per_second = models.FloatField(null=True)
    checks = models.JSONField(default=dict, help_text="What was checked before the start.")
    says = models.JSONField(default=list, help_text="What the student answered last.")
    events_read = models.BigIntegerField(
        default=0, help_text="Bytes of its events that stand in the rows: no event counts twice."
    )
    adapter_sha256 = models.CharField(max_length=64, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            Job.one_order_a_key("a_training"),
            models.UniqueConstraint(
                fields=["dataset", "base_model", "preset"],
                condition=Q(status__in=["waiting", "running"]),
                name="a_dataset_is_trained_on_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"training {self.pk}"

    def counted(self) -> Counted:
        """The trainer's own pace says more than steps by time, in which models are loaded."""
        total = self.total_steps or None
        return Counted(self.step, total, unit="steps", seconds_left=self.seconds_left)

    @property
    def folder(self) -> str:
        """Where the job's files lie, below the artifacts' address."""
        return f"training/{self.pk}"


class TrainingPointQuerySet(ProjectQuerySet):
    project_path = "job__project"


class TrainingPoint(models.Model):
    """One point of the curves: the training loss, or the held-out loss, at a step."""

    job = models.ForeignKey(TrainingJob, on_delete=models.CASCADE, related_name="points")
    step = models.PositiveIntegerField()
    loss = models.FloatField(null=True)
    eval_loss = models.FloatField(null=True)
    learning_rate = models.FloatField(null=True)

    objects = TrainingPointQuerySet.as_manager()

    class Meta:
        ordering = ["step"]
        constraints = [
            models.UniqueConstraint(fields=["job", "step"], name="a_step_of_a_training_stands_once")
        ]

    def __str__(self) -> str:
        return f"{self.job_id} at {self.step}"
