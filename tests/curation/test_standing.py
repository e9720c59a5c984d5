"""Triggers and indexes that `migrate` puts in place: twice, changed, half made, and while others write."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from curation.db.managed_sql import alone, put_triggers, triggers_of
from curation.db.search import found, keep_index, parse
from curation.questions.models import Question
from curation.reviews.decisions import audit_triggers
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import DecisionLog

TABLE, INDEX = "questions_question", "questions_question_words"
postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has one writer, and makes its index at once"
)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_it_was() -> Iterator[None]:
    yield
    audit_triggers.create(connection)
    keep_index(connection, TABLE)


def sql(text: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall() if cursor.description else []


def index() -> tuple[int, str, bool] | None:
    """Of the index over the questions' words: its identity, how it was made, whether it is valid."""
    rows = sql(
        "SELECT indexrelid, coalesce(obj_description(indexrelid, 'pg_class'), ''), indisvalid "
        f"FROM pg_index WHERE indexrelid = to_regclass('{INDEX}')"
    )
    return rows[0] if rows else None


def wanted() -> dict[str, str]:
    of = {
        "sqlite": audit_triggers.sqlite_triggers,
        "postgresql": audit_triggers.postgresql_triggers,
    }
    return of[connection.vendor]()


def test_a_trigger_that_changed_is_made_anew_and_one_that_did_not_stays(
    project: Any, make_questions: Any, make_rationales: Any, as_it_was: None
) -> None:
    make_rationales(make_questions(1)[0], ["right"])
    apply_rule(project)
    changed = {
        name: text.replace("UPDATE OR DELETE ON", "UPDATE ON").replace(
            "'the history", "'our history"
        )
        for name, text in wanted().items()
        if name == "log_stays"
    }
    with alone(connection):
        assert put_triggers(connection, changed) is False
    assert triggers_of(connection)["log_stays"] == changed["log_stays"] != wanted()["log_stays"]
    audit_triggers.create(connection)
    assert {name: triggers_of(connection)[name] for name in wanted()} == wanted()
    for change in ("UPDATE reviews_decisionlog SET was = 'x'", "DELETE FROM reviews_decisionlog"):
        with pytest.raises(DatabaseError, match="the history"), transaction.atomic():
            sql(change)
    before = sql("SELECT oid FROM pg_trigger") if connection.vendor == "postgresql" else []
    audit_triggers.create(connection)
    after = sql("SELECT oid FROM pg_trigger") if connection.vendor == "postgresql" else []
    assert before == after and DecisionLog.objects.count() == 1


@postgresql
def test_an_index_by_other_sql_or_half_made_is_made_anew_and_a_good_one_stays(
    make_questions: Any, as_it_was: None
) -> None:
    make_questions(3)
    sql(f"DROP INDEX {INDEX}")
    keep_index(connection, TABLE)
    first = index()
    keep_index(connection, TABLE)
    assert index() == first and first[2]
    sql(f"COMMENT ON INDEX {INDEX} IS 'ON questions_question USING gin (of an older version)'")
    keep_index(connection, TABLE)
    second = index()
    assert second[0] != first[0] and second[1:] == first[1:]
    sql(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = {second[0]}")
    sql(f"CREATE INDEX {INDEX}_new ON {TABLE} (id)")  # what a broken attempt left behind
    keep_index(connection, TABLE)
    third = index()
    assert third[0] != second[0] and third[1:] == first[1:]
    assert sql(f"SELECT to_regclass('{INDEX}_new')") == [(None,)]
    assert found(Question.objects.all(), parse("eggs")).count() == 3


@postgresql
def test_two_make_the_index_at_once_while_a_third_writes(
    project: Any, make_questions: Any, as_it_was: None
) -> None:
    make_questions(20)
    sql(f"DROP INDEX {INDEX}")
    stop, went_wrong, written = threading.Event(), [], []

    def write() -> None:
        while not stop.is_set():
            written.extend(make_questions(1))

    def both() -> None:
        keep_index(connections["default"], TABLE)
        audit_triggers.create(connections["default"])

    def run(what: Any) -> None:
        try:
            what()
        except Exception as error:
            went_wrong.append(error)
        finally:
            connections.close_all()

    writer = threading.Thread(target=run, args=(write,))
    makers = [threading.Thread(target=run, args=(both,)) for _ in range(2)]
    for thread in (writer, *makers):
        thread.start()
    for thread in makers:
        thread.join(60)
    stop.set()
    writer.join(60)
    assert not went_wrong and written and index()[2]
    sql("SET enable_seqscan = off")
    assert found(Question.objects.all(), parse("eggs")).count() == 20 + len(written)
    sql("SET enable_seqscan = on")
