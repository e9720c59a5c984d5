"""Runs as the gpu worker does them: real rows, the real task, real models and a real server."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from curation.jobs import Status
from curation.rationales.generation.batches import MAX_ATTEMPTS
from curation.rationales.generation.orders import order_run, resume_run
from curation.rationales.models import GenerationRun, Rationale, ScoringRun, Slot, Teacher
from tests.workers.generation.generation_server import Reply, Server, chat
from workers.generation import tasks

pytestmark = pytest.mark.django_db(transaction=True)
ATTEMPTS = 4  # of one request, the backend's own default


@pytest.fixture(autouse=True)
def cold_afterwards() -> Iterator[None]:
    yield
    tasks.close_warm()


def run_to_its_end(run: GenerationRun) -> GenerationRun:
    """Every wake-up that the run sends, as a worker would take them."""
    for _ in range(20):
        tasks.fill(run.pk)
        tasks.ask_addresses(run.pk)
        run.refresh_from_db()
        if run.status not in (Status.WAITING, Status.RUNNING):
            return run
    raise AssertionError(f"the run is still {run.status}")


def texts(run: GenerationRun) -> dict[tuple, str]:
    rows = Rationale.objects.filter(slot__run=run)
    return {
        (question, temperature, sample): text
        for question, temperature, sample, text in rows.values_list(
            "question_id", "temperature", "sample", "text"
        )
    }


def test_the_same_order_with_the_same_seed_gives_the_same_texts(
    project, admin_user, teacher, make_questions
):
    make_questions(12)
    order = {"teachers": [teacher], "temperatures": [0.3, 0.9], "samples": 2}
    runs = [
        run_to_its_end(order_run(project, admin_user, seed=seed, **order)) for seed in (7, 7, 8)
    ]
    assert [run.status for run in runs] == [Status.DONE] * 3
    first, again, other = (texts(run) for run in runs)
    assert len(first) == 48 and first == again
    assert sum(first[key] != other[key] for key in first) > 12
    assert ScoringRun.objects.filter(project=project).exists(), "scoring is ordered by itself"


@pytest.fixture
def endpoint(monkeypatch):
    """Makes a teacher of a server that behaves as told; no long waits between attempts."""
    from workers.generation.chat import backend, retry_policy

    monkeypatch.setattr(settings, "MODEL_HOSTS", ["127.0.0.1"])
    monkeypatch.setattr(retry_policy, "BACKOFF_LONGEST", 0.02)
    for name, value in {"timeout": 0.5, "patience": 0.5, "breaker_pause": 0.1}.items():
        help_text = backend.OPTIONS[name][1]
        monkeypatch.setitem(backend.OPTIONS, name, (value, help_text))


BAD = {
    "429": Reply(429, b'{"error": {"message": "slow down"}}', {"Retry-After": "0"}),
    "500": Reply(500, b"oops"),
    "garbage": Reply(body=b"\x00{not json"),
    "half a body": Reply(body=chat().body, cut=30),
    "an empty choice": Reply(body=b'{"choices": [{"message": {"content": ""}}]}'),
    "no choice": Reply(body=b'{"choices": []}'),
    "a hang": Reply(hang=3),
    "a closed connection": Reply(close=True),
}


@pytest.mark.parametrize("kind", BAD)
def test_an_endpoint_that_fails_for_some_leaves_no_slot_without_text_or_reason(
    project, admin_user, make_questions, endpoint, kind
):
    """One question in four always fails, the others once: all of those are filled."""
    make_questions(12)
    seen: dict[str, int] = {}

    def behave(number, received):
        text = received.body["messages"][0]["content"]
        seen[text] = seen.get(text, 0) + 1
        always = int(text.split()[2]) % 4 == 0
        return BAD[kind] if always or (seen[text] == 1 and kind != "a hang") else chat()

    with Server(behave) as server:
        teacher = Teacher.objects.create(
            project=project, name="far", backend="openai", model="m", base_url=server.url
        )
        run = order_run(project, admin_user, teachers=[teacher], temperatures=[0.5])
        run_to_its_end(run)
    assert run.status == Status.DONE and "3 slots failed" in run.error
    slots = Slot.objects.filter(run=run)
    assert slots.filter(status="filled").count() == 9
    failed = slots.filter(status="failed")
    assert failed.count() == 3 and all(slot.error and slot.attempts == 3 for slot in failed)
    # No storm: a slot is tried so often, each time with so many requests at most.
    assert max(seen.values()) <= MAX_ATTEMPTS * ATTEMPTS
    # On a loaded machine a good answer may come after the half second too, and is asked for again.
    assert len(server.received) <= 9 * (1 + ATTEMPTS) + 3 * MAX_ATTEMPTS * ATTEMPTS


def test_a_dead_endpoint_fails_every_slot_with_its_reason_and_few_requests(
    project, admin_user, make_questions, endpoint
):
    make_questions(200)
    with Server(lambda n, r: Reply(503, b"closed for today")) as server:
        teacher = Teacher.objects.create(
            project=project, name="far", backend="openai", model="m", base_url=server.url
        )
        run = run_to_its_end(order_run(project, admin_user, teachers=[teacher], temperatures=[0.5]))
    assert run.status == Status.FAILED and "All 200 slots failed" in run.error
    assert "503" in run.error or "is down" in run.error
    assert len(server.received) < 200


def order_of_one(project, admin_user, server):
    teacher = Teacher.objects.create(
        project=project, name="far", backend="openai", model="m", base_url=server.url
    )
    return run_to_its_end(order_run(project, admin_user, teachers=[teacher], temperatures=[0.5]))


def test_an_empty_account_ends_the_run_at_once_and_it_goes_on_when_resumed(
    project, admin_user, make_questions, endpoint
):
    make_questions(200)
    empty = Reply(
        429, b'{"error": {"code": "insufficient_quota", "message": "You have no money."}}'
    )
    paid = []
    with Server(lambda n, r: chat() if paid or n < 5 else empty) as server:
        run = order_of_one(project, admin_user, server)
        assert run.status == Status.FAILED
        assert "far: The account at this address has no quota left" in run.error
        assert "You have no money." in run.error and "resume" in run.error
        assert len(server.received) <= 5 + 32  # what was in flight; nothing is asked again
        slots = Slot.objects.filter(run=run)
        assert not slots.filter(status="failed").exists()
        assert slots.filter(status="filled").count() >= 5 - 1
        paid.append(True)
        resume_run(run)
        run = run_to_its_end(run)
    assert run.status == Status.DONE
    assert slots.filter(status="filled").count() == 200


def test_refusals_and_thoughts_are_stored_as_they_came(
    project, admin_user, make_questions, endpoint
):
    make_questions(4)
    replies = [
        chat(None, refusal="I will not."),
        chat([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
              {"type": "text", "text": "So 7."}], finish="abort"),
        chat("", finish="content_filter"),
        chat("It is 5.", finish=None),
    ]  # fmt: skip

    def behave(number, received):
        return replies[int(received.body["messages"][0]["content"].split()[2]) - 1]

    with Server(behave) as server:
        run = order_of_one(project, admin_user, server)
        assert len(server.received) == 4, "nothing is asked for twice"
    rows = Rationale.objects.filter(slot__run=run).order_by("question_id")
    assert list(rows.values_list("text", "reasoning", "finish_reason")) == [
        ("I will not.", "", "refusal"),
        ("<think>\nHm.\n</think>\n\nSo 7.", "Hm.", "abort"),
        ("It is 5.", "", ""),
    ]
    failed = Slot.objects.get(run=run, status="failed")
    assert "content filter" in failed.error and failed.attempts == 1
