"""The rule that approves what passes the rubric: what it takes, and how many it says it takes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.errors import Conflict
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, Score
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import BulkAction, Decision
from curation.reviews.queue.controls import make_control
from tests.curation.rationales.scoring_rows import score_all
from tests.curation.reviews.reviewing import review

Make = Callable[..., list[Any]]


def press(client: Client) -> str:
    """The button of the dashboard; the page that follows."""
    answer = client.post(reverse("approve_by_rule", args=["eggs"]), follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("split", ["eval", "ood"])
def test_the_rule_leaves_rationales_of_held_out_questions_alone(
    split: str,
    project: Project,
    make_questions: Make,
    make_rationales: Make,
    admin_client: Client,
) -> None:
    (learned,), (held_out,) = make_questions(1), make_questions(1, split=split)
    for question in (learned, held_out):
        make_rationales(question, ["right"])
    assert Score.objects.filter(project=project, verdict="right").count() == 2
    assert "1 more rationales are approved" in press(admin_client)
    assert Decision.objects.get().rationale.question == learned
    # And so does the scoring of a project whose rule is on.
    Project.objects.filter(pk=project.pk).update(rule_approves=True)
    make_rationales(held_out, ["right"], scored=False)
    score_all(project)
    assert not Decision.objects.filter(rationale__question=held_out).exists()


def test_what_is_decided_is_not_in_the_rules_count(
    project: Project,
    reviewer: User,
    questions: list[Question],
    make_questions: Make,
    make_rationales: Make,
    admin_client: Client,
) -> None:
    review(project, reviewer, questions[0], "reject", "reject")  # it passes, and a person said no
    review(project, reviewer, questions[1], "approve", "reject")
    assert "1 more rationales are approved" in press(admin_client)
    action = BulkAction.objects.get()
    assert (action.expected, action.changed) == (1, 1)
    assert action.rule == project.rubric
    right = Rationale.objects.get(question=questions[2], score__verdict="right")
    assert Decision.objects.get(rule__isnull=False).rationale == right
    assert "No undecided rationale passes the rubric" in press(admin_client)
    assert BulkAction.objects.count() == 1


def test_the_rules_word_makes_no_control_question(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    """What the rule approved is the scorers' view: reviewers are not measured against that."""
    assert apply_rule(project) == 3
    review(project, reviewer, questions[0], "-", "reject")
    decided = Decision.objects.filter(rationale__question=questions[0])
    assert set(decided.values_list("outcome", "rule__version")) == {
        ("approved", project.rubric.version),
        ("rejected", None),
    }
    with pytest.raises(Conflict, match="a person's word on every rationale"):
        make_control(project, admin_user, questions[0])
