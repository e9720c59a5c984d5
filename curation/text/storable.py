"""Which texts can be stored, and JSON from outside.

PostgreSQL cannot store NUL, and half of a surrogate pair is no character: it can be encoded nowhere. Both
are refused where a request comes in (`curation.web.middleware.TextsMiddleware` for pages,
`curation.api.core.request_body` for the API), so nothing behind has to ask again; what models,
workers and other servers wrote is `mended`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from django.utils.datastructures import MultiValueDict

from curation.errors import Invalid

NUL = "A text holds a NUL character, which cannot be stored. Remove it and send again."
HALF = (
    "A text holds half of a surrogate pair (such as \\ud83d alone), which is no character. "
    "Remove it or send the whole character."
)
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def must_be_storable(value: Any) -> None:
    """Raises Invalid for a NUL, or half of a surrogate pair, in a text or in any text inside of dicts and
    lists."""
    if isinstance(value, str):
        found = UNSTORABLE.search(value)
        if found:
            raise Invalid(NUL if found[0] == "\0" else HALF)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            must_be_storable(key)
            must_be_storable(one)
    elif isinstance(value, list | tuple):
        for one in value:
            must_be_storable(one)


def form_must_be_storable(form: MultiValueDict[str, Any]) -> None:
    """The same for what a form or a query string sent, and for the names of its files."""
    for name, values in form.lists():
        must_be_storable(
            [name, *(value if isinstance(value, str) else value.name for value in values)]
        )


def mended(text: str) -> str:
    """The text with U+FFFD for every NUL and every half of a surrogate pair: for what comes from a model
    or another server, which nobody can send again."""
    return UNSTORABLE.sub("\ufffd", text)


def read_json(body: bytes) -> Any:
    """JSON as its standard has it: UTF-8, no NaN, no key twice, and no text that cannot be stored.

    Raises Invalid, without showing what was sent.
    """
    try:
        # Strictly: else json would take UTF-16 as well, and halves of surrogate pairs as bytes.
        text = body.decode("utf-8")
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_key_twice)
    except (ValueError, RecursionError):
        raise Invalid("The body is not JSON.") from None
    if "\\u" in text:  # by an escape only: plain UTF-8 in JSON holds neither
        must_be_storable(value)
    return value


def _no_constant(name: str) -> NoReturn:
    raise Invalid(f"{name} is not a number in JSON.")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Invalid("A key appears twice in the same object.")
    return made
