"""Everything that `make run` starts, in a home of the benchmark's, and the processor time it takes."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from django.db import connection

from curation import supervisor
from tests.benchmarks.peers.meters import cpu_seconds
from tests.e2e.conftest import free_port


@contextlib.contextmanager
def running() -> Iterator[tuple[str, list[int]]]:
    """(address, the roots of the process trees that do the server's work): web, workers, broker, and
    the database's server where there is one on this machine."""
    port = free_port()
    child = supervisor.start("127.0.0.1", port)
    try:
        url = f"http://127.0.0.1:{port}"
        supervisor.wait_until_answers(url, child, seconds=300)
        roots = [child.pid, *postmasters()]
        settle_down(roots)
        yield url, roots
    finally:
        supervisor.stop(child)


def postmasters() -> list[int]:
    """The process id of the PostgreSQL server that the database lies on, when it is on this machine."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        file = Path(cursor.fetchone()[0]) / "postmaster.pid"
    connection.close()
    try:
        return [int(file.read_text().split()[0])]
    except OSError:
        return []


def settle_down(roots: list[int], cores: float = 0.1, most: float = 30.0) -> None:
    """Wait until what was just started is idle: the workers load their models while pages answer."""
    until = time.monotonic() + most
    while time.monotonic() < until:
        before = cpu_seconds(roots)
        time.sleep(1)
        if cpu_seconds(roots) - before < cores:
            return


def machine() -> str:
    """Processor, cores, memory and database of the figures."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version" if postgresql else "SELECT sqlite_version()")
        version = cursor.fetchone()[0].split()[0]
    return (
        f"{names[0] if names else 'unknown processor'}, {os.cpu_count()} cores, "
        f"{psutil.virtual_memory().total >> 30} GiB, {'PostgreSQL' if postgresql else 'SQLite'} {version}"
    )
