"""A text that the scorers cannot finish in time fails alone, is shown with its reason, and can be scored
again; so does one that somebody has checked at the bench."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.jobs import Status
from curation.projects.models import Project
from curation.rationales.models import Group, Score
from curation.rationales.scoring import text_checks
from curation.rationales.scoring.scores import order_rescoring
from tests.curation.rationales.scoring_rows import codes, score_all, write
from workers.scoring import tasks
from workers.scoring.isolation.process import TextProcess

Make = Callable[..., list[Any]]
ENDLESS = "wait, 1 + 1 = 2 so no. " * 80_000


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextProcess]:
    """The worker's own processes for texts, with less time for each than ENDLESS takes anywhere."""
    made = TextProcess(seconds=0.3)
    monkeypatch.setattr(tasks, "_texts_of_runs", made)
    monkeypatch.setattr(tasks, "_texts_of_people", made)
    yield made
    made.close()


@pytest.mark.django_db(transaction=True)  # the heartbeat has a connection of its own
def test_a_rationale_past_its_time_fails_alone_and_says_why(
    hasty: TextProcess,
    project: Project,
    make_questions: Make,
    make_rationales: Make,
    admin_client: Client,
) -> None:
    first, second = make_questions(2)
    fine = make_rationales(first, ["right"], scored=False)
    fine += make_rationales(second, ["right"], scored=False)
    (endless,) = write(first, [ENDLESS])
    run = score_all(project)
    assert all(Score.objects.get(pk=one.pk).correctness == 1.0 for one in fine)
    failed = Score.objects.get(pk=endless.pk)
    assert failed.correctness is None and codes(endless) == {"scorer_failed"}
    assert not [group for group in Group.objects.all() if group.scored < group.revision]
    assert "a flag at each of them says why" in run.note
    place = reverse("question", args=[project.slug, first.pk])
    page = admin_client.get(place).content.decode()
    assert "it took more than 0.3 s of processor time at this rationale" in page
    # Scored again with time enough, it is a rationale like any other.
    hasty.seconds = 60.0
    hasty.close()
    again = order_rescoring(project, None)
    tasks.score(again.pk)
    again.refresh_from_db()
    assert again.status == Status.DONE and "could not be scored" not in again.note
    assert codes(endless) != {"scorer_failed"}


def test_a_text_at_the_bench_past_its_time_is_answered_with_the_reason(
    hasty: TextProcess,
    project: Project,
    make_questions: Make,
    reviewer: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_checks, "MOST_CHARACTERS", 10**7)
    (question,) = make_questions(1)
    check = text_checks.order_check(project, reviewer, question, ENDLESS)
    tasks.check_text(check.pk)
    check.refresh_from_db()
    assert check.score is None and check.answered_at is not None
    assert check.error == (
        "The scorer failed at this text: it took more than 0.3 s of processor time."
    )
