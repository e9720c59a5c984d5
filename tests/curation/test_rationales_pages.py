"""Runs, teachers and the list of rationales by page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.projects.models import Project
from curation.rationales.models import (
    GenerationRun,
    Rationale,
    ScoringRun,
    Slot,
    Teacher,
    TeacherPart,
    TeacherTry,
)
from curation.work import Status

Make = Callable[..., list[Any]]
ORDER = {
    "temperatures": "0.3, 0.5",
    "samples": "2",
    "which": "train",
    "seed": "7",
    "order_key": "k1",
}
READS = ("rationales", "scoring_state", "runs", "teachers", "leaderboard")
ADMIN_READS = ("run_new", "teacher_new")
ADMIN_WRITES = ("run_new", "run_estimate", "teacher_new", "teacher_try", "score_again")
RUN_WRITES = (
    *("run_pause", "run_resume", "run_cancel", "run_retry"),
    *("run_budget", "run_cut_off"),
)


def at(name: str, *pk: int, project: str = "eggs") -> str:
    return reverse(name, args=[project, *pk])


@pytest.fixture
def run(make_questions: Make, teacher: Teacher, admin_client: Client) -> GenerationRun:
    make_questions(2)
    admin_client.post(at("run_new"), {**ORDER, "teachers": [teacher.pk]})
    return GenerationRun.objects.get()


def test_a_stranger_finds_nothing(run: GenerationRun, stranger_client: Client) -> None:
    for name in (*READS, *ADMIN_READS):
        assert stranger_client.get(at(name)).status_code == 404
    for name in ("run_detail", "run_log"):
        assert stranger_client.get(at(name, run.pk)).status_code == 404
        assert stranger_client.get(at(name, run.pk, project="elsewhere")).status_code == 404
    for name in ADMIN_WRITES:
        assert stranger_client.post(at(name)).status_code == 404
    for name in RUN_WRITES:
        assert stranger_client.post(at(name, run.pk)).status_code == 404
        # Their own project, somebody else's run (A2).
        assert stranger_client.post(at(name, run.pk, project="elsewhere")).status_code == 404
    run.refresh_from_db()
    assert run.status == Status.WAITING


def test_a_reviewer_reads_and_orders_nothing(
    run: GenerationRun,
    teacher: Teacher,
    reviewer_client: Client,
    wake_ups: Callable[[str], int],
) -> None:
    before = wake_ups("gpu"), wake_ups("cpu")
    for name in READS:
        assert reviewer_client.get(at(name)).status_code == 200
    assert reviewer_client.get(at("run_detail", run.pk)).status_code == 200
    assert reviewer_client.get(at("run_log", run.pk)).status_code == 200
    for name in ADMIN_READS:
        assert reviewer_client.get(at(name)).status_code == 403
    for name in ADMIN_WRITES:
        assert reviewer_client.post(at(name), {**ORDER, "teachers": [1]}).status_code == 403
    for name in (*RUN_WRITES, "teacher_edit"):
        pk = teacher.pk if name == "teacher_edit" else run.pk
        assert reviewer_client.post(at(name, pk)).status_code == 403
    assert GenerationRun.objects.count() == 1
    assert (wake_ups("gpu"), wake_ups("cpu")) == before


def test_an_order_makes_its_slots_and_a_double_click_makes_them_once(
    run: GenerationRun, teacher: Teacher, admin_client: Client
) -> None:
    assert Slot.objects.count() == 2 * 1 * 2 * 2
    again = admin_client.post(at("run_new"), {**ORDER, "teachers": [teacher.pk]})
    assert again["Location"] == at("run_detail", run.pk)
    assert (GenerationRun.objects.count(), Slot.objects.count()) == (1, 8)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"temperatures": "hot"}, "Numbers with commas"),
        ({"temperatures": "3"}, "between 0 and 2"),
        ({"temperatures": "nan"}, "between 0 and 2"),
        ({"samples": "0"}, "greater than or equal to 1"),
        ({"teachers": []}, "required"),
        ({"teachers": ["999999"]}, "not one of the available choices"),
        ({"which": "first"}, "Say how many"),
        ({"which": "all__project"}, "not one of the available choices"),
    ],
)
def test_an_order_that_cannot_be_is_told_at_its_field(
    change: dict[str, Any],
    said: str,
    make_questions: Make,
    teacher: Teacher,
    admin_client: Client,
) -> None:
    make_questions(1)
    answer = admin_client.post(at("run_new"), {**ORDER, "teachers": [teacher.pk], **change})
    assert answer.status_code == 400 and said in answer.content.decode()
    assert not GenerationRun.objects.exists()


def test_a_teacher_of_another_project_cannot_be_ordered(
    project: Project, make_questions: Make, teacher: Teacher, stranger: Any, admin_client: Client
) -> None:
    make_questions(1)
    theirs = Teacher.objects.create(
        project=Project.objects.get(slug="elsewhere"), name="x", model="x"
    )
    answer = admin_client.post(at("run_new"), {**ORDER, "teachers": [theirs.pk]})
    assert answer.status_code == 400 and not GenerationRun.objects.exists()


def test_the_estimate_tells_the_number_of_slots_while_the_form_is_filled_in(
    make_questions: Make, make_rationales: Make, teacher: Teacher, admin_client: Client
) -> None:
    questions = make_questions(5)
    make_rationales(questions[0], ["right"])

    def told(**change: Any) -> str:
        order = {**ORDER, "teachers": [teacher.pk], **change}
        return " ".join(admin_client.post(at("run_estimate"), order).content.decode().split())

    assert "20 <small>" in told()
    assert "15 <small>" in told(temperatures="0, 0.5")  # one sample at 0
    assert "16 <small>" in told(which="missing")
    assert "12 <small>" in told(which="first", limit="3")
    assert "Choose teachers" in told(temperatures="x")
    assert "between 0 and 2" in told(temperatures="9")
    assert not GenerationRun.objects.exists()


def test_without_a_teacher_or_questions_the_page_says_what_to_do(
    project: Project, admin_client: Client
) -> None:
    assert "No teacher can write yet" in admin_client.get(at("run_new")).content.decode()
    Teacher.objects.create(project=project, name="t", model="m")
    order = {**ORDER, "teachers": [Teacher.objects.get().pk]}
    answer = admin_client.post(at("run_new"), order)
    assert answer.status_code == 400 and "import questions first" in answer.content.decode()


def test_a_run_is_paused_resumed_cancelled_and_a_late_press_is_told(
    run: GenerationRun, admin_client: Client
) -> None:
    for name, status in (
        ("run_pause", Status.PAUSED),
        ("run_resume", Status.WAITING),
        ("run_cancel", Status.CANCELLED),
    ):
        assert admin_client.post(at(name, run.pk)).status_code == 302
        run.refresh_from_db()
        assert run.status == status
    assert admin_client.post(at("run_pause", run.pk)).status_code == 409


def test_failures_are_grouped_by_reason_and_can_be_tried_again(
    run: GenerationRun, admin_client: Client
) -> None:
    slots = list(run.slots.all())
    Slot.objects.filter(pk__in=[s.pk for s in slots[:3]]).update(status="failed", error="Too slow.")
    Slot.objects.filter(pk=slots[3].pk).update(status="failed", error="<b>Bad</b> answer")
    GenerationRun.objects.update(status="done")
    page = admin_client.get(at("run_detail", run.pk))
    assert [(one["n"], one["error"]) for one in page.context["state"].failures] == [
        (3, "Too slow."),
        (1, "<b>Bad</b> answer"),
    ]
    assert "<b>Bad</b>" not in page.content.decode()
    assert admin_client.post(at("run_retry", run.pk)).status_code == 302
    assert not run.slots.filter(status="failed").exists()


def test_an_active_run_looks_again_and_an_ended_one_does_not(
    run: GenerationRun, reviewer_client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        text = reviewer_client.get(at("run_detail", run.pk), headers={"HX-Request": "true"})
    assert "every 2s" in text.content.decode() and "<html" not in text.content.decode()
    GenerationRun.objects.update(status="cancelled")
    assert "every 2s" not in reviewer_client.get(at("run_detail", run.pk)).content.decode()


TEACHER = {
    "name": "far",
    "backend": "openai",
    "model": "llama",
    "base_url": "http://127.0.0.1:8000/v1",
    "api_key_env": "FAR_KEY",
    "prompt_style": "step-by-step",
    "max_tokens": "300",
    "top_p": "0.9",
    "price_in": "0.5",
    "price_out": "1.5",
}


def test_a_teacher_is_added_and_changed(project: Project, admin_client: Client) -> None:
    assert admin_client.post(at("teacher_new"), TEACHER).status_code == 302
    made = Teacher.objects.get()
    assert (made.project, made.api_key_env, made.writes) == (project, "FAR_KEY", True)
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


def test_filters_keep_what_they_name(
    make_questions: Make, make_rationales: Make, teacher: Teacher, reviewer_client: Client
) -> None:
    right, wrong = make_rationales(make_questions(1)[0], ["right", "wrong"])
    (later,) = make_rationales(make_questions(1)[0], ["right"], scored=False)
    for query, kept in {
        "": {right.pk, wrong.pk, later.pk},
        "answer=right": {right.pk},
        "answer=wrong": {wrong.pk},
        "band=unscored": {later.pk},
        "decision=none": {right.pk, wrong.pk, later.pk},
        "decision=approved": set(),
        f"teacher={teacher.pk}": {right.pk, wrong.pk, later.pk},
        "q=%22Step+2%22": {wrong.pk},
    }.items():
        page = reviewer_client.get(f"{at('rationales')}?{query}")
        assert {row.pk for row in page.context["page"].rows} == kept, query
    passing = reviewer_client.get(f"{at('rationales')}?band=passes").context["page"].rows
    failing = reviewer_client.get(f"{at('rationales')}?band=fails").context["page"].rows
    assert {row.pk for row in (*passing, *failing)} == {right.pk, wrong.pk}


@pytest.mark.parametrize(
    "query",
    ["score__overall__gte=0", "teacher=x", "band=1", "answer=yes", "decision=a", "order=id"],
)
def test_filters_that_are_not_on_the_list_are_refused(
    query: str, project: Project, reviewer_client: Client
) -> None:
    assert reviewer_client.get(f"{at('rationales')}?{query}").status_code == 400


def test_the_list_takes_few_queries_and_no_score_details(
    make_questions: Make,
    make_rationales: Make,
    reviewer_client: Client,
    django_assert_max_num_queries: Any,
    django_assert_num_queries: Any,
) -> None:
    for one in make_questions(6):
        make_rationales(one, ["right", "wrong"] * 5)
    with django_assert_max_num_queries(11) as queries:
        page = reviewer_client.get(at("rationales"))
    assert len(page.context["page"].rows) == 50
    assert not any("detail" in query["sql"] for query in queries.captured_queries)


def test_scoring_again_is_one_order_and_is_watched(
    make_questions: Make, make_rationales: Make, admin_client: Client
) -> None:
    make_rationales(make_questions(1)[0], ["right"])
    for _ in range(2):
        assert admin_client.post(at("score_again")).status_code == 302
    assert ScoringRun.objects.count() == 1
    assert "every 2s" in admin_client.get(at("scoring_state")).content.decode()


def test_teachers_show_what_they_wrote_with_an_interval(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    make_rationales(make_questions(1)[0], ["right", "wrong", "wrong", "right"])
    page = reviewer_client.get(at("teachers")).content.decode()
    assert "50.0%" in page and "15.0–85.0" in page


def test_an_order_keeps_its_style_its_limits_and_which_questions_it_is_for(
    make_questions: Make, teacher: Teacher, admin_client: Client
) -> None:
    make_questions(2)
    make_questions(3, domain="farm")
    order = {
        **ORDER,
        "teachers": [teacher.pk],
        "prompt_style": "plan-first",
        "domain": "farm",
        "enough": "2",
        "budget_money": "1.5",
        "budget_rationales": "10",
    }
    assert admin_client.post(at("run_new"), order).status_code == 302
    run = GenerationRun.objects.get()
    assert run.slot_count == 3 * 4 and (run.prompt_style, run.enough) == ("plan-first", 2)
    assert (run.budget_money, run.budget_tokens, run.budget_rationales) == (1.5, None, 10)
    page = admin_client.get(at("run_detail", run.pk)).content.decode()
    for words in ("Plan first", "domain farm", "of 1.50", "Samples saved"):
        assert words in page
    for change in ({"domain": "moon"}, {"prompt_style": "{{ 7*7 }}"}, {"budget_tokens": "0"}):
        answer = admin_client.post(at("run_new"), {**order, "order_key": "k2", **change})
        assert answer.status_code == 400
    assert GenerationRun.objects.count() == 1


def test_every_style_of_the_templates_can_be_ordered(
    project: Project, teacher: Teacher, admin_client: Client
) -> None:
    from workers.generation.prompts import list_styles

    page = admin_client.get(at("run_new")).content.decode()
    assert len(list_styles()) == 6
    assert all(f'value="{one.NAME}"' in page and one.description in page for one in list_styles())


def test_a_paused_run_gets_new_limits_and_cut_off_answers_are_ordered_again(
    run: GenerationRun, teacher: Teacher, make_rationales: Make, admin_client: Client
) -> None:
    slot = run.slots.first()
    chain = make_rationales(slot.question, ["right"])[0]
    Rationale.objects.filter(pk=chain.pk).update(finish_reason="length")
    Slot.objects.filter(pk=slot.pk).update(status="filled", rationale=chain)
    TeacherPart.objects.create(run=run, teacher=teacher, rationales=1, truncated=1)
    GenerationRun.objects.update(status="paused", budget_tokens=10)
    page = admin_client.get(at("run_detail", run.pk)).content.decode()
    assert "Order again" in page and "Set limits" in page
    assert admin_client.post(at("run_budget", run.pk), {"budget_tokens": "99"}).status_code == 302
    run.refresh_from_db()
    assert run.budget_tokens == 99
    assert admin_client.post(at("run_budget", run.pk), {"budget_money": "x"}).status_code == 400
    again = admin_client.post(at("run_cut_off", run.pk), {"max_tokens": "900", "order_key": "z"})
    made = GenerationRun.objects.get(redo_of=run)
    assert again["Location"] == at("run_detail", made.pk) and made.slot_count == 1
    assert admin_client.post(at("run_cut_off", run.pk), {"max_tokens": "1"}).status_code == 400


def test_an_engines_log_is_shown_as_text(
    run: GenerationRun, teacher: Teacher, reviewer_client: Client
) -> None:
    assert "No log" in reviewer_client.get(at("run_log", run.pk)).content.decode()
    TeacherPart.objects.create(run=run, teacher=teacher, log="<script>x</script> loaded")
    page = reviewer_client.get(at("run_log", run.pk)).content.decode()
    assert "&lt;script&gt;x" in page and "every 5s" in page


def test_the_leaderboard_has_intervals_and_a_bounded_number_of_queries(
    make_questions: Make,
    make_rationales: Make,
    reviewer_client: Client,
    django_assert_max_num_queries: Any,
) -> None:
    empty = reviewer_client.get(at("leaderboard")).content.decode()
    assert "Nothing to compare yet" in empty
    make_rationales(make_questions(1)[0], ["right", "wrong", "wrong", "right"])
    with django_assert_max_num_queries(9):
        page = reviewer_client.get(at("leaderboard")).content.decode()
    assert "50.0%" in page and "15.0–85.0" in page


def test_a_teacher_is_tried_from_its_form_and_the_answer_is_watched(
    project: Project, admin_client: Client, reviewer: Any, stranger_client: Client
) -> None:
    asked = {**TEACHER, "api_key_env": "", "question": "1 + 1?"}
    page = admin_client.post(at("teacher_try"), asked, headers={"HX-Request": "true"})
    row = TeacherTry.objects.get()
    assert at("teacher_tried", row.pk) in page.content.decode() and not Teacher.objects.exists()
    assert row.settings["base_url"] == TEACHER["base_url"] and row.question == "1 + 1?"
    looked = admin_client.get(at("teacher_tried", row.pk)).content.decode()
    assert "every 1s" in looked and "No worker listens" in looked
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
