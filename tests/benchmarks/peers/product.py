"""What all peers share: where they are installed, how they are started and stopped, and their database."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx
import psutil

from tests.benchmarks.peers.loop import Adapter

PASSWORD = "bench-password-1"
START_SECONDS = 300  # Label Studio's first start migrates: 41 to 66 s were seen
STOP_SECONDS = 15
# Of the caller's environment only this goes on to a peer: a setting that is meant for Chainwright, such
# as DJANGO_SETTINGS_MODULE or DATABASE_URL, would change the peer.
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")


def bench_home() -> Path:
    """The folder that BENCH_HOME names; SystemExit where it is not set."""
    named = os.environ.get("BENCH_HOME", "")
    if not named:
        raise SystemExit(
            "Set BENCH_HOME to a folder for the products to compare with (1 GB free for each)."
        )
    folder = Path(named).expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass(frozen=True)
class Database:
    """A PostgreSQL server to make a peer's database on. None everywhere stands for SQLite."""

    user: str
    password: str
    host: str
    port: int

    @classmethod
    def from_url(cls, url: str) -> "Database | None":
        """From postgres://user:password@host:port/any; None for an empty one."""
        if not url:
            return None
        parts = urlsplit(url)
        return cls(
            unquote(parts.username or "postgres"),
            unquote(parts.password or ""),
            parts.hostname or "127.0.0.1",
            parts.port or 5432,
        )

    def url(self, name: str) -> str:
        secret = f":{quote(self.password, safe='')}" if self.password else ""
        user = quote(self.user, safe="")
        return f"postgres://{user}{secret}@{self.host}:{self.port}/{name}?sslmode=disable"

    def make(self, name: str) -> bool:
        """Make this database; False where there is one of this name."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(
            user=self.user,
            password=self.password or None,
            host=self.host,
            port=self.port,
            dbname="postgres",
            autocommit=True,
        ) as connection:
            if connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [name]
            ).fetchone():
                return False
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            return True


class Product:
    """A product of others. Subclasses say what pip installs, what starts it and how to fill it.

    After `start`, `url` is its address and `roots` are the roots of its process trees; after `fill`,
    `project` is the project to work in. As a context manager: started, and stopped at the end.
    """

    name = ""  # as people write it
    key = ""  # as commands write it; the name of its folders and of its database
    packages: tuple[tuple[str, ...], ...] = ()  # what pip installs, one command each
    program = ""  # a file in bin/ that says that it is installed
    admin = ""  # the name of its administrator, whose password is PASSWORD

    def __init__(self, database: Database | None = None) -> None:
        self.home = bench_home()
        self.venv = self.home / self.key
        self.database = database
        self.kind = "postgres" if database else "sqlite"
        self.data = self.home / f"{self.key}-{self.kind}"
        self.state = self.home / f"{self.key}.json"
        self.people_file = self.data / "people"
        self.database_name = "bench_" + self.key.replace("-", "_")
        self.url, self.roots, self.project = "", [], None

    # ---- for subclasses

    def environment(self) -> dict[str, str]:
        """What its processes get beside KEPT and HOME."""
        raise NotImplementedError

    def migrate(self) -> None:
        """Make its tables and its admin; called once for each database, before the first start."""
        raise NotImplementedError

    def commands(self) -> list[list[str]]:
        """The processes of its server; the first one answers at `url`."""
        raise NotImplementedError

    def fill(self, file: Path, tasks: int, people: int) -> None:
        """Make `people` annotators and a new project with so many tasks made of the data `file`."""
        raise NotImplementedError

    def adapter(self, person: int, share: tuple[int, int]) -> Adapter:
        """Annotator `person`; share: the (first, after last) task of this person in this turn, for a
        product that hands nothing out."""
        raise NotImplementedError

    ready = "/"  # a path that answers once the server is up

    # ---- for callers

    def is_installed(self) -> bool:
        return (self.venv / "bin" / self.program).exists()

    def install(self) -> None:
        if not (self.venv / "bin" / "pip").exists():
            subprocess.run([sys.executable, "-m", "venv", str(self.venv)], check=True)
        # A pip of 2023, as Python 3.11 brings it, tries versions for many minutes.
        for packages in (("--upgrade", "pip"), *self.packages):
            command = [str(self.venv / "bin" / "python"), "-m", "pip", "install", "-q", *packages]
            subprocess.run([*command, "--disable-pip-version-check"], check=True)

    def start(self) -> None:
        if self.state.exists():
            raise SystemExit(f"{self.name} is running (or see {self.state}): stop it first.")
        if not self.is_installed():
            raise SystemExit(
                f"{self.name} is not installed: python -m tests.benchmarks.peers install {self.key}"
            )
        self.data.mkdir(exist_ok=True)
        self.url = f"http://127.0.0.1:{free_port()}"
        migrated = self.data / "migrated"
        is_new = self.database.make(self.database_name) if self.database else False
        if is_new or not migrated.exists():
            self.people_file.unlink(missing_ok=True)
            self.migrate()
            migrated.touch()
        with self.stopped_on_error():
            self.launch(self.commands())

    def launch(self, commands: list[list[str]]) -> None:
        """Start processes, write down which, wait until the first answers at `url`."""
        started: list[psutil.Process] = []
        for number, command in enumerate(commands):
            with (self.data / f"{number}.log").open("ab") as log:
                process = subprocess.Popen(
                    command,
                    env=self.full_environment(),
                    cwd=self.data,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            started.append(psutil.Process(process.pid))
            self.state.write_text(
                json.dumps(
                    {"url": self.url, "processes": [[p.pid, p.create_time()] for p in started]}
                )
            )
        self.roots = [process.pid for process in started]
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if any(not alive(process) for process in started):
                break
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(self.url + self.ready, timeout=5, trust_env=False).status_code < 400:
                    return
            time.sleep(0.1)
        raise SystemExit(f"{self.name} did not start: see {self.data}/*.log")

    def stop(self) -> None:
        """End what `start` started, also in an earlier process; quiet where nothing runs."""
        if not self.state.exists():
            return
        mine = []
        for pid, created in json.loads(self.state.read_text())["processes"]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                if process.create_time() == created:  # the number may be another program's by now
                    mine.append(process)
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in mine:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            until = time.monotonic() + STOP_SECONDS
            while time.monotonic() < until and any(alive(process) for process in mine):
                time.sleep(0.1)
        self.state.unlink()

    def run(self, *command: str, where: Path | None = None) -> None:
        """One of its own commands, to its end."""
        done = subprocess.run(
            command,
            env=self.full_environment(),
            cwd=where or self.data,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"[-3000:])

    def people_made(self) -> int:
        """How many annotators an earlier run has made in this database."""
        return int(self.people_file.read_text()) if self.people_file.exists() else 0

    def bin(self, name: str) -> str:
        return str(self.venv / "bin" / name)

    def package_folder(self, package: str) -> Path:
        """Where a package of its environment lies."""
        found = sorted(self.venv.glob(f"lib/python*/site-packages/{package}"))
        if not found:
            raise SystemExit(f"{self.name} in {self.venv} has no package {package}.")
        return found[0]

    def full_environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return {**kept, "HOME": str(self.data), **self.environment()}

    @contextlib.contextmanager
    def stopped_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> "Product":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def alive(process: psutil.Process) -> bool:
    """Runs; one of ours that has ended is waited for on the way."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def client(url: str) -> httpx.Client:
    """For the admin's requests: an import of many tasks takes its time."""
    return httpx.Client(base_url=url, timeout=1800, trust_env=False)


def cut(count: int, people: int, person: int, turn: int, turns: int) -> tuple[int, int]:
    """(first, after last) of `count` tasks for one person of `people` in one of `turns`: no two overlap."""
    share = count // turns
    each = share // people
    first = turn * share + person * each
    return first, first + each


def as_dict(answer: httpx.Response) -> Any:
    """The JSON of a good answer; SystemExit with its text else."""
    if answer.status_code >= 400:
        raise SystemExit(f"{answer.request.url}: {answer.status_code} {answer.text[:500]}")
    return answer.json()
