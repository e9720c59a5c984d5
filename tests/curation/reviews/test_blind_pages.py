"""Where people review blind, no page tells a reviewer which teacher wrote what; admins see it all."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from curation.projects.models import Project, User
from curation.rationales.models import GenerationRun, Rationale, Slot, Teacher
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.queue.claims import claim
from curation.reviews.queue.controls import make_control
from curation.reviews.submission.submit import ReviewInput, submit
from tests.curation.training.training_rows import frozen, training

Make = Callable[..., list[Any]]


@pytest.fixture
def blind(
    project: Project,
    teacher: Teacher,
    reviewer: User,
    make_questions: Make,
    make_rationales: Make,
) -> Project:
    Teacher.objects.filter(pk=teacher.pk).update(name="Zarathustra")
    (question,) = make_questions(1)
    rationales = make_rationales(question, ["right", "wrong"])
    # Only some teachers think before they answer.
    Rationale.objects.update(reasoning="Thus thought Zarathustra.")
    run = GenerationRun.objects.create(
        project=project, temperatures=[0.5], samples=1, status="done", slot_count=2
    )
    run.teachers.add(teacher)
    for sample, rationale in enumerate(rationales):
        Slot.objects.create(
            run=run,
            question=question,
            teacher=teacher,
            temperature=0.5,
            sample=sample,
            status="filled",
            rationale=rationale,
        )
    seat = claim(project, reviewer, question)
    says = [ReviewInput(rationale.pk, "approve") for rationale in to_review(seat.item)]
    submit(project, reviewer, seat.item_id, says)
    version = frozen(project)
    version.recipe["teachers"] = ["Zarathustra"]
    version.save()
    training(project, version)
    Project.objects.filter(pk=project.pk).update(is_blind=True)
    cache.clear()
    return project


def pages(project: Project) -> dict[str, str]:
    run, version = project.runs.get(), project.dataset_versions.get()
    return {
        "datasets": reverse("datasets", args=["eggs"]),
        "trainings": reverse("trainings", args=["eggs"]),
        "training": reverse("training_detail", args=["eggs", project.training_jobs.get().pk]),
        "dashboard": reverse("dashboard", args=["eggs"]),
        "runs": reverse("runs", args=["eggs"]),
        "run": reverse("run_detail", args=["eggs", run.pk]),
        "dataset": reverse("dataset_detail", args=["eggs", version.number]),
        "mine": reverse("my_reviews", args=["eggs"]),
        "rationales": reverse("rationales", args=["eggs"]),
        "question": reverse("question", args=["eggs", project.questions.get().pk]),
    }


def test_no_page_names_the_teacher_to_a_reviewer(
    blind: Project, reviewer_client: Client, admin_client: Client
) -> None:
    for name, address in pages(blind).items():
        answer = reviewer_client.get(address)
        assert answer.status_code == 200, name
        assert "Zarathustra" not in answer.content.decode(), name
        cache.clear()
    told = [
        n for n, a in pages(blind).items() if "Zarathustra" in admin_client.get(a).content.decode()
    ]
    assert {
        "dashboard",
        "runs",
        "run",
        "rationales",
        "question",
        "datasets",
        "dataset",
        "trainings",
    } <= set(told)


def test_pages_about_teachers_alone_are_for_admins(
    blind: Project, reviewer_client: Client, admin_client: Client
) -> None:
    run = blind.runs.get()
    for address in (
        reverse("teachers", args=["eggs"]),
        reverse("leaderboard", args=["eggs"]),
        reverse("run_log", args=["eggs", run.pk]),
    ):
        assert reviewer_client.get(address).status_code == 403
        assert admin_client.get(address).status_code == 200
    Project.objects.update(is_blind=False)
    assert reviewer_client.get(reverse("teachers", args=["eggs"])).status_code == 200


def test_a_control_waits_as_any_question_does_for_who_may_meet_it(
    project: Project,
    admin_user: User,
    make_questions: Make,
    make_rationales: Make,
    reviewer_client: Client,
    admin_client: Client,
) -> None:
    (question,) = make_questions(1)
    make_rationales(question, ["right", "wrong"])
    seat = claim(project, admin_user, question)
    first, second = to_review(seat.item)
    says = [ReviewInput(first.pk, "approve"), ReviewInput(second.pk, "reject", ["unclear"])]
    submit(project, admin_user, seat.item_id, says)
    make_control(project, admin_user, question)
    address = reverse("question", args=["eggs", question.pk])
    told = reviewer_client.get(address).content.decode()
    assert "waits: teachers disagree" in told and "done " not in told and "control" not in told
    assert "a control question" in admin_client.get(address).content.decode()
