"""What the worker asks in an evaluation: held-out questions alone, and how many of them."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

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
from workers.model_paths import DEMO

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


def hub_cache(folder: Path, name: str, model: Path) -> Path:
    """What the hub's own client leaves on this machine of a model that it fetched."""
    place = folder / f"models--{name.replace('/', '--')}"
    snapshot = place / "snapshots" / ("a" * 40)
    shutil.copytree(model, snapshot)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("a" * 40)
    return snapshot


def test_a_student_of_the_hub_is_measured_in_the_folder_that_its_training_fetched(
    project: Project, make_questions: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Or the evaluation ends with the sentence that says what to do."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    make_questions(2, split="eval")
    Project.objects.filter(pk=project.pk).update(student="someone/small")
    project.refresh_from_db()
    evaluation = order_evaluation(project, None)
    evaluate(evaluation.pk)
    evaluation.refresh_from_db()
    assert evaluation.status == "failed" and "\n" not in evaluation.error
    assert "The student someone/small is a model of the Hugging Face hub" in evaluation.error
    assert "MODEL_ROOTS" in evaluation.error
    found = hub_cache(tmp_path / "hub", "someone/small", DEMO / "student")
    asked(evaluation)
    folder = artifacts.local_folder(f"evaluations/{evaluation.pk}")
    (base,) = json.loads((folder / "config.json").read_text())["models"]
    assert base["spec"]["model"] == str(found)


def bars(page: str) -> list[tuple[str, str]]:
    return re.findall(r'<progress value="(\d+)" max="(\d+)"', page)


def test_the_bar_of_an_evaluation_is_as_long_on_every_page(
    project: Project, admin_user: User, admin_client: Client, make_questions: Make
) -> None:
    make_questions(1, split="eval")
    job = training(project, frozen(project), points=0)
    evaluation = order_evaluation(project, admin_user, job)
    Evaluation.objects.filter(pk=evaluation.pk).update(
        status="running", done=5, failed=2, total=10, heartbeat_at=timezone.now()
    )
    for name, pk in (
        ("evaluation_detail", evaluation.pk),
        ("evaluation_of_training", job.pk),
        ("evaluations", None),
    ):
        where = reverse(name, args=[project.slug, *([pk] if pk else [])])
        assert bars(admin_client.get(where).content.decode()) == [("7", "10")], name


def test_work_of_an_admin_whose_account_was_switched_off_is_refused(
    project: Project, admin_user: User, make_questions: Make
) -> None:  # A5
    make_questions(1, split="eval")
    order = order_evaluation(project, admin_user)
    User.objects.filter(pk=admin_user.pk).update(is_active=False)
    evaluate(order.pk)
    order.refresh_from_db()
    assert order.status == "failed" and "may no longer" in order.error
