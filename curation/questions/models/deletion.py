"""What was deleted, by whom, and whether it was restored."""

from django.conf import settings
from django.db import models

from curation.jobs import Job, Status
from curation.progress import Counted
from curation.projects.models import Project, ProjectQuerySet


class Kind(models.TextChoices):
    QUESTIONS = "questions", "questions"
    RATIONALES = "rationales", "rationales"


class Deletion(Job):
    """Questions, with all that belongs to them, or single rationales that an admin deleted: one, or all
    that a filter of their list keeps. They belong to no project until they are restored; what was frozen
    with them before keeps them. Undone as a whole, or one by one."""

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="deletions", db_index=False
    )
    kind = models.CharField(max_length=10, choices=Kind)
    one = models.BigIntegerField(null=True, help_text="The key, where it is of a single one.")
    filters = models.JSONField(default=dict, help_text="As the list had them.")
    until = models.BigIntegerField(help_text="The newest there was: later ones stay.")
    why = models.CharField(max_length=300, blank=True)
    expected = models.PositiveIntegerField(default=0, help_text="What its preview counted.")
    deleted = models.PositiveIntegerField(default=0)
    rationales = models.PositiveIntegerField(default=0, help_text="That went with questions.")
    last = models.BigIntegerField(null=True, help_text="The last one it came to.")
    restored = models.PositiveIntegerField(default=0)
    restored_at = models.DateTimeField(null=True, help_text="When restoring all was ordered.")
    restored_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [Job.one_order_a_key("a_deletion")]
        indexes = [models.Index(fields=["project", "-id"], name="deletions_of_a_project")]

    def __str__(self) -> str:
        return f"deletion {self.pk}"

    def counted(self) -> Counted:
        """What was deleted of what the preview counted; or, once that was ordered, restored of it."""
        if self.restored_at:
            return Counted(self.restored, self.deleted, unit=self.kind)
        # Some may have gone by themselves since the preview.
        total = self.deleted if self.status == Status.DONE else self.expected
        return Counted(self.deleted, total, unit=self.kind)
