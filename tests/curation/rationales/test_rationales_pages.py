"""Runs, teachers and the list of rationales by page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.jobs import Status
from curation.projects.models import Project
from curation.rationales.models import (
    GenerationRun,
    Rationale,
    ScoringRun,
    Slot,
    Teacher,
    TeacherPart,
)

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
    before = wake_ups("gpu"), wake_ups("network")
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
    assert (wake_ups("gpu"), wake_ups("network")) == before


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
    with django_assert_max_num_queries(14):
        text = reviewer_client.get(at("run_detail", run.pk), headers={"HX-Request": "true"})
    assert "every 2s" in text.content.decode() and "<html" not in text.content.decode()
    GenerationRun.objects.update(status="cancelled")
    assert "every 2s" not in reviewer_client.get(at("run_detail", run.pk)).content.decode()


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
    with django_assert_max_num_queries(12) as queries:
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
    rationale = make_rationales(slot.question, ["right"])[0]
    Rationale.objects.filter(pk=rationale.pk).update(finish_reason="length")
    Slot.objects.filter(pk=slot.pk).update(status="filled", rationale=rationale)
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
