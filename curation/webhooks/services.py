"""Webhooks of a project: made, changed, told of events."""

import json
import secrets
import uuid
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils import timezone

from curation import celery_app
from curation.db.quotas import lock, refuse_beyond
from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.web import rate_limit
from curation.webhooks.models import DeliveryStatus, Webhook, WebhookDelivery

MADE, WITHDRAWN, TEST = "decisions.made", "decisions.withdrawn", "webhook.test"
MAX_HOOKS = 20
MAX_URL = 500
# Decisions in one event: those of one question are far fewer, a rule or a bulk action may make many.
AT_ONCE = 500


def check_url(url: str) -> str:
    """The address, trimmed. Raises Invalid for one that cannot be sent to. Whether it leads to a place
    that we may connect to is judged when the connection opens."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (raises for a port that is none)
        (parts.hostname or "").encode("idna")
    except ValueError as error:  # of Unicode, too
        raise Invalid(f"This is no address: {error}.") from None
    if len(url) > MAX_URL or not url.isprintable() or " " in url or "\\" in url:
        raise Invalid(f"An address has at most {MAX_URL} signs, no blanks and no backslashes.")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid("An address begins with https:// (or http://) and names a host.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("An address holds no user name, no password and no #.")
    return url


def add_hook(project: Project, user: User, url: str) -> Webhook:
    """A new webhook; its `secret` is to be shown now. Raises Conflict where the address is told."""
    url = check_url(url)
    rate_limit.spend(rate_limit.NEW_WEBHOOKS, user.pk)
    standing = Webhook.objects.filter(project=project, removed_at=None)
    try:
        with transaction.atomic():
            lock(project)
            refuse_beyond(
                standing, MAX_HOOKS, "A project has at most {most} webhooks: remove one first."
            )
            made = Webhook.objects.create(
                project=project, url=url, nonce=secrets.token_hex(32), created_by=user
            )
            keep_flag(project.pk)
    except IntegrityError:
        raise Conflict("This address is told already.") from None
    return made


def keep_flag(project_id: int) -> None:
    """`has_webhooks` of the project says whether one of its webhooks is on."""
    on = Webhook.objects.filter(project=project_id, is_active=True).exists()
    Project.objects.filter(pk=project_id).update(has_webhooks=on)


def standing_hooks(project: Project) -> Any:
    return Webhook.objects.for_project(project).filter(removed_at=None)


def switch(hook: Webhook, on: bool) -> None:
    """Switch a webhook on or off. What waits while it is off is sent once it is on again."""
    with transaction.atomic():
        changed = Webhook.objects.filter(pk=hook.pk, removed_at=None).update(
            is_active=on, off_reason="", failures=0, hold_until=None
        )
        if not changed:
            raise Conflict("This webhook was removed.")
        keep_flag(hook.project_id)
        if on:
            celery_app.send(celery_app.SEND_WEBHOOKS)


def new_secret(hook: Webhook) -> Webhook:
    """Another secret, to be shown now; the old one signs nothing any more."""
    Webhook.objects.filter(pk=hook.pk, removed_at=None).update(nonce=secrets.token_hex(32))
    hook.refresh_from_db()
    return hook


def remove_hook(hook: Webhook) -> None:
    """It is told nothing more. What was sent stays in the database."""
    with transaction.atomic():
        removed = Webhook.objects.filter(pk=hook.pk, removed_at=None).update(
            removed_at=timezone.now(), is_active=False
        )
        if not removed:
            raise Conflict("This webhook was removed already.")
        keep_flag(hook.project_id)
    WebhookDelivery.objects.filter(hook=hook, status=DeliveryStatus.WAITING).update(
        status=DeliveryStatus.FAILED, error="The webhook was removed."
    )


def tell(project: Project, kind: str, decisions: Callable[[], Sequence[dict[str, Any]]]) -> None:
    """Write an event for every webhook of the project that is on, in the caller's transaction.

    `decisions` makes what the event holds, and is not called where nobody listens.
    """
    hooks = list(Webhook.objects.filter(project=project, is_active=True).order_by("id"))
    if not hooks or not (rows := list(decisions())):
        return
    for start in range(0, len(rows), AT_ONCE):
        data = {"project": project.slug, "decisions": rows[start : start + AT_ONCE]}
        _write(hooks, kind, data)


def _write(hooks: Sequence[Webhook], kind: str, data: dict[str, Any]) -> list[WebhookDelivery]:
    now, event = timezone.now(), f"msg_{uuid.uuid4().hex}"
    told = {"type": kind, "timestamp": now.isoformat(), "data": data}
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    made = WebhookDelivery.objects.bulk_create(
        WebhookDelivery(hook=hook, event_id=event, kind=kind, body=body, next_try_at=now)
        for hook in hooks
    )
    celery_app.send(celery_app.SEND_WEBHOOKS)
    return made


def send_test(hook: Webhook) -> WebhookDelivery:
    """An event that tells of nothing. Raises Conflict where the webhook is off."""
    if not Webhook.objects.filter(pk=hook.pk, is_active=True).exists():
        raise Conflict("This webhook is off: switch it on first.")
    with transaction.atomic():
        (made,) = _write([hook], TEST, {"project": hook.project.slug})
    return made


def send_again(hook: Webhook, delivery_id: int) -> None:
    """Try a delivery again that was given up or delivered, with the same event id."""
    if not Webhook.objects.filter(pk=hook.pk, is_active=True).exists():
        raise Conflict("This webhook is off: switch it on first.")
    again = (
        WebhookDelivery.objects.filter(hook=hook, pk=delivery_id)
        .exclude(status=DeliveryStatus.WAITING)
        .update(
            status=DeliveryStatus.WAITING,
            attempts=0,
            next_try_at=timezone.now(),
            error="",
            response_status=None,
        )
    )
    if not again:
        raise Conflict("This delivery is on its way already.")
    Webhook.objects.filter(pk=hook.pk).update(failures=0, hold_until=None)
    celery_app.send(celery_app.SEND_WEBHOOKS)
