"""An evaluation with its worker killed; see test_killed_workers."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from curation import artifacts
from curation.evaluations.services import order_evaluation
from curation.projects.models import Project, User
from curation.questions.formats import Row
from curation.questions.services import add_questions
from curation.rationales.models import Teacher
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
