"""Nothing waits behind work of another kind, and a killed network worker costs time only."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Stack, free_port
from tests.e2e.running import rows, worker
from tests.e2e.side_by_side import KINDS, order, prepare, slow_server, watch
from tests.workers.generation.generation_server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with slow_server() as made:
        yield made


@pytest.fixture(scope="module")
def stack(server: Server, demo_models: Path) -> Iterator[Stack]:
    home = Path(f"/tmp/cw-e2e-{os.getpid()}-{free_port()}")
    made = Stack(home)
    # The pages go first, so that the start does not wait for all workers to be there.
    made.env |= {"MODEL_HOSTS": "127.0.0.1", "WORKER_NICE": "10"}
    made.start("--no-demo")
    prepare(made, server, questions=1000)
    yield made
    made.stop()
    shutil.rmtree(home, ignore_errors=True)


def test_what_is_ordered_at_once_goes_on_at_once(stack: Stack) -> None:
    """The training goes on for as long as the test, the run has an answer each 0.2 s."""
    order(stack, asked=200, imported=1000)
    seen = watch(stack, ("import", "freeze"), 240)
    assert seen.first.keys() == set(KINDS)
    for short in ("import", "freeze"):
        assert {"training", "run"} <= seen.unfinished[short]
    status, written = seen.state["run"]
    assert status == "running" and 0 < written < 200
    assert seen.state["training"][0] == "running"


def test_a_killed_network_worker_costs_time_only(stack: Stack, server: Server) -> None:
    """Goes on where the run of the test before is: in its middle."""
    before = rows(stack, "select id, rationale_id from rationales_slot where status = 'filled'")
    assert 0 < len(before) < 200
    killed = worker(stack, "network")
    killed.kill()
    filled = "select id, rationale_id from rationales_slot where status = 'filled'"
    stack.wait_until(lambda: len(rows(stack, filled)) == 200, 240)
    after = rows(stack, filled)
    assert len({rationale for _, rationale in after}) == 200 and set(before) <= set(after)
    written = rows(stack, "select count(*) from rationales_rationale where teacher_id = 2")
    assert written == [(200,)], "no slot was written twice"
    assert worker(stack, "network").pid != killed.pid
    stack.wait_until(
        lambda: rows(stack, "select status from rationales_generationrun") == [("done",)], 60
    )
    assert rows(stack, "select status from training_trainingjob") == [("running",)]
