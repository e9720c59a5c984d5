"""Data from before there was a bin: `migrate` keeps every row, and what stands beside the tables.

SQLite makes a table anew to change it, which loses its triggers; they are put back after each `migrate`.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

BEFORE = {
    "projects": "0006_has_webhooks",
    "questions": "0002_other_answers",
    "rationales": "0010_meaning_grows",
    "reviews": "0011_fewer_indexes",
    "sessions": "0001_initial",
}
STEPS = f"""
import django, sys
django.setup()
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

before = {BEFORE!r}
for app, name in before.items():
    call_command("migrate", app, name, verbosity=0)
old = MigrationExecutor(connection).loader.project_state(list(before.items())).apps.get_model
user = old("projects", "User").objects.create(username="ada")
project = old("projects", "Project").objects.create(slug="eggs", name="Eggs")
old("projects", "Membership").objects.create(project=project, user=user, role="admin")
question = old("questions", "Question").objects.create(project=project, text="How many ducks?")
rationale = old("rationales", "Rationale").objects.create(
    project=project, question=question, source="import", text="Seven geese.", text_hash="x"
)
review = old("reviews", "Review").objects.create(
    project=project, rationale=rationale, reviewer=user, verdict="approve"
)
item = old("reviews", "QueueItem").objects.create(project=project, question=question)
old("reviews", "Seat").objects.create(
    project=project, item=item, number=1, holder=user, done_at=timezone.now()
)
decided = old("reviews", "Decision").objects.create(
    rationale=rationale, project=project, outcome="approved", review=review
)
old("projects", "Rubric").objects.create(project=project, version=1, created_by=user)
old("projects", "User").objects.create(username="rudi")
from django.contrib.sessions.models import Session
Session.objects.create(session_key="plain", session_data="", expire_date=timezone.now())
call_command("migrate", verbosity=0)
assert not Session.objects.exists()

from django.db import DatabaseError
from curation.projects.models import Membership, Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale
from curation.reviews.decisions.audit_triggers import sqlite_triggers
from curation.reviews.models import Decision, DecisionLog, Review, Seat
from curation.db.search import found, parse
from curation.db.managed_sql import triggers_of

assert Membership.objects.get().project == Project.objects.get()
assert Project.objects.get().created_by.username == "ada"
assert [one.username for one in User.objects.filter(may_create_projects=True)] == ["ada"]
assert Seat.objects.get().item.question == Question.objects.get()
for model, words in ((Question, "ducks"), (Rationale, "geese")):
    assert found(model.objects.all(), parse(words)).count() == 1, words
assert [(one.was, one.outcome) for one in DecisionLog.objects.all()] == [("", "approved")]
assert set(sqlite_triggers()) <= set(triggers_of(connection)), triggers_of(connection)
Decision.objects.update(outcome="rejected")
assert DecisionLog.objects.count() == 2
for rows, change in ((Review, {{"verdict": "reject"}}), (DecisionLog, {{"was": "rejected"}})):
    try:
        rows.objects.update(**change)
    except DatabaseError as error:
        assert "cannot be changed" in str(error)
    else:
        raise AssertionError("the history can be changed")
from curation.reviews.deletion.orders import delete_one, order_restore
ada = User.objects.get(username="ada")
gone = delete_one(Project.objects.get(), ada, "questions", question.pk)
assert not found(Question.objects.all(), parse("ducks"))
order_restore(gone, ada)
assert found(Question.objects.all(), parse("ducks")).count() == 1
print("kept")
"""


def test_rows_triggers_and_search_stand_after_the_migration(tmp_path: Path) -> None:
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
