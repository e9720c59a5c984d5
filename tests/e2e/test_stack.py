"""`make run`: starts, prints a way in, survives kills, starts again, and ends with all its children."""

import os
import signal
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import redis

from tests.e2e.conftest import Stack, free_port

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

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


def test_it_prints_an_address_and_random_ways_in_and_rationales_come_by_themselves(
    stack: Stack,
) -> None:
    printed = stack.printed()
    assert stack.url in printed and stack.password("admin") in printed
    assert len(stack.password("reviewer")) >= 12
    assert (stack.home / "sign-in.txt").stat().st_mode & 0o077 == 0
    assert stack.answers() == 200
    assert wait_for_run(stack, 120)["filled"] == 600


def test_the_web_process_is_small_and_knows_no_torch(stack: Stack) -> None:
    web = [p for p in stack.processes() if "gunicorn" in " ".join(p.cmdline())]
    assert len(web) >= 3
    for process in web:
        assert process.memory_info().rss < 150 * 1024**2
        assert not any("libtorch" in m.path for m in process.memory_maps())


def rows(stack: Stack, query: str) -> list[tuple]:
    """Straight from the data base: starting a command takes longer than some runs do."""
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


def test_a_killed_gpu_worker_costs_time_only(stack: Stack) -> None:
    order_and_wait_for_the_middle(stack, "strong", "0.4")
    killed = worker(stack, "gpu")
    for process in [killed, *killed.children(recursive=True)]:
        process.kill()
    before = rows(stack, WRITTEN)
    assert stack.ask(FILLED)["status"] == "running"
    wait_and_check(stack, before)
    assert worker(stack, "gpu").pid != killed.pid


def test_a_wiped_broker_loses_nothing(stack: Stack) -> None:
    order_and_wait_for_the_middle(stack, "strong", "0.6")
    redis.Redis(unix_socket_path=str(stack.home / "valkey.sock")).flushall()
    wait_and_check(stack, rows(stack, WRITTEN))


def test_a_killed_web_server_comes_back_and_stops_no_run(stack: Stack) -> None:
    order_and_wait_for_the_middle(stack, "strong", "0.8")
    killed = [p for p in stack.processes() if "gunicorn" in " ".join(p.cmdline())]
    for process in killed:
        process.kill()
    before = rows(stack, WRITTEN)
    wait_and_check(stack, before)
    assert stack.answers() == 200
    web = [p for p in stack.processes() if "gunicorn" in " ".join(p.cmdline())]
    assert web and not {p.pid for p in web} & {p.pid for p in killed}


def test_ctrl_c_ends_every_child_and_a_second_start_finds_everything(stack: Stack) -> None:
    children = stack.processes()
    assert len(children) >= 7
    password = stack.password("admin")
    stack.stop(signal.SIGINT)
    assert stack.process.returncode == 0
    _gone, alive = psutil.wait_procs(children, timeout=5)
    assert not alive, [p.cmdline() for p in alive]
    printed = stack.start()
    assert password in printed
    assert stack.ask(FILLED)["all"] == 3600


def test_a_taken_port_is_one_clear_line(stack: Stack, tmp_path: Path) -> None:
    other = Stack(tmp_path / "home")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        done = other.manage("quickstart", "--port", str(taken.getsockname()[1]), check=False)
    assert done.returncode != 0
    (line,) = [part for part in done.stderr.splitlines() if part.strip()]
    assert "cannot be used" in line and "PORT=" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    done = Stack(closed / "home").manage("quickstart", "--port", str(free_port()), check=False)
    assert done.returncode != 0 and len(done.stderr.strip().splitlines()) == 1


def test_production_refuses_to_start_without_a_key(tmp_path: Path) -> None:
    made = Stack(tmp_path / "home")
    made.env |= {"PRODUCTION": "1", "ALLOWED_HOSTS": "example.org"}
    made.env.pop("SECRET_KEY", None)
    done = made.manage("check", check=False)
    assert done.returncode != 0 and "SECRET_KEY is not set" in done.stderr


VLLM_TEACHER = """
from curation.projects.models import Project
from curation.rationales.models import Teacher
project = Project.objects.get(slug="demo")
made = Teacher(project=project, name="vllm", backend="vllm", model="demo:strong", max_tokens=192)
made.save()
print(made.pk)
"""


@pytest.mark.skipif(
    not os.environ.get("CHAINWRIGHT_VLLM_PYTHON"),
    reason="vLLM is not here: CHAINWRIGHT_VLLM_PYTHON is not set",
)
def test_a_killed_vllm_is_started_again_and_ends_with_its_worker(stack: Stack) -> None:
    stack.ask(VLLM_TEACHER)
    # Loading vLLM takes a minute of two idle cores, and many on busy ones; it is done twice here.
    order_and_wait_for_the_middle(stack, "vllm", "0.5", seconds=400)
    killed = vllm_server(stack)
    family = [killed, *killed.children(recursive=True)]
    killed.kill()
    before = rows(stack, WRITTEN)
    wait_and_check(stack, before, seconds=400)
    assert not psutil.wait_procs(family, timeout=10)[1]
    again = vllm_server(stack)
    family = [again, *again.children(recursive=True)]
    assert again.pid != killed.pid
    gpu = worker(stack, "gpu")
    for process in [gpu, *gpu.children()]:  # the pool's process, which holds the engine
        process.kill()
    assert not psutil.wait_procs(family, timeout=15)[1]


def vllm_server(stack: Stack) -> psutil.Process:
    name = "vllm.entrypoints.openai.api_server"
    found = [p for p in stack.processes() if name in p.cmdline()]
    return next(p for p in found if not any("vllm_launch" in part for part in p.cmdline()))
