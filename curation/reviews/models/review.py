"""What people said of rationales and of questions, and what follows from it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from curation.jobs import Job, Status
from curation.progress import Counted
from curation.projects.models import Project, ProjectQuerySet, Rubric
from curation.questions.models import Question
from curation.rationales.models import Rationale


class Verdict(models.TextChoices):
    APPROVE = "approve", "approve"
    REJECT = "reject", "reject"
    EDIT = "edit", "edit and approve"


class Reason(models.TextChoices):
    WRONG_ANSWER = "wrong_answer", "wrong answer"
    WRONG_STEP = "wrong_step", "wrong step"
    REDUNDANT = "redundant", "redundant"
    UNCLEAR = "unclear", "unclear"
    UNSAFE = "unsafe", "unsafe or biased"
    BAD_QUESTION = "bad_question", "bad question"
    OTHER = "other", "other, see comment"


class ReviewQuerySet(ProjectQuerySet):
    def standing(self) -> "ReviewQuerySet":
        """Without what was taken back."""
        return self.filter(withdrawn_at__isnull=True)


class Review(models.Model):
    """One person's decision about one rationale. Append-only: undo adds `withdrawn_at`, no more."""

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="reviews", db_index=False
    )
    rationale = models.ForeignKey(Rationale, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews"
    )
    verdict = models.CharField(max_length=10, choices=Verdict)
    reasons = models.JSONField(default=list)
    comment = models.TextField(blank=True)
    step_labels = models.JSONField(default=dict, help_text="step number (from 1) to -1, 0 or 1")
    seconds = models.FloatField(null=True)
    edited = models.OneToOneField(
        Rationale, null=True, on_delete=models.PROTECT, related_name="edit_review"
    )
    is_best = models.BooleanField(default=False, help_text="The best rationale of its question.")
    is_adjudication = models.BooleanField(
        default=False, help_text="An admin's last word where reviews disagree."
    )
    is_control = models.BooleanField(default=False, help_text="Of a control: decides nothing.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rationale", "reviewer", "is_adjudication"],
                condition=Q(withdrawn_at__isnull=True),
                name="a_person_has_one_standing_review_of_a_rationale",
            ),
            models.CheckConstraint(
                name="an_edit_names_its_new_rationale",
                condition=Q(verdict="edit", edited__isnull=False)
                | (~Q(verdict="edit") & Q(edited__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(fields=["project", "reviewer", "-id"], name="reviews_of_a_person"),
            models.Index(fields=["project", "created_at"], name="reviews_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer_id}: {self.verdict} {self.rationale_id}"


class Outcome(models.TextChoices):
    APPROVED = "approved", "approved"
    REJECTED = "rejected", "rejected"
    SUPERSEDED = "superseded", "superseded by an edit"


class BulkKind(models.TextChoices):
    APPROVE = "approve", "approve"
    REJECT = "reject", "reject"
    CLEAR = "clear", "make undecided"
    RESCORE = "rescore", "score again"
    ASSIGN = "assign", "assign for review"
    # Of a whole project; these are ordered where its settings and its rule stand.
    RULE = "rule", "approve by rule"
    OVERLAP = "overlap", "arrange for another overlap"


class BulkAction(Job):
    """One thing that an admin did to all rationales that a filter keeps. What it decided, the history of
    each rationale names; so it can be undone where nobody has decided anew since."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="bulk_actions")
    kind = models.CharField(max_length=10, choices=BulkKind)
    filters = models.JSONField(help_text="As the list had them.")
    until = models.BigIntegerField(help_text="The newest rationale there was: later ones stay out.")
    reasons = models.JSONField(default=list, help_text="Of a rejection.")
    comment = models.TextField(blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="To whom it assigns.",
    )
    seats = models.JSONField(default=list, help_text="What it assigned, to be taken back.")
    rule = models.ForeignKey(
        Rubric,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="By which it approves, as it was when that was ordered.",
    )
    expected = models.PositiveIntegerField(
        default=0, help_text="Rationales that its preview counted."
    )
    seen = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    last = models.BigIntegerField(null=True, help_text="The last rationale it came to.")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    put_back = models.PositiveIntegerField(default=0, help_text="Rationales that its undo changed.")

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [Job.one_order_a_key("a_bulk_action")]

    def __str__(self) -> str:
        return f"bulk action {self.pk}"

    def counted(self) -> Counted:
        """What was changed, or looked at where not each one changes; in its undoing, what was put back."""
        unit = "questions" if self.kind == BulkKind.OVERLAP else "rationales"
        if self.undone_at:
            return Counted(self.put_back, self.changed, unit=unit)
        by_change = self.kind in (BulkKind.APPROVE, BulkKind.REJECT, BulkKind.CLEAR, BulkKind.RULE)
        done = self.changed if by_change else self.seen
        # People may have decided some themselves since its preview.
        return Counted(done, done if self.status == Status.DONE else self.expected, unit=unit)


class Decision(models.Model):
    """What follows for a rationale: from a person's review, from the project's rule, or from what an
    admin did to many at once."""

    rationale = models.OneToOneField(
        Rationale, on_delete=models.CASCADE, primary_key=True, related_name="decision"
    )
    # Without one where its rationale was deleted.
    project = models.ForeignKey(
        Project, null=True, on_delete=models.CASCADE, related_name="decisions", db_index=False
    )
    outcome = models.CharField(max_length=10, choices=Outcome)
    review = models.ForeignKey(
        Review, null=True, on_delete=models.PROTECT, related_name="decisions"
    )
    rule = models.ForeignKey(
        Rubric, null=True, on_delete=models.PROTECT, related_name="decisions", db_index=False
    )
    bulk = models.ForeignKey(
        BulkAction, null=True, on_delete=models.PROTECT, related_name="decisions", db_index=False
    )
    decided_at = models.DateTimeField(default=timezone.now)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_decision_has_one_origin",
                condition=Q(review__isnull=False, rule__isnull=True, bulk__isnull=True)
                | Q(review__isnull=True, rule__isnull=False, bulk__isnull=True)
                | Q(review__isnull=True, rule__isnull=True, bulk__isnull=False),
            )
        ]
        indexes = [
            models.Index(fields=["project", "outcome", "rationale"], name="decisions_by_outcome"),
            models.Index(
                fields=["rule", "rationale"],
                condition=Q(rule__isnull=False),
                name="decisions_of_a_rule",
            ),
            models.Index(
                fields=["bulk", "rationale"],
                condition=Q(bulk__isnull=False),
                name="decisions_of_a_bulk_action",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rationale_id} {self.outcome}"

    @property
    def decided_by(self) -> str:
        if self.bulk_id:
            return f"{self.bulk.created_by}, with many others"
        return str(self.review.reviewer) if self.review_id else f"rule (rubric {self.rule.version})"


class DecisionLog(models.Model):
    """Every decision that ever stood, by triggers of the database (see history.py): no code can
    forget to write it, and nobody can change it. Its keys bind nothing, so nothing takes it along."""

    project = models.ForeignKey(
        Project, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    rationale = models.ForeignKey(
        Rationale,
        on_delete=models.DO_NOTHING,
        related_name="decision_log",
        db_constraint=False,
        db_index=False,
    )
    at = models.DateTimeField()
    was = models.CharField(max_length=10, help_text="The outcome before; empty: undecided.")
    outcome = models.CharField(max_length=10, help_text="The outcome since; empty: taken back.")
    # Where the decision came from; of one that was taken back, where that had come from.
    review = models.ForeignKey(
        Review, null=True, on_delete=models.DO_NOTHING, related_name="+",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    rule = models.ForeignKey(
        Rubric, null=True, on_delete=models.DO_NOTHING, related_name="+",
        db_constraint=False, db_index=False,
    )  # fmt: skip
    bulk = models.ForeignKey(
        BulkAction, null=True, on_delete=models.DO_NOTHING, related_name="+",
        db_constraint=False, db_index=False,
    )  # fmt: skip

    objects = ProjectQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["rationale", "id"], name="log_of_a_rationale"),
            models.Index(fields=["project", "at"], name="log_by_day"),
            models.Index(
                fields=["bulk", "rationale"],
                condition=Q(bulk__isnull=False),
                name="log_of_a_bulk_action",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rationale_id}: {self.was or 'undecided'} to {self.outcome or 'undecided'}"


class FlagKind(models.TextChoices):
    WRONG_REFERENCE = "wrong_reference", "wrong reference answer"
    AMBIGUOUS = "ambiguous", "ambiguous"
    DUPLICATE = "duplicate", "duplicate"
    OTHER = "other", "own words"


class FlagQuerySet(ProjectQuerySet):
    def standing(self) -> "FlagQuerySet":
        """Without what was taken back."""
        return self.filter(withdrawn_at__isnull=True)

    def open(self) -> "FlagQuerySet":
        """Neither taken back nor settled."""
        return self.standing().filter(settled_at__isnull=True)


class QuestionFlag(models.Model):
    """What a person says of the question itself. An admin settles it."""

    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="flags")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="flags")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=FlagKind)
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    settlement = models.CharField(max_length=200, blank=True)

    objects = FlagQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["project", "id"],
                condition=Q(withdrawn_at__isnull=True, settled_at__isnull=True),
                name="flags_to_settle",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["question", "user", "kind"],
                condition=Q(withdrawn_at__isnull=True, settled_at__isnull=True),
                name="a_person_flags_a_question_once_for_a_thing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.question_id} {self.kind}"


class AgreementCount(Job):
    """How far the reviewers of a project agreed when a worker counted, see `workers.agreement`."""

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="agreement_counts", db_index=False
    )
    figures = models.JSONField(default=dict)
    reviews = models.PositiveIntegerField(default=0, help_text="that could be compared")

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["project", "id"], name="agreement_counts_by_age")]
        constraints = [
            Job.one_order_a_key("an_agreement_count"),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(status__in=["waiting", "running"]),
                name="a_project_counts_agreement_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"agreement count {self.pk}"
