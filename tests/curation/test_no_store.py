"""No answer that is made for somebody is kept by a browser or a proxy; static files are."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.projects.models import User
from tests.curation.api.api_calls import no_brake, token
from tests.curation.api.api_operations import OPERATIONS
from tests.curation.api.test_api_rights import ids, place
from tests.curation.test_attacks import ADDRESSES
from tests.curation.test_attacks import ids as page_ids
from tests.curation.test_attacks import question as question

__all__ = ["ids", "no_brake", "page_ids", "question"]  # fixtures
KEPT = "private, no-store"


def test_no_page_no_fragment_no_download_and_no_error_is_kept(
    page_ids: Any, admin_client: Client, client: Client
) -> None:
    admin_client.raise_request_exception = False  # some rows of this test have no files
    statuses = set()
    for address in ADDRESSES:
        for how in ({}, {"headers": {"hx-request": "true"}}):
            answer = admin_client.get(page_ids.place(address), **how)
            assert answer["Cache-Control"] == KEPT, address.name
            statuses.add(answer.status_code)
    assert {200, 404, 405} <= statuses, statuses
    for name in ("home", "sign_in", "tokens"):
        assert admin_client.get(reverse(name))["Cache-Control"] == KEPT
        assert client.get(reverse(name))["Cache-Control"] == KEPT


def test_no_answer_of_the_api_is_kept(ids: dict[str, Any], admin_user: User) -> None:
    headers = {"authorization": f"Bearer {token(admin_user)}"}
    client = Client(raise_request_exception=False)
    for operation in OPERATIONS:
        if operation.verb == "GET":
            for how in ({"headers": headers}, {}):
                answer = client.get(place(operation, ids), **how)
                assert answer["Cache-Control"] == KEPT, operation.key


@pytest.mark.parametrize("path", ["base.css", "base.js", "ninja/swagger-ui.css"])
def test_static_files_keep_theirs(path: str, admin_client: Client) -> None:
    answer = admin_client.get(f"/static/{path}")
    assert answer.status_code == 200 and "max-age=3600" in answer["Cache-Control"]
