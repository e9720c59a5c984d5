"""The same work on Label Studio, in turns with ours on the same machine.

The peer's scripts are not part of this repository. CHAINWRIGHT_PEERS names their folder: `loop.py` (the
loop of an annotator and the class `Adapter`), `data.py`, `label_studio.sh` and `label_studio.py`;
BENCH_HOME the folder in which `label_studio.sh install` has put Label Studio.
"""

import argparse
import asyncio
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from django.conf import settings
from django.db import connection

from tests.benchmarks.review_browser import Meter, Refused, Reviewer
from tests.benchmarks.review_rows import PASSWORD, SLUG, Watch, data_file, give_all_back, reviewer
from tests.benchmarks.review_stack import cpu_seconds, postmasters

TASKS = 10_000
RUNS = 3
SECONDS = 20
CROWDS = (10, 50)
NEEDED = ("loop.py", "data.py", "label_studio.sh", "label_studio.py")


def check() -> None:
    """Raises SystemExit with what is missing."""
    folder = os.environ.get("CHAINWRIGHT_PEERS", "")
    missing = [name for name in NEEDED if not (Path(folder) / name).is_file()]
    if not folder or missing:
        raise SystemExit(
            "--peer needs the scripts that drive Label Studio, which are not part of this repository: "
            f"set CHAINWRIGHT_PEERS to a folder with {', '.join(missing)}."
        )
    home = os.environ.get("BENCH_HOME", "")
    if not (Path(home) / "ls-venv").is_dir():
        raise SystemExit(
            "--peer needs Label Studio: set BENCH_HOME to a folder with 1 GB free and run "
            f"{folder}/label_studio.sh install"
        )
    if data_file() is None:
        raise SystemExit("--peer needs GSM8K's model solutions: set CHAINWRIGHT_DEV_DATA.")


class Peer:
    """Label Studio under uwsgi with two processes, as its own image runs it, with a fresh project."""

    def __init__(self) -> None:
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
        sys.path.insert(0, str(self.folder))

    def __enter__(self) -> "Peer":
        if not (self.home / f"ls-migrated-{self.kind}").exists():
            self._sh("start", "dev", self.kind)
            self._sh("stop")
        self._sh("start", "uwsgi", self.kind)
        try:
            self._prepare()
        except BaseException:
            self._sh("stop")
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._sh("stop")

    def _prepare(self) -> None:
        data = self.home / "data"
        if not (data / f"label_studio-{TASKS}.json").exists():
            self._py("data.py", str(data_file()), "--n", str(TASKS), "--out", str(data))
        self._py("label_studio.py", "users", "--annotators", str(max(CROWDS)))
        told = self._py("label_studio.py", "import", "--data", str(data), "--n", str(TASKS))
        self.project = json.loads(told.strip().splitlines()[-1])["project"]
        self.roots = [int(p) for p in (self.home / "label_studio.pid").read_text().split()]
        self.roots += postmasters()
        # The modules read the environment when they are loaded.
        os.environ["BENCH_HOME"] = str(self.home)
        self.module = importlib.import_module("label_studio")

    def _sh(self, *words: str) -> None:
        subprocess.run(
            [str(self.folder / "label_studio.sh"), *words],
            env=self.env,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def _py(self, script: str, *words: str) -> str:
        return subprocess.run(
            [sys.executable, str(self.folder / script), *words],
            env=self.env,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def adapter(self, number: int) -> Any:
        email = self.module.annotator_email(number)
        url = "http://127.0.0.1:" + self.env.get("LS_PORT", "18080")
        return self.module.LabelStudio(url, email, self.module.PASSWORD, self.project)


def ours(loop: ModuleType, url: str, sessions: dict[str, Any]) -> type:
    """The adapter of Chainwright for the peers' loop."""

    class Ours(loop.Adapter):
        """One reviewer. The bench page is the first "next"; after that a browser has the next question in
        hand, and the answer to a submission is the one after it, so `next_item` asks for nothing."""

        name = "chainwright"

        async def login(self) -> None:
            await self.client.aclose()
            self.tab = Reviewer(url, self.user, PASSWORD, SLUG, Meter())
            self.client = self.tab.client
            if self.user in sessions:
                self.client.cookies.update(sessions[self.user])
            else:
                await self._sound(self.tab.sign_in())
                sessions[self.user] = self.client.cookies
            self.is_open = False

        async def next_item(self) -> Any:
            if not self.is_open:
                await self._sound(self.tab.open())
                self.is_open = True
            return loop.Item(self.tab.shown.item) if self.tab.shown else None

        async def submit(self, item: Any) -> None:
            await self._sound(self.tab.submit(1.0))

        async def _sound(self, step: Any) -> None:
            try:
                await step
            except Refused as refused:
                raise loop.HttpError(refused.answer) from refused

    return Ours


def compare(options: argparse.Namespace, url: str, roots: list[int]) -> bool:
    """Runs in turns, without a pause; prints each and the ratios. False when something of ours was
    done twice or failed."""
    with Peer() as peer:
        loop = importlib.import_module("loop")
        sessions: dict[str, Any] = {}
        adapter = ours(loop, url, sessions)
        makers = {
            "Label Studio": (peer.adapter, peer.roots),
            "Chainwright": (lambda n: adapter(url, reviewer(n), PASSWORD, SLUG), roots),
        }
        watch = Watch(options.overlap)
        rows = []
        print(HEAD)
        for number in range(RUNS):
            for crowd in CROWDS:
                for product, (make, trees) in makers.items():
                    give_all_back()
                    connection.close()
                    time.sleep(2)
                    rows.append(
                        {"product": product, "run": number + 1} | _one(loop, make, crowd, trees)
                    )
                    print(_line(rows[-1]), flush=True)
        counted = watch.counted()
    _ratios(rows)
    return _sound(rows, counted)


def _one(loop: ModuleType, make: Any, crowd: int, trees: list[int]) -> dict[str, Any]:
    """One run of the peers' loop, with the processor time by our own meter: theirs leaves out what
    processes used that have ended."""
    began: list[float] = []

    def metered(number: int) -> Any:
        made = make(number)
        following = made.next_item

        async def next_item() -> Any:
            if not began:
                began.append(cpu_seconds(trees))
            return await following()

        made.next_item = next_item
        return made

    told = asyncio.run(loop.run_loop(metered, crowd, SECONDS, pids=trees))
    spent = cpu_seconds(trees) - began[0]
    told["cpu"] = 1000 * spent / max(1, told["submitted"])
    return told


HEAD = (
    "| run | product | reviewers | submitted/s | next p50, p95 | submit p50, p95 | CPU-ms a question | "
    "handed while held | done twice | errors | other cores |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def _line(row: dict[str, Any]) -> str:
    def marks(step: dict[str, Any]) -> str:
        return f"{step.get('p50_ms', 0):.0f}, {step.get('p95_ms', 0):.0f} ms"

    return (
        f"| {row['run']} | {row['product']} | {row['annotators']} | {row['submitted_per_s']} | "
        f"{marks(row['next'])} | {marks(row['submit'])} | {row['cpu']:.1f} | "
        f"{row['handed_while_another_held_it']} | {row['items_submitted_by_more_than_overlap']} | "
        f"{sum(row['errors'].values())} | {row['other_cores']} |"
    )


def _ratios(rows: list[dict[str, Any]]) -> None:
    print(
        "\n| reviewers | submitted/s, ratio of the medians | CPU-ms a question, ratio of the medians |"
    )
    print("| --- | --- | --- |")
    for crowd in CROWDS:

        def middle(product: str, figure: str, crowd: int = crowd) -> float:
            return statistics.median(
                row[figure]
                for row in rows
                if row["product"] == product and row["annotators"] == crowd
            )

        rate = [middle(p, "submitted_per_s") for p in ("Chainwright", "Label Studio")]
        cpu = [middle(p, "cpu") for p in ("Chainwright", "Label Studio")]
        print(
            f"| {crowd} | {rate[0]:.1f} to {rate[1]:.1f}: {rate[0] / rate[1]:.1f} | "
            f"{cpu[0]:.1f} to {cpu[1]:.1f}: {cpu[0] / cpu[1]:.3f} |"
        )


def _sound(rows: list[dict[str, Any]], counted: dict[str, int]) -> bool:
    mine = [row for row in rows if row["product"] == "Chainwright"]
    submitted = sum(row["submitted"] for row in mine)
    wrong = {
        "failed": sum(sum(row["errors"].values()) for row in mine),
        "handed while another held it": sum(row["handed_while_another_held_it"] for row in mine),
        "done twice": sum(row["items_submitted_by_more_than_overlap"] for row in mine),
        "questions missing in the rows": submitted - counted["questions"],
        "chains reviewed by too many": counted["by more people than the overlap"],
        "chains reviewed twice by one person": counted["twice by one person"],
    }
    print(f"\nOf ours, {submitted} submitted: " + ", ".join(f"{n} {w}" for w, n in wrong.items()))
    for error, sample in {k: v for row in mine for k, v in row["error_samples"].items()}.items():
        print(f"{error}: {sample}")
    return not any(wrong.values())
