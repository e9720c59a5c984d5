"""A backup of a whole Chainwright while a run is filled and reviews are written, restored elsewhere: every
count and every file's hash is right, nothing is half, and what was under way goes on."""

import json
import os
import shutil
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Stack, free_port
from tests.e2e.running import FILLED, order_and_wait_for_the_middle, wait_for_run

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

TOKEN = """
from curation.projects.models import *
from curation.api.core.tokens import make_token
user = User.objects.get(username="reviewer")
print(json.dumps(make_token(user, "load", scope="review", days=1)[1]))
"""
# What would be half: a review without its question's seat, a filled slot without its rationale, a score or
# a decision of a rationale that is not there.
HALF = """
from curation.rationales.models import *
from curation.reviews.models import *
known = Rationale.all_objects.values("pk")
print(json.dumps({
    "reviews": Review.objects.count(),
    "no rationale": Review.objects.exclude(rationale__in=known).count()
        + Score.objects.exclude(rationale__in=known).count()
        + Decision.objects.exclude(rationale__in=known).count(),
    "empty but filled": Slot.objects.filter(status="filled", rationale__isnull=True).count(),
    "undecided but done": QueueItem.objects.filter(
        status="done").exclude(question__rationales__reviews__isnull=False).count(),
}))
"""


@pytest.fixture
def homes() -> Iterator[tuple[Stack, Stack]]:
    made = []
    for name in ("a", "b"):
        home = Path(f"/tmp/cw-backup-{os.getpid()}-{name}-{free_port()}")
        home.mkdir(mode=0o700)
        made.append(Stack(home))
    try:
        yield made[0], made[1]
    finally:
        for stack in made:
            stack.stop()
            shutil.rmtree(stack.home, ignore_errors=True)


class Reviewing(threading.Thread):
    """A person who reviews by script until told to stop."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self.url = f"{stack.url}/api/v1/projects/demo"
        self.secret, self.over, self.sent = stack.ask(TOKEN), threading.Event(), 0

    def call(self, path: str, body: dict | None = None) -> dict:
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"}
        data = json.dumps({} if body is None else body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"{}")

    def run(self) -> None:
        while not self.over.is_set():
            given = self.call("/review/next")
            if not given["item"]:
                self.over.wait(0.2)
                continue
            open_ones = [one for one in given["rationales"] if not one["locked"]]
            says = [{"rationale": one["id"], "verdict": "approve"} for one in open_ones]
            self.call(f"/review/items/{given['item']}/submit", {"says": says})
            self.sent += 1


def test_a_backup_in_the_middle_of_everything_is_of_one_moment(homes: tuple[Stack, Stack]) -> None:
    live, other = homes
    other.env["SILENT_AFTER_SECONDS"] = "5"  # the workers of the other home are not coming back
    live.start()
    wait_for_run(live, 240)
    person = Reviewing(live)
    person.start()
    try:
        live.wait_until(lambda: person.sent >= 3, 120)
        order_and_wait_for_the_middle(live, "strong", "0.4")
        before = person.sent
        backup = live.home / "backup"
        live.manage("backup", str(backup))
        live.wait_until(lambda: person.sent > before, 60)
    finally:
        person.over.set()
        person.join(60)
    assert live.ask(FILLED)["status"] in ("running", "done")
    manifest = json.loads((backup / "manifest.json").read_text())
    other.manage("restore", "--check", str(backup))
    other.manage("restore", str(backup))  # compares every row count and every hash, or fails
    found = other.ask(HALF)
    assert found.pop("reviews") == manifest["rows"]["reviews_review"] >= 3
    assert set(found.values()) == {0}, found
    # The files that rows name are there, byte for byte; the run goes on where the backup found it.
    for name, facts in manifest["files"].items():
        if name.startswith("artifacts/"):
            assert (other.home / name).stat().st_size == facts["bytes"], name
    live.stop()
    other.start("--no-demo")
    whole = wait_for_run(other, 300)
    assert whole["filled"] == whole["slots"] == whole["rationales"]
