"""What lists share: filters from an allow-list, pages by key, and how the documentation tells of them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Schema

from curation.api.core.schemas import one_board
from curation.errors import Invalid
from curation.web.pagination import Page, number, only, page_of

T = TypeVar("T")
SIZE, MAX_SIZE = 50, 200


class PageOf(Schema, Generic[T]):
    """`next` is the address of the next page, null on the last one."""

    items: list[T]
    next: str | None


def filters(**described: str | Collection[str]) -> dict[str, Any]:
    """`openapi_extra` of a list: its filters by name, with their values or a sentence."""
    described = {
        **described,
        "after": "The id that the page begins after; follow `next` instead of counting.",
        "limit": f"So many rows, at most {MAX_SIZE}; {SIZE} without it.",
    }
    return {"parameters": [_parameter(name, values) for name, values in described.items()]}


def _parameter(name: str, values: str | Collection[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    more = {"description": values} if isinstance(values, str) else {}
    if isinstance(values, Mapping):
        more = {"description": "; ".join(f"{key}: {words}" for key, words in values.items())}
    if not isinstance(values, str):
        schema["enum"] = list(values)
    return {"in": "query", "name": name, "required": False, "schema": schema, **more}


def asked(request: HttpRequest, names: Collection[str] = ()) -> dict[str, str]:
    """The filters of the address. Raises Invalid for a name that the list does not have."""
    return only(request.GET, {*names, "after", "limit"})


def size_of(given: dict[str, str]) -> int:
    size = number("limit", given["limit"]) if "limit" in given else SIZE
    if not 1 <= size <= MAX_SIZE:
        raise Invalid(f"limit lies between 1 and {MAX_SIZE}.")
    return size


def paged(
    request: HttpRequest,
    rows: QuerySet[Any],
    given: dict[str, str],
    out: Callable[[Any], Any],
    *,
    newest_first: bool = False,
) -> dict[str, Any]:
    """A page of `rows` by id; `out` says how a row is shown."""
    page = page_of(rows, given, size_of(given), newest_first=newest_first)
    return shown(request, page, out)


def shown(request: HttpRequest, page: Page, out: Callable[[Any], Any]) -> dict[str, Any]:
    with one_board():
        items = [out(row) for row in page.rows]
    following = f"{request.path}?{page.query}" if page.query else None
    return {"items": items, "next": following}
