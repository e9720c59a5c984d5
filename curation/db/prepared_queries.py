"""Querysets whose SQL is built once: what the bench asks for at every question.

Django builds the SQL of a queryset anew each time, which takes it several times as long as the database
needs to answer a question by a key. A `Prepared` is written as a queryset, with `Param("name")` where a
value is known only when it runs, and is built once for each connection. On PostgreSQL it runs as a
statement that the server has prepared, too.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

from django.db import connection, models
from django.db.models import QuerySet
from django.db.models.constants import OnConflict
from django.db.models.expressions import Expression
from django.db.models.query import ModelIterable, get_related_populators
from django.db.models.sql import InsertQuery, UpdateQuery

Row = tuple[Any, ...]


class Param(Expression):
    """The value `name` of the run: an int, a str, a datetime or None (which equals nothing)."""

    def __init__(self, name: str) -> None:
        super().__init__(output_field=models.Field())
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return "%s", [self]


class _Statement:
    """SQL with its parameters, some of them `Param`."""

    def __init__(self, sql: str, params: Sequence[Any]) -> None:
        self.sql = sql
        self.params = params
        self.is_given = any(isinstance(one, Param) for one in params)

    def execute(self, values: dict[str, Any]) -> Any:
        """The cursor after it."""
        bound = [_adapted(values[p.name]) if isinstance(p, Param) else p for p in self.params]
        cursor = _cursor()
        cursor.execute(self.sql, bound)
        return cursor


def _adapted(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


def _cursor() -> Any:
    """A cursor of Django's; on PostgreSQL one that hands the values over beside the SQL, without which
    nothing can be prepared there (Django's own default writes them into it)."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return connection._prepare_cursor(_preparing()(connection.connection))


@cache
def _preparing() -> type:
    """The cursor for PostgreSQL, whose driver need not be there elsewhere."""
    from django.db.backends.postgresql.base import ServerBindingCursor

    class PreparingCursor(ServerBindingCursor):
        def execute(self, query: str, params: Any = None, **options: Any) -> Any:
            done = super().execute(query, params, **options)
            # psycopg drops the words once they are prepared; Django's log of queries reads them.
            if self._query is None:
                self._query = SimpleNamespace(query=query.encode(), params=params)
            return done

    return PreparingCursor


class _Built:
    """What `build` makes, compiled for one connection. Kept on that connection, since the converters of
    what comes back belong to it."""

    def _of_connection(self) -> Any:
        built = connection.__dict__.setdefault("prepared", {})
        if self not in built:
            built[self] = self._compile()
        return built[self]


class Prepared(_Built):
    """A queryset of objects (with select_related where wanted) or of values_list.

    `build` gets no argument and is called once for each connection.
    """

    def __init__(self, build: Callable[[], QuerySet]) -> None:
        self.build = build

    def _compile(self) -> tuple[_Statement, Callable[[Any], Iterator[Any]]]:
        queryset = self.build()
        compiler = queryset.query.get_compiler(connection=connection)
        statement = _Statement(*compiler.as_sql())
        fields = [one[0] for one in compiler.select[: compiler.col_count]]
        converters = compiler.get_converters(fields)
        are_objects = issubclass(queryset._iterable_class, ModelIterable)
        maker = _objects(compiler) if are_objects else _rows

        def made(rows: list[Row]) -> Iterator[Any]:
            return maker(compiler.apply_converters(rows, converters) if converters else rows)

        return statement, made

    def all(self, **values: Any) -> list[Any]:
        """Objects, or tuples where the queryset is one of values."""
        statement, made = self._of_connection()
        with statement.execute(values) as cursor:
            return list(made(cursor.fetchall()))

    def first(self, **values: Any) -> Any:
        """The first of `all`, None where there is none. Limit the queryset where there may be many."""
        return next(iter(self.all(**values)), None)


class PreparedUpdate(_Built):
    """An UPDATE of what a queryset holds: `build` gives (queryset, {field: value or Given})."""

    def __init__(self, build: Callable[[], tuple[QuerySet, dict[str, Any]]]) -> None:
        self.build = build

    def _compile(self) -> _Statement:
        queryset, values = self.build()
        query = queryset.query.chain(UpdateQuery)
        query.add_update_values(values)
        return _Statement(*query.get_compiler(connection=connection).as_sql())

    def run(self, **values: Any) -> int:
        """How many rows were changed."""
        with self._of_connection().execute(values) as cursor:
            return cursor.rowcount


class PreparedInsert(_Built):
    """INSERT of so many rows of a model at once. With `unique`, the name of a unique field, a row that
    stands under its value gets the new row's `updates` instead."""

    def __init__(
        self, model: type[models.Model], unique: str = "", updates: Sequence[str] = ()
    ) -> None:
        self.model = model
        self.unique = unique
        self.updates = updates

    def _compile(self) -> dict[int, tuple[_Statement, bool]]:
        return {}  # by the number of rows

    def _fields(self) -> list[models.Field]:
        """All but a key that the database chooses."""
        options = self.model._meta
        return [one for one in options.concrete_fields if one is not options.auto_field]

    def _statement(self, count: int) -> tuple[_Statement, bool]:
        options, fields = self.model._meta, self._fields()
        conflict: dict[str, Any] = {}
        if self.unique:
            conflict["on_conflict"] = OnConflict.UPDATE
            conflict["unique_fields"] = [options.get_field(self.unique)]
            conflict["update_fields"] = [options.get_field(name) for name in self.updates]
        query = InsertQuery(self.model, **conflict)
        blanks = [
            SimpleNamespace(**{one.attname: Param(f"{one.attname} {n}") for one in fields})
            for n in range(count)
        ]
        query.insert_values(fields, blanks, raw=True)
        compiler = query.get_compiler(connection=connection)
        returns = not self.unique
        compiler.returning_fields = options.db_returning_fields if returns else None
        ((sql, params),) = compiler.as_sql()
        return _Statement(sql, params), returns

    def run(self, rows: Sequence[models.Model]) -> None:
        """Store the rows, which get their keys where there can be no conflict. As bulk_create, it calls
        no save(); unlike it, it opens no transaction."""
        if not rows:
            return
        built = self._of_connection()
        if len(rows) not in built:
            built[len(rows)] = self._statement(len(rows))
        statement, returns = built[len(rows)]
        fields = self._fields()
        values = {
            f"{one.attname} {n}": one.get_db_prep_save(getattr(row, one.attname), connection)
            for n, row in enumerate(rows)
            for one in fields
        }
        with statement.execute(values) as cursor:
            if returns:
                for row, (key,) in zip(rows, cursor.fetchall(), strict=True):
                    row.pk = key
                    row._state.adding, row._state.db = False, connection.alias


def run_sql(sql: str, **values: Any) -> Row | None:
    """The first row that a statement answers with: one that is written out, with `%(name)s`."""
    adapted = {name: _adapted(value) for name, value in values.items()}
    with _cursor() as cursor:
        cursor.execute(sql, adapted)
        return cursor.fetchone()


def _rows(rows: Any) -> Iterator[Row]:
    return map(tuple, rows)


def _objects(compiler: Any) -> Callable[[Any], Iterator[Any]]:
    """As Django's ModelIterable makes them."""
    fields = compiler.klass_info["select_fields"]
    first, last = fields[0], fields[-1] + 1
    names = [one[0].target.attname for one in compiler.select[first:last]]
    model = compiler.klass_info["model"]
    alias = connection.alias
    populators = get_related_populators(compiler.klass_info, compiler.select, alias)

    def made(rows: Any) -> Iterator[Any]:
        for row in rows:
            one = model.from_db(alias, names, row[first:last])
            for populator in populators:
                populator.populate(row, one)
            yield one

    return made
