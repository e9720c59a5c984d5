"""`/healthz`: what it answers to whom, and that nothing which hangs makes it slow."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from curation.web import health

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is kept for a second, which is another test's."""
    monkeypatch.setattr(health, "_health", health._Health())


@pytest.fixture
def deaf() -> Iterator[str]:
    """The address of a broker that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.django_db(transaction=True)
def test_it_is_ok_where_all_parts_work(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert answer["Cache-Control"] == "no-store" and answer["Content-Type"] == "text/plain"
    assert client.get("/healthz?strict").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_in_production_it_answers_by_ip_without_tls_and_nothing_else_does(
    client: Client, settings: Any
) -> None:
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["chainwright.example"], True
    asked = {"headers": {"host": "10.1.2.3:8000"}}
    assert client.get("/healthz", **asked).content == b"ok"
    assert client.get("/healthz", headers={"host": "not a host"}).content == b"ok"
    assert client.get("/sign-in/", **asked).status_code in (301, 400)
    assert client.get("/sign-in/", secure=True, **asked).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_pages_work_without_a_broker_so_it_stays_200(client: Client, settings: Any) -> None:
    settings.REDIS_URL = f"redis+socket://{settings.HOME}/there-is-none.sock"
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok, without: broker")
    strict = client.get("/healthz?strict")
    assert (strict.status_code, strict.content) == (503, b"not ok: broker")


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_hangs_is_asked_once_and_waited_for_no_longer_than_the_bound(
    client: Client, settings: Any, deaf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = deaf
    monkeypatch.setattr(
        health, "SECONDS", 0.2
    )  # the client of the broker would wait for 2 and more
    before = threading.active_count()
    for _ in range(5):
        assert client.get("/healthz").content == b"ok, without: broker"
    assert threading.active_count() <= before + 1  # not one more for each question


@pytest.mark.django_db(transaction=True)
def test_without_a_database_it_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connections

    monkeypatch.setitem(connections["default"].settings_dict, "NAME", "/no/such/place.sqlite3")
    monkeypatch.setitem(connections["default"].settings_dict, "PORT", "1")
    answer = client.get("/healthz")
    assert answer.status_code == 503 and answer.content == b"not ok: database"


ASK = """
import resource, signal, sys
import django
django.setup()
from django.test import Client
if sys.argv[1] != "room":
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
answer = Client().get("/healthz")
print(answer.status_code, answer.content.decode())
"""


@pytest.mark.parametrize(("how", "said"), [("room", "200 ok"), ("full", "503 not ok: disk")])
def test_where_nothing_can_be_written_it_says_so(how: str, said: str, tmp_path: Path) -> None:
    # In a process of its own, which may write no more than 4 KB to any file: for a write the same as a
    # disk without room, see `errors.NO_ROOM`.
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    env |= {"CHAINWRIGHT_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "curation.settings"}
    env["REDIS_URL"] = django_settings.REDIS_URL
    done = subprocess.run(
        [sys.executable, "-c", ASK, how], cwd=REPOSITORY, env=env, capture_output=True, text=True
    )
    assert done.stdout.strip() == said, done.stderr
    assert not [p for p in tmp_path.iterdir() if p.suffix not in (".sqlite3", "")], "left behind"
