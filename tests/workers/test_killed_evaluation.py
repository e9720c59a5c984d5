"""An evaluation with its worker killed; see test_killed_workers."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from curation import artifacts
from curation.evaluations.services import order_evaluation
from curation.projects.models import Project, User
from curation.questions.formats import Row
from curation.questions.services import add_questions
from curation.rationales.models import Backend, Teacher
from tests.workers.generation.generation_server import Received, Reply, Server, chat
from tests.workers.killing import Watched, Worker, api, fresh

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_an_evaluation(
    project: Project,
    admin_user: User,
    teacher: Teacher,
    admin_client: Client,
    worker: Worker,
    at: Any,
):
    rows = [
        Row(
            n,
            f"Ben has {n} pens and buys 2 more. How many has he now?",
            reference_answer=str(n + 2),
        )
        for n in range(60)
    ]
    add_questions(project, rows, "eval")
    evaluation = order_evaluation(project, admin_user)
    answers = Path(artifacts.local_folder(f"evaluations/{evaluation.pk}")) / "answers.jsonl"
    seen = Watched(
        evaluation, admin_client, lambda: (fresh(evaluation).done, 120, 0),
        page=at("evaluation_detail", evaluation.pk), words="{done:,} of {total:,} answers",
        api=api(project, f"evaluations/{evaluation.pk}"),
    )  # fmt: skip
    seen.middle()
    seen.cancel_and_resume("evaluation")
    seen.middle(seen.highest + 1)
    worker.kill()
    seen.same_everywhere()
    seen.on_the_dashboard()
    assert 0 < seen.highest <= sum(1 for _ in answers.open())
    worker.take_over(evaluation)
    evaluation = seen.end()
    assert evaluation.answers.count() == evaluation.done == evaluation.total == 120
    asked = [json.loads(line) for line in answers.open()]
    assert len({(one["model"], one["question_id"]) for one in asked}) == len(asked) == 120
    told = admin_client.get(api(project, f"evaluations/{evaluation.pk}")).json()
    assert (told["done"], told["total"], told["progress"]["percent"]) == (120, 120, 100)


def test_an_evaluation_whose_teachers_are_at_addresses(
    project: Project,
    admin_user: User,
    teacher: Teacher,
    admin_client: Client,
    worker: Worker,
    at: Any,
):
    """The first has answered all but one question, which it refuses, and the second some, when the worker
    is killed: what they answered counts from the next attempt's beginning."""
    rows = [Row(n, f"What is {n} plus 2?", reference_answer=str(n + 2)) for n in range(20)]
    add_questions(project, rows, "eval")
    go_on = threading.Event()
    second: list[int] = []

    def behave(number: int, received: Received) -> Reply:
        if received.body["model"] == "first":
            refused = "What is 7 plus" in received.body["messages"][-1]["content"]
            return Reply(status=400, body=b"{}") if refused else chat()
        second.append(number)
        if len(second) > 5:
            go_on.wait(120)
        return chat()

    with Server(behave) as server:
        for name in ("first", "second"):
            Teacher.objects.create(
                project=project, name=name, model=name, backend=Backend.OPENAI, base_url=server.url
            )
        evaluation = order_evaluation(project, admin_user)
        seen = Watched(
            evaluation, admin_client, lambda: (fresh(evaluation).done, 80, 1),
            page=at("evaluation_detail", evaluation.pk), words="{done:,} of {total:,} answers, 1 failed",
            api=api(project, f"evaluations/{evaluation.pk}"),
        )  # fmt: skip
        row = seen.middle(20)
        assert row.asks_addresses and row.failed == 1
        worker.kill()
        seen.same_everywhere()
        go_on.set()
        worker.take_over(evaluation)
        row = seen.middle(39)  # and on the way there nothing went back
    assert (row.failed, row.total) == (1, 80)
    seen.post("evaluation_cancel")
