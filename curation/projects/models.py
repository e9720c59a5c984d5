"""People, projects, who may do what in them, and the rubric that says which rationales are good."""

from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone


class User(AbstractUser):
    """A person who signs in. What they may do in a project is said by their memberships alone."""

    may_create_projects = models.BooleanField(
        default=False,
        help_text="Set by the operator; counts while WHO_CREATES_PROJECTS is `marked`.",
    )


class Preference(models.Model):
    """How a person wants their pages, on every machine."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="preference"
    )
    keys = models.JSONField(
        default=dict, blank=True, help_text="Keys of the review bench that were changed, by action."
    )

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"


class Role(models.TextChoices):
    ADMIN = "admin", "admin"
    REVIEWER = "reviewer", "reviewer"


class ProjectQuerySet(models.QuerySet):
    """Base of all querysets below a project: `for_user` keeps what that person may see."""

    project_path = "project"

    def for_user(self, user: User) -> "ProjectQuerySet":
        return self.filter(**{f"{self.project_path}__memberships__user": user})

    def for_project(self, project: "Project") -> "ProjectQuerySet":
        return self.filter(**{self.project_path: project})


class LivingManager(models.Manager.from_queryset(ProjectQuerySet)):
    """Without what was deleted: that belongs to no project until it is restored. So every index that
    begins with the project leaves it out, too, and no count has to look for it."""

    def get_queryset(self) -> ProjectQuerySet:
        return super().get_queryset().filter(project__isnull=False)


class OwnProjectQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "OwnProjectQuerySet":
        return self.filter(memberships__user=user)


class LivingProjectManager(models.Manager.from_queryset(OwnProjectQuerySet)):
    def get_queryset(self) -> OwnProjectQuerySet:
        return super().get_queryset().filter(deleted_at__isnull=True)


class Project(models.Model):
    """A body of questions with its members, guidelines, rubric and student."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    guidelines = models.TextField(blank=True)
    is_demo = models.BooleanField(default=False)
    student = models.CharField(
        max_length=300, blank=True, help_text="Model folder or hub name of the student to train."
    )
    max_rationale_tokens = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(16)],
        help_text="Most tokens of a rationale that the student can take; empty: its context length.",
    )
    rule_approves = models.BooleanField(
        default=False, help_text="Approve by rule what passes the rubric."
    )
    use_embeddings = models.BooleanField(default=True)
    overlap = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="How many people review a question, each without seeing the others' decisions.",
    )
    is_blind = models.BooleanField(
        default=False, help_text="Reviewers do not see which teacher wrote a rationale."
    )
    is_shuffled = models.BooleanField(
        default=False, help_text="Each reviewer sees the rationales in an order of their own."
    )
    hides_reference = models.BooleanField(
        default=False, help_text="The reference answer is shown when a reviewer asks for it."
    )
    control_percent = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(50)],
        help_text="How many of a reviewer's questions are control questions, in a hundred.",
    )
    has_webhooks = models.BooleanField(
        default=False,
        editable=False,
        help_text="Kept by the webhooks' services, so that a decision need not look for any.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        User, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    deleted_at = models.DateTimeField(null=True, editable=False)
    deleted_by = models.ForeignKey(
        User, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    objects = LivingProjectManager()
    all_objects = OwnProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_project_that_somebody_deleted_says_when",
                condition=Q(deleted_by__isnull=True) | Q(deleted_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def rubric(self) -> "Rubric":
        """The rubric in force: the one with the highest version."""
        return self.rubrics.order_by("-version").first() or Rubric(project=self, version=0)


class Membership(models.Model):
    """What a person may do in a project. That of a deleted project is set `aside`: nobody is its member
    until it is restored, so every way in is closed by the one lock that all ways have."""

    project = models.ForeignKey(
        Project, null=True, on_delete=models.CASCADE, related_name="memberships"
    )
    aside = models.ForeignKey(
        Project, null=True, on_delete=models.CASCADE, related_name="members_aside"
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.REVIEWER)

    objects = LivingManager()
    all_objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user"], name="a_person_has_one_role_in_a_project"
            ),
            models.CheckConstraint(
                name="a_membership_is_of_a_project_or_set_aside",
                condition=Q(project__isnull=False, aside__isnull=True)
                | Q(project__isnull=True, aside__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} in {self.project or self.aside}"


def _share(default: float, help_text: str) -> models.FloatField:
    return models.FloatField(
        default=default,
        help_text=help_text,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
    )


class Unread(models.TextChoices):
    """What becomes, by rule, of a rationale whose answer the scorers could not read."""

    PEOPLE = "people", "people decide on it"
    FIRST = "first", "people decide on it, before all others"
    REJECT = "reject", "the rule rejects it"


class Rubric(models.Model):
    """Thresholds that a rationale's scores must reach. Never changed: a change makes a new version."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rubrics")
    version = models.PositiveIntegerField()
    right_answer = models.BooleanField(default=True, help_text="The answer must be right.")
    min_validity = _share(0.5, "How likely it must be that no step is wrong.")
    min_conciseness = _share(0.4, "How short a rationale must be.")
    min_structure = _share(0.5, "How well a rationale must be built.")
    max_redundancy = _share(0.8, "How likely it may be that a step makes no progress.")
    unread = models.CharField(
        max_length=10,
        choices=Unread,
        default=Unread.PEOPLE,
        help_text="What becomes of a rationale whose answer could not be read.",
    )
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "version"], name="a_rubric_version_is_used_once"
            ),
            models.CheckConstraint(
                name="rubric_thresholds_lie_between_0_and_1",
                condition=Q(min_validity__range=(0, 1))
                & Q(min_conciseness__range=(0, 1))
                & Q(min_structure__range=(0, 1))
                & Q(max_redundancy__range=(0, 1)),
            ),
            models.CheckConstraint(
                name="a_rubric_says_what_becomes_of_unread_answers",
                condition=Q(unread__in=Unread.values),
            ),
        ]

    def __str__(self) -> str:
        return f"rubric {self.version} of {self.project_id}"

    THRESHOLDS = (
        "right_answer",
        "min_validity",
        "min_conciseness",
        "min_structure",
        "max_redundancy",
        "unread",
    )

    def thresholds(self) -> dict[str, float | bool | str]:
        return {name: getattr(self, name) for name in self.THRESHOLDS}


class SavedView(models.Model):
    """A list's filters and order under a name: a person's own, or for the whole project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="saved_views")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=20, help_text="Address name of the list.")
    name = models.CharField(max_length=60)
    filters = models.JSONField(help_text="As the list's address has them.")
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user", "page", "name"],
                name="a_person_uses_a_name_for_one_view",
            )
        ]

    def __str__(self) -> str:
        return self.name
