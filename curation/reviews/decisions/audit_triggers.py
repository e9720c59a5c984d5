"""The history that nobody can change: triggers write each decision down and keep reviews as they are.

They stand in the database, so that no code path, command or hand-written SQL can pass them by; who
may drop triggers could, which is the operator alone. See curation/db/managed_sql.py for when they are made.
"""

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from curation.db.managed_sql import alone, drop_triggers, has_table, put_triggers
from curation.reviews.models import Decision, DecisionLog, Review

LOG, DECISION, REVIEW = (model._meta.db_table for model in (DecisionLog, Decision, Review))
COLUMNS = "project_id, rationale_id, at, was, outcome, review_id, rule_id, bulk_id"
# Names end up in messages of the database: they say what is so.
KEPT_LOG = "the history of decisions cannot be changed"
KEPT_REVIEW = "a review cannot be changed: it can be withdrawn, once"
NONE = "''"
SAME = ("outcome", "review_id", "rule_id", "bulk_id")


def create(connection: BaseDatabaseWrapper) -> None:
    if not has_table(connection, LOG):
        return
    # In one transaction: a log that was never caught up would never be missed.
    with alone(connection), transaction.atomic(using=connection.alias):
        if connection.vendor == "sqlite":
            missing = put_triggers(connection, sqlite_triggers())
        else:
            with connection.cursor() as cursor:
                for sql in _functions():
                    cursor.execute(sql)
            missing = put_triggers(connection, postgresql_triggers())
        if missing:  # making a trigger waits for those who write: nothing is on its way any more
            _catch_up(connection)


def drop(connection: BaseDatabaseWrapper) -> None:
    drop_triggers(connection, list(sqlite_triggers()))


def _catch_up(connection: BaseDatabaseWrapper) -> None:
    """Log the decisions that were made before there was a log."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {LOG} ({COLUMNS}) SELECT d.project_id, d.rationale_id, d.decided_at, '', "
            f"d.outcome, d.review_id, d.rule_id, d.bulk_id FROM {DECISION} d "
            f"WHERE NOT EXISTS (SELECT 1 FROM {LOG} l WHERE l.rationale_id = d.rationale_id)"
        )


def _row(row: str, was: str, outcome: str, now: str) -> str:
    ids = f"{row}.review_id, {row}.rule_id, {row}.bulk_id"
    values = f"{row}.project_id, {row}.rationale_id, {now}, {was}, {outcome}, {ids}"
    return f"INSERT INTO {LOG} ({COLUMNS}) VALUES ({values});"


def sqlite_triggers() -> dict[str, str]:
    """The triggers on SQLite: their names, and their SQL."""
    now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
    differs = " OR ".join(f"old.{name} IS NOT new.{name}" for name in SAME)
    kept = [f.column for f in Review._meta.concrete_fields if f.name != "withdrawn_at"]
    touched = " OR ".join(f"old.{name} IS NOT new.{name}" for name in kept)
    rewrites = f"{touched} OR old.withdrawn_at IS NOT NULL OR new.withdrawn_at IS NULL"

    def refuse(event: str, table: str, said: str, when: str = "") -> str:
        return (
            f"BEFORE {event} ON {table} {when} BEGIN SELECT RAISE(ABORT, '{said}'); END"
        ).replace("  ", " ")

    parts = {
        "decision_made": f"AFTER INSERT ON {DECISION} "
        f"BEGIN {_row('new', NONE, 'new.outcome', now)} END",
        "decision_changed": f"AFTER UPDATE ON {DECISION} WHEN {differs} "
        f"BEGIN {_row('new', 'old.outcome', 'new.outcome', now)} END",
        "decision_taken_back": f"AFTER DELETE ON {DECISION} "
        f"BEGIN {_row('old', 'old.outcome', NONE, now)} END",
        "log_stays": refuse("UPDATE", LOG, KEPT_LOG),
        "log_is_kept": refuse("DELETE", LOG, KEPT_LOG),
        "review_stays": refuse("UPDATE", REVIEW, KEPT_REVIEW, f"WHEN {rewrites}"),
        "review_is_kept": refuse("DELETE", REVIEW, KEPT_REVIEW),
    }
    return {name: f"CREATE TRIGGER {name} {rest}" for name, rest in parts.items()}


def _functions() -> list[str]:
    now = "clock_timestamp()"
    made = _row("NEW", NONE, "NEW.outcome", now)
    changed = _row("NEW", "OLD.outcome", "NEW.outcome", now)
    gone = _row("OLD", "OLD.outcome", NONE, now)
    old, new = (f"({', '.join(f'{row}.{name}' for name in SAME)})" for row in ("OLD", "NEW"))
    log = f"""
        IF TG_OP = 'INSERT' THEN {made}
        ELSIF TG_OP = 'DELETE' THEN {gone}
        ELSIF {old} IS DISTINCT FROM {new} THEN {changed}
        END IF; RETURN NULL;"""
    review = f"""
        IF TG_OP = 'UPDATE' AND OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL
            AND to_jsonb(OLD) - 'withdrawn_at' = to_jsonb(NEW) - 'withdrawn_at' THEN RETURN NEW;
        END IF; RAISE EXCEPTION '{KEPT_REVIEW}';"""
    bodies = {
        "log_decision": log,
        "keep_log": f"RAISE EXCEPTION '{KEPT_LOG}';",
        "keep_review": review,
    }
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {body} END $$"
        for name, body in bodies.items()
    ]


def postgresql_triggers() -> dict[str, str]:
    parts = {
        "decision_logged": f"AFTER INSERT OR UPDATE OR DELETE ON {DECISION}",
        "log_stays": f"BEFORE UPDATE OR DELETE ON {LOG}",
        "review_stays": f"BEFORE UPDATE OR DELETE ON {REVIEW}",
    }
    does = {
        "decision_logged": "log_decision",
        "log_stays": "keep_log",
        "review_stays": "keep_review",
    }
    return {
        name: f"CREATE TRIGGER {name} {when} FOR EACH ROW EXECUTE FUNCTION {does[name]}()"
        for name, when in parts.items()
    }
