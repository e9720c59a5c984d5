"""Tokens, by which scripts come in as the person who made them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from curation.projects.models import Project


class Scope(models.TextChoices):
    """What a token may be used for; each allows what stands before it as well."""

    READ = "read", "read"
    REVIEW = "review", "read and review"
    ADMIN = "admin", "everything that you may do"

    def allows(self, wanted: str) -> bool:
        order = list(Scope)
        return order.index(self) >= order.index(Scope(wanted))


class ApiToken(models.Model):
    """A token of a person. Only its SHA-256 is stored. What it may do is looked up at each use: never
    more than its scope, and never more than the person may at that moment."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(
        max_length=12, editable=False, help_text="How the token begins, to know it by."
    )
    scope = models.CharField(max_length=6, choices=Scope, default=Scope.READ)
    project = models.ForeignKey(
        Project,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="The only project that it opens; empty: all of the person's.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"],
                condition=Q(revoked_at__isnull=True),
                name="a_person_has_one_token_of_a_name",
            ),
            models.CheckConstraint(
                name="a_token_has_a_known_scope", condition=Q(scope__in=Scope.values)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """`in force`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= timezone.now() else "in force"
