"""The labels of steps are named by numbers of steps that the rationale has, at the bench and in the API."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.reviews.models import Review
from curation.reviews.queue.claims import next_item
from tests.curation.api.api_calls import Caller, no_brake

__all__ = ["no_brake"]  # a fixture
# The rationales of these tests have three lines.
WRONG = [
    "0",
    "4",
    "-1",
    "1.0",
    "01",
    " 1",
    "+1",
    "²",
    "١",
    "one",
    "",
    "9" * 400,
    "__proto__",
    "1\n",
]


@pytest.mark.parametrize("key", WRONG)
def test_a_label_of_no_step_is_a_400(
    key: str,
    project: Project,
    questions: list[Question],
    reviewer: User,
    reviewer_client: Client,
) -> None:
    item = next_item(project, reviewer).item
    rationale = item.question.rationales.first()
    says = [{"rationale": rationale.pk, "verdict": "approve", "step_labels": {"1": 1, key: 1}}]
    answer = reviewer_client.post(
        reverse("review_submit", args=["eggs"]),
        {"item": item.pk, "says": says},
        content_type="application/json",
    )
    assert answer.status_code == 400 and "step" in answer.json()["error"]
    told: dict[str, Any] = Caller(reviewer).post(
        f"review/items/{item.pk}/submit", {"says": says}, status=400
    )
    assert "step" in told["detail"] and not Review.objects.exists()


def test_labels_of_its_steps_are_taken(
    project: Project, questions: list[Question], reviewer: User
) -> None:
    item = next_item(project, reviewer).item
    rationale = item.question.rationales.first()
    labels = {"1": 1, "2": 0, "3": -1}
    says = [{"rationale": rationale.pk, "verdict": "approve", "step_labels": labels}]
    Caller(reviewer).post(f"review/items/{item.pk}/submit", {"says": says})
    assert Review.objects.get().step_labels == labels
