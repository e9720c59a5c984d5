"""A judge of the project's own: its score stands beside the others and changes none."""

import json
from collections.abc import Callable
from typing import Any

from django.test import Client
from django.urls import reverse

from curation.projects.models import Project
from curation.rationales.models import Judge, Score
from curation.rationales.scoring.scores import SCORES, order_rescoring
from tests.curation.rationales.scoring_rows import score_all
from tests.workers.generation.generation_server import Received, Reply, Server, chat
from workers.scoring.tasks import score

Make = Callable[..., list[Any]]


def test_a_judges_score_stands_under_its_name_and_changes_no_other(
    project: Project,
    make_questions: Make,
    make_rationales: Make,
    admin_client: Client,
    settings: Any,
) -> None:
    settings.MODEL_HOSTS = ["127.0.0.1"]
    (question,) = make_questions(1)
    (rationale,) = make_rationales(question, ["right"])
    before = Score.objects.filter(pk=rationale.pk).values(*SCORES).get()

    def answers(number: int, received: Received) -> Reply:
        asked = json.loads(received.body["messages"][1]["content"])
        return chat(json.dumps({"code": asked["code"], "steps": [0.42] * len(asked["steps"])}))

    with Server(answers) as server:
        given = {
            "name": "Qwen judge",
            "kind": "chat",
            "base_url": server.url,
            "model": "some-model",
        }
        saved = admin_client.post(reverse("judge", args=[project.slug]), given)
        assert saved.status_code == 302
        score(order_rescoring(project, None).pk)
    told = Score.objects.get(pk=rationale.pk)
    assert told.detail["judge"]["validity"] == 0.42
    assert Score.objects.filter(pk=rationale.pk).values(*SCORES).get() == before
    page = admin_client.get(reverse("question", args=[project.slug, question.pk])).content.decode()
    assert "Qwen judge" in page


def test_a_judge_at_an_address_that_is_not_allowed_costs_its_score_and_says_why(
    project: Project, make_questions: Make, make_rationales: Make
) -> None:
    Judge.objects.create(project=project, name="j", model="m", base_url="http://127.0.0.1:9/v1")
    (question,) = make_questions(1)
    (rationale,) = make_rationales(question, ["right"], scored=False)
    score_all(project)
    told = Score.objects.get(pk=rationale.pk)
    assert told.correctness == 1.0 and told.detail["judge"]["validity"] is None
    assert "not a public address" in told.detail["judge"]["reason"]


def test_a_key_that_is_not_set_is_said_on_the_page_and_the_rest_is_scored(
    project: Project, make_questions: Make, make_rationales: Make
) -> None:
    Judge.objects.create(
        project=project,
        name="j",
        model="m",
        base_url="https://example.org/v1",
        api_key_env="NO_API_KEY",
    )
    (question,) = make_questions(1)
    make_rationales(question, ["right"], scored=False)
    assert "NO_API_KEY is not set" in score_all(project).note


def test_the_judge_is_an_admins_to_set_and_to_remove(
    project: Project, admin_client: Client, reviewer_client: Client, stranger_client: Client
) -> None:
    address, remove = (reverse(name, args=[project.slug]) for name in ("judge", "judge_remove"))
    given = {"name": "j", "kind": "reward", "base_url": "https://example.org", "model": "m"}
    for client, status in ((stranger_client, 404), (reviewer_client, 403)):
        assert client.get(address).status_code == status
        assert client.post(address, given).status_code == status
        assert client.post(remove).status_code == status
    assert admin_client.post(address, given | {"api_key_env": "PATH"}).status_code == 400
    for _ in range(2):
        assert admin_client.post(address, given).status_code == 302
    assert Judge.objects.get().kind == "reward"
    assert admin_client.get(address).status_code == 200
    admin_client.post(remove)
    assert not Judge.objects.exists()
