"""Freezing at a million rationales: `make bench-freeze` (SQLite; with DATABASE_URL an empty PostgreSQL
database). `ARGS="--rationales 100000"` for fewer.

Builds questions with 4 rationales each, of which two of five are approved, in a home of its own, and
freezes them in a fresh process: seconds, rationales and examples a second, and the most memory of that
process; then makes the files again and compares their SHA-256. Then the time of a preview.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

IS_PART = "--measure" in sys.argv
HOME = os.environ["CHAINWRIGHT_HOME"] if IS_PART else tempfile.mkdtemp(prefix="chainwright-bench-")
os.environ["CHAINWRIGHT_HOME"] = HOME
os.environ["DJANGO_SETTINGS_MODULE"] = "curation.settings"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rationales", default="100000,1000000", help="how many, ascending")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    import django

    django.setup()
    if options.measure:
        measure()
        return 0
    try:
        return make_and_freeze([int(n) for n in options.rationales.split(",")])
    finally:
        shutil.rmtree(HOME)


def make_and_freeze(counts: list[int]) -> int:
    from django.core.management import call_command
    from django.db import connection

    from curation.projects.models import User
    from curation.projects.services import create_project
    from tests.benchmarks.many import clone, templates

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("bench", password="a long enough word")
    print(f"{platform.machine()}, {os.cpu_count()} cores, {date.today()}; {connection.vendor}; "
          f"load {os.getloadavg()[0]:.1f}\n", flush=True)  # fmt: skip
    print("| rationales | approved | seconds | of them CPU | rationales/s | examples/s | "
          "most memory | second SHA-256 | slowest preview |\n" + "| --- " * 9 + "|", flush=True)  # fmt: skip
    for count in counts:
        project = create_project(user, f"Bench {count}", f"bench-{count}")
        templates(project)
        clone(project, max(1, count // 800 - 1))
        approve(project)
        connection.close()
        told = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.freeze", "--measure"],
            check=True, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "BENCH_PROJECT": project.slug},
        ).stdout  # fmt: skip
        print(row(json.loads(told.splitlines()[-1])), flush=True)
    return 0


def row(told: dict[str, Any]) -> str:
    seconds = told["seconds"]
    return (
        f"| {told['rationales']:,} | {told['examples']:,} | {seconds:.1f} | {told['cpu']:.1f} "
        f"| {told['rationales'] / seconds:,.0f} | {told['examples'] / seconds:,.0f} "
        f"| {told['memory']:.0f} MiB | {'the same' if told['same'] else 'ANOTHER'} "
        f"| {told['preview']:.0f} ms |"
    )


def approve(project: Any) -> None:
    """Two of five rationales, by the project's rule, in one statement."""
    from django.db import connection

    from curation.reviews.models import Decision

    table = connection.ops.quote_name(Decision._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (rationale_id, project_id, outcome, rule_id, decided_at) "
            "SELECT id, project_id, 'approved', %s, created_at FROM rationales_rationale "
            "WHERE project_id = %s AND id %% 5 < 2",
            [project.rubric.pk, project.pk],
        )
        cursor.execute("ANALYZE")


def measure() -> None:
    """In a process of its own, as a worker has it."""
    import hashlib

    from curation.datasets.formats import open_format, remove_files
    from curation.datasets.services import freeze, order_freeze
    from curation.projects.models import Project

    project = Project.objects.get(slug=os.environ["BENCH_PROJECT"])
    version = order_freeze(project, None, enqueue=False)
    began, cpu = time.perf_counter(), time.process_time()
    version = freeze(version.pk)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    assert version.status == "done", version.error
    # Not getrusage's: that of a forked process begins with its parent's.
    lines = Path("/proc/self/status").read_text().splitlines()
    memory = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    before = open_format(version, "parquet").read()
    remove_files(version)
    with open_format(version, "jsonl") as file:
        same = hashlib.file_digest(file, "sha256").hexdigest() == version.sha256
    same = same and open_format(version, "parquet").read() == before
    told = {
        **{"rationales": project.rationales.count(), "examples": version.example_count},
        **{"seconds": seconds, "cpu": cpu, "memory": memory, "same": same},
        "preview": preview(project),
    }
    print(json.dumps(told))


def preview(project: Any) -> float:
    """Milliseconds of the slowest of a few previews, each with another filter."""
    from curation.datasets.previews import preview_of

    slowest = 0.0
    for how in (
        {},
        {"per_question": 1, "which": "best"},
        {"max_tokens": 200},
        {"right_only": True},
    ):
        began = time.perf_counter()
        preview_of(project, None, **how)
        slowest = max(slowest, time.perf_counter() - began)
    return 1000 * slowest


if __name__ == "__main__":
    sys.exit(main())
