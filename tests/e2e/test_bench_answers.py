"""Answers that the scorers could not read, or misread, before a real bench."""

from collections.abc import Callable
from typing import Any

import pytest

from curation.rationales.models import ReadingCase, Score
from curation.reviews.models import Review
from tests.e2e.benching import counted, goes_on, item_of, press

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
Make = Callable[..., list[Any]]
HIDDEN = "She had an egg, and hens laid a pair.\nWhoever counts them comes to a trio."


@pytest.fixture
def three(make_questions: Make, make_rationales: Make) -> list[Any]:
    first, second = make_questions(2)
    make_rationales(second, ["right"])
    return make_rationales(first, ["right", "wrong", HIDDEN])


def card(page: Any, rationale: Any) -> Any:
    return page.locator(f'.rationale[data-rationale="{rationale.pk}"]')


def test_one_key_rejects_what_is_wrong_and_never_what_was_not_read(
    three: list[Any], visit: Callable[..., Any]
) -> None:
    page = visit()
    item = item_of(page)
    press(page, "Shift+X")
    assert "is-reject" in card(page, three[1]).get_attribute("class")
    assert "is-reject" not in card(page, three[2]).get_attribute("class")
    assert "? not read" in card(page, three[2]).inner_text()
    press(page, "Shift+X")
    assert "No open rationale has a wrong answer" in page.inner_text("#notice")
    press(page, "Enter")
    goes_on(page, item)
    counted(page, 1)
    assert Review.objects.get().rationale_id == three[1].pk


def test_a_misread_answer_is_corrected_by_a_key_and_counts_at_once(
    three: list[Any], visit: Callable[..., Any]
) -> None:
    page = visit()
    hidden = card(page, three[2])
    hidden.locator("header").click()
    press(page, "i")
    page.wait_for_selector("#read[open]")
    assert "nothing" in page.inner_text("[data-read-now]")
    page.keyboard.type("a trio")
    assert (
        page.get_attribute("#read [data-choice=wrong]", "aria-pressed") == "true"
    )  # not the reference
    page.click("#read [data-choice=right]")
    page.click("#read .primary")
    page.wait_for_selector("#read", state="hidden")
    assert hidden.get_attribute("data-grade") == "right"
    assert "✓ right" in hidden.inner_text() and "Answer a trio" in hidden.inner_text()
    assert Score.objects.get(pk=three[2].pk).verdict == "right"
    case = ReadingCase.objects.get()
    assert (case.answer, case.verdict, case.was_verdict) == ("a trio", "right", "not_read")


def test_what_equals_the_reference_is_taken_for_right(
    three: list[Any], visit: Callable[..., Any]
) -> None:
    page = visit()
    card(page, three[1]).locator("header").click()
    press(page, "i")
    page.wait_for_selector("#read[open]")
    page.keyboard.type("3")  # over what was read
    assert page.get_attribute("#read [data-choice=right]", "aria-pressed") == "true"
    page.fill("#read input", "")
    assert page.get_attribute("#read [data-choice=none]", "aria-pressed") == "true"
    press(page, "Escape")
    page.wait_for_selector("#read", state="hidden")
    assert not ReadingCase.objects.exists()


def test_the_page_of_an_answer_leads_there_and_back(
    three: list[Any], visit: Callable[..., Any]
) -> None:
    page = visit()
    with page.context.expect_page() as opened:
        card(page, three[0]).locator("a.how").click()
    told = opened.value
    told.wait_for_selector("mark")
    assert told.inner_text("mark") == "3" and "Verdict" in told.inner_text("body")
