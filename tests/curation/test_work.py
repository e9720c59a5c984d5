"""The status machine under all long work."""

from datetime import timedelta

import pytest
from django.utils import timezone

from curation.errors import Conflict
from curation.jobs import Status, begin, finish, move, ordered_before, silent, still_mine
from curation.progress import Counted, progress_of
from curation.projects.models import Project, User
from curation.rationales.models import ScoringRun


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


def test_time_is_what_workers_were_at_it_without_silence_waiting_and_pauses(
    run: ScoringRun,
) -> None:
    assert run.seconds is None
    now = timezone.now()
    begin(ScoringRun, run.pk)
    # The first attempt was heard of last 40 seconds after it began, and died.
    begun, heard = now - timedelta(seconds=900), now - timedelta(seconds=860)
    row = ScoringRun.objects.filter(pk=run.pk)
    row.update(started_at=begun, begun_at=begun, heartbeat_at=heard)
    assert row.get().seconds == 40
    second = begin(ScoringRun, run.pk)
    assert second.attempt == 2 and second.started_at == begun and second.seconds == 40
    # The second worked for 7 seconds until somebody cancelled it, and much later it goes on.
    row.update(begun_at=now - timedelta(seconds=300), heartbeat_at=now - timedelta(seconds=293))
    move(ScoringRun, run.pk, [Status.RUNNING], Status.CANCELLED)
    assert row.get().seconds == 47
    move(ScoringRun, run.pk, [Status.CANCELLED], Status.WAITING, finished_at=None)
    assert row.get().seconds == 47
    third = begin(ScoringRun, run.pk)
    assert finish(third, Status.DONE)
    ended = row.get()
    assert ended.begun_at is None and 47 <= ended.seconds < 300


def test_what_is_shown_is_never_impossible(
    run: ScoringRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = begin(ScoringRun, run.pk)
    for counted in (
        Counted(300, 1), Counted(0, 0), Counted(5, None), Counted(0, 10), Counted(3, 10, 7),
        Counted(1, 10, seconds_left=-213.0), Counted(299, 300), Counted(10, 10, seconds_left=9.0),
    ):  # fmt: skip
        monkeypatch.setattr(ScoringRun, "counted", lambda self, known=counted: known)
        shown = progress_of(mine)
        assert shown.total is None or shown.done + shown.failed <= shown.total
        assert shown.percent is None or 0 <= shown.percent <= 100
        assert shown.seconds_left is None or shown.seconds_left >= 0
        if shown.total == shown.done + shown.failed:
            assert shown.seconds_left is None
    go_silent(run)
    monkeypatch.setattr(ScoringRun, "counted", lambda self: Counted(1, 10, seconds_left=5.0))
    assert progress_of(ScoringRun.objects.get(pk=run.pk)).seconds_left is None
    assert progress_of(mine).seconds_left == 5.0


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
