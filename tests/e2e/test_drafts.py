"""Typed text survives: a lost network, a server that goes away, a closed tab, a crash of the browser."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from curation.projects.models import User
from tests.e2e.benching import begun, counted, goes_on, item_of, press, with_next
from tests.e2e.conftest import chromium, free_port

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Any]

# What is typed: the keys that open its field, and the field.
FIELDS = {
    "comment": (["c"], "#comment textarea"),
    "reason": (["x", "7"], "#reasons textarea"),
    "edit": (["e"], ".editor textarea"),
    "own rationale": (["w"], ".editor textarea"),
    "flag": (["f", "4"], "#flag textarea"),
    "skip": (["s"], "#skip textarea"),
}


@pytest.mark.parametrize("what", FIELDS)
def test_what_was_typed_survives_a_lost_network_and_a_closed_tab(
    what: str, questions: list[Any], visit: Visit
) -> None:
    page = visit()
    keys, field = FIELDS[what]
    press(page, *keys)
    page.focus(field)
    page.keyboard.type("Before the loss")
    page.context.set_offline(True)  # the same to the page as a server that was killed
    page.keyboard.type(" and after it.")
    other = page.context.new_page()
    address = page.url
    page.close()
    other.context.set_offline(False)
    other.goto(address)
    begun(other)
    press(other, *[key for key in keys if key not in "47"])
    if what in (
        "flag",
        "reason",
    ):  # which choice was made is kept for a flag; a reason is chosen anew
        other.wait_for_selector(field)
    assert other.input_value(field).endswith("Before the loss and after it.")


@contextmanager
def browser_of_its_own(folder: Path, browser: Any) -> Iterator[Any]:
    """A Chromium with this profile; at the end it is killed, with all its processes at once."""
    port = free_port()
    started = subprocess.Popen(
        [
            *(chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *(f"--user-data-dir={folder}", f"--remote-debugging-port={port}", "about:blank"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield browser.browser_type.connect_over_cdp(f"http://127.0.0.1:{port}").contexts[0]
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
        for lock in folder.glob("Singleton*"):
            lock.unlink()


def test_what_was_typed_a_moment_ago_survives_a_crash_of_the_browser(
    questions: list[Any], live_server: Any, reviewer: User, browser: Any, tmp_path: Path
) -> None:
    client = Client()
    client.force_login(reviewer)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}

    def bench(context: Any) -> Any:
        context.add_cookies([{**cookie, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto(f"{live_server.url}/projects/eggs/review/")
        begun(page)
        return page

    with browser_of_its_own(tmp_path / "browser", browser) as context:
        page = bench(context)
        press(page, "c")
        page.keyboard.type("Typed before the crash.")
        page.wait_for_timeout(700)
    with browser_of_its_own(tmp_path / "browser", browser) as context:
        page = bench(context)
        press(page, "c")
        assert page.input_value("#comment textarea") == "Typed before the crash."


def test_another_tab_does_not_bring_back_the_draft_of_a_sent_question(
    questions: list[Any], visit: Visit
) -> None:
    one = visit()
    first = item_of(one)
    press(one, "a", "a", "a")
    one.wait_for_timeout(400)
    two = one.context.new_page()
    two.goto(one.url)
    begun(two)
    assert item_of(two) == first
    one.bring_to_front()
    with_next(one)
    press(one, "Enter")
    goes_on(one, first)
    counted(one, 2)
    one.wait_for_timeout(300)
    two.reload()
    begun(two)
    kept = one.evaluate("Object.keys(localStorage)")
    assert not [key for key in kept if key.endswith(f":{first}")]
