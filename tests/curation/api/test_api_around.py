"""What stands around the bench, through the API: keys, my work, saved views, progress, who holds what."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.questions.models import Question
from curation.reviews import urls, urls_people
from curation.reviews.models import Seat
from curation.reviews.queue.controls import make_control
from tests.conftest import person
from tests.curation.api.api_calls import ROOT, Caller, no_brake, token  # noqa: F401
from tests.curation.api.api_operations import NEEDS, P
from tests.curation.reviews.reviewing import review

Make = Callable[..., list[Any]]


@pytest.fixture
def rudi(project: Project, reviewer: User) -> Caller:
    return Caller(reviewer, "review")


@pytest.fixture
def ada(project: Project, admin_user: User) -> Caller:
    return Caller(admin_user)


def keys_of(table: list[dict[str, Any]], name: str) -> list[str]:
    return next(row["keys"] for row in table if row["name"] == name)


def test_keys_are_read_moved_and_put_back(rudi: Caller, ada: Caller) -> None:
    assert keys_of(rudi.get("/me/keys"), "approve") == ["a"]
    moved = rudi.call("PUT", "/me/keys/approve", {"keys": ["q"]})
    assert keys_of(moved, "approve") == ["q"] == keys_of(rudi.get("/me/keys"), "approve")
    assert keys_of(ada.get("/me/keys"), "approve") == ["a"]
    refused = rudi.call("PUT", "/me/keys/skip", {"keys": ["q"]}, status=409)
    assert "Approve" in refused["detail"]
    rudi.call("PUT", "/me/keys/skip", {"keys": ["7"]}, status=400)
    rudi.call("PUT", "/me/keys/dance", {"keys": ["q"]}, status=400)
    assert keys_of(rudi.call("DELETE", "/me/keys"), "approve") == ["a"]


def test_my_work_tells_what_waits_and_what_i_did(
    project: Project, questions: list[Question], reviewer: User, admin_user: User, rudi: Caller
) -> None:
    review(project, reviewer, questions[0], "approve", "reject")
    work = rudi.get("/me/work")
    (waits,) = work["projects"]
    assert (waits["slug"], waits["waiting"], waits["held"]) == ("eggs", 2, 0)
    assert [day["questions"] for day in work["days"]][-1] == 1 and work["days_in_a_row"] == 1


def test_my_work_through_a_token_of_one_project_tells_of_no_other(
    project: Project, questions: list[Question], reviewer: User, stranger: User
) -> None:
    elsewhere = Project.objects.get(slug="elsewhere")
    add_member(elsewhere, reviewer.username, "reviewer")
    review(project, reviewer, questions[0], "approve", "reject")
    headers = {"authorization": f"Bearer {token(reviewer, 'read', elsewhere)}"}
    work = Client().get(f"{ROOT}/me/work", headers=headers).json()
    assert [one["slug"] for one in work["projects"]] == ["elsewhere"]
    assert sum(day["questions"] for day in work["days"]) == 0


def test_views_are_kept_shared_and_dropped(
    questions: list[Question], rudi: Caller, ada: Caller
) -> None:
    body = {"of": "rationales", "name": "wrong ones", "filters": {"answer": "wrong"}}
    mine = rudi.post("views", body, status=201)
    assert (mine["filters"], mine["username"]) == ({"answer": "wrong"}, "rudi")
    assert ada.get("views") == []
    ada.call("DELETE", f"views/{mine['id']}", status=404)
    shared = rudi.post("views", {**body, "is_shared": True}, status=201)
    assert shared["id"] == mine["id"] and [one["id"] for one in ada.get("views")] == [mine["id"]]
    ada.call("DELETE", f"views/{mine['id']}", status=204)
    assert rudi.get("views") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"of": "people"},
        {"name": ""},
        {"name": "x" * 61},
        {"filters": {}},
        {"filters": {"score__overall__gte": "0"}},
        {"filters": {"q": "x" * 201}},
        {"filters": {"q": "a\0b"}},
        {"filters": {"q": 3}},
        {"user": 1},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_a_view_without_sense_is_refused(
    wrong: dict[str, Any], project: Project, rudi: Caller
) -> None:  # A6, B1
    good = {"of": "rationales", "name": "wrong ones", "filters": {"answer": "wrong"}}
    rudi.post("views", good | wrong, status=400)
    assert rudi.get("views") == []


def test_a_blind_project_keeps_and_shows_reviewers_no_view_that_tells_teachers(
    project: Project, questions: list[Question], rudi: Caller, ada: Caller
) -> None:
    Project.objects.update(is_blind=True)
    body = {"of": "rationales", "name": "strong ones", "filters": {"teacher": "1"}}
    rudi.post("views", body, status=400)
    ada.post("views", {**body, "is_shared": True}, status=201)
    assert rudi.get("views") == [] and len(ada.get("views")) == 1


def test_progress_tells_admins_of_all_and_reviewers_of_themselves(
    project: Project,
    questions: list[Question],
    reviewer: User,
    admin_user: User,
    rudi: Caller,
    ada: Caller,
) -> None:
    review(project, reviewer, questions[0], "approve", "reject")
    review(project, admin_user, questions[1], "approve", "approve")
    make_control(project, admin_user, questions[1])
    told = ada.get("progress")
    assert told["open"] == 1 and told["statuses"] == {"waiting": 1, "done": 1, "control": 1}
    people = {one["username"]: one["verdicts"] for one in told["people"]}
    assert people == {"rudi": {"approve": 1, "reject": 1}, "ada": {"approve": 2}}
    assert told["days"][-1]["questions"] == 2 and told["forecast"]["why"]
    own = rudi.get("progress")
    assert [one["username"] for one in own["people"]] == ["rudi"] and "control" not in own[
        "statuses"
    ]


def test_an_admin_sees_who_holds_what_and_frees_it(
    project: Project, questions: list[Question], rudi: Caller, ada: Caller
) -> None:
    bench = rudi.post("review/next")
    (seat,) = ada.get("seats")
    assert (seat["username"], seat["question"]) == ("rudi", bench["question"]["id"])
    rudi.get("seats", status=403)
    rudi.post(f"seats/{seat['id']}/free", status=403)
    ada.post(f"seats/{seat['id']}/free", status=204)
    assert not Seat.objects.filter(holder__isnull=False).exists()
    ada.post(f"seats/{seat['id']}/free", status=409)
    Caller(person("olga")).get("seats", status=404)


def test_labels_of_steps_are_read_with_the_steps_that_they_are_of(
    project: Project, questions: list[Question], reviewer: User, rudi: Caller, ada: Caller
) -> None:
    bench = rudi.post("review/next")
    first, second = bench["rationales"]
    says = [
        {"rationale": first["id"], "verdict": "approve", "step_labels": {"1": 1, "2": 0}},
        {"rationale": second["id"], "verdict": "approve"},
    ]
    place = f"review/items/{bench['item']}/submit"
    rudi.post(place, {"says": says})
    (row,) = ada.get("step-labels")["items"]
    assert (row["rationale"], row["reviewer"]) == (first["id"], "rudi")
    assert row["text"] == bench["question"]["text"]
    assert [step["text"] for step in row["steps"]] == [step["text"] for step in first["steps"]]
    ratings = [step["rating"] for step in row["steps"]]
    assert ratings[:2] == [1, 0] and set(ratings[2:]) == {None}
    rudi.get("step-labels", status=403)
    rudi.post("review/undo", {})
    assert ada.get("step-labels")["items"] == []


# Each address of the bench and around it, and the operations by which a script does the same.
ITEM, Q, A = "/review/items/{item_id}", "/questions/{question_id}", "/adjudications"
SAME = {
    "bench_keys": ("PUT /me/keys/{action}", "DELETE /me/keys"),
    "question": (f"GET {Q}", f"GET {Q}/history"),
    "review": ("POST /review/next",),
    "review_next": ("POST /review/next",),
    "review_ahead": (f"POST {ITEM}/ahead",),
    "review_flag": (f"POST {Q}/flags", f"GET {Q}/flags", "DELETE /flags/{flag_id}"),
    "review_check": (f"POST {Q}/checks", "GET /checks/{check_id}"),
    "review_read": ("PUT /rationales/{rationale_id}/answer",),
    "review_steps": ("GET /rationales/{rationale_id}",),
    "answer": ("GET /rationales/{rationale_id}/answer",),
    "answer_read": ("PUT /rationales/{rationale_id}/answer",),
    "answer_drop": ("DELETE /rationales/{rationale_id}/answer",),
    "reading_cases": ("GET /reading-cases",),
    "reading_cases_file": ("GET /reading-cases",),
    "review_submit": (f"POST {ITEM}/submit",),
    "review_renew": (f"POST {ITEM}/renew",),
    "review_skip": (f"POST {ITEM}/skip",),
    "review_undo": ("POST /review/undo",),
    "review_release": ("POST /review/release",),
    "my_reviews": ("GET /reviews",),
    "review_question": (f"POST {Q}/claim",),
    "agreement": ("GET /agreement",),
    "agreement_count": ("POST /agreement",),
    "adjudication": (f"GET {A}",),
    "adjudicate_question": (f"GET {A}/{{item_id}}", f"POST {A}/{{item_id}}/decide"),
    "adjudicate_undo": (f"POST {A}/{{item_id}}/undo",),
    "settings_review": ("PATCH ", "GET /controls", "GET /assignments"),
    "assign_preview": (),  # of a form alone
    "assign": ("POST /assignments",),
    "unassign": ("DELETE /assignments/{username}",),
    "control_add": (f"PUT {Q}/control",),
    "question_control": (f"PUT {Q}/control",),
    "question_control_drop": (f"DELETE {Q}/control",),
    "progress": ("GET /progress", "GET /seats"),
    "seat_free": ("POST /seats/{seat_id}/free",),
    "flags": ("GET /flags",),
    "flag_settle": ("POST /flags/{flag_id}/settle",),
    "bulk_list": ("GET /bulk-actions",),
    "bulk_new": ("POST /bulk-actions/preview", "POST /bulk-actions"),
    "bulk_detail": ("GET /bulk-actions/{action_id}",),
    "bulk_undo": ("POST /bulk-actions/{action_id}/undo",),
    "bulk_cancel": ("POST /bulk-actions/{action_id}/cancel",),
    "bulk_resume": ("POST /bulk-actions/{action_id}/resume",),
    "deletion_list": ("GET /deletions",),
    "deletion_new": ("POST /deletions/preview", "POST /deletions"),
    "deletion_detail": ("GET /deletions/{deletion_id}",),
    "deletion_restore": ("POST /deletions/{deletion_id}/restore",),
    "deletion_cancel": ("POST /deletions/{deletion_id}/cancel",),
    "deletion_resume": ("POST /deletions/{deletion_id}/resume",),
    "question_delete": (f"DELETE {Q}",),
    "rationale_delete": ("DELETE /rationales/{rationale_id}",),
}


def test_whatever_the_bench_and_the_pages_around_it_do_a_script_can_do() -> None:
    pages = {pattern.name for pattern in (*urls.urlpatterns, *urls_people.urlpatterns)}
    assert pages == set(SAME)  # a new page says here which operation does the same
    known = set(NEEDS)
    for name, wanted in SAME.items():
        for one in wanted:
            verb, path = one.split(" ", 1)
            assert f"{verb} {path if path.startswith('/me') else P + path}" in known, (name, one)
