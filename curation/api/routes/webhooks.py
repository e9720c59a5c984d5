"""Webhooks: addresses that are told of decisions."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import ADMIN, ADMIN_READ
from curation.api.core.pagination import PageOf, asked, filters, paged
from curation.api.core.request_body import Body
from curation.webhooks import services
from curation.webhooks.models import Webhook, WebhookDelivery

router = Router(tags=["webhooks"])
P = "/projects/{slug:slug}"
ONE = f"{P}/webhooks/{{int:hook_id}}"


class WebhookOut(Schema):
    id: int
    url: str
    is_active: bool
    off_reason: str = Field(description="Why it was switched off, if not by a person.")
    failures: int = Field(description="In a row, as it stands now.")
    created_at: datetime


class WebhookMade(WebhookOut):
    secret: str = Field(description="Shown this once. Signs every message.")


class WebhookIn(Body):
    url: str = Field(max_length=services.MAX_URL)


class SwitchIn(Body):
    is_active: bool


class DeliveryOut(Schema):
    id: int
    event_id: str
    kind: str
    body: str = Field(description="The JSON that is sent, byte for byte.")
    status: str = Field(description="waiting, sent or failed (given up).")
    attempts: int
    next_try_at: datetime
    response_status: int | None
    error: str
    created_at: datetime


def _hook(request: HttpRequest, hook_id: int) -> Webhook:
    return get_object_or_404(services.standing_hooks(request.project), pk=hook_id)


def _out(hook: Webhook, *more: str) -> dict[str, Any]:
    return {name: getattr(hook, name) for name in (*WebhookOut.model_fields, *more)}


def _delivery(row: WebhookDelivery) -> dict[str, Any]:
    return {name: getattr(row, name) for name in DeliveryOut.model_fields}


@router.get(
    f"{P}/webhooks",
    auth=ADMIN_READ,
    response=PageOf[WebhookOut],
    summary="Webhooks",
    openapi_extra=filters(),
)
def webhook_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    return paged(request, services.standing_hooks(request.project), asked(request), _out)


@router.post(f"{P}/webhooks", auth=ADMIN, response={201: WebhookMade}, summary="New webhook")
def webhook_create(request: HttpRequest, slug: str, body: WebhookIn) -> Status[dict[str, Any]]:
    """The answer holds the secret, this once."""
    made = services.add_hook(request.project, request.user, body.url)
    return Status(201, _out(made, "secret"))


@router.patch(ONE, auth=ADMIN, response=WebhookOut, summary="Switch a webhook on or off")
def webhook_switch(request: HttpRequest, slug: str, hook_id: int, body: SwitchIn) -> dict[str, Any]:
    services.switch(_hook(request, hook_id), body.is_active)
    return _out(_hook(request, hook_id))


@router.delete(ONE, auth=ADMIN, response={204: None}, summary="Remove a webhook")
def webhook_remove(request: HttpRequest, slug: str, hook_id: int) -> Status[None]:
    services.remove_hook(_hook(request, hook_id))
    return Status(204, None)


@router.post(f"{ONE}/secret", auth=ADMIN, response=WebhookMade, summary="Make a new secret")
def webhook_secret(request: HttpRequest, slug: str, hook_id: int) -> dict[str, Any]:
    """The old one signs nothing any more."""
    return _out(services.new_secret(_hook(request, hook_id)), "secret")


@router.post(f"{ONE}/test", auth=ADMIN, response={202: DeliveryOut}, summary="Send a test")
def webhook_test(request: HttpRequest, slug: str, hook_id: int) -> Status[dict[str, Any]]:
    return Status(202, _delivery(services.send_test(_hook(request, hook_id))))


@router.get(
    f"{ONE}/deliveries",
    auth=ADMIN_READ,
    response=PageOf[DeliveryOut],
    summary="Deliveries, the newest first",
    openapi_extra=filters(),
)
def delivery_list(request: HttpRequest, slug: str, hook_id: int) -> dict[str, Any]:
    rows = _hook(request, hook_id).deliveries.all()
    return paged(request, rows, asked(request), _delivery, newest_first=True)


@router.post(
    f"{ONE}/deliveries/{{int:delivery_id}}/again",
    auth=ADMIN,
    response={202: DeliveryOut},
    summary="Send a delivery again",
)
def delivery_again(
    request: HttpRequest, slug: str, hook_id: int, delivery_id: int
) -> Status[dict[str, Any]]:
    """With the same event id, so that the receiver can tell it from a new one."""
    hook = _hook(request, hook_id)
    delivery = get_object_or_404(hook.deliveries, pk=delivery_id)
    services.send_again(hook, delivery.pk)
    delivery.refresh_from_db()
    return Status(202, _delivery(delivery))
