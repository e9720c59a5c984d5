"""A whole Chainwright as `make run` starts it, and a real browser to sit before it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.test import Client

from curation.projects.models import User
from tests.e2e.benching import begun

REPOSITORY = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stack:
    """One home folder, and the processes that `manage.py quickstart` starts in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        self.patience = 120.0  # seconds to start
        # SQLite and Valkey of its own, whatever the other tests run on.
        self.env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
        self.env |= {"CHAINWRIGHT_HOME": str(home), "PYTHONUNBUFFERED": "1"}
        self.env["WORKER_NICE"] = "0"  # else they would give way to the tests beside them

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str) -> str:
        """Start it and return what it printed when it was ready."""
        command = [sys.executable, "manage.py", "quickstart", "--port", str(self.port), *options]
        self.out = (self.home.parent / f"{self.home.name}.out").open("w+")
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, env=self.env, stdout=self.out, stderr=self.out
        )
        until = time.monotonic() + self.patience
        while "Ctrl-C" not in self.printed():
            assert self.process.poll() is None, self.printed()
            assert time.monotonic() < until, self.printed()
            time.sleep(0.1)
        return self.printed()

    def printed(self) -> str:
        return Path(self.out.name).read_text()

    def stop(self, how: int = signal.SIGINT) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)

    def processes(self) -> list[psutil.Process]:
        """All processes below the quickstart."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env=self.env,
            capture_output=True,
            text=True,
            check=check,
            timeout=240,
        )

    def ask(self, code: str) -> Any:
        """Look at the rows: run code that prints one JSON value as its last line."""
        done = self.manage("shell", "-v0", "-c", f"import json\n{code}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    def wait_until(self, holds: Callable[[], bool], seconds: float) -> None:
        """Wait for something to hold; fails after so many seconds, which a healthy one never takes."""
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, self.printed()
            time.sleep(0.2)

    def password(self, name: str) -> str:
        words = dict(line.split() for line in (self.home / "sign-in.txt").read_text().splitlines())
        return words[name]

    def answers(self, path: str = "/healthz") -> int:
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            return answer.status


@pytest.fixture(scope="session")
def demo_models() -> Path:
    folder = REPOSITORY / "workers" / "demo" / "models"
    assert (folder / "strong" / "model.safetensors").exists(), (
        "the demo models ship with the project"
    )
    return folder


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, demo_models: Path) -> Iterator[Stack]:
    # A short path: a unix socket's may have about 100 characters.
    home = Path(f"/tmp/cw-e2e-{os.getpid()}-{free_port()}")
    home.mkdir()
    home.chmod(0o755)  # as an older Chainwright left it
    made = Stack(home)
    made.start()
    yield made
    made.stop()
    shutil.rmtree(home, ignore_errors=True)


def chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = chromium()
    if not path:
        pytest.skip("no Chromium here: install Debian's package chromium, or set CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path,
            args=[
                *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
                *(
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                ),
            ],
        )
        yield started
        started.close()


@pytest.fixture
def page(browser: Any, stack: Stack) -> Iterator[Any]:
    """A fresh page at 1280x800 that fails the test when the page throws or breaks the policy."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=stack.url)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda m: wrong.append(m.text) if "Content Security Policy" in m.text else None,
    )
    page.set_default_timeout(20_000)
    yield page
    context.close()
    assert not wrong, wrong


@pytest.fixture
def visit(browser: Any, live_server: Any, reviewer: User) -> Iterator[Callable[..., Any]]:
    """visit(user=reviewer, path=…, before=…): a page at the bench, or any other; fails when a page throws
    or breaks the policy. `before` gets the tab before it goes there."""
    contexts, wrong = [], []

    def open_bench(
        user: User = reviewer,
        path: str = "/projects/eggs/review/",
        before: Callable[[Any], Any] | None = None,
    ) -> Any:
        client = Client()
        client.force_login(user)
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        contexts.append(context)
        cookie = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda m: wrong.append(m.text) if "Content Security Policy" in m.text else None,
        )
        if before is not None:
            before(page)
        # An error page has an .empty as well: under load a test went on with one once.
        answer = page.goto(live_server.url + path)
        assert answer.status == 200, f"{answer.status}: {page.inner_text('body')}"
        if "/review/" in path:
            begun(page)
        return page

    yield open_bench
    for context in contexts:
        context.close()
    assert not wrong, wrong


@pytest.fixture
def questions(make_questions: Callable[..., Any], make_rationales: Callable[..., Any]) -> list[Any]:
    made = make_questions(3)
    for one in made:
        make_rationales(one, ["right", "wrong"])
    return made
