"""The bench in a real browser, by keyboard alone: twenty GSM8K questions, and what must not be lost."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from curation.projects.models import Project, User
from curation.questions.services import order_import
from curation.rationales.importing import run_import
from curation.rationales.models import Rationale
from curation.reviews.models import QueueItem, Review, Seat
from curation.reviews.queue.claims import claim
from curation.reviews.submission.submit import ReviewInput, submit
from tests.conftest import score_now
from tests.e2e.benching import begun, counted, current, goes_on, item_of, press, with_next

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
Make = Callable[..., list[Any]]


def test_twenty_gsm8k_questions_are_reviewed_by_keyboard_alone(
    project: Project, reviewer: User, dev_data: Path, visit: Callable[..., Any], tmp_path: Path
) -> None:
    rows = tmp_path / "rows.jsonl"
    with (dev_data / "gsm8k_teachers_dev.jsonl").open() as file:
        rows.write_text("".join(islice(file, 20)))
    with rows.open("rb") as file:
        run_import(order_import(project, reviewer, file, rows.name).pk, score=False)
    score_now(project)
    page = visit()
    for number in range(20):
        item = item_of(page)
        assert page.locator(".rationale").count() == 4
        if number == 3:
            press(page, "1", "Shift+Digit2", "j", "j", "j", "-", "e")
            page.keyboard.type("\nChecked by hand.")
            press(page, "Control+Enter")
        press(page, "Shift+X")  # every wrong answer in one press
        while page.locator(".rationale:not(.is-approve):not(.is-reject):not(.is-edit)").count():
            press(page, "a")
        press(page, "Enter")
        goes_on(page, item)
    assert "More is being scored" in page.inner_text(".empty")  # the edit, and no worker is here
    counted(page, 80)
    # The verdicts are those of the gold labels, by way of the scorer's.
    approved = Review.objects.filter(verdict="approve")
    assert approved.exists()
    assert all(review.rationale.labelled_right for review in approved)
    edit = Review.objects.get(verdict="edit")
    assert edit.edited.text.endswith("Checked by hand.")
    assert edit.step_labels == {"1": 1, "2": -1, "3": -1}
    press(page, "u")
    page.wait_for_selector(".rationale.is-approve, .rationale.is-reject")
    assert page.locator(".rationale.is-approve, .rationale.is-reject").count() == 4


def test_keys_are_silent_while_somebody_types(
    questions: list[Any], visit: Callable[..., Any]
) -> None:
    page = visit()
    press(page, "x", "7")
    page.keyboard.type("a sex? u")
    assert page.input_value("#reasons textarea") == "a sex? u"
    press(page, "Enter")
    assert page.locator(".rationale.is-reject .told").inner_text() == "“a sex? u”"
    assert page.locator(".rationale.is-approve").count() == 0
    assert not page.locator("dialog[open]").count()


def test_typed_text_survives_a_reload_and_a_closed_tab(
    questions: list[Any], visit: Callable[..., Any]
) -> None:
    page = visit()
    item = item_of(page)
    press(page, "e")
    page.keyboard.type(" A better end.")
    page.reload()
    begun(page)
    assert item_of(page) == item
    assert "edit kept" in current(page).locator(".told").inner_text()
    other = page.context.new_page()
    page.close()
    other.goto(page.url)
    begun(other)
    press(other, "e")
    assert other.input_value(".editor textarea").endswith(" A better end.")


def test_a_lost_network_keeps_the_decisions_and_sends_them_once(
    questions: list[Any], visit: Callable[..., Any]
) -> None:
    page = visit()
    item = item_of(page)
    press(page, "a", "a", "a")
    page.context.set_offline(True)
    press(page, "Enter", "Enter")
    page.wait_for_selector("#network:not([hidden])")
    assert "kept here" in page.inner_text("#network")
    assert not Review.objects.exists()
    page.context.set_offline(False)
    goes_on(page, item)
    counted(page, 2)
    page.wait_for_selector("#network", state="hidden")


def test_a_lost_answer_is_sent_again_and_counts_once(
    questions: list[Any], visit: Callable[..., Any]
) -> None:
    page = visit()
    item = item_of(page)
    calls = []

    def lose_the_first_answer(route: Any) -> None:
        calls.append(route.request.post_data_json)
        if len(calls) == 1:
            route.fetch()  # it reaches the server, and its answer reaches nobody
            route.abort()
        else:
            route.continue_()

    page.route("**/review/submit", lose_the_first_answer)
    press(page, "a", "a", "a", "Enter")
    goes_on(page, item)
    page.wait_for_selector("#bench:not([data-sending])")
    assert len(calls) == 2 and calls[1]["again"] is True
    assert Review.objects.count() == 2


def test_a_double_press_sends_once(questions: list[Any], visit: Callable[..., Any]) -> None:
    page = visit()
    item = item_of(page)
    sent = []
    page.on("request", lambda r: sent.append(r.url) if r.url.endswith("/submit") else None)
    press(page, "a", "a", "a", "Enter", "Enter", "Enter")
    goes_on(page, item)
    counted(page, 2)
    assert len(sent) == 1


def test_who_comes_second_sees_who_was_first_and_keeps_what_was_typed(
    questions: list[Any], visit: Callable[..., Any], admin_user: User, project: Project
) -> None:
    page = visit()
    item = item_of(page)
    press(page, "e")
    page.keyboard.type(" Mine.")
    press(page, "Control+Enter")
    Seat.objects.filter(item=item).update(holder=None, held_until=None)
    claim(project, admin_user, QueueItem.objects.get(pk=item).question)
    press(page, "Enter")
    page.wait_for_selector("#notice:not([hidden])")
    assert "ada works on this question" in page.inner_text("#notice")
    assert "Mine." in page.inner_text(".edited")
    page.click("[data-notice-do]")
    goes_on(page, item)
    assert not Rationale.objects.filter(source="person").exists()


def test_who_edits_second_sees_what_differs_from_the_edit_that_stands(
    questions: list[Any], visit: Callable[..., Any], admin_user: User, project: Project
) -> None:
    page = visit()
    item = item_of(page)
    here = page.get_attribute(".rationale[aria-current]", "data-rationale")
    press(page, "e")
    page.keyboard.type(" <b>Mine.</b>")
    press(page, "Control+Enter")
    rationale = Rationale.objects.get(pk=here)
    Seat.objects.filter(item=item).update(holder=None, held_until=None)
    claim(project, admin_user, QueueItem.objects.get(pk=item).question)
    theirs = ReviewInput(
        rationale.pk, "edit", edited_text=f"{rationale.text} Theirs.", comment="shorter"
    )
    submit(project, admin_user, item, [theirs])
    press(page, "Enter")
    page.wait_for_selector(".meanwhile")
    told = page.inner_text(".meanwhile")
    assert "ada edited and approved this" in told and "shorter" in told
    assert "<b>Mine.</b>" in page.inner_text(".meanwhile ins")
    assert "Theirs." in page.inner_text(".meanwhile del")
    assert "Mine." in page.inner_text(".edited")  # and what was typed stays


def test_labels_without_a_decision_are_not_dropped_silently(
    questions: list[Any], visit: Callable[..., Any]
) -> None:
    page = visit()
    item = item_of(page)
    press(page, "1", "ArrowRight", "a", "a", "Enter")
    page.wait_for_selector("#notice:not([hidden])")
    assert "without a decision" in page.inner_text("#notice") and item_of(page) == item
    press(page, "Enter")
    goes_on(page, item)


def test_the_claim_is_renewed_every_minute_while_somebody_works_and_not_for_ever(
    questions: list[Any], visit: Callable[..., Any]
) -> None:
    page = visit()
    page.clock.install()
    page.reload()
    begun(page)
    before = Seat.objects.get(item=item_of(page)).held_until
    with page.expect_response("**/review/renew") as answer:
        page.clock.fast_forward(61_000)
    assert answer.value.status == 200
    assert Seat.objects.get(item=item_of(page)).held_until > before
    sent = []
    page.on("request", lambda r: sent.append(r.url))
    page.clock.fast_forward(11 * 60_000)  # nobody touches the page
    page.wait_for_timeout(300)
    assert not sent


def test_a_page_that_leaves_gives_its_questions_back_soon(
    questions: list[Any], visit: Callable[..., Any]
) -> None:
    with_next(page := visit())
    held = Seat.objects.filter(holder__isnull=False)
    before = min(held.values_list("held_until", flat=True))
    page.goto(page.url.replace("/review/", "/questions/"))
    for _ in range(100):  # the beacon travels by itself
        after = max(held.values_list("held_until", flat=True))
        if after < before:
            break
        page.wait_for_timeout(100)
    assert held.count() == 2 and (before - after).total_seconds() > 600


def test_thirty_rationales_scroll_sideways_and_the_page_does_not(
    make_questions: Make, make_rationales: Make, visit: Callable[..., Any]
) -> None:
    make_rationales(make_questions(1)[0], ["right", "wrong", "right"] * 10)
    page = visit()
    press(page, *["ArrowRight"] * 29)
    assert current(page).get_attribute("data-letter") == "AD"
    shown = current(page).bounding_box()
    assert shown["x"] >= 0 and shown["x"] + shown["width"] <= 1281
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    assert page.evaluate("document.documentElement.scrollHeight") == 800


@pytest.mark.parametrize("size", [(390, 844), (640, 400)])
def test_nothing_overflows_on_a_narrow_or_enlarged_page(
    size: tuple[int, int], questions: list[Any], visit: Callable[..., Any]
) -> None:
    page = visit()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    page.get_by_text("More", exact=True).click()
    menu = page.locator(".menu.up > .sheet").bounding_box()
    assert menu["x"] >= 0 and menu["x"] + menu["width"] <= size[0] and menu["y"] >= 0
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


@pytest.mark.parametrize("keys", [["c"], ["x", "7"]])
def test_on_a_narrow_page_a_field_stands_clear_of_the_bar(
    keys: list[str], questions: list[Any], visit: Callable[..., Any]
) -> None:
    page = visit()
    page.set_viewport_size({"width": 390, "height": 700})
    press(page, *keys)
    field = page.locator(".panel textarea:visible").bounding_box()
    assert field["y"] + field["height"] <= 700
    assert not page.locator(".do").is_visible()  # it gives way to what is asked
