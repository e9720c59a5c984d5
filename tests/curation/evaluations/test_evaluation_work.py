"""What the worker asks in an evaluation: held-out questions alone, and how many of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from curation import artifacts
from curation.datasets.models import DatasetVersion
from curation.evaluations.models import Answer, Evaluation
from curation.evaluations.services import finish_evaluation, order_evaluation
from curation.jobs import begin
from curation.projects.models import Project, User
from tests.curation.training.training_rows import frozen, training
from workers.evaluation.tasks import (
    curation_pairs,
    evaluate,
    student_name,
    weak_domains,
    write_config,
)

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


def test_a_late_worker_does_not_write_over_the_evaluation_of_a_newer_one(
    project: Project, admin_user: User, make_questions: Make
) -> None:  # E3
    (question,) = make_questions(1, split="eval")
    order = order_evaluation(project, admin_user)
    late = begin(Evaluation, order.pk)
    Evaluation.objects.filter(pk=order.pk).update(status="waiting")  # put back, taken over
    newer = begin(Evaluation, order.pk)

    def answers(evaluation: Evaluation, text: str) -> list[Answer]:
        return [Answer(evaluation=evaluation, model="strong", question=question, text=text)]

    assert finish_evaluation(newer, {"of": "newer"}, ["newer"], answers(newer, "newer"))
    assert not finish_evaluation(late, {"of": "late"}, ["late"], answers(late, "late"))
    order.refresh_from_db()
    assert (order.report, order.verdict) == ({"of": "newer"}, ["newer"])
    assert Answer.objects.get().text == "newer"


def test_students_of_approved_and_unfiltered_rationales_are_compared_where_they_learned_as_many(
    project: Project, admin_user: User, make_questions: Make
) -> None:
    make_questions(1, split="eval")
    one, other, more = (
        training(project, frozen(project, n, selection=selection, teachers=["strong"]), points=0)
        for n, selection in enumerate(["approved", "unfiltered", "unfiltered"], 1)
    )
    DatasetVersion.objects.filter(pk=more.dataset_id).update(example_count=930)
    unequal = order_evaluation(project, admin_user, compared=[one, more])
    assert curation_pairs(unequal) == []
    pair = curation_pairs(order_evaluation(project, admin_user, compared=[one, other]))
    assert [(p.teacher, p.approved, p.unfiltered) for p in pair] == [
        ("strong", student_name(one), student_name(other))
    ]


def test_only_kinds_at_which_the_student_clearly_fails_go_to_the_front(
    project: Project, admin_user: User, make_questions: Make
) -> None:
    """Ten points below its average, over five questions or more, of the held-out part alone."""
    make_questions(1, split="eval")
    evaluation = order_evaluation(project, admin_user)
    rights = {"good": 20 * "+", "usual": "+++++++---", "bad": "-----", "few": "----"}
    answers = [
        Answer(model="student", question=question, right=right == "+")
        for domain, said in rights.items()
        for question, right in zip(
            make_questions(len(said), split="eval", domain=domain), said, strict=True
        )
    ]
    far = make_questions(9, split="ood", domain="far")
    answers += [Answer(model="student", question=question, right=False) for question in far]
    answers += [Answer(model="strong", question=one.question, right=False) for one in answers]
    # On the whole 27 of 39, 69%. "usual" is at 70%.
    assert weak_domains(evaluation, "student", answers) == ["bad"]
    usual = [one for one in answers if one.question.domain == "usual" and one.model == "student"]
    usual[0].right = False  # 60% against 67%: below, and not clearly
    assert weak_domains(evaluation, "student", answers) == ["bad"]
    usual[1].right = False  # 50% against 64%
    assert weak_domains(evaluation, "student", answers) == ["bad", "usual"]


def test_work_of_an_admin_whose_account_was_switched_off_is_refused(
    project: Project, admin_user: User, make_questions: Make
) -> None:  # A5
    make_questions(1, split="eval")
    order = order_evaluation(project, admin_user)
    User.objects.filter(pk=admin_user.pk).update(is_active=False)
    evaluate(order.pk)
    order.refresh_from_db()
    assert order.status == "failed" and "may no longer" in order.error
