"""A worker that went silent over a delivery and comes back when another has taken it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from curation.projects.models import Project, User
from curation.webhooks import sending
from curation.webhooks.models import WebhookDelivery
from curation.webhooks.services import add_hook, send_test


@pytest.mark.parametrize(("status", "error"), [(200, ""), (500, "late"), (410, "late")])
def test_a_worker_that_comes_back_late_does_not_write_over_the_one_at_work(
    status: int, error: str, project: Project, admin_user: User
) -> None:  # E3
    hook = add_hook(project, admin_user, "https://example.org/told")
    send_test(hook)
    (late,) = sending.take_due(10)
    # Nothing more is heard of it: another worker takes it, and is sending now.
    WebhookDelivery.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))
    (newer,) = sending.take_due(10)
    before = WebhookDelivery.objects.values().get()
    sending.note(late, status, error)
    assert WebhookDelivery.objects.values().get() == before
    hook.refresh_from_db()
    assert hook.is_active and (hook.failures, hook.hold_until) == (0, None)
    sending.note(newer, 503, "no disk")
    row = hook.deliveries.get()
    assert (row.status, row.attempts, row.error) == ("waiting", 2, "no disk")
