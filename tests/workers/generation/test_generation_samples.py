"""Several samples in one request, limits a minute, and requests that come while others run."""

import asyncio
import json
import threading
import time

import pytest

from tests import event_loop
from tests.workers.generation.generation_server import Reply, Server, backend_for, chat, request
from workers.generation.chat.retry_policy import Pace
from workers.generation.types import BackendError, Completion


def samples(questions=3, each=4, **kwargs):
    """Requests r0, r1, ...: so many samples of each question, with seeds that count up."""
    return [
        request(100 * q + s, text=f"question {q}", **kwargs)
        for q in range(questions)
        for s in range(each)
    ]


def choices(received, n=None, **more):
    """What a server that takes n gives: the text names the seed, as vLLM counts it."""
    count = n or received.body.get("n", 1)
    made = [
        {
            "index": i,
            "message": {"content": f"text {received.body['seed'] + i}", **more},
            "finish_reason": "stop",
        }
        for i in range(count)
    ]
    usage = {"prompt_tokens": 9, "completion_tokens": 10 * count}
    return Reply(body=json.dumps({"choices": made[::-1], "usage": usage}).encode())


def ask(behave, requests, **options):
    with Server(behave) as server, backend_for(server.url, **options) as backend:
        done = {c.id: c for c in backend.generate(requests)}
        assert sorted(done) == sorted(r.id for r in requests)
        return done, server.received


def test_samples_of_a_question_go_in_one_request_and_each_has_its_own_text_and_count():
    done, received = ask(lambda n, r: choices(r), samples(), samples_per_request=8)
    assert [r.body.get("n") for r in received] == [4, 4, 4]
    assert all(c.text == f"text {name[1:]}" for name, c in done.items())
    assert sum(c.completion_tokens for c in done.values()) == 120
    # The prompt was read, and is paid, once for each question.
    assert sum(c.prompt_tokens for c in done.values()) == 27


def test_what_differs_in_more_than_its_seed_goes_apart():
    mixed = [
        *samples(1, 2, temperature=0.3),
        *samples(1, 2, temperature=0.0),
        *samples(1, 3, temperature=0.7, max_tokens=9),
    ]
    mixed = [type(r)(**{**r.to_dict(), "id": f"r{n}"}) for n, r in enumerate(mixed)]
    done, received = ask(lambda n, r: choices(r), mixed, samples_per_request=2, concurrency=1)
    asked = [(r.body["temperature"], r.body.get("n", 1)) for r in received]
    assert asked == [(0.3, 2), (0.0, 1), (0.0, 1), (0.7, 2), (0.7, 1)] and len(done) == 7


def test_a_server_that_gives_one_answer_only_is_asked_for_the_others_alone():
    done, received = ask(
        lambda n, r: choices(r, n=1), samples(), samples_per_request=4, concurrency=1
    )
    assert all(c.text == f"text {name[1:]}" for name, c in done.items())
    assert len(received) == 12


def test_a_server_that_refuses_n_is_asked_one_by_one():
    def behave(n, received):
        refusal = Reply(400, b'{"error": {"message": "unknown field n"}}')
        return refusal if "n" in received.body else choices(received)

    done, received = ask(behave, samples(), samples_per_request=4, concurrency=1)
    assert all(c.finish_reason == "stop" for c in done.values())
    assert [("n" in r.body) for r in received[:5]] == [True] + [False] * 4


def test_a_question_that_is_refused_fails_with_its_samples_and_spares_the_others():
    def behave(n, received):
        bad = "question 1" in received.body["messages"][0]["content"]
        return Reply(400, b'{"error": {"message": "too long"}}') if bad else choices(received)

    done, received = ask(behave, samples(), samples_per_request=4, concurrency=1)
    failed = {name for name, c in done.items() if c.finish_reason == "error"}
    assert failed == {"r100", "r101", "r102", "r103"} and "too long" in done["r101"].error
    assert len(received) == 4


def test_one_bad_choice_among_good_ones_is_asked_again_alone():
    def behave(n, received):
        reply = choices(received)
        data = json.loads(reply.body)
        if received.body.get("n"):
            data["choices"][0]["message"]["content"] = ""  # the last of them, index 3
        return Reply(body=json.dumps(data).encode())

    done, received = ask(behave, samples(1), samples_per_request=4)
    assert {c.text for c in done.values()} == {"text 0", "text 1", "text 2", "text 3"}
    assert [r.body.get("n") for r in received] == [4, None]


@pytest.mark.parametrize(
    "bad", [Reply(429), Reply(500), Reply(body=b"{"), Reply(body=chat().body, cut=9)]
)
def test_a_failed_request_for_several_is_retried_as_one_and_fails_as_one(bad):
    done, received = ask(
        lambda n, r: bad if n < 2 else choices(r), samples(1), samples_per_request=4
    )
    assert all(c.finish_reason == "stop" for c in done.values()) and len(received) == 3
    done, received = ask(lambda n, r: bad, samples(1), samples_per_request=4, attempts=2)
    assert all(c.finish_reason == "error" for c in done.values()) and len(received) == 2


def test_further_requests_are_taken_before_the_first_ones_are_done():
    parts = [[request(n) for n in range(start, start + 10)] for start in (10, 20)]
    with (
        Server(lambda n, r: Reply(body=chat().body, hang=0.05)) as server,
        backend_for(server.url, concurrency=8) as backend,
    ):
        asked_in = set()

        def more():
            asked_in.add(threading.current_thread())
            return parts.pop(0) if parts else []

        done = list(backend.generate([request(n) for n in range(10)], more))
    assert sorted(int(c.id[1:]) for c in done) == list(range(30))
    assert asked_in == {threading.current_thread()}  # where a database may be asked
    assert server.most_in_flight == 8


def test_the_limit_of_requests_a_minute_holds():
    with Server(lambda n, r: chat()) as server:
        with backend_for(server.url, requests_per_minute=5) as backend:
            answers = backend.generate([request(n) for n in range(20)])
            first = [next(answers) for _ in range(5)]
            time.sleep(1.5)
            answers.close()
        assert len(first) == 5 and len(server.received) == 5


def test_limits_hold_over_every_minute_and_what_was_really_used_counts():
    now = [0.0]

    async def spend():
        pace = Pace(requests=100, tokens=1000, clock=lambda: now[0])
        for _ in range(3):
            sent = await pace.enter(300)
        assert pace._wait(300) == 60.0
        sent.tokens = 50  # the answer was shorter than thought
        assert pace._wait(300) == 0.0
        now[0] = 59.0
        await pace.enter(300)
        now[0] = 61.0  # the first three no longer count
        assert pace._wait(700) == 0.0 and pace._wait(701) > 0
        assert await asyncio.wait_for(Pace(tokens=10).enter(5000), 1)  # alone, instead of never

    event_loop.run(spend())


def test_429_without_a_time_holds_back_everybody_for_a_while():
    def behave(n, received):
        return Reply(429) if n < 4 else chat()

    requests = [request(n) for n in range(40)]
    done, received = ask(behave, requests, concurrency=4, backoff=0.4, attempts=6)
    assert all(c.finish_reason == "stop" for c in done.values())
    assert received[4].at - received[3].at > 0.15 and len(received) == 44


def test_closing_from_another_thread_ends_a_batch_that_waits():
    with Server(lambda n, r: Reply(hang=30)) as server:
        backend = backend_for(server.url, timeout=30)
        threading.Timer(0.3, backend.close).start()
        with pytest.raises(BackendError, match="closed"):
            list(backend.generate([request(n) for n in range(5)]))
        assert server.in_flight  # the answers are still to come


def test_thoughts_and_answer_are_joined_to_one_rationale():
    done = Completion("r", "Answer: 5", "stop", 1, 1, 0.1, reasoning=" 2 + 3 = 5\n")
    assert done.rationale == "<think>\n2 + 3 = 5\n</think>\n\nAnswer: 5"
    assert Completion("r", "Answer: 5", "stop", 1, 1, 0.1).rationale == "Answer: 5"
