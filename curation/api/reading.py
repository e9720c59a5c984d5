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

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class StrictParser(Parser):
    """JSON as its standard has it: no NaN, no key twice; and no text that a data base cannot store."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            # Strictly: else json would take UTF-16 as well, and halves of surrogate pairs.
            text = request.body.decode("utf-8")
            value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_key_twice)
        except (ValueError, RecursionError):
            raise Invalid("The body is not JSON.") from None
        if "\\u" in text:  # plain UTF-8 in JSON holds neither
            _must_be_storable(value)
        return value


def _no_constant(name: str) -> NoReturn:
    raise Invalid(f"{name} is no number in JSON.")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Invalid("A key stands twice in the same object.")
    return made


def _must_be_storable(value: Any) -> None:
    """Raises Invalid for a NUL, or half of a surrogate pair, in any text."""
    if isinstance(value, str):
        if "\0" in value:
            raise Invalid("A text holds a NUL character, which cannot be stored.")
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            raise Invalid("A text holds half of a surrogate pair, which is no character.")
    elif isinstance(value, dict):
        for key, one in value.items():
            _must_be_storable(key)
            _must_be_storable(one)
    elif isinstance(value, list):
        for one in value:
            _must_be_storable(one)
