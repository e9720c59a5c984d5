"""Search in texts, with one syntax on both databases: words, "a phrase", -without, begin*.

SQLite: an FTS5 table beside each text, kept by triggers. PostgreSQL: a GIN index over a tsvector. Both
cut a text at everything that is no letter and no digit and keep all the words as they are, folded (see
`curation.db.words`): a stemmer would help prose and spoil numbers and formulas. What is written without a
space is searched for as a phrase: `12+4=16` finds "12 + 4 = 16".

The triggers of SQLite call a function that every connection of Django's has: a program that writes texts
into the file without Django is told that there is no such function.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Lookup
from django.dispatch import receiver

from curation.db.managed_sql import alone, has_table, put_triggers, quoted, triggers_of
from curation.db.words import (
    FUNCTION,
    IS_RUN,
    MAX_ASCII,
    SQLITE_FUNCTION,
    for_fts5,
    for_tsquery,
    indexed,
    postgresql_function,
    words_in,
    words_where,
)

CHUNK = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
MAX_TERMS = 20
# Ordering by relevance reads every hit: beyond so many the newest stand first instead.
MAX_RANKED = 20_000
AT_ONCE = 500


@dataclass(frozen=True)
class Term:
    """Words that stand side by side; `begins`: the last one is only the beginning of a word."""

    words: tuple[str, ...]
    wanted: bool = True
    begins: bool = False


@dataclass(frozen=True)
class Query:
    """What somebody searches for. Made by `parse`, which takes anything."""

    terms: tuple[Term, ...]
    any_word: bool = False  # one of the wanted terms is enough

    @property
    def is_empty(self) -> bool:
        """Nothing to look for: no letter and no digit was given, or only words to leave out."""
        return not any(term.wanted for term in self.terms)

    def for_sqlite(self) -> str:
        """In the language of FTS5."""
        kept = (" OR " if self.any_word else " AND ").join(
            _fts5(term) for term in self.terms if term.wanted
        )
        out = " OR ".join(_fts5(term) for term in self.terms if not term.wanted)
        return f"({kept}) NOT ({out})" if out else kept

    def for_postgresql(self) -> str:
        """In the language of `to_tsquery`."""
        kept = [_tsquery(term) for term in self.terms if term.wanted]
        out = [_tsquery(term) for term in self.terms if not term.wanted]
        return " & ".join([f"({(' | ' if self.any_word else ' & ').join(kept)})", *out])


def parse(text: str) -> Query:
    """Read what was typed. Nothing is an error: signs without a meaning separate words."""
    terms = []
    for minus, phrase, chunk in CHUNK.findall(text):
        said = phrase or chunk
        words = tuple(words_in(said))
        if words:
            terms.append(Term(words, not minus, bool(chunk) and chunk.endswith("*")))
    return Query(tuple(terms[:MAX_TERMS]))


def _fts5(term: Term) -> str:
    return for_fts5(term.words, term.begins)


def _tsquery(term: Term) -> str:
    words = for_tsquery(term.words, term.begins)
    return f"({words})" if term.wanted else f"!({words})"


def vector(column: str) -> str:
    """SQL of a text's words on PostgreSQL; word for word as the index has it."""
    return f"{FUNCTION}({column})"


@receiver(connection_created)
def _can_index(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function(SQLITE_FUNCTION, 1, indexed, deterministic=True)


@models.TextField.register_lookup
class Finds(Lookup):
    """`text__finds=parse("…")`: the rows whose text has what the query wants.

    For a text for which `keep_index` made an index.
    """

    lookup_name = "finds"
    prepare_rhs = False
    hint = ""

    def as_sqlite(self, compiler, connection):
        column = self.lhs
        table, quote = column.target.model._meta.db_table, connection.ops.quote_name
        pk = f"{quote(column.alias)}.{quote(column.target.model._meta.pk.column)}"
        sql = f"{self.hint}{pk} IN (SELECT rowid FROM {table}_words WHERE {table}_words MATCH %s)"
        return sql, [self.rhs.for_sqlite()]

    def as_postgresql(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        found = f"{vector(column).replace('%', '%%')} @@ to_tsquery('simple', %s)"
        return found, [*params, self.rhs.for_postgresql()]


@models.TextField.register_lookup
class FindsOften(Finds):
    """The same where there are very many hits: SQLite then goes through the rows in the order that is
    asked for and looks each up among the hits, instead of sorting all hits."""

    lookup_name = "finds_often"
    hint = "+"  # keeps its planner from entering by this condition


def found(rows: QuerySet, query: Query, field: str = "text") -> QuerySet:
    """The rows whose text has what the query wants; none where it wants nothing."""
    if query.is_empty:
        return rows.none()
    often = connections[rows.db].vendor == "sqlite" and _has_many(rows, query)
    return rows.filter(**{f"{field}__{'finds_often' if often else 'finds'}": query})


def _has_many(rows: QuerySet, query: Query) -> bool:
    words = f"{rows.model._meta.db_table}_words"
    with connections[rows.db].cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {words} WHERE {words} MATCH %s LIMIT 1 OFFSET {MAX_RANKED}",
            [query.for_sqlite()],
        )
        return cursor.fetchone() is not None


def keep_index(connection: BaseDatabaseWrapper, table: str, column: str = "text") -> None:
    """Make the index over a table's text where it is missing, or was made by other SQL. On a table with
    many rows this takes long; on PostgreSQL people go on writing meanwhile."""
    if not has_table(connection, table):
        return
    with alone(connection):
        if connection.vendor == "postgresql":
            _keep_postgresql(connection, table, column)
            return
        with connection.cursor() as cursor:
            made, wanted = _make_fts5(cursor, table, column), _triggers(table, column)
            standing = triggers_of(connection)
            put_triggers(connection, wanted)
            # Where one was missing, rows came meanwhile; where one differs, they were indexed otherwise.
            if made or any(standing.get(name) != sql for name, sql in wanted.items()):
                words = f"{table}_words"
                cursor.execute(f"INSERT INTO {words}({words}) VALUES ('delete-all')")
                cursor.execute(
                    f"INSERT INTO {words}(rowid, {column}) "
                    f"SELECT id, {SQLITE_FUNCTION}({column}) FROM {table}"
                )


def _make_fts5(cursor: Any, table: str, column: str) -> bool:
    """The table of a text's words, without the text itself; whether it was made now. The marks of Indic
    letters are parts of words, and what SQLITE_FUNCTION gives is folded already."""
    sql = (
        f"CREATE VIRTUAL TABLE {table}_words USING fts5({column}, content='', "
        "tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* M* Co'\")"
    )
    cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [f"{table}_words"])
    standing = cursor.fetchone()
    if standing and standing[0] == sql:
        return False
    if standing:
        for name in _triggers(table, column):
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(f"DROP TABLE {table}_words")
    cursor.execute(sql)
    return True


def _keep_postgresql(connection: BaseDatabaseWrapper, table: str, column: str) -> None:
    """A new index is made beside the old one, which serves until then. One that was not finished stands
    as invalid: it costs every write and serves no search."""
    name = f"{table}_words"
    sql = f"ON {table} USING gin ({vector(column)})"
    with connection.cursor() as cursor:
        cursor.execute(postgresql_function())
    # Not in a transaction, which CONCURRENTLY could not be in; tests have one around everything.
    live = "" if connection.in_atomic_block else "CONCURRENTLY"
    with connection.cursor() as cursor:
        standing = _index(cursor, name)
        if standing in (sql, ""):  # without a comment: of before there were any, by the same SQL
            return
        cursor.execute(f"DROP INDEX {live} IF EXISTS {name}_new")
        cursor.execute(f"CREATE INDEX {live} {name}_new {sql}")
        cursor.execute(f"COMMENT ON INDEX {name}_new IS {quoted(sql)}")
        cursor.execute(f"DROP INDEX {live} IF EXISTS {name}")
        cursor.execute(f"ALTER INDEX {name}_new RENAME TO {name}")


def _index(cursor: Any, name: str) -> str | None:
    """The SQL by which an index was made; None where it is not there, or is not valid."""
    cursor.execute(
        "SELECT COALESCE(obj_description(indexrelid, 'pg_class'), '') FROM pg_index "
        "WHERE indexrelid = to_regclass(%s) AND indisvalid",
        [name],
    )
    row = cursor.fetchone()
    return row and row[0]


def _triggers(table: str, column: str) -> dict[str, str]:
    words = f"{table}_words"
    add = f"INSERT INTO {words}(rowid, {column}) VALUES (new.id, {SQLITE_FUNCTION}(new.{column}));"
    remove = (
        f"INSERT INTO {words}({words}, rowid, {column}) "
        f"VALUES ('delete', old.id, {SQLITE_FUNCTION}(old.{column}));"
    )
    when = {
        f"{words}_insert": f"AFTER INSERT ON {table} BEGIN {add} END",
        f"{words}_delete": f"AFTER DELETE ON {table} BEGIN {remove} END",
        f"{words}_update": f"AFTER UPDATE OF {column} ON {table} BEGIN {remove} {add} END",
    }
    return {name: f"CREATE TRIGGER {name} {rest}" for name, rest in when.items()}


def best_first(
    rows: QuerySet, query: Query, size: int, field: str = "text"
) -> list[models.Model] | None:
    """The `size` most relevant of the rows that `found` gave (by BM25 on SQLite, `ts_rank_cd` on
    PostgreSQL); None where more than MAX_RANKED of them are hits."""
    if query.is_empty:
        return []
    table, connection = rows.model._meta.db_table, connections[rows.db]
    if connection.vendor == "postgresql":
        if rows.order_by().values("pk")[MAX_RANKED : MAX_RANKED + 1].exists():
            return None
        column = f'"{table}"."{field}"'.replace("%", "%%")
        sql = f"ts_rank_cd({vector(column).replace('%', '%%')}, to_tsquery('simple', %s), 1)"
        ranked = rows.annotate(search_rank=RawSQL(sql, [query.for_postgresql()]))
        return list(ranked.order_by("-search_rank", "-pk")[:size])
    # FTS5 knows the rank of a row only while it searches: it gives the order, then rows are fetched.
    ids = _ranked(connection, table, query)
    if len(ids) > MAX_RANKED:  # in all projects together: are they fewer in these rows?
        mine = list(rows.order_by().values_list("pk", flat=True)[: MAX_RANKED + 1])
        if len(mine) > MAX_RANKED:
            return None
        ids = _ranked(connection, table, query, mine)
    best: list[models.Model] = []
    for start in range(0, len(ids), AT_ONCE):
        some = rows.order_by().in_bulk(ids[start : start + AT_ONCE])
        best += [some[pk] for pk in ids[start : start + AT_ONCE] if pk in some]
        if len(best) >= size:
            break
    return best[:size]


def _ranked(
    connection: BaseDatabaseWrapper, table: str, query: Query, among: list[int] | None = None
) -> list[int]:
    """Ids of hits on SQLite, the most relevant first, one more than MAX_RANKED at most."""
    words, params = f"{table}_words", [query.for_sqlite()]
    sql = f"SELECT rowid FROM {words} WHERE {words} MATCH %s"
    if among is not None:
        sql += " AND rowid IN (SELECT value FROM json_each(%s))"
        params.append(json.dumps(among))
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY rank, rowid DESC LIMIT {MAX_RANKED + 1}", params)
        return [pk for (pk,) in cursor.fetchall()]


def lit(text: str, query: Query, length: int = 220) -> list[tuple[str, bool]]:
    """A piece of the text around the first hit, cut into parts: (part, whether it is a hit).

    The parts are plain text: whoever shows them escapes them.
    """
    hits = _hits(text[:MAX_ASCII], query)
    begin = 0
    if hits and hits[0][1] > length:
        begin = max(0, hits[0][0] - length // 3)
    end = begin + length
    parts, place = [("…", False)] if begin else [], begin
    for first, last in hits:
        if first < place or last > end:
            continue
        parts += [(text[place:first], False), (text[first:last], True)]
        place = last
    parts.append((text[place:end], False))
    if end < len(text):
        parts.append(("…", False))
    return [(part, hit) for part, hit in parts if part]


def _hits(text: str, query: Query) -> list[tuple[int, int]]:
    """Where words of the query stand in the text, in order; they do not overlap."""
    standing = list(words_where(text))
    hits = []
    for term in (term for term in query.terms if term.wanted):
        size = len(term.words)
        for n in range(len(standing) - size + 1):
            hits += _places(standing[n : n + size], term)
    hits.sort()
    apart: list[tuple[int, int]] = []
    for hit in hits:
        if not apart or hit[0] >= apart[-1][1]:
            apart.append(hit)
    return apart


def _places(standing: list[tuple[str, int, int]], term: Term) -> Iterator[tuple[int, int]]:
    """Where the term's words are in these words of a text, as many; a run is searched inside of."""
    (first, begin, until), (last, start, end) = standing[0], standing[-1]
    wanted, wanted_last = term.words[0], term.words[-1]
    if len(standing) == 1:
        if not IS_RUN.match(wanted):
            if first.startswith(wanted) if term.begins else first == wanted:
                yield begin, end
        elif len(first) != end - begin:  # folded to another length: shown as a whole
            if wanted in first:
                yield begin, end
        else:
            at = first.find(wanted)
            while at >= 0:
                yield begin + at, begin + at + len(wanted)
                at = first.find(wanted, at + len(wanted))
        return
    if any(word != one for (word, _, _), one in zip(standing[1:-1], term.words[1:-1], strict=True)):
        return
    from_ = begin
    if IS_RUN.match(wanted) and first.endswith(wanted):
        from_ = max(begin, until - len(wanted))
    elif first != wanted:
        return
    to = end
    if IS_RUN.match(wanted_last) and last.startswith(wanted_last):
        to = min(end, start + len(wanted_last))
    elif not (last.startswith(wanted_last) if term.begins else last == wanted_last):
        return
    yield from_, to
