"""Scores and evaluations of before there were three verdicts get them from what they hold."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

BEFORE = {
    "projects": "0012_words",
    "questions": "0012_sameness",
    "rationales": "0020_labels_of_steps",
    "evaluations": "0006_work_in_turns",
}
STEPS = f"""
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

before = {BEFORE!r}
for app, name in before.items():
    call_command("migrate", app, name, verbosity=0)
old = MigrationExecutor(connection).loader.project_state(list(before.items())).apps.get_model
project = old("projects", "Project").objects.create(slug="eggs", name="Eggs")
old("projects", "Rubric").objects.create(project=project, version=1)
known = old("questions", "Question").objects.create(
    project=project, text="How many?", reference_answer="3"
)
unknown = old("questions", "Question").objects.create(project=project, text="Why?", content_hash="why")


def scored(name, question, correctness, answer, *codes):
    rationale = old("rationales", "Rationale").objects.create(
        project=project, question=question, source="import", text=name, text_hash=name
    )
    old("rationales", "Score").objects.create(
        rationale=rationale, project=project, scorer_version="1.2", answer=answer,
        correctness=correctness, detail={{"steps": [], "flags": []}},
    )
    for code in codes:
        old("rationales", "ScoreFlag").objects.create(project=project, rationale=rationale, code=code)


scored("right", known, 1.0, "3")
scored("wrong", known, 0.0, "4")
scored("nothing", known, 0.0, None, "no_answer")
scored("cut", known, 0.0, None, "cut_off")
scored("unlike", known, None, "three or so", "cannot_grade")
scored("open", unknown, None, "3")
scored("open and silent", unknown, None, None, "no_answer")

evaluation = old("evaluations", "Evaluation").objects.create(
    project=project,
    report={{"models": [{{"name": "student", "groups": [
        {{"split": "train", "subset": "", "n": 4, "n_ungraded": 1}}]}}]}},
    verdict=["1 answers could not be graded and count as wrong. Look at some."],
)
for question, answer, right in ((known, "3", True), (unknown, None, False)):
    old("evaluations", "Answer").objects.create(
        evaluation=evaluation, model="student", question=question, text="x", answer=answer, right=right
    )
for name, answer, right in (("other", "4", False), ("another", "5", None)):
    asked = old("questions", "Question").objects.create(project=project, text=name, content_hash=name)
    old("evaluations", "Answer").objects.create(
        evaluation=evaluation, model="student", question=asked, text="x", answer=answer, right=right
    )
call_command("migrate", verbosity=0)

from curation.evaluations.models import Answer, Evaluation
from curation.projects.models import Rubric
from curation.rationales.models import Score

assert {{s.rationale.text: (s.verdict, s.unread) for s in Score.objects.all()}} == {{
    "right": ("right", ""),
    "wrong": ("wrong", ""),
    "nothing": ("not_read", "nothing_found"),
    "cut": ("not_read", "cut_off"),
    "unlike": ("not_read", "not_understood"),
    "open": ("no_reference", ""),
    "open and silent": ("no_reference", ""),
}}
assert Rubric.objects.get().unread == "people"
assert sorted(Answer.objects.values_list("question__text", "right")) == [
    ("How many?", True), ("Why?", None), ("another", None), ("other", False),
]
evaluation = Evaluation.objects.get()
(group,) = evaluation.report["models"][0]["groups"]
assert group == {{"split": "train", "subset": "", "n": 4, "n_not_read": 2}}, group
assert evaluation.verdict == ["1 answers could not be read. Look at some."]

# And back: the way is open for who must.
call_command("migrate", "evaluations", before["evaluations"], verbosity=0)
call_command("migrate", "rationales", before["rationales"], verbosity=0)
with connection.cursor() as cursor:
    cursor.execute(
        "SELECT r.text, s.correctness FROM rationales_score s "
        "JOIN rationales_rationale r ON r.id = s.rationale_id"
    )
    assert dict(cursor.fetchall()) == {{
        "right": 1.0, "wrong": 0.0, "nothing": 0.0, "cut": 0.0, "unlike": None, "open": None,
        "open and silent": None,
    }}
print("kept")
"""


def test_what_rows_hold_says_their_verdict(tmp_path: Path) -> None:
    settings = {
        "DJANGO_SETTINGS_MODULE": "curation.settings",
        "CHAINWRIGHT_HOME": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
    }
    done = subprocess.run(
        [sys.executable, "-c", STEPS],
        env={**os.environ, **settings},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.strip() == "kept", done.stderr[-3000:]
