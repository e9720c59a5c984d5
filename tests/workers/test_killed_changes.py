"""What is done to many at once, checks and counts, with their worker killed; see test_killed_workers."""

from typing import Any

import pytest
from django.test import Client

from curation.datasets.models import DatasetCheck, DatasetVersion
from curation.datasets.services import freeze
from curation.datasets.verification import order_check
from curation.jobs import Status
from curation.progress import progress_of
from curation.projects.models import Project, User
from curation.questions.models import Kind
from curation.rationales.models import Rationale, Teacher
from curation.reviews.bulk.orders import order_bulk
from curation.reviews.bulk.orders import preview as bulk_preview
from curation.reviews.deletion.orders import order_deletion
from curation.reviews.deletion.orders import preview as deletion_preview
from curation.reviews.models import Decision
from curation.reviews.reports.agreement import newest_count, order_agreement
from tests.workers.killing import Watched, Worker, api, fresh, plain, wait_until, write

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_check_of_a_dataset(
    project: Project, dataset: DatasetVersion, admin_client: Client, worker: Worker, at: Any
):
    dataset = freeze(dataset.pk)

    def caught() -> DatasetCheck | None:
        """A check that is under way, its worker dead; None where it was over before."""
        check = order_check(dataset, None)
        wait_until(lambda: fresh(check).done, every=0.001)
        worker.kill()
        if fresh(check).is_active:
            return check
        worker.start()
        return None

    check = wait_until(caught)
    seen = Watched(
        check, admin_client, lambda: (fresh(check).done, 3000, 0), goes_back=True,
        page=at("dataset_verified", 1), words="{done:,} of {total:,} lines",
    )  # fmt: skip
    lines = fresh(check).done
    assert 0 < lines < 3000 and lines % 500 == 0
    seen.same_everywhere()
    worker.take_over(check)
    check = seen.end()
    assert check.same and check.done == 3000
    assert "The same bytes" in plain(admin_client.get(at("dataset_verified", 1)))


def test_many_decided_at_once(
    project: Project,
    admin_user: User,
    teacher: Teacher,
    admin_client: Client,
    worker: Worker,
    at: Any,
):
    write(project, teacher, 20_000)
    counted = bulk_preview(project, "approve", {})
    action = order_bulk(project, admin_user, "approve", {}, until=counted.until)
    seen = Watched(
        action, admin_client, lambda: (Decision.objects.filter(bulk=action).count(), 20_000, 0),
        page=at("bulk_detail", action.pk), api=api(project, f"bulk-actions/{action.pk}"),
        words="approved {done:,} looked at {done:,} in the preview {total:,}",
    )  # fmt: skip
    seen.middle()
    seen.cancel_and_resume("bulk")
    seen.middle(seen.highest + 1)
    worker.kill()
    seen.same_everywhere()
    worker.take_over(action)
    seen.end()
    seen.same_everywhere()
    assert Decision.objects.filter(bulk=action).count() == 20_000


def test_a_deletion(
    project: Project,
    admin_user: User,
    teacher: Teacher,
    admin_client: Client,
    worker: Worker,
    at: Any,
):
    write(project, teacher, 40_000)
    counted = deletion_preview(project, Kind.RATIONALES, {})
    deletion = order_deletion(project, admin_user, Kind.RATIONALES, {}, until=counted.until)
    gone = Rationale.all_objects.filter(project=None)
    seen = Watched(
        deletion, admin_client, lambda: (gone.count(), 40_000, 0),
        page=at("deletion_detail", deletion.pk), api=api(project, f"deletions/{deletion.pk}"),
        words="rationales deleted {done:,}",
    )  # fmt: skip
    seen.middle()
    seen.cancel_and_resume("deletion")
    seen.middle(seen.highest + 1)
    worker.kill()
    seen.same_everywhere()
    worker.take_over(deletion)
    seen.end()
    seen.same_everywhere()
    assert gone.count() == 40_000


def test_a_count_of_agreement(project: Project, admin_user: User, worker: Worker):
    count = order_agreement(project, admin_user)
    wait_until(lambda: fresh(count).status == Status.RUNNING, every=0.002)
    worker.kill()
    assert fresh(count).is_active
    worker.take_over(count)
    wait_until(lambda: fresh(count).status == Status.DONE, every=0.1)
    assert newest_count(project) == count and fresh(count).reviews == 0
    assert progress_of(fresh(count)).percent is None
