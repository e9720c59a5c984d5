"""What bodies and addresses may hold, before any schema looks at them."""

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja import Schema
from ninja.parser import Parser
from pydantic import ConfigDict

from curation.errors import Invalid


class Body(Schema):
    """Base of all that is sent: fields that are not offered are refused, and no type is guessed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StrictParser(Parser):
    """JSON as its standard has it: no NaN, no key twice, and no NUL, which PostgreSQL cannot store."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            value = json.loads(
                request.body, parse_constant=_no_constant, object_pairs_hook=_no_key_twice
            )
        except (ValueError, RecursionError):
            raise Invalid("The body is not JSON.") from None
        if b"\\u0000" in request.body:
            _refuse_nul(value)
        return value


def _no_constant(name: str) -> NoReturn:
    raise Invalid(f"{name} is no number in JSON.")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Invalid("A key stands twice in the same object.")
    return made


def _refuse_nul(value: Any) -> None:
    if isinstance(value, str) and "\0" in value:
        raise Invalid("A text holds a NUL character, which cannot be stored.")
    if isinstance(value, dict):
        for key, one in value.items():
            _refuse_nul(key)
            _refuse_nul(one)
    elif isinstance(value, list):
        for one in value:
            _refuse_nul(one)
