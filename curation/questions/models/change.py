"""What was changed in a question after it came in."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from curation.projects.models import ProjectQuerySet, Rubric
from curation.questions.models.question import Question, QuestionImport


class QuestionChangeQuerySet(ProjectQuerySet):
    project_path = "question__project"


class QuestionChange(models.Model):
    """One change of a question: the values before and after, of the fields that it changed. These are
    never changed themselves; an undo is a change of its own, in the other direction."""

    question = models.ForeignKey(
        Question, on_delete=models.CASCADE, related_name="changes", db_index=False
    )
    before = models.JSONField()
    after = models.JSONField()
    # Nobody: the operator, by a command.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    job = models.ForeignKey(
        QuestionImport,
        null=True,
        on_delete=models.SET_NULL,
        related_name="changes",
        help_text="The import that brought the new values.",
    )
    undoes = models.OneToOneField(
        "self", null=True, on_delete=models.CASCADE, related_name="undone_by"
    )
    at = models.DateTimeField(default=timezone.now, editable=False)
    rule = models.ForeignKey(
        Rubric,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text="Decisions by this rule were taken back, since they hung on the old values; null when "
        "there were none, or the rule has decided again.",
    )

    objects = QuestionChangeQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["question", "id"], name="changes_of_a_question"),
            models.Index(
                fields=["question"],
                condition=Q(rule__isnull=False),
                name="changes_that_wait_for_rules",
            ),
        ]

    def __str__(self) -> str:
        return f"change {self.pk} of question {self.question_id}"
