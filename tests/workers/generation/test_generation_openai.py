"""The OpenAI-compatible backend against a real server that misbehaves in every way."""

import json
import socket
import time

import pytest

from tests.workers.generation.generation_server import (
    KEY,
    Reply,
    Server,
    backend_for,
    chat,
    request,
)
from workers.generation.chat.retry_policy import retry_after_seconds
from workers.generation.types import BackendError


def ask(behave, count=1, **options):
    """Completions, and what the server received."""
    with Server(behave) as server, backend_for(server.url, **options) as backend:
        completions = list(backend.generate([request(n) for n in range(count)]))
        assert backend.sent == len(server.received)
        return completions, server.received


def test_an_answer_comes_back_with_its_counts_and_its_reasoning_apart():
    reply = chat("5", finish="length", reasoning_content="2 + 3 = 5")
    (done,), (received,) = ask(lambda n, r: reply)
    assert (done.id, done.text, done.reasoning) == ("r0", "5", "2 + 3 = 5")
    assert (done.finish_reason, done.prompt_tokens, done.completion_tokens) == ("length", 11, 7)
    assert done.seconds > 0
    assert received.path == "/v1/chat/completions"
    assert received.body == {
        "model": "some-model",
        "messages": [{"role": "user", "content": "2 + 3?"}],
        "temperature": 0.3,
        "seed": 0,
        "max_tokens": 256,
        "stream": False,
    }
    assert received.headers["host"].startswith("127.0.0.1:")
    assert "authorization" not in received.headers


def test_many_requests_are_in_flight_at_once_and_each_is_answered():
    def behave(n, received):
        return Reply(body=chat(received.body["messages"][0]["content"]).body, hang=0.2)

    with Server(behave) as server, backend_for(server.url, concurrency=16) as backend:
        asked = [request(n, text=f"question {n}") for n in range(64)]
        done = {c.id: c for c in backend.generate(asked)}
        assert all(done[r.id].text == r.messages[0]["content"] for r in asked)
        assert server.most_in_flight == 16


def test_options_change_what_is_sent():
    options = {
        "max_tokens_field": "max_completion_tokens",
        "omit": ["seed", "temperature"],
        "extra_body": {"chat_template_kwargs": {"enable_thinking": False}},
    }
    with Server(lambda n, r: chat()) as server, backend_for(server.url, **options) as backend:
        list(backend.generate([request(top_p=0.9)]))
    body = server.received[0].body
    assert body["max_completion_tokens"] == 256 and body["top_p"] == 0.9
    assert not {"seed", "temperature", "max_tokens"} & set(body)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (Reply(429, b'{"error": {"message": "slow down"}}'), "429: slow down"),
        (Reply(500, b"<html>oops</html>"), "500: <html>oops</html>"),
        (Reply(body=b"this is not json"), "not JSON"),
        (Reply(body=b"[" * 100_000), "not JSON"),
        (Reply(body=b'"text"'), "not a JSON object"),
        (Reply(body=b'{"choices": []}'), "no choice"),
        (Reply(body=b'{"choices": [{"message": null}]}'), "no choice"),
        (chat(""), "empty text"),
        (chat(None), "empty text"),
        (Reply(body=b'{"error": {"message": "model crashed"}}'), "model crashed"),
        (Reply(body=chat().body, cut=20), "closed the connection"),
        (Reply(close=True), "closed the connection"),
    ],
)
def test_a_failure_is_retried_then_told_with_its_reason(bad, says):
    (once,), received = ask(lambda n, r: bad if n == 0 else chat())
    assert (once.finish_reason, once.text) == ("stop", "The answer is 5.")
    assert len(received) == 2
    (never,), received = ask(lambda n, r: bad, attempts=3)
    assert (never.finish_reason, never.text) == ("error", "")
    assert says in never.error and "3 attempts" in never.error
    assert len(received) == 3


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (
            Reply(400, b'{"error": {"message": "max_tokens too large"}}'),
            "400: max_tokens too large",
        ),
        (Reply(422, b'{"detail": [{"msg": "no"}]}'), "422"),
        (chat("", finish="length"), "Raise max_tokens"),
        (chat(None, finish="tool_calls", reasoning="x"), "tool"),
        (Reply(429, b"", {"Retry-After": "3600"}), "wait 3600 seconds"),
        (Reply(body=b"x" * 5000), "longer than 4000 bytes"),
        (
            Reply(body=b'data: {"choices": [{"delta": {"content": "5"}}]}\n\ndata: [DONE]\n\n'),
            'an event stream: data: {"choices": [{"delta"',
        ),
        (Reply(body=b": OPENROUTER PROCESSING\n\n"), "an event stream: : OPENROUTER PROCESSING"),
    ],
)
def test_what_cannot_get_better_is_not_sent_again(bad, says):
    (done,), received = ask(lambda n, r: bad, longest_answer=4000)
    assert done.finish_reason == "error" and says in done.error
    assert len(received) == 1


def test_a_hanging_server_is_left_after_the_time_out():
    (done,), received = ask(lambda n, r: Reply(hang=30), timeout=0.3)
    # Whoever waited would tell of the answer that comes after the silence, and which is empty.
    assert "No answer within 0.3 seconds" in done.error and len(received) == 2


def test_a_server_that_drips_cannot_outlive_the_time_out():
    class Dripping(Server):
        def _send(self, connection, reply):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
            for _ in range(100):
                connection.sendall(b" ")
                time.sleep(0.05)
            return False

    with Dripping(lambda n, r: chat()) as server, backend_for(server.url, timeout=0.4) as backend:
        (done,) = backend.generate([request()])
    assert "No answer within" in done.error  # and not that the server went away, as it does then


def test_a_wrong_key_stops_the_whole_batch(monkeypatch):
    monkeypatch.setenv("TEST_API_KEY", KEY)
    refusal = Reply(401, json.dumps({"error": {"message": f"Incorrect key: {KEY}"}}).encode())
    with Server(lambda n, r: refusal) as server:
        monkeypatch.setenv("TEST_API_KEY_HOSTS", f"127.0.0.1:{server.port}")
        with backend_for(server.url, concurrency=4, key="TEST_API_KEY") as backend:
            done = list(backend.generate([request(n) for n in range(200)]))
        received = server.received
    assert len(done) == 200 and all("401" in c.error for c in done)
    assert len(received) <= 4
    assert received[0].headers["authorization"] == f"Bearer {KEY}"
    assert not any(KEY in c.error for c in done)


def test_retry_after_holds_back_every_request():
    def behave(n, received):
        return Reply(429, b"", {"Retry-After": "1"}) if n == 0 else chat()

    done, received = ask(behave, count=20, concurrency=1)
    assert all(c.finish_reason == "stop" for c in done)
    assert received[1].at - received[0].at >= 1.0
    assert len(received) == 21


def test_a_dead_endpoint_is_not_stormed():
    done, received = ask(lambda n, r: Reply(503), count=500, concurrency=8, breaker_failures=8)
    assert len(done) == 500 and all(c.finish_reason == "error" for c in done)
    assert any("is down" in c.error and "503" in c.error for c in done)
    assert len(received) <= 8 + 8 + 5


def test_nobody_listening_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with backend_for(url, attempts=2) as backend:
            (done,) = backend.generate([request()])
    assert "No connection to http://127.0.0.1" in done.error


def test_an_endpoint_that_comes_back_is_used_again():
    def behave(n, received):
        return Reply(503) if n < 6 else chat()

    done, _ = ask(behave, count=50, concurrency=2, breaker_failures=4, patience=20)
    assert sum(c.finish_reason == "stop" for c in done) >= 46


def test_the_rest_is_cancelled_when_the_caller_stops():
    with Server(lambda n, r: Reply(body=chat().body, hang=0.05)) as server:
        backend = backend_for(server.url, concurrency=2)
        answers = backend.generate([request(n) for n in range(100)])
        next(answers)
        answers.close()
        time.sleep(0.3)
        count = len(server.received)
        assert count < 10
        assert len(list(backend.generate([request(n) for n in range(3)]))) == 3
        backend.close()
        backend.close()
        assert len(list(backend.generate([request()]))) == 1
        backend.close()


def test_only_one_batch_at_a_time():
    with Server(lambda n, r: chat()) as server, backend_for(server.url) as backend:
        first = backend.generate([request(n) for n in range(3)])
        next(first)
        with pytest.raises(BackendError, match="still generating"):
            next(backend.generate([request()]))
        assert len(list(first)) == 2


def test_redirects_are_not_followed():
    with Server(lambda n, r: chat()) as other:
        moved = Reply(307, b"", {"Location": other.url + "/chat/completions"})
        (done,), _ = ask(lambda n, r: moved)
        assert "redirects" in done.error and other.received == []


def test_what_a_server_says_cannot_reach_a_terminal_or_a_database():
    (done,), _ = ask(lambda n, r: chat("a\x00b \ud800 c", reasoning_content="\x00"))
    assert done.text == "ab ? c" and done.reasoning == ""
    nasty = Reply(400, json.dumps({"error": "\x1b[31mred\x00\u202eback" + "x" * 9999}).encode())
    (done,), _ = ask(lambda n, r: nasty)
    assert "\x1b" not in done.error and "\u202e" not in done.error and len(done.error) < 500


def test_a_question_with_half_a_surrogate_is_sent():
    with Server(lambda n, r: chat()) as server, backend_for(server.url) as backend:
        (done,) = backend.generate([request(text="half \ud800 a pair")])
    assert done.finish_reason == "stop"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("-1", 0),
        ("soon", None),
        ("", None),
        (None, None),
        ("nan", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ],
)
def test_retry_after_is_read(header, seconds):
    assert retry_after_seconds(header) == seconds
