"""`make run`: starts, prints a way in, survives kills, starts again, and ends with all its children."""

import os
import signal
import socket
from pathlib import Path

import psutil
import pytest
import redis

from tests.curation.test_private_home import open_paths
from tests.e2e.conftest import Stack, free_port
from tests.e2e.running import (
    FILLED,
    WRITTEN,
    order_and_wait_for_the_middle,
    rows,
    wait_and_check,
    wait_for_run,
    worker,
)

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]


def test_it_prints_an_address_and_random_ways_in_and_rationales_come_by_themselves(
    stack: Stack,
) -> None:
    printed = stack.printed()
    assert stack.url in printed and stack.password("admin") in printed
    assert len(stack.password("reviewer")) >= 12
    assert (stack.home / "sign-in.txt").stat().st_mode & 0o077 == 0
    assert stack.answers() == 200
    assert wait_for_run(stack, 120)["filled"] == 600


def test_nothing_in_its_home_is_readable_by_others(stack: Stack) -> None:
    assert (stack.home / "logs" / "web.log").exists() and (stack.home / "valkey-aof").is_dir()
    assert open_paths(stack.home) == []


def test_the_web_process_is_small_and_knows_no_torch(stack: Stack) -> None:
    web = [p for p in stack.processes() if "gunicorn" in " ".join(p.cmdline())]
    assert len(web) >= 3
    for process in web:
        assert process.memory_info().rss < 150 * 1024**2
        assert not any("libtorch" in m.path for m in process.memory_maps())


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
