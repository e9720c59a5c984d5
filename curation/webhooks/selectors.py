"""Reads of webhooks."""

from datetime import timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from curation.projects.models import Project
from curation.webhooks.models import Webhook
from curation.webhooks.services import standing_hooks

LATELY = timedelta(days=7)


def hooks_with_counts(project: Project) -> QuerySet[Webhook]:
    """The project's webhooks with what became of their deliveries of the last days: `sent`, `failed`,
    `waiting`."""
    lately = Q(deliveries__created_at__gte=timezone.now() - LATELY)
    counts = {
        name: Count("deliveries", filter=lately & Q(deliveries__status=name))
        for name in ("sent", "failed", "waiting")
    }
    return standing_hooks(project).annotate(**counts).order_by("id")
