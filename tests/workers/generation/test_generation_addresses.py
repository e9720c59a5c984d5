"""Where the OpenAI backend may connect to, and what becomes of its key."""

import ipaddress
import socket

import pytest

from tests.workers.generation.generation_server import (
    KEY,
    Reply,
    Server,
    backend_for,
    chat,
    request,
)
from workers.generation.chat.endpoint import parse_endpoint
from workers.generation.types import BackendError
from workers.ssrf_guard import is_public
from workers.webhooks.post import Event, send_all


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost.",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00::1]",
        "100.64.0.1",
    ],
)
def test_addresses_that_are_not_public_are_refused_when_connecting(host):
    with Server(lambda n, r: chat()) as server:
        url = f"http://{host}:{server.port}/v1"
        with backend_for(url, allowed=()) as backend:
            (done,) = backend.generate([request()])
        assert done.finish_reason == "error"
        assert "not a public address" in done.error or "cannot be found" in done.error
        assert server.received == [] and backend.sent == 0


@pytest.mark.parametrize("entry", ["localhost", "LOCALHOST", "localhost:{port}", " localhost. "])
def test_the_operator_may_allow_a_host(entry):
    with Server(lambda n, r: chat()) as server:
        url = f"http://localhost:{server.port}/v1"
        allowed = [entry.format(port=server.port)]
        with backend_for(url, allowed=allowed) as backend:
            (done,) = backend.generate([request()])
        assert done.finish_reason == "stop", done.error
        with backend_for(url, allowed=["localhost:1"]) as backend:
            (done,) = backend.generate([request()])
        assert "not a public address" in done.error


def test_a_name_that_answers_differently_later_is_judged_each_time(monkeypatch):
    """Rebinding: the name is public when looked at first, and private afterwards."""
    answers = iter(["93.184.216.34", "127.0.0.1"])
    asked = []

    def resolver(host, port, *args, **kwargs):
        asked.append(host)
        address = next(answers, "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with Server(lambda n, r: chat()) as server:
        url = f"http://rebind.example:{server.port}/v1"
        with backend_for(url, allowed=(), connect_timeout=0.3, attempts=2) as backend:
            monkeypatch.setattr(socket, "getaddrinfo", resolver)
            done = list(backend.generate([request(0)]))
        assert done[0].finish_reason == "error" and server.received == []
        assert asked == ["rebind.example", "rebind.example"]


@pytest.mark.parametrize("place", range(3))
def test_a_name_with_one_address_that_is_not_public_is_refused_wherever_it_stands(
    place, monkeypatch
):
    found = ["93.184.216.34", "93.184.216.35"]
    found.insert(place, "127.0.0.1")

    def resolver(host, port, *args, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    with Server(lambda n, r: chat()) as server:
        url = f"http://several.example:{server.port}/v1"
        with backend_for(url, allowed=(), connect_timeout=0.3, attempts=1) as backend:
            monkeypatch.setattr(socket, "getaddrinfo", resolver)
            (done,) = backend.generate([request()])
        assert "not a public address" in done.error and server.received == []
        (told,) = send_all([Event(url, b"key", "msg_1", b"{}")], ())  # webhooks ask the same
        assert "not a public address" in told.error and server.received == []


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_pass(text):
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "::7f00:1",
        "fec0::1",
        "192.0.0.192",
        "168.63.129.16",
        "::",
        "172.31.0.1",
        "64:ff9b:1::7f00:1",
    ],
)
def test_hidden_private_addresses_do_not(text):
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://x/v1",
        "file:///etc/passwd",
        "https://",
        "https://u:p@x/v1",
        "https://x/v1?a=1",
        "https://x/#a",
        "https://x y/v1",
        "https://x\n/v1",
        "https://x:99999/",
        "https:\\\\x/v1",
    ],
)
def test_a_base_url_that_is_none_is_refused_at_once(url):
    with pytest.raises(BackendError, match="URL"):
        parse_endpoint(url)


# --- keys --------------------------------------------------------------------------------------


def test_a_key_never_shows(monkeypatch, caplog):
    monkeypatch.setenv("TEST_API_KEY", KEY)
    caplog.set_level("DEBUG")
    with Server(lambda n, r: Reply(400, f"bad {KEY}".encode())) as server:
        monkeypatch.setenv("TEST_API_KEY_HOSTS", f"127.0.0.1:{server.port}")
        with backend_for(server.url, key="TEST_API_KEY") as backend:
            (done,) = backend.generate([request()])
            shown = repr(backend) + repr(backend.client) + backend.spec.key + done.error
        assert server.received[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in shown + caplog.text


def test_a_missing_key_is_told():
    with pytest.raises(BackendError, match="ABSENT_API_KEY is not set"):
        backend_for("https://example.com/v1", key="ABSENT_API_KEY")


def test_a_key_is_not_sent_in_the_clear(monkeypatch):
    monkeypatch.setenv("TEST_API_KEY", KEY)
    monkeypatch.setenv("TEST_API_KEY_HOSTS", "example.com")
    with pytest.raises(BackendError, match="https"):
        backend_for("http://example.com/v1", key="TEST_API_KEY")


def test_unknown_options_are_refused():
    with pytest.raises(BackendError, match="no option temprature"):
        backend_for("https://example.com/v1", temprature=1)
    with pytest.raises(BackendError, match="may not set messages"):
        backend_for("https://example.com/v1", extra_body={"messages": []})
