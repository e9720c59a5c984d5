"""The next question in hand, a person's own keys, flags and folded rationales: what the bench's page asks the
server for beside decisions."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.projects.models import Project, User
from curation.rationales.models import Score
from curation.reviews.bench.shortcuts import ACTIONS
from curation.reviews.models import QuestionFlag, Review, Seat, Skip
from tests.curation.reviews.benching import approve_all, begin, post

Make = Callable[..., list[Any]]


@pytest.fixture
def questions(make_questions: Make, make_rationales: Make) -> list[Any]:
    made = make_questions(3)
    for one in made:
        make_rationales(one, ["right", "wrong"])
    return made


def test_the_question_ahead_is_another_one_and_held_too(
    questions: list[Any], reviewer_client: Client, reviewer: User
) -> None:
    shown = begin(reviewer_client)["state"]
    ahead = post(reviewer_client, "review_ahead", {"item": shown["item"]}).json()["ahead"]
    assert ahead["state"]["item"] != shown["item"] and "rationale" in ahead["html"]
    assert Seat.objects.filter(holder=reviewer).count() == 2
    again = post(reviewer_client, "review_ahead", {"item": shown["item"]}).json()["ahead"]
    assert again["state"]["item"] == ahead["state"]["item"]
    assert Seat.objects.filter(holder=reviewer).count() == 2


def test_what_is_ahead_is_nobody_elses(
    questions: list[Any], reviewer_client: Client, admin_client: Client
) -> None:
    mine = begin(reviewer_client)["state"]["item"]
    ahead = post(reviewer_client, "review_ahead", {"item": mine}).json()["ahead"]["state"]["item"]
    assert begin(admin_client)["state"]["item"] not in (mine, ahead)


def test_decisions_that_travel_behind_bring_the_question_after_the_shown_one(
    questions: list[Any], reviewer_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    shown = post(reviewer_client, "review_ahead", {"item": state["item"]}).json()["ahead"]["state"]
    body = {**approve_all(state), "shown": shown["item"]}
    answer = post(reviewer_client, "review_submit", body).json()
    assert answer["ahead"]["state"]["item"] not in (state["item"], shown["item"])
    assert answer["progress"].startswith("1 done")
    last = answer["ahead"]["state"]["item"]
    answer = post(reviewer_client, "review_skip", {"item": shown["item"], "shown": last}).json()
    assert answer["ahead"] is None  # nothing after the last
    assert Review.objects.count() == 2 and Skip.objects.count() == 1


def test_a_page_opened_again_and_again_shows_the_same_question(
    questions: list[Any], reviewer_client: Client
) -> None:
    """As after crashes of the browser, which sends no word that its page has closed."""
    item = begin(reviewer_client)["state"]["item"]
    coming = post(reviewer_client, "review_ahead", {"item": item}).json()["ahead"]["state"]["item"]
    assert [begin(reviewer_client)["state"]["item"] for _ in range(3)] == [item] * 3
    ahead = post(reviewer_client, "review_ahead", {"item": item}).json()["ahead"]
    assert ahead["state"]["item"] == coming


def test_nothing_is_ahead_of_what_one_does_not_hold(
    questions: list[Any], reviewer_client: Client
) -> None:
    item = questions[2].queue_item.pk
    assert post(reviewer_client, "review_ahead", {"item": item}).json()["ahead"] is None
    assert not Seat.objects.filter(holder__isnull=False).exists()


@pytest.mark.parametrize("shown", ["1", None, True, -1, [1]])
def test_a_question_that_is_shown_is_named_by_its_number(
    shown: Any, questions: list[Any], reviewer_client: Client
) -> None:
    body = {**approve_all(begin(reviewer_client)["state"]), "shown": shown}
    assert post(reviewer_client, "review_submit", body).status_code == 400


# ---- flags


def test_a_flag_stands_is_told_once_and_is_taken_back(
    questions: list[Any], reviewer_client: Client
) -> None:
    item = begin(reviewer_client)["state"]["item"]
    body = {"item": item, "kind": "duplicate", "comment": "Of number 3."}
    post(reviewer_client, "review_flag", body)
    (flag,) = post(reviewer_client, "review_flag", body).json()["flags"]
    assert (flag["words"], flag["comment"]) == ("duplicate", "Of number 3.")
    answer = post(reviewer_client, "review_flag", {"item": item, "withdraw": flag["id"]})
    assert answer.json() == {"flags": []}
    assert QuestionFlag.objects.get().withdrawn_at is not None


def test_nobody_takes_back_or_sees_the_flag_of_another(
    questions: list[Any], reviewer_client: Client, admin_client: Client
) -> None:
    item = begin(reviewer_client)["state"]["item"]
    flags = post(reviewer_client, "review_flag", {"item": item, "kind": "ambiguous"}).json()
    (flag,) = flags["flags"]
    answer = post(admin_client, "review_flag", {"item": item, "withdraw": flag["id"]})
    assert answer.status_code == 409
    assert post(admin_client, "review_flag", {"item": item}).json() == {"flags": []}
    assert QuestionFlag.objects.get().withdrawn_at is None


@pytest.mark.parametrize(
    "body", [{"kind": "nonsense"}, {"kind": 3}, {"kind": "other"}, {"withdraw": "1"}]
)
def test_what_is_no_flag_is_refused(
    body: dict[str, Any], questions: list[Any], reviewer_client: Client
) -> None:
    item = begin(reviewer_client)["state"]["item"]
    assert post(reviewer_client, "review_flag", {"item": item, **body}).status_code == 400
    assert not QuestionFlag.objects.exists()


# ---- keys


def keys(client: Client, body: Any) -> Any:
    return client.post(reverse("bench_keys"), json.dumps(body), content_type="application/json")


def keys_of(answer: Any, name: str) -> list[str]:
    return next(row["keys"] for row in answer.json()["keys"] if row["name"] == name)


@pytest.mark.parametrize("page", ["what", "there"])
def test_no_two_actions_of_a_page_have_one_key(page: str) -> None:
    taken = [key for action in ACTIONS for key in action.keys if getattr(action, page)]
    assert len(taken) == len(set(taken))


def test_a_key_moves_and_comes_back_with_a_reset(
    project: Project, reviewer_client: Client, admin_client: Client
) -> None:
    moved = keys(reviewer_client, {"action": "approve", "keys": ["q", "F2"]})
    assert keys_of(moved, "approve") == ["q", "F2"]
    freed = keys(reviewer_client, {"action": "reject", "keys": ["a"]})  # free now
    assert keys_of(freed, "reject") == ["a"]
    others = keys(admin_client, {"action": "skip", "keys": ["q"]})  # keys are each person's own
    assert keys_of(others, "approve") == ["a"]
    reset = keys(reviewer_client, {"reset": True})
    assert (keys_of(reset, "approve"), keys_of(reset, "reject")) == (["a"], ["x"])


def test_a_clash_is_refused_with_what_it_clashes_with(
    project: Project, reviewer_client: Client
) -> None:
    answer = keys(reviewer_client, {"action": "approve", "keys": ["x"]})
    assert answer.status_code == 409 and "Reject: choose why" in answer.json()["error"]
    assert keys_of(keys(reviewer_client, {"reset": True}), "approve") == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        {"action": "approve", "keys": ["5"]},  # labels a step
        {"action": "approve", "keys": ["Escape"]},
        {"action": "approve", "keys": ["Tab"]},
        {"action": "approve", "keys": ["F5"]},
        {"action": "approve", "keys": ["ab"]},
        {"action": "approve", "keys": [""]},
        {"action": "approve", "keys": []},
        {"action": "approve", "keys": ["q", "v", "y", "z"]},
        {"action": "approve", "keys": "q"},
        {"action": "approve", "keys": [1]},
        {"action": "label_good", "keys": ["q"]},
        {"action": "nothing", "keys": ["q"]},
        {"action": None},
        {},
    ],
)
def test_what_is_no_key_is_refused(
    body: dict[str, Any], project: Project, reviewer_client: Client
) -> None:
    answer = keys(reviewer_client, body)
    assert answer.status_code == 400 and answer.json()["error"]


def test_keys_are_a_signed_in_persons(db: None, client: Client) -> None:
    assert keys(client, {"action": "approve", "keys": ["q"]}).status_code == 302


# ---- folded rationales

PLAIN = "First she has 1 egg.\nThen 1 + 2 = 3 eggs.\nAnswer: 3"


@pytest.mark.parametrize(
    ("text", "folds"),
    [
        ("1. first, she has 1 egg!\n2. Then 1 + 2 = <<1+2=3>>3 eggs\nAnswer: 3", True),
        ("So first she has 1 egg.\nThen 1 + 2 = 3 eggs.\nAnswer: 3", True),
        ("First she has 1 egg.\nThen 2 + 1 = 3 eggs.\nAnswer: 3", False),  # other sums
        ("First she has 1 egg.\nThen 1 + 2 = 4 eggs.\nAnswer: 4", False),  # another answer
        ("First she has not 1 egg.\nThen 1 + 2 = 3 eggs.\nAnswer: 3", False),
        ("Ann owns 1 egg at dawn.\nShe buys more: 1 + 2 = 3 of them.\nAnswer: 3", False),
    ],
)
def test_rationales_fold_when_they_say_the_same(
    text: str, folds: bool, make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    make_rationales(make_questions(1)[0], [PLAIN, text])
    page = reviewer_client.get(reverse("review", args=["eggs"])).content.decode()
    assert page.count('data-twin-of="A"') == int(folds)


def test_rationales_with_different_answers_never_fold(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    _, other = make_rationales(make_questions(1)[0], [PLAIN, f"So {PLAIN}"])
    bench = reverse("review", args=["eggs"])
    assert "data-twin-of" in reviewer_client.get(bench).content.decode()
    Score.objects.filter(pk=other.pk).update(answer="4", verdict="wrong", unread="")
    assert "data-twin-of" not in reviewer_client.get(bench).content.decode()


def test_the_bench_says_what_was_checked_and_where_a_wrong_answer_likely_went_wrong(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    make_rationales(make_questions(1)[0], ["right", "wrong"])
    page = reviewer_client.get(reverse("review", args=["eggs"])).content.decode()
    assert page.count("1 of 3 steps checked") == 2
    assert page.count("is most likely the first wrong step</span>") == 1
