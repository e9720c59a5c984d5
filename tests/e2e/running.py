"""A run of a thousand slots on a whole Chainwright: its middle, its end, and its workers."""

import sqlite3
import time
from contextlib import closing

import psutil

from tests.e2e.conftest import Stack

FILLED = """
from curation.rationales.models import *
r = GenerationRun.objects.order_by("-id").first()
print(json.dumps({
    "status": r.status, "slots": r.slot_count, "error": r.error,
    "filled": r.slots.filter(status="filled").count(),
    "rationales": Rationale.objects.filter(slot__run=r).count(),
    "all": Rationale.objects.count(), "all_filled": Slot.objects.filter(status="filled").count(),
}))
"""


def wait_for_run(stack: Stack, seconds: float, status: str = "done") -> dict:
    until = time.monotonic() + seconds
    while (state := stack.ask(FILLED))["status"] != status:
        assert time.monotonic() < until, state
        time.sleep(1)
    return state


def worker(stack: Stack, queue: str) -> psutil.Process:
    return next(
        p for p in stack.processes() if f"-Q {queue} " in " ".join(p.cmdline()) and _is_main(p)
    )


def _is_main(process: psutil.Process) -> bool:
    return "supervisor" in " ".join(process.parent().cmdline())


def rows(stack: Stack, query: str) -> list[tuple]:
    """Straight from the database: starting a command takes longer than some runs do."""
    path = f"file:{stack.home / 'chainwright.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(path, uri=True, timeout=20)) as connection:
        return connection.execute(query).fetchall()


WRITTEN = """
select slot.id, slot.rationale_id, rationale.text_hash from rationales_slot slot
join rationales_rationale rationale on rationale.id = slot.rationale_id
where slot.run_id = (select max(id) from rationales_generationrun)
"""


def order_and_wait_for_the_middle(
    stack: Stack, teacher: str, temperature: str, seconds: float = 240
) -> None:
    stack.manage(
        *("generate", "--project", "demo", "--teacher", teacher, "--temperatures", temperature)
    )
    until = time.monotonic() + seconds
    while len(rows(stack, WRITTEN)) < 100:
        assert time.monotonic() < until
        time.sleep(0.05)


def wait_and_check(stack: Stack, before: list[tuple], seconds: float = 240) -> None:
    """A thousand filled, none twice, none lost, and what was finished before is what it was."""
    assert 100 <= len(before) < 1000
    state = wait_for_run(stack, seconds)
    assert state["filled"] == state["rationales"] == state["slots"] == 1000 and not state["error"]
    assert state["all"] == state["all_filled"]
    after = rows(stack, WRITTEN)
    assert len({rationale for _, rationale, _ in after}) == len(after) == 1000
    assert set(before) <= set(after)
