"""Every operation of the API with bodies, numbers and filters that nobody in their right mind sends: it
answers with what it wants or with a problem in words, never with an error of its own."""

import json
import os
from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import connection, transaction
from django.test import Client

from curation.api.api import api
from curation.projects.models import User
from tests.curation.api.api_calls import ROOT, no_brake, token
from tests.curation.api.api_operations import OPERATIONS, Operation
from tests.curation.api.test_api_rights import ids

__all__ = ["ids", "no_brake"]  # fixtures

TRIES = 6 * int(os.environ.get("AT_RANDOM_EFFORT", "1"))
TEXTS = (
    *(
        "",
        " ",
        "x",
        "\0",
        "a\0b",
        "\ud800",
        "é",
        "１２",
        "²",
        "٣",
        "\u202e",
        "👩‍👩‍👧",
        "x" * 5000,
        "true",
    ),
    *("null", "NaN", "-1", "0", "1e309", "9" * 400, "../../etc/passwd", "%00", "%", "'; --", "{}"),
    *("2026-02-30", "0001-01-01", "9999-12-31T23:59:59Z", "https://[::1", "http://a:99999/", "\n"),
)
NUMBERS = (0, 1, -1, 2, 2**31, 2**31 - 1, 2**63, 2**63 - 1, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308)
ANYTHING = (None, True, False, [], {}, [[]], [None], {"": None}, [[[[[[[[[[1]]]]]]]]]])


def anything(draw: Random) -> Any:
    return draw.choice([*TEXTS, *NUMBERS, *ANYTHING])


def value(schema: dict[str, Any], draw: Random, parts: dict[str, Any], depth: int = 0) -> Any:
    """Something like what the schema describes; now and then anything else."""
    if draw.random() < 0.08 or depth > 6:
        return anything(draw)
    if "$ref" in schema:
        return value(parts[schema["$ref"].rsplit("/", 1)[1]], draw, parts, depth + 1)
    for several in ("anyOf", "allOf", "oneOf"):
        if several in schema:
            return value(draw.choice(schema[several]), draw, parts, depth + 1)
    if "enum" in schema:
        return draw.choice(schema["enum"])
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        made = {
            name: value(one, draw, parts, depth + 1)
            for name, one in schema.get("properties", {}).items()
            if name in schema.get("required", ()) or draw.random() < 0.5
        }
        if draw.random() < 0.1 or not schema.get("properties"):
            made[draw.choice(TEXTS)] = anything(draw)
        return made
    if kind == "array":
        return [
            value(schema["items"], draw, parts, depth + 1) for _ in range(draw.choice((0, 1, 1, 3)))
        ]
    plain = {
        "integer": lambda: draw.choice((1, 2, 3, 5, *NUMBERS)),
        "number": lambda: draw.choice((0.5, 0.9, *NUMBERS)),
        "boolean": lambda: draw.random() < 0.5,
        "null": lambda: None,
        "string": lambda: draw.choice(("approve", "reject", "train", "eggs", "wrong_step", *TEXTS)),
    }
    return plain.get(kind, lambda: anything(draw))()


def address(operation: Operation, told: dict[str, Any], ids: dict[str, Any], draw: Random) -> str:
    """The operation's place, mostly with real objects, and some of its filters."""
    given = {
        name: pk if draw.random() < 0.85 else draw.choice((*NUMBERS[:8], *TEXTS[1:]))
        for name, pk in ids.items()
    }
    parts = {
        name: quote(str(one).encode("utf-8", "replace"), safe="") for name, one in given.items()
    }
    asked = [one for one in told.get("parameters", ()) if one["in"] == "query"]
    query = {one["name"]: value(one["schema"], draw, {}) for one in asked if draw.random() < 0.4}
    if draw.random() < 0.05:
        query[draw.choice(TEXTS)] = anything(draw)
    line = urlencode({str(k): str(v) for k, v in query.items()}, errors="replace")
    return ROOT + operation.path.format(slug="eggs", **parts) + (f"?{line}" if line else "")


def body(told: dict[str, Any], draw: Random, parts: dict[str, Any]) -> tuple[str, bytes]:
    """(content type, bytes)"""
    kinds = told.get("requestBody", {}).get("content", {})
    schema = kinds.get("application/json", {}).get("schema")
    chance = draw.random()
    if chance < 0.04:
        return "application/json", draw.randbytes(30)
    if chance < 0.06:
        return "application/json", b"[" * 100_000
    if schema is None:
        if "multipart/form-data" in kinds and chance < 0.8:
            return "multipart/form-data; boundary=x", _form(
                kinds["multipart/form-data"], draw, parts
            )
        return "application/json", b"" if chance < 0.8 else b"null"
    made = value(schema, draw, parts)
    return "application/json", json.dumps(made, ensure_ascii=draw.random() < 0.5).encode(
        "utf-8", "surrogatepass"
    )


def _form(kind: dict[str, Any], draw: Random, parts: dict[str, Any]) -> bytes:
    lines = b""
    for name in kind["schema"].get("properties", ()):
        file = '; filename="a.jsonl"' if name == "file" else ""
        text = json.dumps({"question": "1 + 1?", "answer": anything(draw)}) if file else "train"
        lines += f'--x\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
        lines += (text if draw.random() < 0.7 else str(anything(draw))).encode("utf-8", "replace")
        lines += b"\r\n"
    return lines + (b"--x--\r\n" if draw.random() < 0.9 else b"")


@pytest.fixture
def rolled_back() -> Callable[[Callable[[], Any]], Any]:
    """What a call changed is gone after it, so that each meets the same project."""

    def run(call: Callable[[], Any]) -> Any:
        with transaction.atomic():
            try:
                return call()
            finally:
                transaction.set_rollback(True)

    return run


def fuzzed(draw: Random, ids: dict[str, Any]) -> Iterator[tuple[Operation, str, str, bytes]]:
    schema = api.get_openapi_schema(path_prefix="")
    parts = schema["components"]["schemas"]
    for operation in OPERATIONS:
        told = schema["paths"][operation.path][operation.verb.lower()]
        for _ in range(TRIES):
            yield operation, address(operation, told, ids, draw), *body(told, draw, parts)


def test_nothing_that_is_sent_is_an_error_of_the_server(
    ids: dict[str, Any],
    admin_user: User,
    rolled_back: Callable[[Callable[[], Any]], Any],
    seed: int,
) -> None:
    headers = {"authorization": f"Bearer {token(admin_user)}"}
    client = Client(raise_request_exception=False)
    wrong, answered = [], 0
    for operation, place, kind, sent in fuzzed(Random(seed), ids):

        def call(
            verb: str = operation.verb, place: str = place, kind: str = kind, sent: bytes = sent
        ) -> Any:
            return client.generic(verb, place, sent, content_type=kind, headers=headers)

        answer = rolled_back(call)
        answered += answer.status_code < 300
        told = answer.headers.get("Content-Type", "")
        if answer.status_code >= 500 or (answer.status_code >= 400 and "problem+json" not in told):
            error = getattr(answer, "exc_info", None)
            wrong.append(
                f"{operation.key} {place[:200]} {sent[:300]!r}: {answer.status_code} {error and error[1]!r}"
            )
    assert not wrong, "\n".join([f"{len(wrong)} of them", *wrong[:12]])
    # Not all of it was refused at the door.
    assert answered > len(OPERATIONS) // 2 and connection.is_usable()
