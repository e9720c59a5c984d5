"""The page on which a person makes and revokes tokens, and the API's documentation."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from curation.api.core.tokens import digest, find, make_token
from curation.api.models import ApiToken
from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User

NEW = {"name": "nightly", "scope": "review", "days": "30", "project": ""}
SECRET = re.compile(r"cw_[\w-]{43}")


def made(client: Client, **changes: str) -> str:
    answer = client.post(reverse("tokens"), {**NEW, **changes})
    assert answer.status_code == 201, answer.content
    (secret,) = set(SECRET.findall(answer.content.decode()))
    assert "no-store" in answer["Cache-Control"]
    return secret


def test_a_token_is_shown_once_and_stored_as_its_hash(
    reviewer: User, reviewer_client: Client
) -> None:  # A8
    secret = made(reviewer_client)
    (row,) = ApiToken.objects.values()
    assert secret not in str(row) and row["sha256"] == digest(secret)
    page = reviewer_client.get(reverse("tokens")).content.decode()
    assert secret not in page and row["hint"] in page and "nightly" in page
    assert find(secret).user == reviewer


def test_a_token_has_an_end_and_a_scope_from_the_list(reviewer_client: Client) -> None:
    for wrong in ({"days": "0"}, {"days": "4000"}, {"scope": "root"}, {"name": " "}):
        assert reviewer_client.post(reverse("tokens"), {**NEW, **wrong}).status_code == 400
    assert not ApiToken.objects.exists()


def test_a_token_is_not_made_for_a_project_of_others(
    stranger: User, project: Project, stranger_client: Client
) -> None:
    answer = stranger_client.post(reverse("tokens"), {**NEW, "project": str(project.pk)})
    assert answer.status_code == 400 and not ApiToken.objects.exists()
    with pytest.raises(Invalid, match="not a member"):
        make_token(stranger, "x", scope="read", days=1, project=project)


def test_a_form_sent_twice_makes_one_token(reviewer_client: Client) -> None:
    made(reviewer_client)
    again = reviewer_client.post(reverse("tokens"), NEW)
    assert again.status_code == 400 and "already" in again.content.decode()
    assert ApiToken.objects.count() == 1


def test_a_revoked_token_lets_nobody_in_and_frees_its_name(reviewer_client: Client) -> None:
    secret = made(reviewer_client)
    token = ApiToken.objects.get()
    answer = reviewer_client.post(reverse("token_revoke", args=[token.pk]))
    assert answer.status_code == 302 and find(secret) is None
    assert made(reviewer_client) != secret
    assert reviewer_client.post(reverse("token_revoke", args=[token.pk])).status_code == 409


def test_nobody_revokes_or_sees_anothers_token(
    reviewer_client: Client, stranger_client: Client
) -> None:
    secret = made(reviewer_client)
    pk = ApiToken.objects.get().pk
    assert stranger_client.post(reverse("token_revoke", args=[pk])).status_code == 409
    assert secret[:7] not in stranger_client.get(reverse("tokens")).content.decode()
    assert find(secret) is not None


def test_the_page_needs_a_sign_in(client: Client) -> None:
    assert client.get(reverse("tokens")).url.startswith("/sign-in/")
    assert client.post(reverse("tokens"), NEW).url.startswith("/sign-in/")


def test_the_page_asks_the_data_base_a_bounded_number_of_times(
    reviewer: User, reviewer_client: Client, django_assert_max_num_queries: object
) -> None:
    for n in range(20):
        make_token(reviewer, f"token {n}", scope="read", days=1)
    with django_assert_max_num_queries(6):
        assert reviewer_client.get(reverse("tokens")).status_code == 200


def test_a_person_has_not_any_number_of_tokens(reviewer: User) -> None:
    with pytest.raises(Conflict, match="revoke one"):
        for n in range(60):
            make_token(reviewer, f"token {n}", scope="read", days=1)


@pytest.mark.parametrize("signed_in", [False, True])
def test_the_documentation_stands_under_the_strict_policy(
    signed_in: bool, client: Client, reviewer: User
) -> None:
    if signed_in:
        client.force_login(reviewer)
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "script-src 'self';" in page["Content-Security-Policy"] + ";"
    text = page.content.decode()
    assert "//cdn" not in text and "style=" not in text
    scripts = re.findall(r"<script(?![^>]*src=)[^>]*>", text)
    assert all('type="application/json"' in one for one in scripts)
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', text):
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize("address", ["/api/v1/nothing", "/api/v1/", "/api/v1/projects/x/y"])
def test_an_address_that_is_none_is_a_problem_not_a_page(address: str, client: Client) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_a_verb_that_an_address_does_not_know_is_told(client: Client) -> None:
    answer = client.post("/api/v1/me")
    assert answer.status_code == 405 and answer["Allow"] == "GET"
    assert answer.json()["title"] == "Method Not Allowed"


def test_the_description_names_every_error_of_the_lists(client: Client) -> None:
    description = client.get("/api/v1/openapi.json").json()
    assert description["info"]["title"] == "Chainwright"
    assert description["components"]["securitySchemes"]["Access"]["scheme"] == "bearer"
    names = [op["operationId"] for path in description["paths"].values() for op in path.values()]
    assert len(names) == len(set(names))
