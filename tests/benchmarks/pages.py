"""Pages at a million rationales: `make bench-pages` (SQLite; with DATABASE_URL an empty PostgreSQL database).

Builds 250,000 questions with 4 scored rationales each in a home of its own, then asks for each page through
Django's own client, so that the figure is the server's time without a network.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date

HOME = tempfile.TemporaryDirectory(prefix="chainwright-bench-")
os.environ["CHAINWRIGHT_HOME"] = HOME.name
os.environ["DJANGO_SETTINGS_MODULE"] = "curation.settings"
RUBRIC = {"right_answer": "on", "min_validity": 0.5, "min_conciseness": 0.4, "min_structure": 0.5,
          "max_redundancy": 0.8}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=250_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    import django

    django.setup()
    from django.core.cache import cache
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from curation.projects.models import User
    from curation.projects.services import create_project
    from tests.benchmarks.many import clone, templates

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("bench", password="a long enough word")
    project = create_project(user, "Bench", "bench")
    began = time.monotonic()
    templates(project)
    clone(project, max(1, options.questions // 200 - 1))
    rationales = project.rationales.count()
    print(f"{platform.machine()}, {os.cpu_count()} cores, {date.today()}; {connection.vendor}, "
          f"{rationales:,} rationales (made in {time.monotonic() - began:.0f} s)\n", flush=True)  # fmt: skip
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    asked: dict[str, tuple[str, dict]] = {
        "dashboard": (reverse("dashboard", args=["bench"]), {}),
        "rubric preview": (reverse("rubric_preview", args=["bench"]), RUBRIC),
        "rationales": (reverse("rationales", args=["bench"]), {}),
        "rationales that pass": (reverse("rationales", args=["bench"]), {"band": "passes"}),
        "rationales of a bar": (reverse("rationales", args=["bench"]), {"range": "validity:30-35"}),
        "questions": (reverse("questions", args=["bench"]), {}),
        "my work": ("/", {}),
        "next question": (reverse("review", args=["bench"]), {}),
    }
    print("| page | counted anew | with what is remembered (median) |\n| --- | --- | --- |")
    for name, (address, values) in asked.items():
        cold, warm = [], []
        for _ in range(options.rounds):
            cache.clear()
            cold.append(_seconds(lambda: client.get(address, values)))  # noqa: B023
            warm.append(_seconds(lambda: client.get(address, values)))  # noqa: B023
        print(f"| {name} | {1000 * statistics.median(cold):.0f} ms | "
              f"{1000 * statistics.median(warm):.0f} ms |", flush=True)  # fmt: skip
    connection.close()
    HOME.cleanup()
    return 0


def _seconds(call: Callable) -> float:
    began = time.perf_counter()
    answer = call()
    assert answer.status_code == 200, answer
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
