"""Sending events: the signature, and every way in which an address can be ill."""

import base64
import json
import socket
import threading
import time

import pytest

from tests.workers.generation.generation_server import Received, Reply, Server
from workers.webhooks import post
from workers.webhooks.post import Answer, Event, send_all, sign

KEY = bytes(range(32))


def event(url: str, n: int = 1) -> Event:
    return Event(url, KEY, f"msg_{n}", json.dumps({"n": n}).encode())


def sent(url: str, allowed: tuple[str, ...] = ("127.0.0.1",)) -> Answer:
    (answer,) = send_all([event(url)], allowed)
    return answer


def test_the_signature_is_that_of_the_published_example() -> None:
    # The example of https://docs.svix.com/receiving/verifying-payloads/how-manual.
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_event_arrives_signed_over_its_id_time_and_bytes() -> None:
    before = int(time.time())
    with Server(lambda n, r: Reply(204)) as server:
        assert sent(f"{server.url}/told?from=here") == Answer(204, "")
    (got,) = server.received
    assert got.path == "/v1/told?from=here" and got.body == {"n": 1}
    at = int(got.headers["webhook-timestamp"])
    assert before <= at <= time.time() and got.headers["webhook-id"] == "msg_1"
    assert got.headers["webhook-signature"] == sign(KEY, "msg_1", at, got.raw)
    assert got.headers["host"] == f"127.0.0.1:{server.port}"
    assert got.headers["content-type"] == "application/json"


def test_what_an_address_says_of_its_failure_is_told_in_one_short_line() -> None:
    said = b"no\n\x1b[31m disk\0 \xff" + b"x" * 5000
    with Server(lambda n, r: Reply(500, said)) as server:
        answer = sent(server.url)
    assert answer.status == 500 and answer.error.startswith("It answered 500: no [31m disk")
    assert len(answer.error) < 300 and answer.error.isprintable()


def test_a_redirect_is_not_followed() -> None:  # C2
    with Server(lambda n, r: Reply(200)) as inner:
        place = {"Location": f"http://127.0.0.1:{inner.port}/secret"}
        with Server(lambda n, r: Reply(302, headers=place)) as outer:
            answer = sent(outer.url)
    assert answer.status == 302 and "redirect" in answer.error
    assert inner.received == [] and "secret" not in answer.error


def test_an_address_that_hangs_is_left_after_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "SECONDS", 0.5)
    with Server(lambda n, r: Reply(hang=20)) as server:
        answer = sent(server.url)
        assert server.in_flight == 1  # the answer is still to come
    assert answer == Answer(None, "No answer within 0.5 seconds.")


@pytest.mark.parametrize("status", [200, 500])
def test_a_huge_answer_is_not_read(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "SECONDS", 3)
    # It announces a terabyte; who waited for more than its beginning would run into the limit.
    endless = Reply(status, b"y" * 5000, {"Content-Length": str(10**12)})
    with Server(lambda n, r: endless) as server:
        answer = sent(server.url)
    assert answer.status == status and len(answer.error) < 300


def test_an_answer_that_breaks_off_is_told() -> None:
    with Server(lambda n, r: Reply(close=True)) as server:
        assert "connection broke" in sent(server.url).error


def test_the_slow_ones_do_not_hold_back_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "SECONDS", 20)
    others_came = threading.Semaphore(0)

    def hold(n: int, r: Received) -> Reply:
        """Answers once an event has come at the other address; who waited for this one first would
        get no answer at all."""
        return Reply(200 if others_came.acquire(timeout=15) else 500)

    def at_once(n: int, r: Received) -> Reply:
        others_came.release()
        return Reply(200)

    with Server(hold) as slow, Server(at_once) as fast:
        events = [event(slow.url, 1), event(fast.url, 2), event(slow.url, 3), event(fast.url, 4)]
        answers = send_all(events, ("127.0.0.1",))
    assert [answer.status for answer in answers] == [200, 200, 200, 200]
    assert sorted(one.headers["webhook-id"] for one in fast.received) == ["msg_2", "msg_4"]


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::1]", "0"),
        *("169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]", "[fd00::1]"),
    ],
)
def test_an_address_that_is_not_public_is_refused_when_connecting(host: str) -> None:  # C2
    with Server(lambda n, r: Reply(200)) as server:
        answer = sent(f"http://{host}:{server.port}/", allowed=())
    assert answer.status is None and server.received == []
    assert "not a public address" in answer.error or "cannot be found" in answer.error


def test_a_refusal_does_not_tell_where_a_name_leads(caplog: pytest.LogCaptureFixture) -> None:
    told = sent("http://localhost/", allowed=()).error
    assert told.startswith("What localhost leads to is not a public address.")
    assert "127.0.0.1" not in told and "::1" not in told
    assert "127.0.0.1" in caplog.text or "::1" in caplog.text  # the operator's log does


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.org/", "must begin with"),
        ("http://a:b@127.0.0.1/", "user name"),
        ("http://127.0.0.1/#x", "must not hold a #"),
        ("http://127.0.0.1:99999/", "not a URL"),
        ("http://127.0.0.1/a b", "blank"),
        ("http:///x", "names no host"),
    ],
)
def test_what_is_no_address_is_told_and_not_sent(url: str, words: str) -> None:
    assert words in sent(url).error


def test_a_port_where_nobody_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert "No connection" in sent(f"http://127.0.0.1:{port}/").error


@pytest.mark.parametrize("host", ["１０.0.0.1", "bücher.invalid", "ab\u200b..c", "☃" * 80])
def test_a_host_in_other_letters_stops_nobody_elses_events(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "SECONDS", 2)
    with Server(lambda n, r: Reply(200)) as server:
        odd, fine = send_all([event(f"http://{host}/"), event(server.url, 2)], ("127.0.0.1",))
    assert fine == Answer(200, "") and odd.status is None and odd.error
