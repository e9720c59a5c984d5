"""What people read where the scorers had misread an answer: the project's own cases for how it reads."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from curation.projects.models import Project, ProjectQuerySet
from curation.rationales.models.generation import Rationale
from curation.rationales.models.scores import AnswerVerdict


class ReadingCase(models.Model):
    """One rationale's answer as a person read it. It counts instead of what the scorers read, and each
    scoring notes what they read by then: `passes` says whether that is the same."""

    # Without one where its rationale was deleted.
    project = models.ForeignKey(
        Project, null=True, on_delete=models.CASCADE, related_name="reading_cases"
    )
    rationale = models.OneToOneField(
        Rationale, on_delete=models.CASCADE, related_name="reading_case"
    )
    answer = models.CharField(max_length=500, null=True, help_text="Null: there is none in it.")
    verdict = models.CharField(max_length=12, choices=AnswerVerdict)
    # What the scorers had read when it was corrected.
    was_answer = models.CharField(max_length=500, null=True)
    was_verdict = models.CharField(max_length=12, choices=AnswerVerdict)
    # What they read when it was last scored; no verdict while it has not been scored since.
    found_answer = models.CharField(max_length=500, null=True)
    found_verdict = models.CharField(max_length=12, blank=True, choices=AnswerVerdict)
    passes = models.BooleanField(null=True)
    scorer_version = models.CharField(max_length=20, blank=True)
    scored_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project", "passes", "id"], name="cases_that_pass_or_fail")]
        constraints = [
            models.CheckConstraint(
                name="a_case_without_an_answer_is_not_read",
                condition=Q(answer__isnull=False)
                | Q(verdict__in=[AnswerVerdict.NOT_READ, AnswerVerdict.NO_REFERENCE]),
            ),
            models.CheckConstraint(
                name="a_case_says_its_verdict", condition=Q(verdict__in=AnswerVerdict.values)
            ),
        ]

    def __str__(self) -> str:
        return f"reading of rationale {self.rationale_id}"
