"""How fast files come in: `make bench-import` (SQLite; with DATABASE_URL an empty PostgreSQL database).
`ARGS="--rows 20000"` for fewer.

Imports made-up questions, and questions with 4 rationales each, from JSON Lines, CSV and Parquet, each into a
project of its own: rows and rationales a second (by the clock, and by the process's CPU time, which other
work on the machine does not stretch), and the most memory of the process so far.
"""

import argparse
import csv
import io
import json
import os
import platform
import resource
import shutil
import tempfile
import time
from datetime import date
from typing import Any

HOME = tempfile.mkdtemp(prefix="chainwright-bench-")
os.environ["CHAINWRIGHT_HOME"] = HOME
os.environ["DJANGO_SETTINGS_MODULE"] = "curation.settings"


def rows(count: int, rationales: int) -> list[dict[str, Any]]:
    made = []
    for n in range(count):
        a, b, c = n % 97, n % 31 + 2, n % 7 + 2
        row: dict[str, Any] = {
            "question": f"A shop has {a} boxes and gets {b} more. A box holds {c} pens. How many pens has it "
            f"now? (no. {n})",
            "answer": str((a + b) * c),
            "topic": "shop",
        }
        for k in range(rationales):
            row[f"gpt{k}_solution"] = (
                f"There are {a} + {b} = {a + b} boxes. Each holds {c} pens.\n"
                f"{a + b} * {c} = {(a + b) * c}.\nThe answer is {(a + b) * c}. ({k})"
            )
        made.append(row)
    return made


def as_file(made: list[dict[str, Any]], kind: str) -> bytes:
    if kind == "jsonl":
        return "\n".join(map(json.dumps, made)).encode()
    if kind == "csv":
        target = io.StringIO()
        writer = csv.DictWriter(target, list(made[0]))
        writer.writeheader()
        writer.writerows(made)
        return target.getvalue().encode()
    import pyarrow as pa
    import pyarrow.parquet as pq

    target_bytes = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(made), target_bytes)
    return target_bytes.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="questions without rationales")
    options = parser.parse_args()
    import django

    django.setup()
    try:
        measure(options.rows)
    finally:
        shutil.rmtree(HOME)
    return 0


def measure(count: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from curation.projects.models import User
    from curation.projects.services import create_project
    from curation.questions.services import order_import
    from curation.rationales.importing import run_import

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("bench", password="a long enough word")
    print(f"{platform.machine()}, {os.cpu_count()} cores, {date.today()}; {connection.vendor}; "
          f"load {os.getloadavg()[0]:.1f}\n", flush=True)  # fmt: skip
    print("| file | questions | rationales | seconds | rows/s | CPU seconds | rows a CPU second | "
          "most memory |\n" + "| --- " * 8 + "|", flush=True)  # fmt: skip
    for per_row in (0, 4):
        questions = count if per_row == 0 else count // 4
        for kind in ("jsonl", "csv", "parquet"):
            raw = as_file(rows(questions, per_row), kind)
            project = create_project(user, f"{kind} {per_row}", f"{kind}-{per_row}")
            job = order_import(project, None, io.BytesIO(raw), f"rows.{kind}", enqueue=False)
            began, worked = time.perf_counter(), time.process_time()
            job = run_import(job.pk, score=False) or job
            seconds, cpu = time.perf_counter() - began, time.process_time() - worked
            assert job.status == "done", job.error
            done = max(job.questions_added, job.rationales_added)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            cells = (kind, f"{job.questions_added:,}", f"{job.rationales_added:,}")
            times = (f"{seconds:.1f}", f"{done / seconds:,.0f}", f"{cpu:.1f}", f"{done / cpu:,.0f}")
            print(f"| {' | '.join((*cells, *times))} | {memory:,} MB |", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
