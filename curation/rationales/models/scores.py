"""The scores of rationales, the runs that make them, and the judge that may stand beside them."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from curation.db.adaptive_cache import remembered
from curation.jobs import Job
from curation.key_names import names_a_key, only_names
from curation.progress import Counted
from curation.projects.models import Project, ProjectQuerySet, Rubric
from curation.questions.models import Question


class AnswerVerdict(models.TextChoices):
    """What became of a rationale's answer. Only `wrong` was read and is not the reference: what could
    not be read says nothing of the rationale, and is never counted as wrong."""

    RIGHT = "right", "right"
    WRONG = "wrong", "wrong"
    NOT_READ = "not_read", "not read"
    NO_REFERENCE = "no_reference", "no reference"


# Where an answer was read and compared: shares of right answers are of these.
READ = (AnswerVerdict.RIGHT, AnswerVerdict.WRONG)


def is_right(prefix: str = "") -> Q:
    """The condition that the answer was read and is right; the score is reached through `prefix`."""
    return Q(**{f"{prefix}verdict": AnswerVerdict.RIGHT})


def is_read(prefix: str = "") -> Q:
    """The condition that the answer was read and compared, as right or as wrong."""
    return Q(**{f"{prefix}verdict__in": READ})


def is_not_read(prefix: str = "") -> Q:
    """The condition that there is a reference, and the answer could not be read against it."""
    return Q(**{f"{prefix}verdict": AnswerVerdict.NOT_READ})


class Group(models.Model):
    """All rationales of one question, scored together; stale while `revision` is ahead of `scored`."""

    # Without one where its question was deleted; so with all below that belong to a question or rationale.
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="groups")
    question = models.OneToOneField(Question, on_delete=models.CASCADE, related_name="group")
    revision = models.PositiveIntegerField(default=1)
    scored = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(
        default=0, help_text="How often a worker began to score it since it was scored last."
    )
    scorer_version = models.CharField(max_length=20, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["project", "id"],
                condition=Q(scored__lt=models.F("revision")),
                name="groups_that_wait_for_scores",
            )
        ]

    def __str__(self) -> str:
        return f"rationales of question {self.question_id}"


class ScoreQuerySet(ProjectQuerySet):
    def passing(self, rubric: Rubric) -> "ScoreQuerySet":
        return self.filter(passes(rubric))


def passes(rubric: Rubric, prefix: str = "") -> Q:
    """The condition that a score (reached through `prefix`, such as `score__`) passes the rubric.

    Redundancy and conciseness speak only of what is known: a null score passes no threshold.
    """
    condition = Q(
        **{
            f"{prefix}validity__gte": rubric.min_validity,
            f"{prefix}conciseness__gte": rubric.min_conciseness,
            f"{prefix}structure__gte": rubric.min_structure,
            f"{prefix}redundancy__lte": rubric.max_redundancy,
        }
    )
    return condition & is_right(prefix) if rubric.right_answer else condition


class Score(models.Model):
    """What the automatic scorers say of a rationale; the contract's object, see `detail`."""

    rationale = models.OneToOneField(
        "rationales.Rationale", on_delete=models.CASCADE, primary_key=True, related_name="score"
    )
    # The rationale's own, once more: counts over a million rationales read the index below and no row.
    project = models.ForeignKey(
        Project, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    teacher = models.ForeignKey(
        "rationales.Teacher",
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_index=False,
    )
    tokens = models.PositiveIntegerField(null=True)
    scorer_version = models.CharField(max_length=20)
    answer = models.CharField(max_length=500, null=True)
    verdict = models.CharField(max_length=12, choices=AnswerVerdict)
    unread = models.CharField(
        max_length=40, blank=True, help_text="Why the answer could not be read: a code."
    )
    conciseness = models.FloatField(null=True)
    structure = models.FloatField(null=True)
    similarity = models.FloatField(null=True)
    consistency = models.FloatField(null=True)
    validity = models.FloatField(null=True)
    redundancy = models.FloatField(null=True)
    overall = models.FloatField(null=True)
    flag_count = models.PositiveIntegerField(default=0)
    detail = models.JSONField(help_text="steps and flags, as in the scoring contract")
    scored_at = models.DateTimeField(default=timezone.now)

    objects = ScoreQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=[
                    *("project", "teacher", "verdict", "validity"),
                    *("conciseness", "structure", "redundancy", "tokens", "scorer_version"),
                ],
                name="scores_to_count",
            ),
            # Serves the list's filter by verdict, and the counts beside it.
            models.Index(fields=["project", "verdict", "rationale"], name="scores_by_verdict"),
            # Serves the list when it is ordered by score.
            models.Index(fields=["project", "overall", "rationale"], name="scores_in_order"),
        ]
        constraints = [
            models.CheckConstraint(
                name="only_what_was_not_read_says_why",
                condition=Q(unread="") | Q(verdict=AnswerVerdict.NOT_READ),
            ),
            models.CheckConstraint(
                name="a_score_has_a_verdict", condition=Q(verdict__in=AnswerVerdict.values)
            ),
        ]

    def __str__(self) -> str:
        return f"score of {self.rationale_id}"

    @property
    def correctness(self) -> float | None:
        """The verdict as a number: 1 right, 0 wrong, None where nothing was compared."""
        return {AnswerVerdict.RIGHT: 1.0, AnswerVerdict.WRONG: 0.0}.get(self.verdict)


class ScoreFlag(models.Model):
    """That a score's detail holds a flag of this code: serves the list's filter, says no more."""

    project = models.ForeignKey(
        Project, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    rationale = models.ForeignKey(
        "rationales.Rationale", on_delete=models.CASCADE, related_name="score_flags"
    )
    code = models.CharField(max_length=40)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project", "code", "rationale"], name="rationales_with_a_flag")
        ]

    def __str__(self) -> str:
        return f"{self.code} on {self.rationale_id}"


class ScoringRun(Job):
    """A pass of the scorers over the groups of a project that wait for scores."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="scoring_runs")
    embeddings = models.BooleanField(default=True)
    total = models.PositiveIntegerField(default=0, help_text="rationales to score")
    done = models.PositiveIntegerField(
        default=0, help_text="rationales that it scored, each once; written with their scores"
    )
    note = models.TextField(blank=True, help_text="What could not be measured, and why.")
    teacher_weights = models.JSONField(
        null=True,
        editable=False,
        help_text="What each teacher's answers were worth at its first turn: all its scores go by these.",
    )

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            Job.one_order_a_key("a_scoring"),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(status__in=["waiting", "running"]),
                name="a_project_is_scored_by_one_run_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"scoring {self.pk}"

    def waiting(self) -> models.QuerySet:
        """Rationales that this run has still to score; those that joined since its order are among them.

        One that it has scored counts no more, also while it is scored again because its group changed.
        """
        rationales = self.project.rationales.filter(
            question__group__scored__lt=models.F("question__group__revision")
        ).exclude(edit_review__withdrawn_at__isnull=False)
        if self.started_at is None:
            return rationales
        return rationales.exclude(score__scored_at__gte=self.started_at)

    def counted(self) -> Counted:
        if not self.is_active:
            return Counted(self.done, max(self.total, self.done), unit="rationales")
        done, left = remembered(
            f"scoring:{self.pk}",
            lambda: (self._scored(), self.waiting().count()),
            seconds=0,
        )
        return Counted(max(done, self.done), done + left, unit="rationales")

    def _scored(self) -> int:
        return ScoringRun.objects.values_list("done", flat=True).get(pk=self.pk)


class Judge(models.Model):
    """A server whose own score of each step stands beside the scorers', under its name."""

    class Kind(models.TextChoices):
        CHAT = "chat", "a language model, at an OpenAI-compatible address"
        REWARD = "reward", "a process reward model, at vLLM’s /pooling"

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="judge")
    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CHAT)
    model = models.CharField(max_length=300)
    base_url = models.URLField(max_length=300)
    api_key_env = models.CharField(max_length=80, blank=True, validators=[names_a_key])

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [only_names("a_judge_names_its_key_and_holds_none")]

    def __str__(self) -> str:
        return self.name
