"""Questions and the imports that bring them in."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from curation.jobs import Job
from curation.progress import Counted
from curation.projects.models import LivingManager, Project, ProjectQuerySet
from curation.questions.models.deletion import Deletion, Kind  # noqa: F401 (Kind is imported from here)


class AnswerType(models.TextChoices):
    NUMBER = "number", "number"
    EXPRESSION = "expression", "expression"
    CHOICE = "choice", "choice"
    YES_NO = "yes_no", "yes or no"
    DATE = "date", "date"
    TIME = "time", "time"
    INTERVAL = "interval", "interval"
    SET = "set", "set"
    TEXT = "text", "text"
    UNDETERMINED = "undetermined", "cannot be determined"


class Split(models.TextChoices):
    TRAIN = "train", "train"
    EVAL = "eval", "held out"
    OOD = "ood", "out of distribution"


class Question(models.Model):
    """One question. It is changed by `curation.questions.correcting` alone, which keeps what was there
    before: rationales and frozen datasets stand on it. One that was deleted belongs to no project;
    `deletion`, the last that took it, stays when it is restored."""

    project = models.ForeignKey(
        Project, null=True, on_delete=models.CASCADE, related_name="questions"
    )
    deletion = models.ForeignKey(
        Deletion,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="questions",
        db_index=False,
    )
    external_id = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    reference_answer = models.TextField(null=True, blank=True)
    other_answers = models.JSONField(
        default=list, blank=True, help_text="Answers that are as right as the reference."
    )
    reference_problem = models.CharField(
        max_length=300,
        null=True,
        editable=False,
        help_text="Why no rationale can be compared with the reference; empty: fine, null: not looked at.",
    )
    worked_solution = models.TextField(blank=True, help_text="The worked answer, if there is one.")
    answer_type = models.CharField(
        max_length=20, choices=AnswerType, blank=True, help_text="Empty: there is no reference."
    )
    choices = models.JSONField(default=list, blank=True)
    domain = models.CharField(max_length=100, blank=True)
    difficulty = models.CharField(max_length=40, blank=True)
    split = models.CharField(max_length=5, choices=Split, default=Split.TRAIN)
    subset = models.CharField(
        max_length=60, blank=True, help_text="A named part of a split, such as `paraphrase`."
    )
    metadata = models.JSONField(
        default=dict,
        blank=True,
        help_text="What its file said besides: system prompt, source, tags.",
    )
    content_hash = models.CharField(
        max_length=64, editable=False, help_text="SHA-256 of text and choices: the same question."
    )
    text_key = models.BigIntegerField(
        default=0, editable=False, help_text="63 bits of SHA-256 of the text alone."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = LivingManager()
    all_objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="a_question_without_a_project_was_deleted",
                condition=Q(project__isnull=False) | Q(deletion__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["project", "content_hash"], name="a_question_stands_once_in_a_project"
            ),
            models.CheckConstraint(
                name="a_question_has_a_known_split",
                condition=Q(split__in=Split.values),
            ),
        ]
        indexes = [
            models.Index(fields=["project", "split", "id"], name="questions_of_a_split"),
            models.Index(
                fields=["deletion", "id"],
                name="questions_that_were_deleted",
                condition=Q(deletion__isnull=False),
            ),
            models.Index(fields=["project", "text_key"], name="questions_by_text"),
            models.Index(
                fields=["project", "external_id"],
                name="questions_by_their_own_id",
                condition=~Q(external_id=""),
            ),
            models.Index(
                fields=["project", "id"],
                name="references_not_looked_at",
                condition=Q(reference_problem__isnull=True),
            ),
            models.Index(
                fields=["project", "id"],
                name="references_with_a_problem",
                condition=Q(reference_problem__gt=""),
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def right_answers(self) -> tuple[str, ...]:
        """Every answer that is right: the reference and its equals; empty where none is known."""
        return (self.reference_answer, *self.other_answers) if self.reference_answer else ()


class SavedMapping(models.Model):
    """What the columns of a kind of file become, under a name: chosen again by a file of these columns."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="mappings")
    name = models.CharField(max_length=80)
    columns = models.JSONField(help_text="The names of the file's columns, sorted.")
    roles = models.JSONField(help_text="What each of them becomes.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="a_mapping_has_its_name_once_in_a_project"
            )
        ]

    def __str__(self) -> str:
        return self.name


class QuestionImport(Job):
    """One file on its way in: paused while a person looks at what its columns become. Good rows beside bad
    ones are kept only where the person said so."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imports")
    file_name = models.CharField(max_length=200)
    artifact = models.CharField(
        max_length=300, help_text="Where the uploaded file lies; empty: it was removed since."
    )
    size = models.BigIntegerField(null=True, editable=False, help_text="Bytes of that file.")
    preset = models.CharField(max_length=40, blank=True)
    split = models.CharField(max_length=5, choices=Split, default=Split.TRAIN)
    keep_good_rows = models.BooleanField(default=False)
    rows_read = models.PositiveIntegerField(default=0)
    rows_bad = models.PositiveIntegerField(default=0)
    questions_added = models.PositiveIntegerField(default=0)
    questions_known = models.PositiveIntegerField(default=0)
    rationales_added = models.PositiveIntegerField(default=0)
    bad_rows = models.JSONField(default=list, help_text="The first bad rows: line and message.")
    mapping = models.JSONField(
        default=dict, help_text="What columns become, where somebody said it; else it is proposed."
    )
    read_as = models.JSONField(
        default=dict, editable=False, help_text="The whole mapping by which the rows are written."
    )
    report = models.JSONField(
        default=dict, editable=False, help_text="What the file is, and what its rows do, counted."
    )
    dry_run = models.BooleanField(
        default=False, help_text="Every row is looked at, and none is written."
    )
    # Known questions of which the file says something else.
    take_over = models.CharField(
        max_length=4, blank=True, help_text="Whether that is taken over: id, text; empty: no."
    )
    id_prefix = models.CharField(
        max_length=60, blank=True, help_text="Put before each id of the file."
    )
    questions_differ = models.PositiveIntegerField(default=0)
    questions_changed = models.PositiveIntegerField(default=0)
    last_line = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="Of the last row that was written."
    )
    differing = models.JSONField(
        default=list, help_text="The first of them: line, question, and both values of each field."
    )

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "import"
        constraints = [Job.one_order_a_key("an_import")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def rows_written(self) -> int:
        """Good rows whose questions are there."""
        return self.questions_added + self.questions_known

    def counted(self) -> Counted:
        """Every row is looked at before the first is written: how many there are is known then."""
        if not self.rows_written:
            return Counted(unit="rows")
        return Counted(self.rows_written, self.rows_read, self.rows_bad, "rows")
