"""Addresses that want to hear of decisions, and what was sent to them.

An event is written in the transaction of what it tells of, so it is there if and only if that is; a
worker sends it afterwards. Signed as https://www.standardwebhooks.com says.
"""

import base64

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from curation.projects.models import Project, ProjectQuerySet

SECRET_PREFIX = "whsec_"


class Webhook(models.Model):
    """One address of a project. Its secret is not stored: it follows from the server's own key and
    `nonce`, so whoever reads the database alone can sign nothing."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    nonce = models.CharField(max_length=64, editable=False)
    is_active = models.BooleanField(default=True)
    off_reason = models.CharField(
        max_length=300, blank=True, help_text="Why it was switched off, if not by a person."
    )
    # While an address fails, only one event at a time tries it, after longer and longer waits.
    failures = models.PositiveIntegerField(default=0, help_text="In a row, one for each wait.")
    hold_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(null=True, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "url"],
                condition=Q(removed_at__isnull=True),
                name="an_address_is_told_once_in_a_project",
            ),
            models.CheckConstraint(
                name="a_removed_webhook_is_not_active",
                condition=Q(removed_at__isnull=True) | Q(is_active=False),
            ),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def key(self) -> bytes:
        """The 32 bytes that sign."""
        return salted_hmac("curation.webhooks", self.nonce, algorithm="sha256").digest()

    @property
    def secret(self) -> str:
        """The key as receivers write it down."""
        return SECRET_PREFIX + base64.b64encode(self.key).decode()


class DeliveryStatus(models.TextChoices):
    WAITING = "waiting", "waiting"
    SENT = "sent", "delivered"
    FAILED = "failed", "given up"


class DeliveryQuerySet(ProjectQuerySet):
    project_path = "hook__project"


class WebhookDelivery(models.Model):
    """One event on its way to one address. `body` is what is sent and signed, byte for byte."""

    hook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.CharField(
        max_length=40, help_text="The same at every attempt: receivers tell doubles by it."
    )
    kind = models.CharField(max_length=40)
    body = models.TextField()
    status = models.CharField(max_length=8, choices=DeliveryStatus, default=DeliveryStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    tried_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["hook", "event_id"], name="an_event_goes_to_an_address_once"
            )
        ]
        indexes = [
            models.Index(fields=["hook", "-id"], name="deliveries_of_a_webhook"),
            # Serves the hunt for what is due; what was sent drops out of it.
            models.Index(
                fields=["next_try_at", "id"],
                condition=Q(status="waiting"),
                name="deliveries_that_wait",
            ),
            # The same for one webhook: what waits for others is not looked through.
            models.Index(
                fields=["hook", "next_try_at", "id"],
                condition=Q(status="waiting"),
                name="what_waits_for_a_webhook",
            ),
            models.Index(
                fields=["created_at"], condition=~Q(status="waiting"), name="old_deliveries"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.hook_id}"
