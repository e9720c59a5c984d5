"""Label Studio and doccano, installed and driven by scripts that are not part of this repository.

CHAINWRIGHT_PEERS names their folder: `loop.py` (the loop of an annotator and the class `Adapter`),
`data.py`, and for each product a `.sh` that installs, starts and stops it and a `.py` that talks to it;
BENCH_HOME the folder in which `PRODUCT.sh install` has put it.
"""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from tests.benchmarks.review_rows import data_file
from tests.benchmarks.review_stack import postmasters

TASKS = 10_000
CROWDS = (10, 50)


class Peer:
    """A product, running with a fresh project of TASKS tasks, each with the four solutions of one
    question of GSM8K. `runs`: how often each of the CROWDS will work in it."""

    name = ""
    script = ""  # without its ending
    venv = ""
    port = ("", "")  # (variable, what it is without it)
    database = ("", "")  # the same of its PostgreSQL database
    ending = ".json"  # of the tasks that it imports

    def __init__(self, runs: int) -> None:
        self.runs = runs
        self.folder = Path(os.environ["CHAINWRIGHT_PEERS"])
        self.home = Path(os.environ["BENCH_HOME"])
        self.kind = "postgres" if connection.vendor == "postgresql" else "sqlite"
        self.env = {**os.environ, "BENCH_PY": sys.executable}
        if self.kind == "postgres":
            ours = settings.DATABASES["default"]
            self.env |= {
                "POSTGRE_USER": ours["USER"],
                "POSTGRE_PASSWORD": ours["PASSWORD"],
                "POSTGRE_PORT": str(ours["PORT"] or 5432),
            }
        self.url = f"http://127.0.0.1:{self.env.get(*self.port)}"
        sys.path.insert(0, str(self.folder))

    def __enter__(self) -> "Peer":
        is_new = self.kind == "postgres" and _make_database(self.env.get(*self.database))
        self.start(is_new)
        try:
            self.prepare()
        except BaseException:
            self.sh("stop")
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.sh("stop")

    def start(self, is_new: bool) -> None:
        raise NotImplementedError

    def adapter(self, number: int, crowd: int, run: int) -> Any:
        """The annotator `number` of a crowd in its `run` (from 0)."""
        raise NotImplementedError

    def prepare(self) -> None:
        data = self.home / "data"
        if not (data / f"{self.script}-{TASKS}{self.ending}").exists():
            self.py("data.py", str(data_file()), "--n", str(TASKS), "--out", str(data))
        self.py(f"{self.script}.py", "users", "--annotators", str(max(CROWDS)))
        told = self.py(f"{self.script}.py", "import", "--data", str(data), "--n", str(TASKS))
        made = json.loads(told.strip().splitlines()[-1])
        if made.get("imported", TASKS) != TASKS:
            raise SystemExit(f"{self.name} did not import {TASKS:,} tasks: {told[-500:]}")
        self.project = made["project"]
        self.roots = [int(p) for p in (self.home / f"{self.script}.pid").read_text().split()]
        self.roots += postmasters()
        # The modules read the environment when they are loaded.
        os.environ["BENCH_HOME"] = str(self.home)
        self.module = importlib.import_module(self.script)

    def sh(self, *words: str) -> None:
        subprocess.run(
            [str(self.folder / f"{self.script}.sh"), *words],
            env=self.env,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def py(self, script: str, *words: str) -> str:
        return subprocess.run(
            [sys.executable, str(self.folder / script), *words],
            env=self.env,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout


class LabelStudio(Peer):
    """Under uwsgi with two processes, as its own image runs it."""

    name, script, venv = "Label Studio", "label_studio", "ls-venv"
    port, database = ("LS_PORT", "18080"), ("POSTGRE_NAME", "ls")

    def start(self, is_new: bool) -> None:
        if is_new or not (self.home / f"ls-migrated-{self.kind}").exists():
            self.sh("start", "dev", self.kind)
            self.sh("stop")
        self.sh("start", "uwsgi", self.kind)

    def adapter(self, number: int, crowd: int, run: int) -> Any:
        email = self.module.annotator_email(number)
        return self.module.LabelStudio(self.url, email, self.module.PASSWORD, self.project)


class Doccano(Peer):
    """Under gunicorn with two processes. It hands nothing out: with everybody at its filter "not
    confirmed yet" all get the same example, and the second who confirms it takes the first one's word
    back. So people here agreed by hand who starts where, which is its best case: nothing is done twice."""

    name, script, venv = "doccano", "doccano", "doccano-venv"
    port, database = ("DOC_PORT", "18081"), ("DOC_DB", "doccano")
    ending = ".jsonl"

    def start(self, is_new: bool) -> None:
        home = self.home / f"doccano-{self.kind}"
        if is_new or not home.exists():
            self.sh("init", self.kind)
        self.sh("start", self.kind)

    def adapter(self, number: int, crowd: int, run: int) -> Any:
        share = TASKS // (self.runs * len(CROWDS))
        first = share * (run * len(CROWDS) + CROWDS.index(crowd))
        return self.module.Doccano(
            self.url,
            self.module.annotator_name(number),
            self.module.PASSWORD,
            self.project,
            mode="partitioned",
            offset=first + number * (share // crowd),
        )


PEERS: dict[str, type[Peer]] = {"label-studio": LabelStudio, "doccano": Doccano}


def check(wanted: list[str]) -> None:
    """Raises SystemExit with what is missing for these peers."""
    folder = os.environ.get("CHAINWRIGHT_PEERS", "")
    home = os.environ.get("BENCH_HOME", "")
    for name in wanted:
        peer = PEERS[name]
        needed = ("loop.py", "data.py", f"{peer.script}.sh", f"{peer.script}.py")
        if not folder or any(not (Path(folder) / file).is_file() for file in needed):
            raise SystemExit(
                f"--peer {name} needs the scripts that drive it, which are not part of this repository: "
                f"set CHAINWRIGHT_PEERS to a folder with {', '.join(needed)}."
            )
        if not home or not (Path(home) / peer.venv).is_dir():
            raise SystemExit(
                f"--peer {name} needs {peer.name}: set BENCH_HOME to a folder with 1 GB free and run "
                f"{folder}/{peer.script}.sh install"
            )
    if wanted and data_file() is None:
        raise SystemExit("--peer needs GSM8K's model solutions: set CHAINWRIGHT_DEV_DATA.")


def _make_database(name: str) -> bool:
    """Make this database beside ours; False where it stands."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        is_new = cursor.fetchone() is None
        if is_new:
            cursor.execute(f"CREATE DATABASE {connection.ops.quote_name(name)}")
    connection.close()
    return is_new
