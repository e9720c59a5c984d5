"""The programs of a Chainwright for `make bench-generation`, each to be started and stopped alone."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE = 600  # seconds that scoring may take


class Services:
    """What `make run` starts, one process for each program."""

    def __init__(self, home: Path) -> None:
        from curation.supervisor import programs

        self.home = home
        self.commands = programs("127.0.0.1", 18999)
        self.started: dict[str, subprocess.Popen] = {}

    def has(self, name: str) -> bool:
        return name in self.started

    def start(self, name: str) -> None:
        if self.has(name):
            return
        with (self.home / f"{name}.log").open("a") as log:
            self.started[name] = subprocess.Popen(
                self.commands[name],
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
            )

    def stop(self, name: str) -> None:
        process = self.started.pop(name, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:  # a worker ends its task first; the others must end, too
            process.kill()
            process.wait()


@contextmanager
def services(home: Path) -> Iterator[Services]:
    """All of them but the cpu worker, which scores: it is started for the turns that it belongs to."""
    running = Services(home)
    try:
        for name in running.commands:
            if name != "cpu":
                running.start(name)
        yield running
    finally:
        for name in reversed(list(running.started)):
            running.stop(name)


def wait_until_scored(home: Path) -> float:
    """Seconds until every rationale has its scores."""
    from curation.rationales.models import Rationale

    began = time.monotonic()
    while Rationale.objects.filter(score__isnull=True).exists():
        if time.monotonic() - began > PATIENCE:
            raise RuntimeError(f"Not all was scored in {PATIENCE} s: see {home}/cpu.log")
        time.sleep(0.2)
    return time.monotonic() - began
