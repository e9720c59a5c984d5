"""Frozen, numbered, content-hashed lists of examples."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from curation.jobs import Job, Status
from curation.progress import Counted
from curation.projects.models import Project, ProjectQuerySet
from curation.questions.models import Question
from curation.rationales.models import Rationale


class DatasetVersion(Job):
    """A frozen dataset. `sha256` is that of its canonical JSONL, byte for byte."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="dataset_versions")
    number = models.PositiveIntegerField()
    recipe = models.JSONField(help_text="How the examples were chosen.")
    card = models.TextField(
        blank=True, help_text="Markdown: what it is, from whom, how it was made."
    )
    funnel = models.JSONField(
        default=dict, help_text="How many there were, and what each step of the recipe left out."
    )
    gates = models.ForeignKey(
        "GateRun",
        null=True,
        on_delete=models.SET_NULL,
        related_name="versions",
        help_text="The look through its examples before it was frozen; none: it was frozen unseen.",
    )
    sha256 = models.CharField(max_length=64, blank=True)
    example_count = models.PositiveIntegerField(default=0)
    question_count = models.PositiveIntegerField(default=0)
    changes_until = models.BigIntegerField(
        default=0,
        editable=False,
        help_text="The newest change of a question when it was frozen: its rows are read as they stood then.",
    )
    verdicts = models.JSONField(
        null=True,
        help_text="How many examples have which verdict of their answer; null before 2026-11-29.",
    )

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            Job.one_order_a_key("a_dataset"),
            models.UniqueConstraint(
                fields=["project", "number"], name="a_dataset_number_is_used_once_in_a_project"
            ),
            models.CheckConstraint(
                name="a_frozen_dataset_has_its_hash",
                condition=~Q(status="done") | Q(sha256__regex=r"^[0-9a-f]{64}$"),
            ),
        ]

    def __str__(self) -> str:
        return f"dataset {self.number}"

    def counted(self) -> Counted:
        """How many are chosen is known in the end."""
        known = self.example_count if self.status == Status.DONE else None
        return Counted(self.example_count, known, unit="examples")


class DatasetCheck(Job):
    """One look at whether the rows of a frozen dataset still give the bytes that were frozen."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    version = models.ForeignKey(DatasetVersion, on_delete=models.CASCADE, related_name="checks")
    done = models.PositiveIntegerField(default=0, help_text="Lines that were made again so far.")
    same = models.BooleanField(null=True, help_text="What came of it.")

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            Job.one_order_a_key("a_dataset_check"),
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(status__in=["waiting", "running"]),
                name="a_dataset_is_checked_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"check {self.pk} of {self.version}"

    def counted(self) -> Counted:
        return Counted(self.done, self.version.example_count, unit="lines")


class GateRun(Job):
    """One look through the examples of a recipe for what should not be frozen unseen. Its findings are
    acted on by people; then the recipe is frozen without what they left out."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="gate_runs")
    recipe = models.JSONField()
    funnel = models.JSONField(default=dict)
    examples = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0, help_text="Examples that were looked at so far.")
    chosen_hash = models.CharField(
        max_length=64, blank=True, help_text="Of the examples' ids in order: what was looked at."
    )
    counts = models.JSONField(default=dict, help_text="All findings of each gate, listed or not.")
    notes = models.JSONField(default=list, help_text="Sentences about the whole.")

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [Job.one_order_a_key("a_gate_run")]
        indexes = [models.Index(fields=["project", "-id"], name="gate_runs_of_a_project")]

    def __str__(self) -> str:
        return f"look {self.pk}"

    def counted(self) -> Counted:
        return Counted(self.done, self.examples or None, unit="examples")


class FindingQuerySet(ProjectQuerySet):
    project_path = "run__project"


class Finding(models.Model):
    """What a gate says of one example. `action` is empty until somebody acted on it."""

    class Action(models.TextChoices):
        LEAVE_OUT = "leave_out", "leave out"
        KEEP = "keep", "keep"

    run = models.ForeignKey(GateRun, on_delete=models.CASCADE, related_name="findings")
    gate = models.CharField(max_length=20)
    rationale = models.ForeignKey(Rationale, on_delete=models.CASCADE, related_name="+")
    detail = models.CharField(max_length=400)
    other_question = models.ForeignKey(
        Question, null=True, on_delete=models.CASCADE, related_name="+"
    )
    other_rationale = models.ForeignKey(
        Rationale, null=True, on_delete=models.CASCADE, related_name="+"
    )
    action = models.CharField(max_length=10, choices=Action, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    acted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    acted_at = models.DateTimeField(null=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["run", "gate", "id"], name="findings_of_a_gate")]

    def __str__(self) -> str:
        return f"{self.gate}: {self.detail}"


class HeldOutList(models.Model):
    """Questions that a team brings, such as a benchmark's: nothing like them is trained on. Their texts
    lie in a file of lines."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="held_out_lists")
    name = models.CharField(max_length=80)
    count = models.PositiveIntegerField()
    artifact = models.CharField(max_length=300)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="a_held_out_list_has_its_own_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ExampleQuerySet(ProjectQuerySet):
    project_path = "version__project"


class Example(models.Model):
    """One line of a dataset version, in its place."""

    version = models.ForeignKey(
        DatasetVersion, on_delete=models.CASCADE, related_name="examples", db_index=False
    )
    position = models.PositiveIntegerField()
    rationale = models.ForeignKey(Rationale, on_delete=models.PROTECT, related_name="examples")
    approved_by = models.CharField(max_length=160, blank=True)
    # As they were called when it was frozen: the bytes stay the same when somebody is renamed.
    teacher = models.CharField(max_length=80, null=True)
    author = models.CharField(max_length=150, null=True)
    # As the scorers said then; empty where they had not said, and in datasets of before 2026-11-29.
    verdict = models.CharField(max_length=12, blank=True)

    objects = ExampleQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "position"], name="a_place_in_a_dataset_is_taken_once"
            ),
            models.UniqueConstraint(
                fields=["version", "rationale"], name="a_rationale_stands_once_in_a_dataset"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version_id}/{self.position}"
