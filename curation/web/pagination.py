"""What lists share: filters from an allow-list and pages by key.

Whatever an address asks beyond the allowed names and values is refused with 400, so no filter can
walk along relations to columns that the page does not show.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, Q, QuerySet
from django.http import QueryDict

from curation.errors import Invalid

MAX_ID = 2**63 - 1
MAX_SEARCH = 200


def only(params: QueryDict, names: Collection[str]) -> dict[str, str]:
    """The parameters that were given, without empty ones. Raises Invalid for a name not in `names`."""
    unknown = sorted(set(params) - set(names))
    if unknown:
        raise Invalid(f"This list has no filter {unknown[0]!r}: it has {', '.join(sorted(names))}.")
    given = {name: params[name].strip() for name in params}
    for name, value in given.items():
        if len(value) > MAX_SEARCH:
            raise Invalid(f"{name} is too long: a filter has at most {MAX_SEARCH} characters.")
    return {name: value for name, value in given.items() if value}


def one_of(name: str, value: str, allowed: Collection[str]) -> str:
    if value not in allowed:
        raise Invalid(f"{name}={value!r} is not one of {', '.join(allowed)}.")
    return value


def number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value) <= MAX_ID):
        raise Invalid(f"{name} must be a whole number.")
    return int(value)


@dataclass(frozen=True)
class Page:
    """Rows of one page; `query` asks for the next one, "" on the last; `first` for the first one."""

    rows: Sequence[Any]
    query: str
    is_first: bool
    first: str


@dataclass(frozen=True)
class Order:
    """By the number `by` (a column, or one along relations), then by the key; by the key alone where
    `by` is empty. `pk`: where the key stands in the index that has this order."""

    by: str = ""
    pk: str = "pk"
    descending: bool = False

    def columns(self) -> list[str]:
        sign = "-" if self.descending else ""
        return [f"{sign}{name}" for name in (self.by, self.pk) if name]

    def beyond(self, after: str) -> Q:
        """The condition that a row comes after the place `after`, which `place` made."""
        than = "lt" if self.descending else "gt"
        if not self.by:
            return Q(**{f"{self.pk}__{than}": number("after", after)})
        value, _, key = after.partition("_")
        try:
            at = float(value)
        except ValueError:
            at = math.nan
        if not math.isfinite(at):
            raise Invalid("after is no place in this list: begin at its first page.")
        same = Q(**{self.by: at, f"{self.pk}__{than}": number("after", key)})
        # The first half alone says nothing new; it lets a database enter its index at the place.
        return Q(**{f"{self.by}__{than}e": at}) & (Q(**{f"{self.by}__{than}": at}) | same)

    def place(self, row: Any) -> str:
        return f"{row.order_value!r}_{row.pk}" if self.by else str(row.pk)


def page_of(
    rows: QuerySet[Any],
    filters: dict[str, str],
    size: int,
    *,
    newest_first: bool = False,
    order: Order | None = None,
) -> Page:
    """A page by key: the rows after the place `after` of the filters, so a late page costs what the
    first does. `order`: by default by id."""
    order = order or Order(descending=newest_first)
    after = filters.get("after")
    if after:
        rows = rows.filter(order.beyond(after))
    if order.by:
        rows = rows.annotate(order_value=F(order.by))
    found = list(rows.order_by(*order.columns())[: size + 1])
    kept = {name: value for name, value in filters.items() if name != "after"}
    query = ""
    if len(found) > size:
        found = found[:size]
        query = urlencode({**kept, "after": order.place(found[-1])})
    return Page(found, query, not after, urlencode(kept))
