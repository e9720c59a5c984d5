"""What an order can say: styles, filters, limits, enough good ones, and what was cut off again."""

from collections.abc import Callable
from typing import Any

import pytest

from curation.errors import Conflict, Invalid
from curation.jobs import Status, begin
from curation.projects.models import Project
from curation.questions.models import Question
from curation.rationales.generation.adaptive import waits_for_scores
from curation.rationales.generation.batches import Written, go_on_or_end, lease_batch, write_batch
from curation.rationales.generation.estimate import estimate
from curation.rationales.generation.orders import (
    Budget,
    order_cut_off,
    order_run,
    resume_run,
    set_budget,
)
from curation.rationales.generation.question_filter import Choice
from curation.rationales.listing.leaderboard import leaderboard
from curation.rationales.models import (
    GenerationRun,
    Rationale,
    Slot,
    SlotStatus,
    Teacher,
    TeacherPart,
)
from curation.reviews.decisions.rule import apply_rule
from tests.conftest import score_now

Make = Callable[..., list[Any]]
Answer = Callable[[Slot], Written]


def right(slot: Slot, **more: Any) -> Written:
    """A rationale that passes the rubric."""
    n = int(slot.question.reference_answer) - 2
    text = f"She starts with {n} eggs.\nStep 1: {n} + 2 = {n + 2}.\nAnswer: {n + 2}"
    return Written(slot.pk, text, prompt_tokens=30, completion_tokens=20, **more)


def wrong(slot: Slot) -> Written:
    n = int(slot.question.reference_answer) + 5
    return Written(slot.pk, f"Step 1: 1 + 1 = {n}.\nAnswer: {n}", completion_tokens=20)


def work(run: GenerationRun, answer: Answer, size: int = 512, score: bool = False) -> GenerationRun:
    """Fill as a worker does until the run has ended or stands still; scored after each wake-up."""
    begin(GenerationRun, run.pk)
    for _ in range(30):
        run.refresh_from_db()
        if run.status != Status.RUNNING:
            break
        while leased := lease_batch(run, size):
            _, batch, slots = leased
            write_batch(run, batch, [answer(slot) for slot in slots], seconds=0.5)
        if score:
            score_now(run.project)
        go_on_or_end(run)
    run.refresh_from_db()
    return run


def statuses(run: GenerationRun) -> dict[str, int]:
    found = list(run.slots.values_list("status", flat=True))
    return {name: found.count(name) for name in set(found)}


def test_slots_are_planned_in_blocks_so_that_the_first_questions_are_done_first(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    make_questions(120)
    other = Teacher.objects.create(project=project, name="weak", model="demo:weak")
    run = order_run(project, None, teachers=[teacher, other], temperatures=[0.0, 0.5], samples=2)
    assert run.slot_count == 120 * 2 * 3
    slots = list(run.slots.order_by("id").values_list("question_id", "teacher_id"))
    assert [t for _, t in slots[:600]] == [teacher.pk] * 300 + [other.pk] * 300
    assert len({q for q, _ in slots[:600]}) == 100


def test_an_adaptive_run_leaves_questions_with_enough_good_rationales_alone(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    """Half of the questions are always got right: what that saves goes to the others."""
    questions = make_questions(4)
    easy = {q.pk for q in questions[:2]}
    run = order_run(project, None, teachers=[teacher], temperatures=[0.3, 0.7], samples=2, enough=1)
    run = work(run, lambda s: right(s) if s.question_id in easy else wrong(s), score=True)
    assert run.status == Status.DONE
    of_easy = run.slots.filter(question_id__in=easy)
    assert of_easy.filter(status=SlotStatus.FILLED).count() == 2
    assert of_easy.filter(status=SlotStatus.SAVED).count() == 6
    of_hard = run.slots.exclude(question_id__in=easy)
    assert of_hard.filter(status=SlotStatus.FILLED).count() == 8 + 6
    assert run.extra == 6 and run.slot_count == run.slots.count() == 16 + 6


def test_what_is_saved_is_not_spent_where_every_question_has_enough(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    make_questions(3)
    run = order_run(project, None, teachers=[teacher], temperatures=[0.5], samples=4, enough=2)
    run = work(run, right, score=True)
    assert run.status == Status.DONE and statuses(run) == {"filled": 6, "saved": 6}


@pytest.mark.parametrize(
    ("backend", "teachers_of_rounds"),
    [("vllm", "aabb"), ("openai", "abab")],
)
def test_an_adaptive_run_does_not_start_an_engine_anew_for_every_round(
    project: Project,
    make_questions: Callable[..., list[Question]],
    backend: str,
    teachers_of_rounds: str,
) -> None:
    make_questions(2)
    teachers = [
        Teacher.objects.create(project=project, name="a", model="demo:strong"),
        Teacher.objects.create(project=project, name="b", model="demo:wordy", backend=backend),
    ]
    run = order_run(project, None, teachers=teachers, temperatures=[0.3, 0.7], samples=1, enough=1)
    slots = run.slots.order_by("round", "id").values_list("teacher__name", flat=True)
    assert "".join(slots) == "".join(2 * name for name in teachers_of_rounds)


def test_an_adaptive_run_begins_no_round_before_the_last_one_is_scored(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    make_questions(2)
    run = order_run(project, None, teachers=[teacher], temperatures=[0.5], samples=2, enough=1)
    run = work(run, wrong)
    assert run.status == Status.RUNNING and waits_for_scores(run)
    assert statuses(run) == {"filled": 2, "empty": 2}
    run = work(run, wrong, score=True)
    assert run.status == Status.DONE and run.slots.filter(status="empty").count() == 0


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(rationales=5), "5 rationales"),
        (Budget(tokens=250), "250 tokens"),
        (Budget(money=0.05), "0.05"),
    ],
)
def test_a_run_stops_cleanly_at_its_budget_and_goes_on_with_a_larger_one(
    project: Project, teacher: Teacher, make_questions: Make, budget: Budget, said: str
) -> None:
    Teacher.objects.update(price_in=0, price_out=500.0)  # 0.01 for 20 tokens
    teacher.refresh_from_db()
    make_questions(12)
    run = order_run(project, None, teachers=[teacher], temperatures=[0.5], budget=budget)
    run = work(run, right, size=2)
    assert run.status == Status.PAUSED and said in run.error and "still empty" in run.error
    assert run.slots.filter(status="filled").count() == 5
    with pytest.raises(Conflict, match="Raise the budget"):
        resume_run(run)
    set_budget(run, Budget())
    resume_run(run)
    assert statuses(work(run, right)) == {"filled": 12}


def test_slots_that_others_write_count_for_the_budget(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    make_questions(10)
    run = order_run(
        project, None, teachers=[teacher], temperatures=[0.5], budget=Budget(rationales=5)
    )
    begin(GenerationRun, run.pk)
    run.refresh_from_db()
    assert len(lease_batch(run, 4)[2]) == 4
    assert len(lease_batch(run, 4)[2]) == 1
    assert lease_batch(run, 4) is None


def test_a_budget_of_nothing_is_refused() -> None:
    for wrong_one in ({"money": 0}, {"tokens": -1}, {"money": float("nan")}):
        with pytest.raises(Invalid, match="more than 0"):
            Budget(**wrong_one)


def test_what_was_cut_off_is_ordered_again_alone_and_the_good_ones_stay(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    make_questions(4)
    run = order_run(project, None, teachers=[teacher], temperatures=[0.3, 0.7], seed=9)
    cut = set(run.slots.filter(temperature=0.7).values_list("pk", flat=True)[:3])
    work(run, lambda s: right(s, finish_reason="length" if s.pk in cut else "stop"))
    before = list(Rationale.objects.order_by("id").values())
    assert run.parts.get().truncated == 3
    with pytest.raises(Invalid, match="give them more"):
        order_cut_off(run, None, teacher.max_tokens)
    again = order_cut_off(run, None, 1000, order_key="k")
    assert order_cut_off(run, None, 1000, order_key="k") == again
    assert again.slot_count == 3 and again.redo_of == run and again.seed == 9
    work(again, right)
    assert list(Rationale.objects.order_by("id").values())[:8] == before
    assert again.slots.filter(status="filled").count() == 3
    with pytest.raises(Conflict, match="cut off"):
        order_cut_off(again, None, 2000)


def test_hints_are_for_questions_that_every_sample_got_wrong_and_have_a_reference(
    project: Project, teacher: Teacher, make_questions: Make, make_rationales: Make
) -> None:
    solved, unsolved, mixed, untried = make_questions(4)
    make_rationales(solved, ["right"])
    make_rationales(unsolved, ["wrong", "wrong"])
    make_rationales(mixed, ["right", "wrong"])
    chosen = Choice(which="all_wrong").questions(project)
    assert list(chosen) == [unsolved]
    order: dict[str, Any] = {"teachers": [teacher], "temperatures": [0.5], "prompt_style": "hint"}
    run = order_run(project, None, questions=chosen, **order)
    assert list(run.slots.values_list("question", flat=True)) == [unsolved.pk]
    Question.objects.filter(pk=unsolved.pk).update(reference_answer="")
    with pytest.raises(Invalid, match="reference answer"):
        order_run(project, None, questions=chosen, **order)
    assert list(Choice(which="no_right").questions(project)) == [unsolved, untried]
    assert list(Choice(which="missing").questions(project)) == [untried]


def test_few_shot_shows_approved_rationales_of_the_project(
    project: Project, teacher: Teacher, make_questions: Make, make_rationales: Make
) -> None:
    order: dict[str, Any] = {
        "teachers": [teacher],
        "temperatures": [0.5],
        "prompt_style": "few-shot",
    }
    first, _ = make_questions(2)
    make_rationales(first, ["right", "wrong"])
    with pytest.raises(Invalid, match="approved"):
        order_run(project, None, **order)
    apply_rule(project)
    run = order_run(project, None, **order)
    approved = Rationale.objects.filter(decision__outcome="approved")
    assert run.examples == list(approved.values_list("pk", flat=True))


def test_a_style_that_does_not_exist_is_refused(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    make_questions(1)
    with pytest.raises(Invalid, match="no prompt style"):
        order_run(project, None, teachers=[teacher], temperatures=[0.5], prompt_style="{{ 7*7 }}")


def test_an_order_is_estimated_from_what_the_teacher_took_before(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    Teacher.objects.update(price_in=1.0, price_out=2.0)
    teacher.refresh_from_db()
    make_questions(10)
    unknown = estimate(project, [teacher], [0.5], 1, Choice())
    assert unknown.slots == 10 and unknown.cost is None and unknown.unknown == ["strong"]
    assert unknown.most_tokens == 10 * teacher.max_tokens
    work(order_run(project, None, teachers=[teacher], temperatures=[0.5]), right, size=5)
    told = estimate(project, [teacher], [0.0, 0.5], 3, Choice(which="first", limit=5))
    assert told.slots == 5 * 4
    assert told.tokens == pytest.approx(20 * 50)
    assert told.cost == pytest.approx(20 * (30 * 1.0 + 20 * 2.0) / 1e6)
    assert told.seconds == pytest.approx(20 * (2 * 0.5 / 10))
    shorter = estimate(project, [teacher], [0.5], 1, Choice(), max_tokens=10)
    assert shorter.tokens == pytest.approx(10 * 40)


def test_the_leaderboard_sets_teachers_side_by_side_without_the_told_answers(
    project: Project, teacher: Teacher, make_questions: Make, make_rationales: Make
) -> None:
    weak = Teacher.objects.create(project=project, name="weak", model="demo:weak")
    one, two = make_questions(2)
    make_rationales(one, ["right", "right"])
    make_rationales(two, ["wrong", "right"], by=weak)
    hinted = make_rationales(two, ["right"], by=weak)[0]
    Rationale.objects.filter(pk=hinted.pk).update(prompt_style="hint@1")
    run = GenerationRun.objects.create(project=project, temperatures=[0.5])
    TeacherPart.objects.create(run=run, teacher=teacher, rationales=2, cost=3.0)
    apply_rule(project)
    best, other = leaderboard(project)
    assert (best.teacher, best.written, best.right, best.approved) == (teacher, 2, 2, 2)
    assert best.price == pytest.approx(1.5)
    low, high = best.price_interval
    # Both are of one question, which says next to nothing of others.
    assert low == pytest.approx(1.5) and high > 100
    assert (other.written, other.graded, other.right) == (2, 2, 1)
    assert best.tokens.value == 20 and best.tokens.interval is None  # it rests on one question
