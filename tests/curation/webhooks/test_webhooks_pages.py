"""Where a project's webhooks are set up, and the page that shows what came of each delivery."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.webhooks.models import Webhook, WebhookDelivery
from curation.webhooks.services import add_hook, remove_hook, send_test


@pytest.fixture
def hook(project: Project, admin_user: User) -> Webhook:
    made = add_hook(project, admin_user, "https://example.org/told")
    project.refresh_from_db()
    return made


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.org", "ftp://example.org", "http://", "https://a:b@example.org/"),
        *("http://x/#y", "http://x:99999999/", "http://ex ample.org/", "http://x\\y/"),
        "https://x/" + "y" * 600,
    ],
)
def test_what_is_no_address_is_refused(url: str, project: Project, admin_user: User) -> None:
    with pytest.raises(Invalid):
        add_hook(project, admin_user, url)


def test_an_address_is_told_once_and_may_come_back(project: Project, admin_user: User) -> None:
    first = add_hook(project, admin_user, "https://example.org/")
    with pytest.raises(Conflict):
        add_hook(project, admin_user, "https://example.org/")
    remove_hook(first)
    assert add_hook(project, admin_user, "https://example.org/").secret != first.secret


def test_the_page_shows_the_secret_once_and_the_data_base_never(
    project: Project, admin_client: Client
) -> None:  # C6
    place = reverse("settings_webhooks", args=["eggs"])
    assert "Nobody is told yet" in admin_client.get(place).content.decode()
    answer = admin_client.post(place, {"url": "https://example.org/told"})
    hook = Webhook.objects.get()
    assert answer.status_code == 201 and hook.secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert hook.secret not in str(Webhook.objects.values().get())
    one = reverse("webhook_detail", args=["eggs", hook.pk])
    for page in (place, one):
        shown = admin_client.get(page).content.decode()
        assert hook.secret not in shown and "example.org/told" in shown
    again = admin_client.post(reverse("webhook_secret", args=["eggs", hook.pk]))
    new = Webhook.objects.get().secret
    assert new != hook.secret and new in again.content.decode()
    refused = admin_client.post(place, {"url": "nonsense"})
    assert refused.status_code == 400 and "begins with https" in refused.content.decode()


def test_the_page_shows_what_came_of_each_delivery_and_sends_again(
    project: Project, admin_client: Client, hook: Webhook, django_assert_max_num_queries: Any
) -> None:
    for _ in range(60):
        send_test(hook)
    WebhookDelivery.objects.update(
        status="failed", attempts=9, response_status=500, error="<script>alert(1)</script>"
    )
    place = reverse("webhook_detail", args=["eggs", hook.pk])
    with django_assert_max_num_queries(10):
        page = admin_client.get(place).content.decode()
    assert "given up" in page and "<script>alert" not in page and "Older" in page  # B2
    assert "every 2s" not in page
    row = hook.deliveries.first()
    admin_client.post(reverse("webhook_again", args=["eggs", hook.pk, row.pk]))
    assert hook.deliveries.get(pk=row.pk).status == "waiting"
    assert "every 2s" in admin_client.get(place).content.decode()
    admin_client.post(reverse("webhook_switch", args=["eggs", hook.pk]))
    assert "Switch on" in admin_client.get(place).content.decode()
    assert admin_client.post(reverse("webhook_test", args=["eggs", hook.pk])).status_code == 409
    admin_client.post(reverse("webhook_remove", args=["eggs", hook.pk]))
    assert admin_client.get(place).status_code == 404
