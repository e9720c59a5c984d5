"""What the gpu worker makes of an order: the words it asks with, what it notes, and a single try."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from curation.errors import Invalid
from curation.jobs import Status
from curation.rationales.generation.estimate import estimate
from curation.rationales.generation.orders import Budget, order_run
from curation.rationales.generation.question_filter import Choice
from curation.rationales.models import Rationale, Teacher, TeacherTry
from curation.rationales.teachers.trial import GIVEN_UP, order_try
from curation.reviews.decisions.rule import apply_rule
from tests.workers.generation.generation_server import Reply, Server, chat
from tests.workers.generation.test_generation_runs import cold_afterwards, run_to_its_end  # noqa: F401
from workers.generation import tasks

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = "{question} {{ 7*7 }} {x.__class__} %s"


@pytest.fixture(autouse=True)
def local_addresses(monkeypatch):
    monkeypatch.setattr(settings, "MODEL_HOSTS", ["127.0.0.1"])


def far(project, server, **fields):
    return Teacher(
        project=project, name="far", backend="openai", model="m", base_url=server.url, **fields
    )


def asked(server):
    return [received.body["messages"] for received in server.received]


def test_a_hint_tells_the_reference_and_its_rationale_is_marked(
    project, admin_user, make_questions
):
    make_questions(1, question=f"What is two and two? {HOSTILE}", reference_answer="4")
    with Server(lambda n, r: chat()) as server:
        teacher = far(project, server)
        teacher.save()
        order = {"teachers": [teacher], "temperatures": [0.5]}
        run_to_its_end(order_run(project, admin_user, prompt_style="hint", **order))
        run_to_its_end(order_run(project, admin_user, **order))
    hinted, plain = Rationale.objects.order_by("id")
    assert (hinted.prompt_style, hinted.was_hinted) == ("hint@1", True)
    assert (plain.prompt_style, plain.was_hinted) == ("plain@1", False)
    told, untold = (messages[-1]["content"] for messages in asked(server))
    assert "The correct answer is: 4" in told and HOSTILE in told and "4" not in untold[:20]


def test_few_shot_shows_others_rationales_and_never_the_questions_own(
    project, admin_user, make_questions, make_rationales
):
    questions = make_questions(5)
    for question in questions:
        make_rationales(question, ["right"])
    apply_rule(project)
    with Server(lambda n, r: chat()) as server:
        teacher = far(project, server)
        teacher.save()
        order = {"teachers": [teacher], "temperatures": [0.5], "prompt_style": "few-shot"}
        run_to_its_end(order_run(project, admin_user, **order))
    assert len(asked(server)) == 5
    for messages in asked(server):
        assert [m["role"] for m in messages] == ["user", "assistant"] * 3 + ["user"]
        shown = [m["content"] for m in messages[:-1]]
        assert messages[-1]["content"] not in shown
        assert all("Answer:" in m["content"] for m in messages[1:-1:2])


def test_a_slot_that_cannot_be_asked_for_fails_alone(project, admin_user, make_questions):
    """Its reference went after the order: there is nothing to hint with."""
    poisoned, *_ = make_questions(4)
    with Server(lambda n, r: chat()) as server:
        teacher = far(project, server)
        teacher.save()
        run = order_run(
            project, admin_user, teachers=[teacher], temperatures=[0.5], prompt_style="hint"
        )
        project.questions.filter(pk=poisoned.pk).update(reference_answer=None)
        run_to_its_end(run)
    assert run.status == Status.DONE and run.error == "1 slots failed."
    failed = run.slots.get(status="failed")
    assert failed.question_id == poisoned.pk and "reference answer" in failed.error
    assert run.slots.filter(status="filled").count() == 3


def test_a_budget_in_money_ends_a_run_of_many_requests_beside_its_limit(
    project, admin_user, make_questions
):
    """Each answer takes 11 + 7 tokens: 0.018 at a price of 1,000 for a million."""
    make_questions(100)
    with Server(lambda n, r: chat()) as server:
        teacher = far(project, server, price_in=1000, price_out=1000)
        teacher.save()
        run = order_run(
            project, admin_user, teachers=[teacher], temperatures=[0.5], budget=Budget(money=0.9)
        )
        run_to_its_end(run)
    assert run.status == Status.PAUSED and "budget of 0.90" in run.error
    assert run.parts.get().cost == pytest.approx(0.9, rel=0.05)
    assert len(server.received) <= 52


def test_a_second_run_takes_what_was_estimated(project, admin_user, teacher, make_questions):
    Teacher.objects.update(price_in=0.5, price_out=1.5)
    make_questions(40)
    order = {"teachers": [teacher], "temperatures": [0.5]}
    first = Choice(which="first", limit=20).questions(project)
    run_to_its_end(order_run(project, admin_user, questions=first, samples=2, **order))
    teacher.refresh_from_db()
    told = estimate(project, [teacher], [0.5], 3, Choice())
    run = run_to_its_end(order_run(project, admin_user, samples=3, seed=5, **order))
    part = run.parts.get()
    assert part.rationales == told.slots == 120
    took = part.prompt_tokens + part.completion_tokens
    assert took == pytest.approx(told.tokens, rel=0.2)
    assert part.cost == pytest.approx(told.cost, rel=0.2)
    assert part.seconds > 0 and told.seconds > 0
    assert part.completion_tokens == sum(
        Rationale.objects.filter(slot__run=run).values_list("completion_tokens", flat=True)
    )


def test_a_try_brings_one_answer_with_its_latency_and_cost_and_saves_no_teacher(
    project, admin_user, wake_ups
):
    with Server(lambda n, r: chat("Answer: 29", reasoning_content="Thinking.")) as server:
        teacher = far(project, server, price_in=1, price_out=2, prompt_style="step-by-step")
        before = wake_ups("network"), wake_ups("gpu")
        row = order_try(project, admin_user, teacher, "What is 30 - 1?")
        assert (wake_ups("network"), wake_ups("gpu")) == (before[0] + 1, before[1])
        tasks.try_address(row.pk)
    row.refresh_from_db()
    assert (row.status, row.answer, row.reasoning) == (Status.DONE, "Answer: 29", "Thinking.")
    assert row.latency > 0 and row.cost == pytest.approx((11 * 1 + 7 * 2) / 1e6)
    assert "What is 30 - 1?" in asked(server)[0][-1]["content"]
    assert not Teacher.objects.exists() and not Rationale.objects.exists()


def test_a_try_of_a_model_of_our_own_goes_to_the_gpu_worker(project, admin_user, wake_ups):
    teacher = Teacher(project=project, name="new", model="demo:strong")
    row = order_try(project, admin_user, teacher, "")
    assert wake_ups("gpu") == 1
    tasks.try_teacher(row.pk)
    row.refresh_from_db()
    assert row.status == Status.DONE and row.completion_tokens > 5 and row.answer


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": "demo:none"}, "no demo model"),
        ({"api_key_env": "FAR_API_KEY"}, "FAR_API_KEY is not set"),
        ({"base_url": "http://169.254.169.254/v1"}, "169.254.169.254"),
    ],
)
def test_a_try_that_fails_says_why(project, admin_user, fields, said):
    teacher = Teacher(project=project, name="new", model="m")
    if fields.keys() != {"model"}:
        teacher.backend, teacher.base_url = "openai", "https://127.0.0.1:1/v1"
    for name, value in fields.items():
        setattr(teacher, name, value)
    row = order_try(project, admin_user, teacher, "")
    tasks.try_address(row.pk)
    row.refresh_from_db()
    assert row.status == Status.FAILED and said in row.error


def test_a_server_that_fails_is_tried_once(project, admin_user):
    with Server(lambda n, r: Reply(500, b"oops")) as server:
        row = order_try(project, admin_user, far(project, server), "")
        tasks.try_address(row.pk)
        assert len(server.received) == 1
    row.refresh_from_db()
    assert row.status == Status.FAILED and "500" in row.error


def test_tries_are_few_at_once_and_forgotten_after_an_hour(project, admin_user, reviewer):
    teacher = Teacher(project=project, name="new", model="m")
    for _ in range(5):
        order_try(project, admin_user, teacher, "")
    with pytest.raises(Invalid, match="on their way"):
        order_try(project, admin_user, teacher, "")
    TeacherTry.objects.update(created_at=timezone.now() - GIVEN_UP - timedelta(seconds=1))
    order_try(project, admin_user, teacher, "")
    assert TeacherTry.objects.filter(status=Status.FAILED).count() == 5
    TeacherTry.objects.update(created_at=timezone.now() - timedelta(hours=2))
    order_try(project, admin_user, teacher, "")
    assert TeacherTry.objects.count() == 1


def test_who_is_no_admin_any_more_gets_no_answer(project, admin_user):
    with Server(lambda n, r: chat()) as server:
        row = order_try(project, admin_user, far(project, server), "")
        project.memberships.filter(user=admin_user).update(role="reviewer")
        tasks.try_address(row.pk)
        assert not server.received
    row.refresh_from_db()
    assert row.status == Status.FAILED and "may no longer" in row.error
