"""A text that somebody is writing, and what the scorers say of it as it stands."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from curation.projects.models import Project, ProjectQuerySet
from curation.questions.models import Question


class TextCheck(models.Model):
    """One look of the scorers at a text that is no rationale (yet). `score` is null until a worker has
    answered, see `workers.scoring.checking`. Kept for some minutes, for the person who typed it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="+")
    text = models.TextField()
    score = models.JSONField(null=True)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    answered_at = models.DateTimeField(null=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project", "user", "created_at"], name="checks_of_a_person"),
            models.Index(
                fields=["created_at"],
                condition=models.Q(answered_at__isnull=True),
                name="checks_that_wait",
            ),
        ]

    def __str__(self) -> str:
        return f"check {self.pk}"
