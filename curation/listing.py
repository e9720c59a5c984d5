"""What lists share: filters from an allow-list and pages by key.

Whatever an address asks beyond the allowed names and values is refused with 400, so no filter can
walk along relations to columns that the page does not show.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
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
        if "\0" in value or len(value) > MAX_SEARCH:
            raise Invalid(f"{name} is too long or holds a character that cannot be searched for.")
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


def page_of(
    rows: QuerySet[Any], filters: dict[str, str], size: int, *, newest_first: bool = False
) -> Page:
    """A page by key: the rows after the id `after` of the filters, so a late page costs what the first
    does."""
    after = filters.get("after")
    if after:
        place = number("after", after)
        rows = rows.filter(pk__lt=place) if newest_first else rows.filter(pk__gt=place)
    found = list(rows.order_by("-id" if newest_first else "id")[: size + 1])
    kept = {name: value for name, value in filters.items() if name != "after"}
    query = ""
    if len(found) > size:
        found = found[:size]
        query = urlencode({**kept, "after": found[-1].pk})
    return Page(found, query, not after, urlencode(kept))
