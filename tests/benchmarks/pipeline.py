"""The whole way on the demo project, timed: `make bench-pipeline` (about half an hour on 2 cores).

Starts everything in a new home, waits for the first page and the first rationales, starts a second
time, then runs `manage.py pipeline --compare-curation` and prints its figures as Markdown.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from tests.e2e.conftest import REPOSITORY, Stack

FIRST = "from curation.rationales.models import Score\nprint(json.dumps(Score.objects.count()))"
FIGURES = ("accuracy", "validity", "length_ratio", "similarity")


def main() -> int:
    home = Path(f"/tmp/cw-bench-{os.getpid()}")
    stack = Stack(home)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"Machine: {machine}; {date.today()}\n")
    try:
        began = time.monotonic()
        stack.start()
        print(f"- first start to a page that answers: {time.monotonic() - began:.1f} s")
        while not stack.ask(FIRST):
            time.sleep(0.2)
        print(f"- first scored rationales: {time.monotonic() - began:.1f} s after the start")
        stack.stop()
        began = time.monotonic()
        stack.start()
        print(
            f"- second start to a page that answers: {time.monotonic() - began:.1f} s\n", flush=True
        )
        report = pipeline(stack)
    finally:
        stack.stop()
        shutil.rmtree(home, ignore_errors=True)
    show(report)
    return 0


def pipeline(stack: Stack) -> dict:
    done = subprocess.run(
        [sys.executable, "manage.py", "pipeline", "--project", "demo", "--compare-curation"],
        cwd=REPOSITORY,
        env=stack.env,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def show(report: dict) -> None:
    print("| stage | seconds |\n| --- | --- |")
    for stage, seconds in report["seconds"].items():
        print(f"| {stage} | {seconds} |")
    print("\n| model | questions | right | valid | length ratio | similarity |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, model in report["models"].items():
        for part, group in model.items():
            if part != "role":
                cells = " | ".join(cell(group[figure], figure) for figure in FIGURES)
                print(f"| {name} | {group['n']} {part} | {cells} |")
    print("\n| teacher | approved | unfiltered | difference | |\n| --- | --- | --- | --- | --- |")
    for row in report["curation"] or []:
        cells = " | ".join(
            cell(row[key], "accuracy") for key in ("approved", "unfiltered", "difference")
        )
        print(f"| {row['teacher']} | {cells} | {row['sentence']} |")
    print()
    for sentence in report["verdict"]:
        print(f"> {sentence}")


def cell(estimate: dict, figure: str) -> str:
    """A figure with its 95% interval; shares as percent."""
    value = estimate["value"]
    low, high = estimate.get("interval") or (estimate.get("low"), estimate.get("high"))
    if value is None:
        return "–"
    scale, digits = (100, 1) if figure in ("accuracy", "validity") else (1, 2)
    numbers = [f"{scale * x:.{digits}f}" for x in (value, low, high)]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})"


if __name__ == "__main__":
    sys.exit(main())
