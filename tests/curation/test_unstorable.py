"""NUL and halves of surrogate pairs, at every door: each is a 400 with a clear sentence, and no row changes.

The doors are read off the description of the API and the list of addresses, so that a new one cannot be
forgotten. What comes from models is mended instead, since nobody can send it again.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.api.api import api
from curation.jobs import Status, begin, finish
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import GenerationRun, Rationale
from curation.reviews.queue.claims import next_item
from tests.curation.api.api_calls import no_brake, token
from tests.curation.api.api_operations import OPERATIONS, Operation
from tests.curation.api.test_api_rights import ids, place
from tests.curation.test_attacks import ADDRESSES, all_rows
from tests.curation.test_attacks import ids as page_ids
from tests.curation.test_attacks import question as question

__all__ = ["ids", "no_brake", "page_ids", "question"]  # fixtures

HALVES = ("\ud83d", "a\udc00b", "\0")
WORDS = ("surrogate", "NUL")
SCHEMA = api.get_openapi_schema(path_prefix="")


def texts(schema: dict[str, Any], way: tuple[str, ...] = (), depth: int = 0) -> Iterator[tuple]:
    """The ways to every text in a body: names of fields, "[]" for each item of a list, "{}" for each key."""
    if depth > 8:
        return
    if "$ref" in schema:
        part = SCHEMA["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        yield from texts(part, way, depth + 1)
    for several in ("anyOf", "allOf", "oneOf"):
        for one in schema.get(several, ()):
            yield from texts(one, way, depth + 1)
    for name, one in schema.get("properties", {}).items():
        yield from texts(one, (*way, name), depth + 1)
    if isinstance(schema.get("additionalProperties"), dict):
        yield (*way, "{}")
        yield from texts(schema["additionalProperties"], (*way, "x"), depth + 1)
    if schema.get("type") == "array":
        yield from texts(schema["items"], (*way, "[]"), depth + 1)
    if schema.get("type") == "string":
        yield way


def at(way: tuple[str, ...], text: str) -> Any:
    """A value with `text` at the end of the way."""
    if not way:
        return text
    first, *rest = way
    if first == "[]":
        return [at(tuple(rest), text)]
    if first == "{}":
        return {text: 1}
    return {first: at(tuple(rest), text)}


def bodies(operation: Operation) -> Iterator[dict[str, Any]]:
    described = SCHEMA["paths"][operation.path][operation.verb.lower()]
    kinds = described.get("requestBody", {}).get("content", {})
    schema = kinds.get("application/json", {}).get("schema")
    if schema is None:
        return
    for number, way in enumerate(sorted(set(texts(schema)))):
        yield at(way, HALVES[number % len(HALVES)])
    yield {HALVES[0]: 1}


def test_no_text_of_a_body_of_the_api_takes_one(ids: dict[str, Any], admin_user: User) -> None:
    headers = {"authorization": f"Bearer {token(admin_user)}"}
    before, sent = all_rows(), 0
    for operation in OPERATIONS:
        for body in bodies(operation):
            answer = Client().generic(
                operation.verb,
                place(operation, ids),
                json.dumps(body),
                content_type="application/json",
                headers=headers,
            )
            assert answer.status_code == 400, (operation.key, body, answer.content)
            assert any(word in answer.json()["detail"] for word in WORDS), (operation.key, body)
            sent += 1
    assert sent > 150
    after = all_rows()
    assert {k: v for k, v in after.items() if k != "api.ApiToken"} == {
        k: v for k, v in before.items() if k != "api.ApiToken"
    }


def form(text: str, *, name: str = "x") -> tuple[bytes, str]:
    """A form in a character set that can hold halves of pairs, which browsers never send."""

    def coded(one: str) -> bytes:
        return one.encode("utf-7", "surrogatepass")

    disposition = b'form-data; name="' + coded(name) + b'"'
    lines = [b"--x", b"Content-Disposition: " + disposition, b"", coded(text), b"--x--", b""]
    return b"\r\n".join(lines), "multipart/form-data; boundary=x; charset=utf-7"


def test_no_query_and_no_form_of_the_api_takes_one(ids: dict[str, Any], admin_user: User) -> None:
    headers = {"authorization": f"Bearer {token(admin_user)}"}
    for operation in OPERATIONS:
        if operation.verb == "GET":
            for query in ("?q=a%00b", "?a%00b=1", "?after=%00"):
                answer = Client().get(place(operation, ids) + query, headers=headers)
                assert answer.status_code == 400, (operation.key, answer.content)
                assert "NUL" in answer.json()["detail"]
    address = reverse("api:import_create", args=["eggs"])
    for sent, kind in (form("a\ud83d"), form("a\0b"), form("x", name="a\0b")):
        answer = Client().generic("POST", address, sent, content_type=kind, headers=headers)
        assert answer.status_code == 400, answer.content
        assert any(word in answer.json()["detail"] for word in WORDS)


def test_no_page_takes_one(page_ids: Any, admin_client: Client) -> None:
    before, refused = all_rows(), 0
    places = [page_ids.place(address) for address in ADDRESSES]
    places += [reverse(name) for name in ("home", "sign_in", "project_new", "tokens", "bench_keys")]
    for address in places:
        answers = [
            admin_client.get(address, {"q": "a\0b"}),
            admin_client.get(address, {"a\0b": "1"}),
            admin_client.post(address, {"x": "a\0b"}),
            *(
                admin_client.generic("POST", address, sent, content_type=kind)
                for sent, kind in (form("a\ud83d"), form("x", name="a\udc00"))
            ),
        ]
        for answer in answers:
            assert answer.status_code == 400, (address, answer.status_code)
            page = answer.content.decode()
            assert any(word in page for word in WORDS), address
            refused += 1
    assert refused > 300 and all_rows() == before


@pytest.mark.parametrize("sent", ['"\\ud83d"', '"a\\u0000b"', b'"\xed\xa0\xbd"', '{"again": NaN}'])
def test_no_json_of_the_bench_takes_one(
    sent: str | bytes, project: Project, question: Question, reviewer: User, reviewer_client: Client
) -> None:
    item = next_item(project, reviewer).item
    rationale = question.rationales.first()
    raw = sent if isinstance(sent, bytes) else sent.encode()
    start = f'{{"item": {item.pk}, "says": [{{"rationale": {rationale.pk}, "verdict": "approve", '
    whole = start.encode() + b'"comment": ' + raw + b"}]}"
    before = all_rows()
    names = ("submit", "skip", "undo", "renew", "ahead", "flag", "check")
    addresses = [reverse(f"review_{name}", args=["eggs"]) for name in names]
    for address in [*addresses, reverse("bench_keys")]:
        answer = reviewer_client.post(address, whole, content_type="application/json")
        assert answer.status_code == 400 and answer.json()["error"], address
    assert all_rows() == before


def test_a_cookie_with_one_is_nobodys_session(client: Client, project: Project) -> None:
    client.cookies["sessionid"] = "abcdefgh\0ijkl"
    answer = client.get(reverse("dashboard", args=["eggs"]))
    assert answer.status_code == 302 and answer.url.startswith("/sign-in/")
    raw = Client().get("/", headers={"cookie": 'sessionid="abcdefgh\\000ijkl"'})
    assert raw.status_code == 302


def test_what_a_worker_says_is_mended(project: Project) -> None:
    run = GenerationRun.objects.create(project=project, temperatures=[0.5], samples=1)
    work = begin(GenerationRun, run.pk)
    assert work is not None
    finish(work, Status.FAILED, error="it said \ud83d\0")
    run.refresh_from_db()
    assert run.error == "it said \ufffd\ufffd"
    assert not Rationale.objects.exists()
