"""What the worker asks in an evaluation: held-out questions alone, and how many of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from curation import artifacts
from curation.evaluations.models import Evaluation
from curation.evaluations.services import order_evaluation
from curation.projects.models import Project, User
from workers.evaluation.tasks import write_config

Make = Callable[..., list[Any]]


def asked(evaluation: Evaluation) -> list[int]:
    """The questions that the worker lays down for the evaluation's process."""
    folder = artifacts.local_folder(f"evaluations/{evaluation.pk}")
    write_config(evaluation, folder)
    lines = (folder / "questions.jsonl").read_text().splitlines()
    return [int(json.loads(line)["id"]) for line in lines]


@pytest.mark.parametrize("splits", [["eval", "ood"], ["eval"], ["ood"]])
def test_an_evaluation_asks_the_held_out_questions_of_its_splits_and_no_other(
    splits: list[str], project: Project, admin_user: User, stranger: User, make_questions: Make
) -> None:
    made = {split: make_questions(3, split=split) for split in ("train", "eval", "ood")}
    make_questions(1, split="eval", reference_answer=None)  # right or wrong: nobody could say
    make_questions(2, split="eval", to=stranger.memberships.get().project)
    evaluation = order_evaluation(project, admin_user, splits=splits)
    assert sorted(asked(evaluation)) == sorted(q.pk for split in splits for q in made[split])
    evaluation.refresh_from_db()
    assert evaluation.total == 3 * len(splits)  # the base student alone


def test_a_limit_holds_for_each_part_of_the_questions(
    project: Project, admin_user: User, make_questions: Make
) -> None:
    plain, floor = make_questions(4, split="ood"), make_questions(4, split="ood", subset="floor")
    evaluation = order_evaluation(project, admin_user, limit=2)
    assert sorted(asked(evaluation)) == [q.pk for q in plain[:2] + floor[:2]]
