"""`python -m tests.benchmarks.hostile_stack`: a file of texts that are made to
hold a scorer up, beside as many good ones, through a whole Chainwright.

While they are scored, somebody at the bench has texts checked, and another project imports one row.
Prints what `measured` found as a table; exit status 1 where a wanted figure is missed.
"""

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import django

from tests.benchmarks.hostile import hostile_texts

PATIENCE = 1_800.0  # seconds for the whole


def good_row(number: int) -> dict:
    a, b = number, number % 17
    return {"question": f"Ann has {a} eggs and finds {b} more. How many has she?",
            "reference_answer": str(a + b), "answer_type": "number",
            "rationales": [{"teacher": "good", "text": f"She has {a} + {b} = {a + b} eggs.\n"
                            f"The answer is {a + b}."}]}  # fmt: skip


def hostile_row(name: str, text: str) -> dict:
    return {"question": f"What is 2 + 3? ({name})", "reference_answer": "5",
            "rationales": [{"teacher": "hostile", "text": text}]}  # fmt: skip


def order(project, user, rows):
    """Import rows as a file, as the page does."""
    from curation.questions.services import order_import

    lines = "".join(json.dumps(row) + "\n" for row in rows).encode("utf-8", "surrogatepass")
    return order_import(project, user, io.BytesIO(lines), "rows.jsonl", keep_good_rows=True)


def measured(count: int, length: int) -> dict:
    """Orders everything on the Chainwright of this environment and watches it until all is scored."""
    from django.db.models import F
    from django.utils import timezone

    from curation.jobs import ACTIVE
    from curation.projects.models import Project, User
    from curation.projects.services import create_project
    from curation.rationales.models import Group, Rationale, Score, ScoringRun
    from curation.rationales.scoring import text_checks

    user = User.objects.order_by("pk").first()
    project = create_project(user, "Hostile", "hostile")
    other = create_project(user, "Other", "other")
    for one in (project, other):
        Project.objects.filter(pk=one.pk).update(use_embeddings=True)
    rows = [good_row(n) for n in range(count)]
    for place, (name, text) in enumerate(hostile_texts(count, length)):
        rows.insert(2 * place, hostile_row(name, text))
    work = order(project, user, rows)
    while work.status in ACTIVE:
        time.sleep(0.2)
        work.refresh_from_db()
    come = (
        work.rationales_added
    )  # blank texts and those with U+0000 are refused, each with its line
    if come + work.rows_bad != 2 * count or work.rows_bad > count / 10:
        raise SystemExit(
            f"Only {work.rationales_added} of {2 * count} came in: {work.error or work.bad_rows[:3]}"
        )
    gap, waits, single, done, asked = timedelta(0), [], None, None, None
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        time.sleep(0.2)
        for run in ScoringRun.objects.filter(project=project, status="running"):
            gap = max(gap, timezone.now() - run.heartbeat_at)
        scored = Score.objects.filter(project=project).count()
        if single is None and ScoringRun.objects.filter(project=project).exists():
            single = order(other, user, [good_row(1)]), time.monotonic()
        if single and done is None:
            single[0].refresh_from_db()
            done = None if single[0].status in ACTIVE else time.monotonic() - single[1]
        if asked is None and scored:
            question = Rationale.objects.filter(project=project).first().question
            _, text = next(hostile_texts(1, text_checks.MOST_CHARACTERS - 10))
            text = text if len(waits) % 2 else "2 + 3 = 5. The answer is 5."
            asked = text_checks.order_check(project, user, question, text), time.monotonic()
        if asked is not None:
            asked[0].refresh_from_db()
            if asked[0].answered_at is not None or time.monotonic() - asked[1] > 60:
                waits.append(round(time.monotonic() - asked[1], 1))
                asked = None
        waiting = Group.objects.filter(project=project, scored__lt=F("revision"))
        if scored >= come and done is not None and not waiting.exists():
            break
    scores = Score.objects.filter(project=project)
    good = scores.filter(rationale__question__text__startswith="Ann has")
    failed = [s for s in scores if any(f["code"] == "scorer_failed" for f in s.detail["flags"])]
    return {
        "good": good.count(),
        "good_right": good.filter(verdict="right").count(),
        "hostile": scores.count() - good.count(),
        "refused": work.rows_bad,
        "failed": len(failed),
        "failed_wrong": sum(s.correctness is not None for s in failed),
        "reasons": sorted({s.detail["flags"][0]["message"] for s in failed}),
        "seconds": round(time.monotonic() - began),
        "largest_gap": round(gap.total_seconds(), 1),
        "import_of_one_row": None if done is None else round(done, 1),
        "checks": len(waits),
        "longest_check": max(waits, default=None),
    }


def in_a_home(count: int, length: int) -> dict:
    """`measured` on a Chainwright of its own, which is started and stopped."""
    from tests.e2e.conftest import REPOSITORY, Stack

    home = Path(tempfile.mkdtemp(prefix="cw-", dir="/tmp"))
    stack = Stack(home)
    stack.patience = 600.0  # also beside other work
    try:
        stack.start("--no-demo")
        code = (
            "import json\nfrom tests.benchmarks.hostile_stack import measured\n"
            f"print(json.dumps(measured({count}, {length})))"
        )
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", code],
            cwd=REPOSITORY, env=stack.env, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        return json.loads(done.stdout.strip().splitlines()[-1])
    finally:
        stack.stop()
        shutil.rmtree(home, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="hostile texts (default 500)")
    parser.add_argument(
        "--length",
        type=int,
        default=199_000,
        help="of each (default 199,000; 200,000 is the most an import takes)",
    )
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.settings")
    django.setup()
    found = in_a_home(options.count, options.length)
    wanted = {
        "good_right": found["good_right"] == options.count,
        "hostile": found["hostile"] + found["refused"] == options.count,
        "failed_wrong": found["failed_wrong"] == 0,
        "largest_gap": found["largest_gap"] <= 10,
        "import_of_one_row": (found["import_of_one_row"] or 99) <= 10,
    }
    for name, value in found.items():
        print(f"{name:20} {value!s:>12}  {({True: 'yes', False: 'NO'}).get(wanted.get(name), '')}")
    return 0 if all(wanted.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
