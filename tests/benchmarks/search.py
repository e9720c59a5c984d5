"""Lists, search and bulk previews at a million rationales: `make bench-search` (SQLite; with DATABASE_URL an
empty PostgreSQL database).

Builds 250,000 questions with 4 scored rationales each in a home of its own and asks for pages
through Django's own client, so that a figure is the server's time without a network. Then what the
index over the words costs when rationales are written, and how long exact search by meaning takes
among 100,000 and a million vectors.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

# The process that measures search by meaning is told the home of the one that made the rows.
IS_PART = "--measure" in sys.argv
HOME = os.environ["CHAINWRIGHT_HOME"] if IS_PART else tempfile.mkdtemp(prefix="chainwright-bench-")
os.environ["CHAINWRIGHT_HOME"] = HOME
os.environ["DJANGO_SETTINGS_MODULE"] = "curation.settings"
WRITTEN = 10_000
WIDE = 384  # numbers in a vector of MiniLM


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=250_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vectors", default="100000,1000000")
    parser.add_argument("--only-meaning", action="store_true")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    import django

    django.setup()
    if options.measure:
        measure(options.measure)
        return 0
    try:
        return make_and_ask(options)
    finally:
        shutil.rmtree(HOME)


def make_and_ask(options: argparse.Namespace) -> int:
    from django.core.management import call_command
    from django.db import connection

    from curation.projects.models import User
    from curation.projects.services import create_project
    from tests.benchmarks.many import clone, templates

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("bench", password="a long enough word")
    project = create_project(user, "Bench", "bench")
    began = time.monotonic()
    templates(project)
    if not options.only_meaning:
        clone(project, max(1, options.questions // 200 - 1))
    took = f"made in {time.monotonic() - began:.0f} s"
    print(f"{platform.machine()}, {os.cpu_count()} cores, {date.today()}; {connection.vendor}, "
          f"{project.rationales.count():,} rationales ({took})\n", flush=True)  # fmt: skip
    if not options.only_meaning:
        pages(project, user, options.rounds)
        writing(project, user)
    meaning(project, [int(n) for n in options.vectors.split(",") if n])
    connection.close()
    return 0


def pages(project: Any, user: Any, rounds: int) -> None:
    from django.core.cache import cache
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    from curation.db import search as text_search
    from curation.rationales.models import Rationale

    text_search.count = lambda *_: (0, 0)  # no Redis here in which searches are counted
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    rare = Rationale.objects.order_by("pk").first()
    Rationale.objects.filter(pk=rare.pk).update(
        temperature=0.1, text=rare.text + " quetzalcoatl", created_at=timezone.now() - timedelta(9)
    )
    old = (timezone.now() - timedelta(5)).date()
    lists, many = reverse("rationales", args=["bench"]), reverse("bulk_new", args=["bench"])
    asked = {
        "list, newest first": (lists, {}),
        "a word in every rationale": (lists, {"q": "boxes"}),
        "a phrase in one of some hundred": (lists, {"q": f'"{rare.text.split(".")[0][18:]}"'}),
        "a word in one rationale": (lists, {"q": "quetzalcoatl"}),
        "the same, best hit first": (lists, {"q": "quetzalcoatl", "sort": "fit"}),
        "a beginning and a word left out": (lists, {"q": "quetz* -duck"}),
        "a kind of flag": (lists, {"flag": "arithmetic"}),
        "a temperature of one rationale": (lists, {"temperature": "0.1"}),
        "written before a day, one rationale": (lists, {"until": str(old)}),
        "worst score first": (lists, {"sort": "worst"}),
        "few valid steps, worst first": (lists, {"valid_to": "20", "sort": "worst"}),
        "wrong answers of one teacher": (
            lists,
            {"answer": "wrong", "teacher": project.teachers.first().pk},
        ),
        "preview of rejecting all wrong ones": (many, {"kind": "reject", "answer": "wrong"}),
        "questions, a word in every one": (
            reverse("questions", args=["bench"]),
            {"q": "boxes"},
        ),
    }
    print("| asked | median | slowest |\n| --- | --- | --- |")
    for name, (address, values) in asked.items():
        times = []
        for _ in range(rounds):
            cache.clear()
            times.append(_seconds(lambda: client.get(address, values)))  # noqa: B023
        print(f"| {name} | {1000 * statistics.median(times):.0f} ms | {1000 * max(times):.0f} ms |",
              flush=True)  # fmt: skip


def _seconds(call: Callable) -> float:
    began = time.perf_counter()
    answer = call()
    assert answer.status_code == 200, answer.content[:500]
    return time.perf_counter() - began


def writing(project: Any, user: Any) -> None:
    """Seconds to store WRITTEN rationales of 280 characters, with the index over their words and without."""
    from django.db import connection

    from curation.db.search import keep_index
    from curation.rationales.models import Rationale, Source

    texts = [row.text * 2 for row in Rationale.objects.order_by("pk")[:800]]
    question = project.questions.order_by("pk").first()

    def store() -> float:
        began = time.perf_counter()
        for start in range(0, WRITTEN, 300):
            Rationale.objects.bulk_create(
                Rationale(project=project, question=question, source=Source.PERSON, author=user,
                          text=texts[n % len(texts)], text_hash="x")
                for n in range(start, min(start + 300, WRITTEN))
            )  # fmt: skip
        return time.perf_counter() - began

    indexed, plain = [], []
    for _ in range(3):
        indexed.append(store())
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                for what in ("insert", "update", "delete"):
                    cursor.execute(f"DROP TRIGGER rationales_rationale_words_{what}")
            else:
                cursor.execute("DROP INDEX rationales_rationale_words")
        plain.append(store())
        began = time.perf_counter()
        keep_index(connection, "rationales_rationale")
        rebuilt = time.perf_counter() - began
    print(f"\nstoring {WRITTEN:,} rationales: {statistics.median(indexed):.2f} s with the index over words, "
          f"{statistics.median(plain):.2f} s without; making the whole index anew {rebuilt:.0f} s",
          flush=True)  # fmt: skip


def meaning(project: Any, counts: list[int]) -> None:
    """Exact search among so many stored vectors, each count in a process of its own as a worker has it.

    The vectors are drawn at random (embedding a million texts takes hours here); what a product of them
    costs does not depend on what they say.
    """
    from curation.rationales.semantic_search.searches import Vector, store
    from workers.semantic_search.nearest import pack
    from workers.semantic_search.tasks import DEFAULT_MODEL

    chance = np.random.default_rng(1)
    made = 0
    print("\n| vectors | search p50 | p95 | the first one | bare product of float32 | ratio | "
          "own memory, growth | mapped file |\n" + "| --- " * 8 + "|", flush=True)  # fmt: skip
    for count in sorted(counts):
        for start in range(made, count, 20_000):
            rows = _unit(chance, min(20_000, count - start))
            vectors = (Vector(start + 1 + n, data) for n, data in enumerate(pack(rows)))
            store(project, "rationale", DEFAULT_MODEL, vectors)
        made = count
        command = [sys.executable, "-m", "tests.benchmarks.search", "--measure", str(project.pk)]
        subprocess.run(command, check=True, env={**os.environ, "CHAINWRIGHT_HOME": HOME})


def _unit(chance: np.random.Generator, count: int) -> np.ndarray:
    rows = chance.normal(size=(count, WIDE)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def measure(project_id: int) -> None:
    """What a worker takes for searches by meaning in this project, beside numpy on the same vectors."""
    from django.utils import timezone

    from curation.projects.models import Project
    from curation.rationales.models import MeaningSearch
    from workers.scoring.tasks import embedder
    from workers.semantic_search import tasks

    embedder().encode(["loads the model, as scoring and each search do"])
    project = Project.objects.get(pk=project_id)
    chance = np.random.default_rng(2)
    text_search = MeaningSearch.objects.create(
        project=project, user=project.memberships.get().user, kind="rationale", text="x"
    )

    def once() -> float:
        MeaningSearch.objects.filter(pk=text_search.pk).update(
            answered_at=None, created_at=timezone.now()
        )
        asked = _unit(chance, 1)[0]
        began = time.perf_counter()
        done = tasks.Made()
        done.more = False
        tasks.look(text_search, asked, done)
        return time.perf_counter() - began

    before = _memory("RssAnon")
    first = once()
    times = sorted(once() for _ in range(50))
    own = _memory("RssAnon") - before
    shelf = tasks.shelf_of(project.pk, "rationale")
    plain = np.concatenate(
        [shelf._vectors[n : n + 20_000].astype(np.float32) for n in range(0, len(shelf), 20_000)]
    )
    bare = []
    for _ in range(20):
        asked = _unit(chance, 1)[0]
        began = time.perf_counter()
        cosines = plain @ asked
        np.argpartition(-cosines, tasks.HITS)[: tasks.HITS]
        bare.append(time.perf_counter() - began)
    p50, p95, whole = times[25], times[47], statistics.median(bare)
    print(f"| {len(shelf):,} | {1000 * p50:.0f} ms | {1000 * p95:.0f} ms | {first:.1f} s | "
          f"{1000 * whole:.0f} ms | {p50 / whole:.2f} | {own / 1024:.0f} MiB | "
          f"{shelf._vectors.nbytes / 2**20:.0f} MiB |", flush=True)  # fmt: skip


def _memory(name: str) -> int:
    """Of this process in KiB, by its name in Linux's status file."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


if __name__ == "__main__":
    sys.exit(main())
