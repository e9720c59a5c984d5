"""A text is scored while somebody writes it: asked for by the bench or a script, answered by the worker's
own task with the real scorers, and never kept as a rationale."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation import celery_app
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, TextCheck
from curation.rationales.scoring.scores import mark_stale, order_scoring
from curation.web import rate_limit
from tests.conftest import signed_in
from tests.curation.api.api_calls import ROOT, no_brake, token
from workers.scoring import tasks

Make = Callable[..., list[Any]]
PLACE = reverse("review_check", args=["eggs"])
__all__ = ["no_brake"]


@pytest.fixture
def question(make_questions: Make, make_rationales: Make) -> Question:
    """Ann has 1 egg and buys 2 more: 3."""
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong"])
    return made


def post(client: Client, body: dict[str, Any]) -> Any:
    return client.post(PLACE, json.dumps(body), content_type="application/json")


def ask(client: Client, question: Question, text: str) -> dict[str, Any]:
    answer = post(client, {"item": question.queue_item.pk, "text": text})
    assert answer.status_code == 200, answer.content
    return answer.json()


def checked(client: Client, question: Question, text: str) -> dict[str, Any]:
    """Ask, let the worker answer, look."""
    number = ask(client, question, text)["check"]
    tasks.check_text(number)
    return post(client, {"check": number}).json()


def test_a_text_gets_its_grade_answer_sums_and_flags_and_becomes_no_rationale(
    question: Question, reviewer_client: Client
) -> None:
    before = Rationale.objects.count()
    good = checked(reviewer_client, question, "She has 1 egg.\n1 + 2 = 3 eggs.\nAnswer: 3")
    assert (good["waits"], good["error"]) == (False, "")
    told = good["told"]
    assert (told["grade"], told["answer"], told["sums"], told["flags"]) == (
        "right",
        "3",
        [1, 1],
        [],
    )
    bad = checked(reviewer_client, question, "She has 1 egg.\n1 + 2 = 4 eggs.\nAnswer: 4")["told"]
    assert (bad["grade"], bad["words"]) == ("wrong", "4, not 3")
    (flag,) = [one for one in bad["flags"] if one["severity"] == "error"]
    assert flag["step"] == 2 and flag["message"] == "1 + 2 is 3, not 4."
    assert Rationale.objects.count() == before


def test_while_no_worker_has_answered_it_waits_and_says_when_none_listens(
    question: Question, reviewer_client: Client
) -> None:
    told = ask(reviewer_client, question, "Answer: 3")
    assert (told["waits"], told["listens"], told["told"]) == (True, False, None)
    celery_app.broker().set(f"{celery_app.LISTENER_PREFIX}cpu:here:1", 1, ex=5)
    celery_app.cache.clear()
    assert post(reviewer_client, {"check": told["check"]}).json()["listens"] is True
    TextCheck.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    assert post(reviewer_client, {"check": told["check"]}).json()["waits"] is False
    tasks.check_text(told["check"])  # too late: nobody looks any more
    assert TextCheck.objects.get().answered_at is None


def test_a_newer_text_takes_the_place_of_one_that_waits(
    question: Question,
    reviewer_client: Client,
    wake_ups: Callable[[str], int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = ask(reviewer_client, question, "Answer: 4")["check"]
        second = ask(reviewer_client, question, "Answer: 3")["check"]
    assert wake_ups("cpu") == 2
    tasks.check_text(first)
    assert not TextCheck.objects.filter(answered_at__isnull=False).exists()
    tasks.check_text(second)
    assert TextCheck.objects.get().score["answer"] == "3"


def test_a_long_scoring_does_not_keep_who_writes_waiting(
    question: Question, reviewer_client: Client, project: Project, reviewer: User
) -> None:
    number = ask(reviewer_client, question, "Answer: 3")["check"]
    mark_stale(project, [question.pk])
    run = order_scoring(project, reviewer)
    run.embeddings = False
    run.save(update_fields=["embeddings"])
    tasks.score(run.pk)
    assert TextCheck.objects.get(pk=number).score["correctness"] == 1.0


@pytest.mark.parametrize("text", ["", " \n", "x" * 30_001, 7, None])
def test_what_is_no_text_to_check_is_told(
    text: Any, question: Question, reviewer_client: Client
) -> None:
    answer = post(reviewer_client, {"item": question.queue_item.pk, "text": text})
    assert answer.status_code == 400 and answer.json()["error"]
    assert not TextCheck.objects.exists()


def test_beyond_a_pace_that_nobody_pauses_at_checks_wait(
    question: Question, reviewer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit.CHECKS, "most", 2)
    answers = [
        post(reviewer_client, {"item": question.queue_item.pk, "text": "Answer: 3"})
        for _ in range(6)
    ]
    assert answers[-1].status_code == 429 and "many checks" in answers[-1].json()["error"]


def test_nobody_reads_the_text_of_another(
    question: Question, reviewer_client: Client, admin_client: Client, admin_user: User
) -> None:
    number = ask(reviewer_client, question, "Answer: 3")["check"]
    assert post(admin_client, {"check": number}).status_code == 404
    headers = {"authorization": f"Bearer {token(admin_user)}"}
    assert Client().get(f"{ROOT}/projects/eggs/checks/{number}", headers=headers).status_code == 404


def test_a_script_has_a_text_scored(question: Question, reviewer: User) -> None:
    headers = {"authorization": f"Bearer {token(reviewer, 'review')}"}
    place = f"{ROOT}/projects/eggs"
    made = Client().post(
        f"{place}/questions/{question.pk}/checks",
        json.dumps({"text": "1 + 2 = 3\nAnswer: 3"}),
        content_type="application/json",
        headers=headers,
    )
    assert made.status_code == 202 and made.json()["waits"] is True
    tasks.check_text(made.json()["id"])
    found = Client().get(f"{place}/checks/{made.json()['id']}", headers=headers).json()
    assert (found["waits"], found["question"]) == (False, question.pk)
    assert found["score"]["correctness"] == 1.0 and len(found["score"]["steps"]) == 2


def test_old_checks_go_when_their_writer_asks_again(question: Question, reviewer: User) -> None:
    client = signed_in(reviewer)
    checked(client, question, "Answer: 3")
    TextCheck.objects.update(created_at=timezone.now() - timedelta(hours=1))
    ask(client, question, "Answer: 4")
    assert TextCheck.objects.get().text == "Answer: 4"
