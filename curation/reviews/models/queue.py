"""The queue: what waits for a review, the seats at it, and the control questions among it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from curation.projects.models import Project, ProjectQuerySet
from curation.questions.models import Question


class QueueStatus(models.TextChoices):
    WAITING = "waiting", "waiting"
    ADJUDICATE = "adjudicate", "reviews disagree"
    DONE = "done", "done"
    CONTROL = "control", "control question"


class QueueItemQuerySet(ProjectQuerySet):
    def locked(self, **which: object) -> "QueueItem | None":
        """The item that this names, which nobody else changes until the transaction ends; None where
        there is none. Whoever needs its seats, too, locks it first: so nobody waits for each other."""
        return self.select_for_update(no_key=True).filter(**which).first()


class QueueItem(models.Model):
    """A question in the queue. `rank` orders it: the highest comes first."""

    # Here and below, a key has no index of its own where another one begins with it: each index is one
    # more page to write at every claim and submission.
    # Without a project where its question was deleted; so with its open seats and its control.
    project = models.ForeignKey(
        Project, null=True, on_delete=models.CASCADE, related_name="queue", db_index=False
    )
    question = models.OneToOneField(Question, on_delete=models.CASCADE, related_name="queue_item")
    status = models.CharField(max_length=10, choices=QueueStatus, default=QueueStatus.WAITING)
    rank = models.FloatField(default=0.0)
    reason = models.CharField(max_length=100, blank=True, help_text="Why it stands where it does.")
    pinned_reason = models.CharField(
        max_length=100, blank=True, help_text="Set from outside, such as by a failed evaluation."
    )
    done_at = models.DateTimeField(null=True)

    objects = QueueItemQuerySet.as_manager()

    class Meta:
        indexes = [
            # Serves counts, lists of what waits for adjudication, and the choice of a control.
            models.Index(fields=["project", "status", "id"], name="queue_by_status"),
        ]

    def __str__(self) -> str:
        return f"question {self.question_id} in the queue"


class Seat(models.Model):
    """One of the reviews that a question waits for: a claim takes it, decisions fill it.

    A question has as many as its project wants reviews of it, made when it comes into the queue, so
    that no claim can go beyond them. A control question has one for each person who got it, without
    a number. When a question comes back with new rationales its filled seats leave it: they say what people
    did, and on which day.
    """

    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="seats")
    item = models.ForeignKey(
        QueueItem, null=True, on_delete=models.CASCADE, related_name="seats", db_index=False
    )
    number = models.PositiveSmallIntegerField(null=True)
    rank = models.FloatField(default=0.0, help_text="The item's, for the index below.")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    held_until = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(
        null=True, help_text="When its holder got the rationales to see."
    )
    done_at = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True, help_text="What its holder spent on the question.")

    objects = ProjectQuerySet.as_manager()

    class Meta:
        indexes = [
            # Serves `next`: the best open seat of a project that is nobody's in particular ...
            models.Index(
                fields=["project", "-rank", "item", "number"],
                condition=Q(done_at__isnull=True, assigned_to__isnull=True),
                name="open_seats_by_rank",
            ),
            # ... or that is meant for one person.
            models.Index(
                fields=["assigned_to", "project", "-rank", "item"],
                condition=Q(done_at__isnull=True, assigned_to__isnull=False),
                name="assigned_seats_by_rank",
            ),
            models.Index(
                fields=["project", "holder", "held_until"],
                condition=Q(done_at__isnull=True, holder__isnull=False),
                name="seats_that_are_held",
            ),
            # Few seats are assigned, and most of them are filled one day.
            models.Index(
                fields=["assigned_to"],
                condition=Q(assigned_to__isnull=False),
                name="seats_that_were_assigned",
            ),
            # Serves a person's progress: what they did today, and how fast.
            models.Index(
                # With the seconds: counting a day reads nothing else.
                fields=["holder", "project", "done_at", "seconds"],
                condition=Q(done_at__isnull=False),
                name="seats_that_a_person_filled",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="a_seat_stands_once"),
            models.UniqueConstraint(
                fields=["holder", "item"],
                condition=Q(holder__isnull=False),
                name="a_person_reviews_a_question_once",
            ),
            models.CheckConstraint(
                name="an_open_seat_is_of_a_question",
                condition=Q(item__isnull=False) | Q(done_at__isnull=False),
            ),
            models.CheckConstraint(
                name="a_held_seat_says_until_when",
                condition=Q(holder__isnull=True)
                | Q(held_until__isnull=False)
                | Q(done_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"seat {self.number} of {self.item_id}"


class Control(models.Model):
    """A question with a known verdict on each rationale, mixed in among the others: how people decide on
    it says how far their decisions can be trusted. It decides nothing itself."""

    item = models.OneToOneField(QueueItem, on_delete=models.CASCADE, related_name="control")
    project = models.ForeignKey(
        Project, null=True, on_delete=models.CASCADE, related_name="controls"
    )
    verdicts = models.JSONField(help_text="rationale id to approve or reject")
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()

    def __str__(self) -> str:
        return f"control {self.item_id}"

    @property
    def right(self) -> int:
        """How many of its rationales are known to be good."""
        return sum(verdict == "approve" for verdict in self.verdicts.values())

    @property
    def wrong(self) -> int:
        return len(self.verdicts) - self.right


class Skip(models.Model):
    """A person passed on a question: it is not handed to them again."""

    item = models.ForeignKey(QueueItem, on_delete=models.CASCADE, related_name="skips")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "user"], name="a_person_skips_a_question_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} skipped {self.item_id}"
