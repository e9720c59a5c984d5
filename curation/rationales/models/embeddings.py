"""What search by meaning keeps: vectors of texts, and the searches that a worker answers."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from curation.projects.models import Project, ProjectQuerySet


class TextKind(models.TextChoices):
    RATIONALE = "rationale", "rationales"
    QUESTION = "question", "questions"


class Embedding(models.Model):
    """The vector of a rationale's or a question's text: float16, of length 1, in the machine's byte order
    little-endian. Texts do not change, so neither does it; another `model` makes it anew."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=TextKind)
    object_id = models.BigIntegerField()
    model = models.CharField(max_length=60)
    vector = models.BinaryField()

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "kind", "object_id"], name="a_text_has_one_embedding"
            )
        ]

    def __str__(self) -> str:
        return f"embedding of {self.kind} {self.object_id}"


class MeaningSearch(models.Model):
    """One search by meaning, for words or for what is like a rationale. `hits`, pairs of id and cosine with
    the nearest first, is null until a worker has answered. While texts are `left` that have no vector
    yet, the worker answers anew as they get theirs: it keeps the `vector` of what was asked for (float32
    bytes). Kept for an hour."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=TextKind)
    text = models.TextField(blank=True)
    like = models.ForeignKey(
        "rationales.Rationale", null=True, on_delete=models.CASCADE, related_name="+"
    )
    hits = models.JSONField(null=True)
    embedded = models.PositiveIntegerField(default=0, help_text="Texts that were compared.")
    left = models.PositiveIntegerField(default=0, help_text="Texts that had no vector yet.")
    pace = models.FloatField(null=True, help_text="Texts that get their vectors in a second.")
    vector = models.BinaryField(null=True)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    answered_at = models.DateTimeField(null=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project", "user", "created_at"], name="searches_of_a_person")
        ]
        constraints = [
            models.CheckConstraint(
                name="a_search_is_for_words_or_for_a_chain",
                condition=Q(like__isnull=False) | Q(text__gt=""),
            )
        ]

    def __str__(self) -> str:
        return f"search {self.pk}"

    @property
    def known(self) -> int:
        """All texts, as far as the last answer knew."""
        return self.embedded + self.left

    @property
    def seconds_left(self) -> float | None:
        """Until all texts can be compared, at the pace of the last ones."""
        return self.left / self.pace if self.left and self.pace else None
