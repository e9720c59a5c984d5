"""The status machine under all long work."""

from datetime import timedelta

import pytest
from django.utils import timezone

from curation.errors import Conflict
from curation.projects.models import Project, User
from curation.rationales.models import ScoringRun
from curation.work import Status, begin, finish, move, ordered_before, silent, still_mine


@pytest.fixture
def run(project: Project) -> ScoringRun:
    return ScoringRun.objects.create(project=project)


def go_silent(run: ScoringRun) -> None:
    ScoringRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))


def test_a_waiting_row_is_begun_by_one_worker_only(run: ScoringRun) -> None:
    first, second = begin(ScoringRun, run.pk), begin(ScoringRun, run.pk)
    assert first is not None and first.status == Status.RUNNING and first.attempt == 1
    assert second is None


def test_a_row_whose_worker_went_silent_is_taken_over(run: ScoringRun) -> None:
    first = begin(ScoringRun, run.pk)
    go_silent(run)
    second = begin(ScoringRun, run.pk)
    assert second is not None and second.attempt == 2
    assert second.started_at == first.started_at


def test_a_late_worker_changes_nothing(run: ScoringRun) -> None:
    late = begin(ScoringRun, run.pk)
    go_silent(run)
    newer = begin(ScoringRun, run.pk)
    assert not still_mine(late, done=99)
    assert not finish(late, Status.FAILED, error="late")
    assert still_mine(newer, done=5)
    assert finish(newer, Status.DONE)
    run.refresh_from_db()
    assert (run.status, run.done, run.error) == (Status.DONE, 5, "")


def test_cancelled_work_is_no_longer_the_workers(run: ScoringRun) -> None:
    mine = begin(ScoringRun, run.pk)
    move(ScoringRun, run.pk, [Status.RUNNING], Status.CANCELLED)
    assert not still_mine(mine)
    assert not finish(mine, Status.DONE)


def test_a_move_from_a_status_that_the_row_left_is_a_conflict_that_names_it(
    run: ScoringRun,
) -> None:
    move(ScoringRun, run.pk, [Status.WAITING], Status.CANCELLED)
    with pytest.raises(Conflict, match="is cancelled"):
        move(ScoringRun, run.pk, [Status.WAITING], Status.RUNNING)


def test_silent_rows_are_found_and_busy_ones_left(run: ScoringRun) -> None:
    begin(ScoringRun, run.pk)
    assert not silent(ScoringRun).exists()
    go_silent(run)
    assert silent(ScoringRun).get() == run


def test_an_order_key_of_another_project_or_person_finds_nothing(
    run: ScoringRun, project: Project, admin_user: User
) -> None:
    ScoringRun.objects.filter(pk=run.pk).update(order_key="k1")
    assert ordered_before(ScoringRun, project, None, "k1") == run
    other = Project.objects.create(slug="other", name="Other")
    assert ordered_before(ScoringRun, other, None, "k1") is None
    assert ordered_before(ScoringRun, project, admin_user, "k1") is None
