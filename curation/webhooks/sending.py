"""What a worker does with deliveries: takes those that are due, notes what came of each."""

import random
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from curation.webhooks.models import DeliveryStatus, Webhook, WebhookDelivery
from curation.webhooks.services import keep_flag

# A delivery that a worker took, and of which nothing was heard for so long, is anybody's again.
LEASE = timedelta(seconds=60)
# Waits of a delivery after its 1st, 2nd, … failure; after the last it is given up, a day later.
WAITS = (5, 30, 120, 600, 1800, 7200, 18_000, 36_000)
MAX_ATTEMPTS = len(WAITS) + 1
# An address that fails holds back all that is for it, but for one try after each of these.
HOLDS = WAITS[:4]
JITTER = 0.2
STUCK = timedelta(days=2)
KEPT = timedelta(days=30)
AT_ONCE = 1000
EACH = 8  # of one webhook on their way at once
GONE = 410


def _due() -> Q:
    return Q(status=DeliveryStatus.WAITING, next_try_at__lte=timezone.now())


def _open_hooks() -> QuerySet[Webhook]:
    """Webhooks that are on, not held, and have something due."""
    free = Q(hold_until__isnull=True) | Q(hold_until__lte=timezone.now())
    waits = WebhookDelivery.objects.filter(_due(), hook=OuterRef("pk"))
    here = Q(project__deleted_at__isnull=True)
    return Webhook.objects.filter(free, here, Exists(waits), is_active=True)


def any_due() -> bool:
    return _open_hooks().exists()


def take_due(
    count: int, under_way: Mapping[int, int] | None = None, slow: Collection[int] = ()
) -> list[WebhookDelivery]:
    """At most `count` deliveries that are due, taken for this worker: no other one sends them for
    LEASE. Each webhook gets its share, whatever waits for the others, of each the oldest first.

    under_way: how many of a webhook, by its key, this worker sends already; slow: webhooks that get one
    at a time, as one does that failed last
    """
    if count < 1:
        return []
    busy = under_way or {}
    full = [pk for pk, n in busy.items() if n >= (1 if pk in slow else EACH)]
    hooks = list(_open_hooks().exclude(pk__in=full).order_by("?")[:count])
    taken: list[WebhookDelivery] = []
    for hook in hooks:
        most = 1 if hook.failures or hook.pk in slow else EACH
        share = min(most - busy.get(hook.pk, 0), max(1, count // len(hooks)))
        rows = WebhookDelivery.objects.filter(_due(), hook=hook).order_by("next_try_at", "id")
        taken += [row for row in rows[: max(0, share)] if _take(row, hook)]
    return taken


def _take(row: WebhookDelivery, hook: Webhook) -> bool:
    """False where another worker was first."""
    now = timezone.now()
    mine = WebhookDelivery.objects.filter(
        pk=row.pk,
        status=DeliveryStatus.WAITING,
        attempts=row.attempts,
        next_try_at=row.next_try_at,
    )
    if not mine.update(attempts=F("attempts") + 1, next_try_at=now + LEASE, tried_at=now):
        return False
    row.attempts, row.hook = row.attempts + 1, hook
    return True


def note(delivery: WebhookDelivery, response_status: int | None, error: str) -> None:
    """Write what came of an attempt; `error` is empty where it was delivered. A worker that comes back
    after its lease changes nothing."""
    mine = WebhookDelivery.objects.filter(
        pk=delivery.pk, status=DeliveryStatus.WAITING, attempts=delivery.attempts
    )
    told = {"response_status": response_status, "error": error[:300]}
    if not error:
        told["status"] = DeliveryStatus.SENT
    elif response_status == GONE or delivery.attempts >= MAX_ATTEMPTS:
        told["status"] = DeliveryStatus.FAILED
    else:
        told["next_try_at"] = timezone.now() + _wait(WAITS, delivery.attempts)
    if not mine.update(**told):
        return
    if not error:
        failing = Webhook.objects.filter(pk=delivery.hook_id, failures__gt=0)
        failing.update(failures=0, hold_until=None)
        return
    _hold(delivery.hook)
    if response_status == GONE:
        reason = "The address answered 410: it is gone for good."
        Webhook.objects.filter(pk=delivery.hook_id).update(is_active=False, off_reason=reason)
        keep_flag(delivery.hook.project_id)


def _hold(hook: Webhook) -> None:
    """Failures that come together, of one batch, count once."""
    now = timezone.now()
    free = Q(hold_until__isnull=True) | Q(hold_until__lte=now)
    Webhook.objects.filter(free, pk=hook.pk).update(
        failures=F("failures") + 1, hold_until=now + _wait(HOLDS, hook.failures + 1)
    )


def _wait(waits: Sequence[int], failures: int) -> timedelta:
    """How long to wait after so many failures, spread a little, so that what failed together does not
    come back together."""
    spread = random.uniform(1 - JITTER, 1 + JITTER)
    return timedelta(seconds=waits[min(failures, len(waits)) - 1] * spread)


def tidy() -> None:
    """Give up what could not even be tried for days, forget what ended long ago; a few at a time, so
    that nobody waits for it."""
    now = timezone.now()
    waiting = WebhookDelivery.objects.filter(status=DeliveryStatus.WAITING)
    stuck = waiting.filter(next_try_at__lt=now - STUCK).order_by("next_try_at")
    if ids := list(stuck.values_list("pk", flat=True)[:AT_ONCE]):
        error = f"The address was off or did not answer for {STUCK.days} days."
        waiting.filter(pk__in=ids).update(status=DeliveryStatus.FAILED, error=error)
    ended = WebhookDelivery.objects.exclude(status=DeliveryStatus.WAITING)
    old = ended.filter(created_at__lt=now - KEPT).order_by("created_at")
    if ids := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        WebhookDelivery.objects.filter(pk__in=ids).delete()
