"""Teachers by page: made, changed, tried before they are saved, and measured."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.projects.models import Project
from curation.rationales.models import Teacher, TeacherTry

Make = Callable[..., list[Any]]


def at(name: str, *pk: int, project: str = "eggs") -> str:
    return reverse(name, args=[project, *pk])


TEACHER = {
    "name": "far",
    "backend": "openai",
    "model": "llama",
    "base_url": "http://127.0.0.1:8000/v1",
    "api_key_env": "FAR_API_KEY",
    "prompt_style": "step-by-step",
    "max_tokens": "300",
    "top_p": "0.9",
    "price_in": "0.5",
    "price_out": "1.5",
}


def test_a_teacher_is_added_and_changed(project: Project, admin_client: Client) -> None:
    assert admin_client.post(at("teacher_new"), TEACHER).status_code == 302
    made = Teacher.objects.get()
    assert (made.project, made.api_key_env, made.writes) == (project, "FAR_API_KEY", True)
    admin_client.post(at("teacher_edit", made.pk), {**TEACHER, "max_tokens": "500"})
    made.refresh_from_db()
    assert made.max_tokens == 500


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"base_url": ""}, "needs its address"),
        ({"model": ""}, "needs its model"),
        ({"model": "--load-format=pt"}, "cannot be a model"),
        ({"model": "a; rm -rf /"}, "cannot be a model"),
        ({"name": "strong"}, "There is a teacher “strong” already"),
        ({"prompt_style": "{{ 7*7 }}"}, "not one of the available choices"),
    ],
)
def test_a_teacher_that_cannot_be_is_told_in_the_form(
    change: dict[str, str], said: str, teacher: Teacher, admin_client: Client
) -> None:
    answer = admin_client.post(at("teacher_new"), {**TEACHER, **change})
    assert answer.status_code == 400 and said in answer.content.decode()
    assert Teacher.objects.count() == 1


def test_fields_that_the_teachers_form_does_not_have_are_not_taken(
    project: Project, stranger: Any, admin_client: Client
) -> None:
    theirs = Project.objects.get(slug="elsewhere")
    admin_client.post(at("teacher_new"), {**TEACHER, "project": theirs.pk, "writes": ""})
    made = Teacher.objects.get()
    assert (made.project, made.writes) == (project, True)


def test_teachers_show_what_they_wrote_with_an_interval(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    make_rationales(make_questions(1)[0], ["right", "wrong", "wrong", "right"])
    page = reviewer_client.get(at("teachers")).content.decode()
    assert "50.0%" in page and "0.2–99.8" in page  # of one question, however often it is answered
    for question in make_questions(3):
        make_rationales(question, ["right"])
    page = reviewer_client.get(at("teachers")).content.decode()
    assert "71.4%" in page and "0.2–99.8" not in page


def test_the_leaderboard_has_intervals_and_a_bounded_number_of_queries(
    make_questions: Make,
    make_rationales: Make,
    reviewer_client: Client,
    django_assert_max_num_queries: Any,
) -> None:
    empty = reviewer_client.get(at("leaderboard")).content.decode()
    assert "Nothing to compare yet" in empty
    make_rationales(make_questions(1)[0], ["right", "wrong", "wrong", "right"])
    with django_assert_max_num_queries(11):
        page = reviewer_client.get(at("leaderboard")).content.decode()
    assert "50.0%" in page and "0.2–99.8" in page


def test_a_teacher_is_tried_from_its_form_and_the_answer_is_watched(
    project: Project, admin_client: Client, reviewer: Any, stranger_client: Client
) -> None:
    asked = {**TEACHER, "api_key_env": "", "question": "1 + 1?"}
    page = admin_client.post(at("teacher_try"), asked, headers={"HX-Request": "true"})
    row = TeacherTry.objects.get()
    assert at("teacher_tried", row.pk) in page.content.decode() and not Teacher.objects.exists()
    assert row.settings["base_url"] == TEACHER["base_url"] and row.question == "1 + 1?"
    looked = admin_client.get(at("teacher_tried", row.pk)).content.decode()
    assert "every 1s" in looked and "/waiting/teachertry/" in looked
    assert stranger_client.get(at("teacher_tried", row.pk)).status_code == 404
    TeacherTry.objects.update(status="done", answer="<b>2</b>", latency=0.5, cost=0.25)
    looked = admin_client.get(at("teacher_tried", row.pk)).content.decode()
    assert "every 1s" not in looked and "&lt;b&gt;2" in looked and "0.50 s" in looked


def test_a_saved_teacher_is_tried_with_what_was_changed_and_stays_as_it_is(
    teacher: Teacher, admin_client: Client
) -> None:
    form = {**TEACHER, "name": teacher.name, "max_tokens": "77", "api_key_env": ""}
    assert "data-error" not in admin_client.post(at("teacher_try"), form).content.decode()
    assert TeacherTry.objects.get().settings["max_tokens"] == 77
    teacher.refresh_from_db()
    assert (teacher.max_tokens, teacher.backend) == (256, "transformers")


def test_a_try_of_a_wrong_form_says_what_is_wrong(project: Project, admin_client: Client) -> None:
    for change, said in (
        ({"base_url": ""}, "needs its address"),
        ({"max_tokens": "many"}, "At most so many tokens"),
        ({"gpu_memory": "7"}, "share of the GPU"),
    ):
        page = admin_client.post(at("teacher_try"), {**TEACHER, **change}).content.decode()
        assert said in page
    assert not TeacherTry.objects.exists()


def test_a_vllm_of_the_worker_is_set_up_with_its_options(
    project: Project, admin_client: Client
) -> None:
    form = {**TEACHER, "backend": "vllm", "model": "org/large", "base_url": "", "api_key_env": ""}
    form |= {"dtype": "bfloat16", "tensor_parallel": "2", "gpu_memory": "0.5"}
    assert admin_client.post(at("teacher_new"), form).status_code == 302
    made = Teacher.objects.get()
    assert (made.dtype, made.tensor_parallel, made.gpu_memory) == ("bfloat16", 2, 0.5)
    assert (
        admin_client.post(
            at("teacher_new"), {**form, "name": "b", "tensor_parallel": "0"}
        ).status_code
        == 400
    )
