"""Models measured on held-out questions."""

from django.db import models

from curation.jobs import Job
from curation.progress import Counted
from curation.projects.models import Project, ProjectQuerySet
from curation.questions.models import Question
from curation.training.models import TrainingJob


class Evaluation(Job):
    """One measurement of several models on the same questions. `report` is what the page shows."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="evaluations")
    job = models.ForeignKey(
        TrainingJob, null=True, on_delete=models.PROTECT, related_name="evaluations"
    )
    compared_jobs = models.ManyToManyField(
        TrainingJob, blank=True, related_name="comparisons", help_text="further trained students"
    )
    options = models.JSONField(default=dict, help_text="splits, limits, seed")
    done = models.PositiveIntegerField(default=0, help_text="Answers that came.")
    failed = models.PositiveIntegerField(default=0, help_text="Answers that did not come.")
    total = models.PositiveIntegerField(default=0)
    asks_addresses = models.BooleanField(
        default=False,
        editable=False,
        help_text="Teachers at addresses are to be asked before a GPU is taken for the rest.",
    )
    stage = models.CharField(max_length=80, blank=True)
    report = models.JSONField(default=dict)
    verdict = models.JSONField(default=list, help_text="The sentences of the verdict.")

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [Job.one_order_a_key("an_evaluation")]

    def __str__(self) -> str:
        return f"evaluation {self.pk}"

    def counted(self) -> Counted:
        return Counted(self.done, self.total or None, self.failed, "answers")


class AnswerQuerySet(ProjectQuerySet):
    project_path = "evaluation__project"


class Answer(models.Model):
    """What one model answered to one held-out question."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="answers")
    model = models.CharField(max_length=80, help_text="the model's name in the report")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    answer = models.CharField(max_length=500, null=True)
    right = models.BooleanField(
        null=True, help_text="Null: the answer was not read, and is neither right nor wrong."
    )
    validity = models.FloatField(null=True)
    tokens = models.PositiveIntegerField(default=0)
    finish_reason = models.CharField(max_length=20, blank=True)

    objects = AnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "model", "question"],
                name="a_model_answers_a_question_once_in_an_evaluation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} on {self.question_id}"
