"""Lost answers, late words, undo and leaving: what is sent twice counts once, and who comes too late
is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.reviews.models import Review, Seat
from curation.reviews.queue import claims
from curation.reviews.queue.claims import GRACE
from curation.reviews.queue.items import set_overlap
from tests.curation.reviews.benching import approve_all, at, begin, post

Make = Callable[..., list[Any]]


@pytest.fixture
def question(make_questions: Make, make_rationales: Make) -> Question:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong"])
    return made


@pytest.fixture
def second(question: Question, make_questions: Make, make_rationales: Make) -> Question:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong", "right"])
    return made


def test_the_same_decisions_twice_are_a_conflict_and_one_review_a_rationale(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    body = approve_all(begin(reviewer_client)["state"])
    assert post(reviewer_client, "review_submit", body).status_code == 200
    again = post(reviewer_client, "review_submit", body)
    assert again.status_code == 409
    assert "another tab" in again.json()["error"]
    assert Review.objects.count() == len(body["says"])


def test_a_retry_whose_first_answer_got_lost_goes_on(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    body = approve_all(begin(reviewer_client)["state"])
    post(reviewer_client, "review_submit", body)
    again = post(reviewer_client, "review_submit", {**body, "again": True})
    assert again.status_code == 200
    assert again.json()["state"]["item"] not in (None, body["item"])
    assert Review.objects.count() == len(body["says"])


def test_a_retry_that_says_something_else_is_a_conflict(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    body = approve_all(begin(reviewer_client)["state"])
    post(reviewer_client, "review_submit", body)
    body["says"][0] |= {"verdict": "reject", "reasons": ["unclear"]}
    assert post(reviewer_client, "review_submit", {**body, "again": True}).status_code == 409


def test_a_retry_with_another_edit_is_a_conflict_and_the_first_one_stays(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    first = int(next(iter(state["texts"])))
    edit = {"rationale": first, "verdict": "edit", "edited_text": "Better.\nAnswer: 3"}
    body = {"item": state["item"], "says": [edit], "seconds": 12}
    assert post(reviewer_client, "review_submit", body).status_code == 200
    edit["edited_text"] = "Better still.\nAnswer: 3"
    again = post(reviewer_client, "review_submit", {**body, "again": True})
    assert again.status_code == 409
    assert Review.objects.get().edited.text == "Better.\nAnswer: 3"


def test_who_comes_second_is_told_who_was_first(
    question: Question, reviewer_client: Client, admin_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    Seat.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert (
        post(admin_client, "review_submit", approve_all(begin(admin_client)["state"])).status_code
        == 200
    )
    late = post(reviewer_client, "review_submit", approve_all(state))
    assert late.status_code == 409
    assert "ada was first" in late.json()["error"]
    assert [one["what"] for one in late.json()["meanwhile"]] == ["approved"] * 2
    assert not any(one["pieces"] for one in late.json()["meanwhile"])
    assert Review.objects.count() == 2


def test_who_edits_second_is_told_what_differs_from_the_edit_that_stands(
    question: Question, reviewer_client: Client, admin_client: Client
) -> None:
    rationale = question.rationales.first()
    mine, theirs = (
        f"{rationale.text}\n{words}" for words in ("<b>Mine</b> is new.", "Theirs is new.")
    )

    def edit(client: Client, text: str) -> dict[str, Any]:
        said = {
            "rationale": rationale.pk,
            "verdict": "edit",
            "edited_text": text,
            "comment": "clearer",
        }
        return {"item": begin(client)["state"]["item"], "says": [said]}

    body = edit(reviewer_client, mine)
    Seat.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert post(admin_client, "review_submit", edit(admin_client, theirs)).status_code == 200
    late = post(reviewer_client, "review_submit", body)
    (told,) = late.json()["meanwhile"]
    assert late.status_code == 409 and (told["who"], told["what"], told["why"]) == (
        "ada",
        "edited and approved",
        "clearer",
    )
    kept = [text for kind, text in told["pieces"] if kind != "out"]
    stands = [text for kind, text in told["pieces"] if kind != "in"]
    assert "".join(kept) == mine and "".join(stands) == theirs
    assert ["in", "<b>Mine</b> "] in told["pieces"] and ["out", "Theirs "] in told["pieces"]


def test_words_that_come_too_late_tell_a_reviewer_nothing_while_others_are_asked(
    project: Project, question: Question, reviewer_client: Client, admin_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    set_overlap(project, 2)
    post(admin_client, "review_submit", approve_all(begin(admin_client)["state"]))
    Seat.objects.filter(done_at=None).update(holder=None, held_until=None)
    late = post(reviewer_client, "review_submit", approve_all(state))
    assert late.status_code == 409 and late.json()["meanwhile"] == []


def test_a_claim_that_somebody_else_has_names_them(
    question: Question, reviewer_client: Client, admin_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    Seat.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    begin(admin_client)
    for name in ("review_renew", "review_submit"):
        answer = post(reviewer_client, name, approve_all(state))
        assert answer.status_code == 409 and "ada" in answer.json()["error"]


def test_undo_brings_the_question_back_with_what_was_said(
    question: Question, reviewer_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    body = approve_all(state)
    body["says"][1] |= {"verdict": "reject", "reasons": ["wrong_step"], "comment": "Why 5?"}
    body["says"][1]["step_labels"] = {"2": -1}
    post(reviewer_client, "review_submit", body)
    back = post(reviewer_client, "review_undo", {}).json()["state"]
    assert back["item"] == state["item"]
    said = back["prefill"][str(body["says"][1]["rationale"])]
    assert said == {
        "verdict": "reject",
        "reasons": ["wrong_step"],
        "comment": "Why 5?",
        "labels": {"2": -1},
        "edited": "",
        "best": False,
    }


def test_undo_brings_back_what_was_skipped_last(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    state = begin(reviewer_client)["state"]
    after = post(reviewer_client, "review_skip", {"item": state["item"]}).json()["state"]
    assert after["item"] != state["item"]
    assert post(reviewer_client, "review_undo", {}).json()["state"]["item"] == state["item"]


def test_a_skip_sent_twice_skips_once(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    item = begin(reviewer_client)["state"]["item"]
    first = post(reviewer_client, "review_skip", {"item": item})
    again = post(reviewer_client, "review_skip", {"item": item})
    assert first.json()["state"]["item"] == again.json()["state"]["item"] == second.queue_item.pk


def test_an_undo_whose_answer_got_lost_is_not_done_twice(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    first = begin(reviewer_client)["state"]
    later = post(reviewer_client, "review_submit", approve_all(first)).json()["state"]
    shown = post(reviewer_client, "review_submit", approve_all(later)).json()["state"]["item"]
    for said in ({}, {"again": True}, {"again": True}):
        back = post(reviewer_client, "review_undo", {"shown": shown} | said)
        assert back.json()["state"]["item"] == later["item"]
    assert Review.objects.filter(withdrawn_at__isnull=True).count() == len(first["texts"])


def test_a_retried_undo_that_never_came_through_is_done(
    question: Question, second: Question, reviewer_client: Client
) -> None:
    first = begin(reviewer_client)["state"]
    shown = post(reviewer_client, "review_submit", approve_all(first)).json()["state"]["item"]
    back = post(reviewer_client, "review_undo", {"shown": shown, "again": True})
    assert back.json()["state"]["item"] == first["item"]


def test_with_nothing_to_undo_the_page_says_so(question: Question, reviewer_client: Client) -> None:
    answer = post(reviewer_client, "review_undo", {})
    assert answer.status_code == 409 and "nothing to undo" in answer.json()["error"]


def test_a_closed_page_gives_its_question_back_soon_but_a_reload_keeps_it(
    question: Question, reviewer_client: Client
) -> None:
    item = begin(reviewer_client)["state"]["item"]
    assert reviewer_client.post(at("review_release"), {"item": item}).status_code == 204
    held = Seat.objects.get(item=item)
    assert held.holder.username == "rudi"
    assert timezone.now() < held.held_until <= timezone.now() + GRACE
    assert begin(reviewer_client)["state"]["item"] == item
    assert Seat.objects.get(item=item).held_until > timezone.now() + GRACE


def test_a_reload_keeps_the_question_that_was_shown_not_the_one_in_hand(
    question: Question, second: Question, reviewer_client: Client, reviewer: User
) -> None:
    # The one in hand came into the queue before the one that is shown.
    item = claims.claim(question.project, reviewer, second).item_id
    assert post(reviewer_client, "review_ahead", {"item": item}).json()["ahead"]
    reviewer_client.post(at("review_release"), {"item": item})
    assert begin(reviewer_client)["state"]["item"] == item
