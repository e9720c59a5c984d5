"""What a reader asks the bench for: guidelines, keys, marks and thoughts; and that neither a crash, the
back button nor a second tab costs a word."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Error

from curation.projects.models import Project
from curation.reviews.bench.shortcuts import ACTIONS
from curation.reviews.models import Decision, Review
from tests.e2e.benching import begun, counted, current, goes_on, item_of, press

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
Make = Callable[..., list[Any]]
Visit = Callable[..., Any]


def test_guidelines_are_one_key_away_also_when_nothing_waits(
    project: Project, make_questions: Make, make_rationales: Make, visit: Visit
) -> None:
    Project.objects.update(guidelines="Count the eggs yourself.\n\nThen decide.")
    make_rationales(make_questions(1)[0], ["right"])
    page = visit()
    item = item_of(page)
    press(page, "g")
    assert "Count the eggs yourself." in page.inner_text("dialog[open]")
    press(page, "g")
    assert not page.locator("dialog[open]").count()
    press(page, "a", "Enter")
    goes_on(page, item)
    page.wait_for_selector(".empty")
    press(page, "g")
    assert "Then decide." in page.inner_text("dialog[open]")


def test_every_action_is_shown_with_its_key(questions: list[Any], visit: Visit) -> None:
    page = visit()
    press(page, "?")
    told = page.inner_text("#keys")
    assert [action.name for action in ACTIONS if action.what not in told] == []
    press(page, "?")
    assert not page.locator("dialog[open]").count()


def test_marks_and_thoughts_are_folded_until_asked_for(
    make_questions: Make, make_rationales: Make, visit: Visit
) -> None:
    text = "<think>Hm, 1 and 2.</think>\nShe has 1 + 2 = <<1+2=3>>3 eggs.\nAnswer: 3"
    make_rationales(make_questions(1)[0], [text])
    page = visit()
    shown = current(page).inner_text()
    assert "1 + 2 = 3 eggs" in shown and "<<" not in shown and "Hm, 1 and 2." not in shown
    press(page, "m")
    shown = current(page).inner_text()
    assert "<<1+2=3>>" in shown and "Hm, 1 and 2." in shown
    press(page, "m")
    assert "<<" not in current(page).inner_text()


def crash(page: Any) -> None:
    """Kills the browser's processes that draw pages: no script hears that its page ends."""
    asked = page.context.browser.new_browser_cdp_session()
    running = asked.send("SystemInfo.getProcessInfo")["processInfo"]
    with page.expect_event("crash"):
        for one in running:
            if one["type"] == "renderer":
                os.kill(one["id"], signal.SIGKILL)


def opened_again(context: Any) -> Any:
    """A new tab; the browser's spare process for it was killed with the others."""
    for _ in range(5):
        try:
            return context.new_page()
        except Error:
            time.sleep(0.5)
    return context.new_page()


@pytest.mark.parametrize("where", ["e", "w", "c"], ids=["edit", "own rationale", "comment"])
def test_what_was_typed_survives_a_crash_of_the_tab(
    where: str, questions: list[Any], visit: Visit
) -> None:
    page = visit()
    item = item_of(page)
    context = page.context
    press(page, where)
    page.keyboard.type(" Typed before the crash.")
    page.wait_for_timeout(200)  # the browser writes what the tab gave it
    crash(page)
    other = opened_again(context)
    other.goto(page.url)
    begun(other)
    assert item_of(other) == item
    press(other, where)
    typed = other.locator(".editor textarea, #comment textarea").first
    assert typed.input_value().endswith("Typed before the crash.")


def test_the_back_button_finds_what_was_typed(questions: list[Any], visit: Visit) -> None:
    page = visit()
    item = item_of(page)
    press(page, "a", "ArrowRight", "e")
    page.keyboard.type(" Typed before I left.")
    page.goto(page.url.replace("/review/", "/questions/"))
    page.go_back()
    begun(page)
    assert item_of(page) == item
    assert page.locator(".rationale.is-approve").count() == 1
    if not page.locator(".editor").count():
        press(page, "e")
    assert page.input_value(".editor textarea").endswith("Typed before I left.")


def test_two_tabs_count_a_question_once_and_the_second_keeps_what_was_typed(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    item = item_of(page)
    other = page.context.new_page()
    other.goto(page.url)
    begun(other)
    assert item_of(other) == item
    press(other, "e")
    other.keyboard.type(" From the second tab.")
    press(other, "Control+Enter")
    press(page, "a", "a", "a", "Enter")
    goes_on(page, item)
    counted(page, 2)
    press(other, "Enter")
    other.wait_for_selector("#notice:has-text('another tab')")
    assert "From the second tab." in other.inner_text(".edited")
    assert Review.objects.count() == 2 and Decision.objects.count() == 2
