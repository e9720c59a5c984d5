"""What is not an operation of the API: a 404 or a 405 as a problem, whoever asks and however."""

from typing import Any

import pytest
from django.test import Client

from curation.projects.models import Project, User
from tests.curation.api.api_calls import ROOT, no_brake, token
from tests.curation.api.api_operations import OPERATIONS
from tests.curation.api.test_api_rights import ids, place

__all__ = ["ids", "no_brake"]  # fixtures

VERBS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW")
ABSENT = [
    *("/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/projects", "/api/v1/nothing"),
    *("/api/v1/nothing/", "/api/v1/a%0Ab", "/api/v1/%00", "/api/v1/projects/eggs/questions/x"),
    *("/api/v1/projects/eggs/", "/api/v1/projects/eggs/datasets/1/download/../..", "/api//v1/me"),
]


class Callers:
    """The ways in which a request may come: with which client and which headers."""

    def __init__(self, user: User) -> None:
        stranger, browser = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
        browser.force_login(user)
        secret = token(user)
        self.ways: dict[str, tuple[Client, dict[str, str]]] = {
            "nobody": (stranger, {}),
            "a token": (stranger, {"authorization": f"Bearer {secret}"}),
            "a wrong token": (stranger, {"authorization": "Bearer cw_wrong"}),
            "a browser without a CSRF token": (browser, {}),
            "a browser with a wrong CSRF token": (browser, {"x-csrftoken": "x" * 64}),
            "a page of htmx": (browser, {"hx-request": "true"}),
        }


@pytest.mark.parametrize("address", ABSENT)
def test_an_unknown_address_is_a_404_problem(
    address: str, project: Project, admin_user: User
) -> None:
    for who, (client, headers) in Callers(admin_user).ways.items():
        for verb in VERBS:
            kind = "application/x-www-form-urlencoded" if verb == "POST" else "application/json"
            answer = client.generic(verb, address, "{}", content_type=kind, headers=headers)
            assert answer.status_code == 404, (who, verb)
            assert answer["Content-Type"] == "application/problem+json", (who, verb)
            if verb != "HEAD":
                assert answer.json()["status"] == 404 and answer.json()["detail"]


def test_a_verb_that_an_address_does_not_take_is_a_405_problem(
    ids: dict[str, Any], admin_user: User
) -> None:
    taken: dict[str, set[str]] = {f"{ROOT}/docs": {"GET"}, f"{ROOT}/openapi.json": {"GET"}}
    for one in OPERATIONS:
        taken.setdefault(place(one, ids), set()).add(one.verb)
    ways = Callers(admin_user).ways
    for who in ("nobody", "a token", "a browser without a CSRF token"):
        client, headers = ways[who]
        for address, verbs in taken.items():
            for verb in {*VERBS} - verbs - {"HEAD"}:
                answer = client.generic(
                    verb, address, "{}", content_type="application/json", headers=headers
                )
                assert answer.status_code == 405, (who, verb, address, answer.content[:200])
                assert answer["Content-Type"] == "application/problem+json", (who, verb, address)
                assert set(answer["Allow"].split(", ")) >= verbs


def test_what_django_refuses_before_the_api_is_a_problem_too(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["chainwright.example"]
    answer = Client().get(f"{ROOT}/me", headers={"host": "10.0.0.7"})
    assert answer.status_code == 400 and answer["Content-Type"] == "application/problem+json"


def test_a_form_without_its_csrf_token_says_so_on_a_page_of_ours(admin_user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    answer = client.post("/projects/new/", {"name": "x"})
    assert answer.status_code == 403 and "load the page again" in answer.content.decode()
