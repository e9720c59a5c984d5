"""Who may call what: every operation of the API against every kind of caller, read off the OpenAPI.

An operation that is not in the table of api_operations.py fails the first test, so a new one cannot be
forgotten.
A1 to A3, A5, A8 of the project's list of attacks.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from curation import celery_app
from curation.api.api import api
from curation.api.core.tokens import make_token, revoke
from curation.api.models import ApiToken
from curation.datasets.models import GateRun
from curation.evaluations.models import Evaluation
from curation.projects.models import Project, User
from curation.projects.saved_views import save_view
from curation.projects.services import add_member, remove_member
from curation.questions.correcting.changing import change_question
from curation.questions.models import Deletion, QuestionImport
from curation.rationales.models import GenerationRun, Teacher
from curation.rationales.scoring.text_checks import order_check
from curation.rationales.semantic_search.searches import order_search
from curation.reviews.adjudication.adjudicate import flag_question
from curation.reviews.models import BulkAction
from curation.web import rate_limit
from curation.webhooks.services import add_hook, send_test
from tests.conftest import person
from tests.curation.api.api_calls import ROOT, no_brake, token
from tests.curation.api.api_operations import (
    BELOW,
    NEEDS,
    NUMBERED,
    OPERATIONS,
    Operation,
    operations,
)
from tests.curation.test_attacks import all_rows
from tests.curation.training.training_rows import frozen, report, training

Make = Callable[..., list[Any]]
__all__ = ["no_brake"]  # a fixture for every test of this file


@pytest.fixture
def ids(
    project: Project,
    admin_user: User,
    reviewer: User,
    teacher: Teacher,
    make_questions: Make,
    make_rationales: Make,
) -> dict[str, Any]:
    """For each placeholder of an address: a real object of “eggs”."""
    (question,) = make_questions(1)
    rationales = make_rationales(question, ["right", "wrong"])
    version = frozen(project)
    job = training(project, version, points=1)
    found = report(f"training {job.pk} (approved)")
    evaluation = Evaluation.objects.create(
        project=project, job=job, status="done", report=found, verdict=found["verdict"]
    )
    order = QuestionImport.objects.create(project=project, file_name="rows.jsonl", status="done")
    run = GenerationRun.objects.create(project=project, temperatures=[0.5], samples=1)
    action = BulkAction.objects.create(project=project, kind="approve", filters={}, until=1)
    hook = add_hook(project, reviewer, "https://example.org/told")
    view = save_view(project, reviewer, "rationales", "wrong ones", {"answer": "wrong"}, True)
    return {
        "action": "approve",
        "view_id": view.pk,
        "seat_id": question.queue_item.seats.get().pk,
        "hook_id": hook.pk,
        "action_id": action.pk,
        "deletion_id": Deletion.objects.create(project=project, kind="questions", until=1).pk,
        "deleted": "elsewhere",
        "search_id": order_search(project, admin_user, text="eggs").pk,
        "check_id": order_check(project, admin_user, question, "It is 3.").pk,
        "delivery_id": send_test(hook).pk,
        "username": reviewer.username,
        "question_id": question.pk,
        "change_id": change_question(project, admin_user, question.pk, {"domain": "late"}).pk,
        "rationale_id": rationales[0].pk,
        "import_id": order.pk,
        "teacher_id": teacher.pk,
        "run_id": run.pk,
        "dataset": version.number,
        "look_id": GateRun.objects.create(project=project, recipe={}, status="done").pk,
        "form": "jsonl",
        "training_id": job.pk,
        "evaluation_id": evaluation.pk,
        "item_id": question.queue_item.pk,
        "flag_id": flag_question(project, reviewer, question, "ambiguous").pk,
    }


def place(operation: Operation, ids: dict[str, Any], slug: str = "eggs") -> str:
    return ROOT + operation.path.format(slug=slug, **ids)


def call(
    operation: Operation, address: str, secret: str | None, client: Client | None = None
) -> Any:
    body = operation.need.body
    headers = {} if secret is None else {"authorization": f"Bearer {secret}"}
    return (client or Client()).generic(
        operation.verb,
        address,
        "" if body is None else json.dumps(body),
        content_type="application/json",
        headers=headers,
    )


def rows() -> dict[str, list[Any]]:
    found = all_rows()
    found.pop("api.ApiToken")  # a use is noted
    return found


def test_every_operation_stands_in_the_table_of_rights() -> None:
    assert sorted(one.key for one in operations()) == sorted(NEEDS)


def test_the_description_says_what_each_operation_needs() -> None:
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    for operation in OPERATIONS:
        told = paths[operation.path][operation.verb.lower()]
        said, need = told["description"], operation.need
        assert said.count("Needs the scope") == 1 and f"`{need.scope}`" in said, operation.key
        assert said.endswith("an admin of the project.") == need.admin, operation.key
        assert told["responses"]["default"]["content"].keys() == {"application/problem+json"}


@pytest.fixture
def nothing_changes(
    project: Project, wake_ups: Callable[[str], int]
) -> Iterator[Callable[[], None]]:
    """Called once all is set up; at the end, no row differs and no worker was woken."""
    kept: list[Any] = []

    def state() -> Any:
        return rows(), [wake_ups(name) for name in celery_app.QUEUES]

    yield lambda: kept.append(state())
    assert kept and state() == kept[0]


@pytest.mark.parametrize(
    "secret", [None, "", "cw_garbage", "x" * 5000, "cw_\N{SNOWMAN}"], ids=lambda s: repr(s)[:12]
)
def test_nobody_comes_in_without_a_token_in_force(
    secret: str | None, ids: dict[str, Any], nothing_changes: Callable[[], None], settings: Any
) -> None:
    nothing_changes()
    for operation in OPERATIONS:
        answer = call(operation, place(operation, ids), secret)
        assert answer.status_code == 401, operation.key
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("ended", ["revoked", "expired", "switched off"])
def test_a_token_that_ended_opens_nothing(
    ended: str, ids: dict[str, Any], admin_user: User, nothing_changes: Callable[[], None]
) -> None:
    made, secret = make_token(admin_user, "old", scope="admin", days=1)
    if ended == "revoked":
        revoke(admin_user, made.pk)
    elif ended == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        User.objects.filter(pk=admin_user.pk).update(is_active=False)
    nothing_changes()
    for operation in OPERATIONS:
        assert call(operation, place(operation, ids), secret).status_code == 401


def test_a_token_does_no_more_than_its_scope(
    ids: dict[str, Any], admin_user: User, nothing_changes: Callable[[], None]
) -> None:
    less = {"review": token(admin_user, "read"), "admin": token(admin_user, "review")}
    nothing_changes()
    for operation in OPERATIONS:
        if operation.need.scope in less:
            answer = call(operation, place(operation, ids), less[operation.need.scope])
            assert answer.status_code == 403 and "scope" in answer.json()["detail"], operation.key


def test_a_stranger_finds_nothing_below_a_project(
    ids: dict[str, Any], stranger: User, nothing_changes: Callable[[], None]
) -> None:  # A1
    secret = token(stranger)
    nothing_changes()
    for operation in BELOW:
        answer = call(operation, place(operation, ids), secret)
        assert answer.status_code == 404, operation.key
        absent = call(operation, place(operation, ids, "no-such-project"), secret)
        assert absent.content == answer.content


def test_an_object_of_another_project_is_not_below_ones_own(
    ids: dict[str, Any], stranger: User, nothing_changes: Callable[[], None]
) -> None:  # A2
    secret = token(stranger)
    nothing_changes()
    for operation in NUMBERED:
        if operation.path.endswith("{username}"):
            continue  # people belong to no project
        answer = call(operation, place(operation, ids, "elsewhere"), secret)
        assert answer.status_code == 404, (operation.key, answer.content)


def test_a_reviewer_may_nothing_that_is_an_admins(
    ids: dict[str, Any], reviewer: User, nothing_changes: Callable[[], None]
) -> None:  # A5
    secret = token(reviewer)
    nothing_changes()
    for operation in BELOW:
        if operation.need.admin:
            answer = call(operation, place(operation, ids), secret)
            assert answer.status_code == 403 and "admin" in answer.json()["detail"], operation.key


def test_a_token_for_one_project_opens_no_other(
    ids: dict[str, Any], admin_user: User, stranger: User, project: Project
) -> None:  # A8
    other = Project.objects.get(slug="elsewhere")
    add_member(other, admin_user.username, "admin")
    secret = token(admin_user, project=other)
    before = rows()
    for operation in OPERATIONS:
        if operation in BELOW:
            assert call(operation, place(operation, ids), secret).status_code == 404
        elif operation.verb != "GET":
            assert call(operation, place(operation, ids), secret).status_code == 403
    assert rows() == before
    found = Client().get(f"{ROOT}/projects", headers={"authorization": f"Bearer {secret}"})
    assert [one["slug"] for one in found.json()["items"]] == ["elsewhere"]


def test_a_right_that_is_lost_is_lost_to_tokens_at_once(
    ids: dict[str, Any], project: Project, admin_user: User, reviewer: User
) -> None:  # A8
    secret = token(admin_user)
    headers = {"authorization": f"Bearer {secret}"}
    assert Client().get(f"{ROOT}/projects/eggs/members", headers=headers).status_code == 200
    add_member(project, reviewer.username, "admin")
    add_member(project, admin_user.username, "reviewer")
    assert Client().get(f"{ROOT}/projects/eggs/members", headers=headers).status_code == 403
    remove_member(project, admin_user.pk)
    for operation in BELOW:
        assert call(operation, place(operation, ids), secret).status_code == 404


def test_a_session_needs_its_csrf_token_to_write(
    ids: dict[str, Any], admin_user: User, nothing_changes: Callable[[], None]
) -> None:  # D2
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    nothing_changes()
    for operation in OPERATIONS:
        answer = call(operation, place(operation, ids), None, client)
        refused = answer.status_code == 403 and "CSRF" in answer.json()["detail"]
        assert refused == (operation.verb != "GET"), operation.key


def test_a_wrong_token_does_not_fall_back_to_the_session(
    project: Project, admin_client: Client
) -> None:
    assert admin_client.get(f"{ROOT}/projects/eggs").status_code == 200
    headers = {"authorization": "Bearer cw_wrong"}
    assert admin_client.get(f"{ROOT}/projects/eggs", headers=headers).status_code == 401


def test_fields_that_are_not_offered_are_refused(
    ids: dict[str, Any], admin_user: User, nothing_changes: Callable[[], None]
) -> None:  # A6
    secret = token(admin_user)
    nothing_changes()
    for operation in OPERATIONS:
        if not isinstance(operation.need.body, dict):
            continue
        for field in ("is_staff", "project", "decided_by", "created_by"):
            answer = Client().generic(
                operation.verb,
                place(operation, ids),
                json.dumps({**operation.need.body, field: 1}),
                content_type="application/json",
                headers={"authorization": f"Bearer {secret}"},
            )
            assert answer.status_code == 400, (operation.key, answer.content)
            assert field in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "nul\0",
        '{"a": NaN}',
        '{"a": 1, "a": 2}',
        "[" * 20_000,
        '{"name": "\0"}'.encode("utf-16"),
        b'{"name": "\xed\xa0\x80"}',
        '{"name": "a\\u0000"}',
    ],
    ids=lambda body: repr(body)[:12],
)
def test_a_body_that_is_none_is_told_what_is_wrong(
    body: str | bytes, ids: dict[str, Any], admin_user: User, nothing_changes: Callable[[], None]
) -> None:
    secret = token(admin_user)
    nothing_changes()
    for operation in OPERATIONS:
        if not isinstance(operation.need.body, dict):
            continue
        answer = Client().generic(
            operation.verb,
            place(operation, ids),
            body,
            content_type="application/json",
            headers={"authorization": f"Bearer {secret}"},
        )
        assert answer.status_code == 400, (operation.key, answer.content)
        assert answer.json()["status"] == 400 and answer.json()["detail"]


def test_beyond_its_rate_a_token_waits_and_others_do_not(
    project: Project, admin_user: User, reviewer: User, settings: Any
) -> None:  # D2
    settings.API_REQUESTS_PER_MINUTE = 3
    fast, other = token(admin_user), token(reviewer)
    got = [
        Client().get(f"{ROOT}/me", headers={"authorization": f"Bearer {fast}"}) for _ in range(8)
    ]
    last = got[-1]
    assert last.status_code == 429 and int(last["Retry-After"]) >= 1
    assert sum(one.status_code == 200 for one in got) == 3
    ok = Client().get(f"{ROOT}/me", headers={"authorization": f"Bearer {other}"})
    assert ok.status_code == 200


def test_an_address_that_tries_tokens_is_made_to_wait(
    project: Project, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:  # D2
    monkeypatch.setattr(rate_limit.WRONG_TOKENS, "most", 5)
    secret = token(admin_user)
    tried = [
        Client().get(f"{ROOT}/me", headers={"authorization": f"Bearer cw_{n}"}) for n in range(12)
    ]
    assert tried[0].status_code == 401 and tried[-1].status_code == 429
    assert int(tried[-1]["Retry-After"]) >= 1
    # A right one is let in, whatever others send from the same address.
    right = Client().get(f"{ROOT}/me", headers={"authorization": f"Bearer {secret}"})
    assert right.status_code == 200


def test_a_stranger_cannot_tell_a_member_from_an_absent_project(stranger: User) -> None:
    secret = token(person("nobody"))
    answer = Client().get(
        f"{ROOT}/projects/elsewhere", headers={"authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 404


def test_a_nul_in_an_address_finds_nothing(
    ids: dict[str, Any], admin_user: User, nothing_changes: Callable[[], None]
) -> None:
    secret = token(admin_user)
    nothing_changes()
    for operation in BELOW:
        if operation.path.endswith("{username}"):
            address = place(operation, {**ids, "username": "a%00b"})
            assert call(operation, address, secret).status_code == 404, operation.key
