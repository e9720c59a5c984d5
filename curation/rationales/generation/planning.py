"""The slots of an order, made by one statement in the database.

A million slots as objects would take minutes and gigabytes; as INSERT ... SELECT they never pass
through this process. SQLite and PostgreSQL read the same statement.
"""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from curation.jobs import ACTIVE
from curation.questions.models import Question
from curation.rationales.models import GenerationRun, Slot, SlotStatus, Teacher

EVERYTHING = 10**9  # more than there are kinds of slots: all in one round
BLOCK = 100  # questions that are completed before the next ones begin

COLUMNS = """
INSERT INTO {slots} (run_id, question_id, teacher_id, temperature, sample, round, status, attempts,
    error)
"""
# In blocks each teacher writes for all questions of a block in turn, so that the first questions are
# complete, scored and ready for review early in a long run, and a model is not changed too often.
PLAN = """
WITH RECURSIVE
numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < %s),
teachers(place, id) AS (VALUES {teachers}),
heats(place, heat) AS (VALUES {heats}),
wanted(place, id) AS (SELECT row_number() OVER (ORDER BY q.id) - 1, q.id FROM ({questions}) q),
kinds(teacher_place, teacher, heat, n, turn) AS (
    SELECT t.place, t.id, h.heat, n.n,
        (row_number() OVER (ORDER BY {turns}) - 1) / {in_a_round}
    FROM teachers t CROSS JOIN heats h CROSS JOIN numbers n
    WHERE n.n = 0 OR h.heat > 0
){there}
SELECT %s, w.id, k.teacher, k.heat, k.n, k.turn, '{empty}', 0, ''
FROM wanted w CROSS JOIN kinds k
{where}
ORDER BY k.turn, w.place / {block}, k.teacher_place, w.place, k.heat, k.n
"""
# Joined as a whole: SQLite would look a million keys up one by one in the wrong index otherwise.
THERE = """,
there(question, teacher, heat, n) AS MATERIALIZED (
    SELECT s.question_id, s.teacher_id, s.temperature, s.sample
    FROM {slots} s JOIN {runs} r ON r.id = s.run_id
    WHERE r.project_id = %s AND s.run_id <> %s
        AND (s.status = '{filled}' OR (s.status = '{empty}' AND r.status IN ({active})))
)
"""
NOT_THERE = """
LEFT JOIN there t ON t.question = w.id AND t.teacher = k.teacher AND t.heat = k.heat AND t.n = k.n
WHERE t.question IS NULL
"""


def plan(
    run: GenerationRun,
    questions: QuerySet[Question],
    teachers: Sequence[Teacher],
    *,
    only_missing: bool = False,
) -> int:
    """Make the run's slots; returns how many. Temperature 0 has one sample: more would be the same.

    In an adaptive run (`enough` rationales are wanted) a slot's round says when its turn comes: each
    round asks every question for as many rationales as are enough, spread over teachers (the cheapest
    first) and temperatures. Where a teacher's engine would have to end and start again for another's
    turn, which takes longer than a round, each teacher has all its rounds before the next one.
    """
    try:
        wanted, wanted_params = questions.order_by().values("id").query.sql_with_params()
    except EmptyResultSet:
        return 0
    if run.enough:
        teachers = sorted(teachers, key=lambda one: (one.price_out, one.pk))
    params: list[Any] = [run.samples]
    for place, teacher in enumerate(teachers):
        params += [place, teacher.pk]
    for place, heat in enumerate(run.temperatures):
        params += [place, heat]
    params += wanted_params
    if only_missing:
        params += [run.project_id, run.pk]
    params.append(run.pk)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and only_missing:
            # It cannot know how many are there, guesses few, and would compare each with each.
            cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_statement(run, wanted, teachers, only_missing), params)
        made = cursor.rowcount
        if connection.vendor == "postgresql" and only_missing:
            cursor.execute("SET LOCAL enable_nestloop = on")
    return made


def _statement(
    run: GenerationRun, wanted: str, teachers: Sequence[Teacher], only_missing: bool
) -> str:
    here = [one.backend for one in teachers if one.backend != "openai"]
    is_costly_to_alternate = "vllm" in here and len(here) > 1
    slots, runs = Slot._meta.db_table, GenerationRun._meta.db_table
    names = {"slots": slots, "runs": runs, "empty": SlotStatus.EMPTY, "filled": SlotStatus.FILLED}
    there = THERE.format(active=", ".join(f"'{one}'" for one in ACTIVE), **names)
    whole, real = "(CAST(%s AS bigint), CAST(%s AS bigint))", "CAST(%s AS double precision)"
    select = PLAN.format(
        teachers=", ".join([whole] * len(teachers)),
        heats=", ".join([f"(CAST(%s AS bigint), {real})"] * len(run.temperatures)),
        questions=wanted,
        in_a_round=run.enough or EVERYTHING,
        turns="t.place, n.n, h.place" if is_costly_to_alternate else "n.n, h.place, t.place",
        there=there if only_missing else "",
        where=NOT_THERE if only_missing else "",
        block=BLOCK,
        empty=SlotStatus.EMPTY,
    )
    return COLUMNS.format(slots=slots) + select
