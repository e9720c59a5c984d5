"""The API's pages in a real browser: the documentation under the strict policy, tokens, webhooks."""

from collections.abc import Callable
from typing import Any

import pytest

from curation.api.core.tokens import find
from curation.projects.models import Project, User
from curation.webhooks.models import Webhook

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def test_the_documentation_draws_and_calls_under_the_strict_policy(
    project: Project, admin_user: User, visit: Callable[..., Any]
) -> None:
    page = visit(admin_user, "/api/v1/docs")
    page.wait_for_selector(".opblock-tag")
    assert page.locator(".opblock-tag").count() >= 8
    page.locator(".opblock-tag", has_text="projects").first.click()
    page.get_by_text("/api/v1/me", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.wait_for_selector(".live-responses-table .response-col_status")
    assert '"username": "ada"' in page.inner_text(".live-responses-table")


def test_a_token_is_made_copied_and_revoked(
    project: Project, reviewer: User, visit: Callable[..., Any]
) -> None:
    page = visit(reviewer, "/tokens/")
    page.get_by_label("Name").fill("nightly")
    page.get_by_role("button", name="Make a token").click()
    secret = page.locator("#secret").input_value()
    assert find(secret).user == reviewer
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke").click()
    page.wait_for_selector(".message.success", state="attached")
    assert find(secret) is None and page.locator("#secret").count() == 0


def test_a_webhook_is_added_and_its_secret_shown_once(
    project: Project, admin_user: User, visit: Callable[..., Any]
) -> None:
    page = visit(admin_user, "/projects/eggs/settings/webhooks/")
    page.get_by_label("Address").fill("https://example.org/told")
    page.get_by_role("button", name="Add").click()
    hook = Webhook.objects.get()
    assert page.locator("#secret").input_value() == hook.secret
    page.get_by_role("link", name="https://example.org/told").click()
    page.get_by_role("button", name="Send a test").click()
    page.wait_for_selector("#deliveries td")
    assert "webhook.test" in page.inner_text("#deliveries") and page.locator("#secret").count() == 0
    page.get_by_role("button", name="Switch off").click()
    page.get_by_role("button", name="Switch on").wait_for()
