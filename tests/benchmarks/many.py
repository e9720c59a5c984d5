"""Many rows for benchmarks: a few real questions, scored by the real scorers, cloned by SQL.

The columns are read from the models, so that a new column is cloned like the rest. Works on SQLite and
PostgreSQL.
"""

import itertools
import random
from pathlib import Path

from django.db import connection, transaction

from curation.projects.models import Project
from curation.questions.formats import Row, read_rows
from curation.questions.models import Question
from curation.questions.services import add_questions
from curation.rationales.importing import add_imported
from curation.rationales.models import (
    Group,
    Rationale,
    Score,
    ScoreFlag,
    Source,
    Teacher,
    text_hash,
)
from curation.rationales.scoring.scores import mark_stale, store_scores, waiting_groups
from curation.reviews.models import QueueItem, Seat
from curation.reviews.queue.items import enqueue
from workers.scoring import SCORER_VERSION, score_items
from workers.scoring.tasks import items

TEACHERS = ("strong", "wordy", "third", "fourth")
# How many rationales in a hundred are wrong, a teacher.
WRONG = (8, 45, 20, 30)
# Each stands after those that it points at.
CLONED = (Question, Rationale, Score, ScoreFlag, Group, QueueItem, Seat)


def templates(
    project: Project, count: int = 200, rationales: int = 4, seed: int = 1
) -> list[Question]:
    """`count` made-up questions with `rationales` rationales each, scored and in the review queue."""
    chance = random.Random(seed)
    teachers = [
        Teacher.objects.create(project=project, name=n, model=f"demo:{n}") for n in TEACHERS
    ]
    rows = []
    for n in range(count):
        a, b, c = chance.randint(3, 90), chance.randint(2, 40), chance.randint(2, 9)
        text = (
            f"A shop has {a} boxes and gets {b} more. A box holds {c} pens. How many pens has it?"
        )
        rows.append(
            Row(n + 1, f"{text} (no. {n})", reference_answer=str((a + b) * c), domain="shop")
        )
    questions, _ = add_questions(project, rows, "train")
    for n, question in enumerate(questions):
        words = [int(w) for w in question.text.split() if w.isdigit()]
        a, b, c = words[:3]
        for k in range(rationales):
            slip = chance.randint(1, 9) if chance.randint(1, 100) <= WRONG[k % 4] else 0
            text = f"Step 1: There are {a} + {b} = {a + b} boxes.\n"
            text += f"Step 2: They hold {a + b} * {c} = {(a + b) * c + slip} pens.\n"
            text += f"Answer: {(a + b) * c + slip}" + f" ({k})" * (k % 2)
            Rationale.objects.create(
                project=project,
                question=question,
                source=Source.TEACHER,
                teacher=teachers[k % 4],
                text=text,
                text_hash=text_hash(f"{text}{k}"),
                temperature=0.5,
                sample=k,
                finish_reason="stop",
                completion_tokens=40 + n % 30,
            )
    mark_stale(project, [q.pk for q in questions])
    _score(project, questions)
    return questions


def real_templates(project: Project, file: Path, count: int = 700) -> list[Question]:
    """The first `count` questions of a file of GSM8K's model solutions, each with those of its four
    models, scored and in the review queue."""
    with file.open("rb") as lines:
        rows = [r for r in itertools.islice(read_rows(lines), count) if isinstance(r, Row)]
    questions, _ = add_questions(project, rows, "train")
    by_text = {row.question: row for row in rows}
    add_imported(project, [(q, by_text[q.text]) for q in questions])
    _score(project, questions)
    return questions


def _score(project: Project, questions: list[Question]) -> None:
    groups = waiting_groups(project.pk, 100_000)
    rationales = Rationale.objects.filter(project=project).select_related("question", "teacher")
    scored = score_items(items(rationales.order_by("question_id", "id")))
    store_scores(
        groups, {int(s.item.id): s.details() | s.to_dict() for s in scored}, SCORER_VERSION
    )
    enqueue(project, [q.pk for q in questions])


def clone(project: Project, times: int) -> None:
    """Clone every question of the project, with all that hangs on it, `times` times."""
    numbered = [model for model in CLONED if model._meta.pk.column == "id"]
    step = 1 + max(
        model.objects.order_by("-pk").values_list("pk", flat=True)[0] for model in numbered
    )
    with transaction.atomic():
        for model in CLONED:
            _clone(model, project, times, step)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for model in numbered:
                table = model._meta.db_table
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
                )
            # As autovacuum does soon after such an import: else it would read through all of it in the
            # minutes in which somebody measures. Nothing does it on SQLite.
            cursor.execute("VACUUM (ANALYZE)")


def _clone(model: type, project: Project, times: int, step: int) -> None:
    quote = connection.ops.quote_name
    moved = {"id", "question_id", "rationale_id", "item_id"}
    columns = [field.column for field in model._meta.concrete_fields]
    values = []
    for name in columns:
        own = f"t.{quote(name)}"
        if name in moved:
            values.append(f"{own} + n.i * {step}")
        elif name == "content_hash":
            values.append(f"substr(n.i || '-' || {own}, 1, 64)")
        else:
            values.append(own)
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times}) "
            f"INSERT INTO {table} ({', '.join(map(quote, columns))}) "
            f"SELECT {', '.join(values)} FROM n CROSS JOIN {table} t WHERE t.project_id = {project.pk}"
        )
