"""Teachers, the runs in which they write, and the rationales they wrote."""

import hashlib

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from curation.db.adaptive_cache import remembered
from curation.jobs import Job, Status
from curation.key_names import names_a_key, only_names
from curation.progress import Counted
from curation.projects.models import LivingManager, Project, ProjectQuerySet
from curation.questions.models import Deletion, Question
from curation.rationales.models.slot_counts import SlotCounts, count_slots
from curation.text.clean import alike


class Backend(models.TextChoices):
    TRANSFORMERS = "transformers", "transformers, on the worker"
    VLLM = "vllm", "vLLM, started by the worker"
    OPENAI = "openai", "an OpenAI-compatible address"


class Dtype(models.TextChoices):
    AUTO = "auto", "as the weights are stored"
    FLOAT32 = "float32", "float32"
    BFLOAT16 = "bfloat16", "bfloat16"
    FLOAT16 = "float16", "float16"


class Teacher(models.Model):
    """A model that writes rationales. A key is named by its environment variable, never stored."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="teachers")
    name = models.CharField(max_length=80)
    backend = models.CharField(max_length=20, choices=Backend, default=Backend.TRANSFORMERS)
    model = models.CharField(max_length=300, blank=True)
    base_url = models.URLField(max_length=300, blank=True)
    api_key_env = models.CharField(max_length=80, blank=True, validators=[names_a_key])
    prompt_style = models.CharField(max_length=40, default="plain")
    max_tokens = models.PositiveIntegerField(default=256)
    top_p = models.FloatField(default=1.0)
    price_in = models.FloatField(default=0.0, help_text="Price of a million prompt tokens.")
    price_out = models.FloatField(default=0.0, help_text="Price of a million written tokens.")
    # Of a server, ours or somebody else's; the limits hold for each worker process.
    concurrency = models.PositiveSmallIntegerField(default=32)
    samples_per_request = models.PositiveSmallIntegerField(default=1)
    requests_per_minute = models.PositiveIntegerField(default=0, help_text="0: no limit.")
    tokens_per_minute = models.PositiveIntegerField(default=0, help_text="0: no limit.")
    # Of a vLLM that the worker starts.
    dtype = models.CharField(max_length=10, choices=Dtype, default=Dtype.AUTO)
    context_length = models.PositiveIntegerField(default=0, help_text="0: the model's own.")
    tensor_parallel = models.PositiveSmallIntegerField(default=1)
    pipeline_parallel = models.PositiveSmallIntegerField(default=1)
    gpu_memory = models.FloatField(default=0.9, help_text="Share of the GPU's memory.")
    writes = models.BooleanField(
        default=True, help_text="False for a name that only stands on imported rationales."
    )

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="a_teacher_name_is_used_once_in_a_project"
            ),
            only_names("a_teacher_names_its_key_and_holds_none"),
        ]

    def __str__(self) -> str:
        return self.name


class GenerationRun(Job):
    """One order for rationales. Its slots are known when it is created and are its truth."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    teachers = models.ManyToManyField(Teacher, related_name="runs")
    temperatures = models.JSONField()
    samples = models.PositiveIntegerField(default=1)
    seed = models.PositiveIntegerField(default=0)
    max_tokens = models.PositiveIntegerField(null=True, blank=True)
    slot_count = models.PositiveIntegerField(default=0)
    filters = models.JSONField(default=dict, help_text="Which questions, as the order said it.")
    prompt_style = models.CharField(max_length=40, blank=True, help_text="Empty: each teacher's.")
    examples = models.JSONField(default=list, help_text="Rationales shown as examples (few-shot).")
    redo_of = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="redone_by",
        help_text="The run whose cut off answers this one asks for again.",
    )
    # Limits: a run that has reached one is paused. Null: no limit.
    budget_money = models.FloatField(null=True)
    budget_tokens = models.BigIntegerField(null=True)
    budget_rationales = models.PositiveIntegerField(null=True)
    # Adaptive: a question gets no more once `enough` of its rationales pass the rubric. 0: all slots.
    enough = models.PositiveSmallIntegerField(default=0)
    round = models.PositiveIntegerField(default=0)
    extra = models.PositiveIntegerField(default=0, help_text="Saved slots that were spent again.")

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [Job.one_order_a_key("a_run")]

    def __str__(self) -> str:
        return f"run {self.pk}"

    def counted(self) -> Counted:
        """Its slots, but for those that turned out not to be needed."""
        known = self.slot_counts
        asked_for = self.slot_count - known.saved
        return Counted(known.filled, asked_for, known.failed, "rationales", rate=known.rate)

    @property
    def slot_counts(self) -> SlotCounts:
        """Its slots by status and its pace, as any page shows them: counted now, but for a large run,
        of which all pages show the same count of some seconds ago."""
        if known := self.__dict__.get("known_counts"):  # of a list, see `count_resting`
            return known
        if self.status != Status.RUNNING:
            return count_slots(self)
        return remembered(f"run:{self.pk}:{self.attempt}", lambda: count_slots(self), seconds=0)


class TeacherPart(models.Model):
    """What one teacher has done in a run so far: what it wrote, took and cost, and its engine's log.

    `seconds` is the time in which a worker had it write, without `start_seconds`, in which its model
    was loaded.
    """

    run = models.ForeignKey(GenerationRun, on_delete=models.CASCADE, related_name="parts")
    teacher = models.ForeignKey(Teacher, on_delete=models.CASCADE, related_name="parts")
    rationales = models.PositiveIntegerField(default=0)
    truncated = models.PositiveIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    cost = models.FloatField(default=0.0)
    seconds = models.FloatField(default=0.0)
    start_seconds = models.FloatField(default=0.0)
    log = models.TextField(blank=True)
    log_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "teacher"], name="a_teacher_has_one_part_in_a_run"
            )
        ]

    def __str__(self) -> str:
        return f"part of teacher {self.teacher_id} in run {self.run_id}"


class TeacherTry(Job):
    """One answer of a teacher that need not be saved yet. Kept for an hour."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="teacher_tries")
    settings = models.JSONField(help_text="The teacher's fields, as the form had them.")
    question = models.TextField()
    answer = models.TextField(blank=True)
    reasoning = models.TextField(blank=True)
    finish_reason = models.CharField(max_length=20, blank=True)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    latency = models.FloatField(null=True, help_text="Seconds from the asking to the answer.")
    start_seconds = models.FloatField(default=0.0, help_text="Loading the model, before that.")
    cost = models.FloatField(default=0.0)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [Job.one_order_a_key("a_try")]

    def __str__(self) -> str:
        return f"try {self.pk}"


# Why a generation did not come to its own end, as its server said it.
CUT_OFF = {
    "length": "The teacher had no tokens left before its end",
    "error": "The server reported an error in the middle of it",
    "abort": "The server broke it off in the middle",
    "content_filter": "The server’s content filter cut it off",
}


class Source(models.TextChoices):
    TEACHER = "teacher", "teacher"
    PERSON = "person", "person"
    IMPORT = "import", "import"


def text_hash(text: str) -> str:
    """SHA-256 of a rationale's text, in hex; the same for texts that are `alike`."""
    return hashlib.sha256(alike(text).encode()).hexdigest()


class Rationale(models.Model):
    """One chain of thought. Never changed: an edit is a new rationale with its parent. One that was
    deleted, alone or with its question, belongs to no project; `deletion`, the last that took it, stays
    when it is restored."""

    project = models.ForeignKey(
        Project, null=True, on_delete=models.CASCADE, related_name="rationales"
    )
    deletion = models.ForeignKey(
        Deletion,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="taken_rationales",
        db_index=False,
    )
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="rationales")
    source = models.CharField(max_length=10, choices=Source)
    teacher = models.ForeignKey(
        Teacher, null=True, blank=True, on_delete=models.PROTECT, related_name="rationales"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="rationales",
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="edits"
    )
    text = models.TextField()
    text_hash = models.CharField(max_length=64, editable=False)
    reasoning = models.TextField(blank=True, help_text="What a reasoning model thought before.")
    temperature = models.FloatField(null=True, blank=True)
    sample = models.PositiveIntegerField(null=True, blank=True)
    seed = models.BigIntegerField(null=True, blank=True)
    prompt_style = models.CharField(
        max_length=48, blank=True, help_text="Style and version that asked for it: hint@1."
    )
    # Why the generation ended, as its server or its file said; empty where nobody did.
    finish_reason = models.CharField(max_length=20, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    labelled_right = models.BooleanField(
        null=True, blank=True, help_text="A gold label that came with an import."
    )
    step_labels = models.JSONField(
        default=list,
        blank=True,
        help_text="Of steps, as its import had them: [start, end, label] in characters; 1, 0 or -1.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = LivingManager()
    all_objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="a_rationale_without_a_project_was_deleted",
                condition=Q(project__isnull=False) | Q(deletion__isnull=False),
            ),
            models.CheckConstraint(
                name="a_rationale_says_who_wrote_it",
                condition=Q(source=Source.TEACHER, teacher__isnull=False)
                | Q(source=Source.PERSON, author__isnull=False)
                | Q(source=Source.IMPORT),
            ),
            # The same file imported twice adds nothing.
            models.UniqueConstraint(
                fields=["question", "teacher", "text_hash"],
                condition=Q(source=Source.IMPORT),
                name="an_imported_rationale_stands_once",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "teacher", "id"], name="rationales_of_a_teacher"),
            models.Index(
                fields=["deletion", "id"],
                name="rationales_that_were_deleted",
                condition=Q(deletion__isnull=False),
            ),
            # Serve the list's filters where they keep few of a million.
            models.Index(
                fields=["project", "temperature", "id"], name="rationales_at_a_temperature"
            ),
            models.Index(fields=["project", "created_at"], name="rationales_by_day"),
        ]

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def was_hinted(self) -> bool:
        """The teacher was told the reference answer (rationalisation)."""
        return self.prompt_style.startswith("hint@")

    @property
    def was_cut_off(self) -> bool:
        """The teacher did not come to its own end, and the server said so."""
        return self.finish_reason in CUT_OFF

    @property
    def cut_off_words(self) -> str:
        """What cut it off, in a sentence; "" where nothing is known to have."""
        return CUT_OFF.get(self.finish_reason, "")

    @property
    def was_refused(self) -> bool:
        """The model answered that it would not answer, and its server said that this was a refusal."""
        return self.finish_reason == "refusal"


class SlotQuerySet(ProjectQuerySet):
    project_path = "run__project"


class Batch(models.Model):
    """The slots that one worker writes for now. It renews the batch while it lives; the slots of a
    batch that is not renewed are free for another."""

    run = models.ForeignKey(GenerationRun, on_delete=models.CASCADE, related_name="batches")
    teacher = models.ForeignKey(
        Teacher, null=True, on_delete=models.CASCADE, related_name="+", help_text="Who is asked."
    )
    renewed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"batch {self.pk} of run {self.run_id}"


class SlotStatus(models.TextChoices):
    EMPTY = "empty", "empty"
    FILLED = "filled", "filled"
    FAILED = "failed", "failed"
    SAVED = "saved", "not needed"


class Slot(models.Model):
    """One (question, teacher, temperature, sample) of a run."""

    run = models.ForeignKey(GenerationRun, on_delete=models.CASCADE, related_name="slots")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="+")
    teacher = models.ForeignKey(Teacher, on_delete=models.PROTECT, related_name="+")
    temperature = models.FloatField()
    sample = models.PositiveIntegerField()
    round = models.PositiveIntegerField(default=0, help_text="When its turn comes, if adaptive.")
    status = models.CharField(max_length=8, choices=SlotStatus, default=SlotStatus.EMPTY)
    attempts = models.PositiveSmallIntegerField(default=0)
    batch = models.ForeignKey(
        Batch,
        null=True,
        on_delete=models.SET_NULL,
        related_name="slots",
        help_text="Who writes it now.",
    )
    error = models.CharField(max_length=500, blank=True)
    rationale = models.OneToOneField(
        Rationale, null=True, blank=True, on_delete=models.PROTECT, related_name="slot"
    )

    objects = SlotQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "question", "teacher", "temperature", "sample"],
                name="a_slot_stands_once_in_a_run",
            ),
            models.CheckConstraint(
                name="a_slot_is_filled_if_and_only_if_it_has_a_rationale",
                condition=Q(status=SlotStatus.FILLED, rationale__isnull=False)
                | (~Q(status=SlotStatus.FILLED) & Q(rationale__isnull=True)),
            ),
        ]
        indexes = [
            # Serves the hunt for the next batch; filled slots drop out of it.
            models.Index(
                fields=["run", "teacher", "id"],
                condition=Q(status=SlotStatus.EMPTY),
                name="empty_slots_of_a_run",
            ),
            models.Index(fields=["run", "status"], name="slots_of_a_run_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.question_id}/{self.teacher_id}/{self.temperature}/{self.sample}"
