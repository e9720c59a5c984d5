"""What a person says of the question itself, as the bench shows it again."""

from collections.abc import Callable
from typing import Any

import pytest

from curation.reviews.models import QuestionFlag, Skip
from tests.e2e.benching import begun, goes_on, item_of, press, with_next

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Any]


def flag(page: Any, *how: str) -> None:
    press(page, "f", "2")
    page.focus("#flag textarea")
    page.keyboard.type("Which day?")
    press(page, *how)
    page.wait_for_selector("#flag", state="hidden")


def test_ones_own_flag_stands_at_the_question_after_a_reload_and_an_undo(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    item = item_of(page)
    flag(page, "Enter")
    assert "ambiguous: “Which day?”" in page.inner_text(".ask .flagged")
    page.reload()
    begun(page)
    page.wait_for_selector(".ask .flagged:has-text('Which day?')")
    with_next(page)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if r.url.endswith("/flag") else None)
    press(page, "a", "a", "a", "Enter")
    goes_on(page, item)
    assert page.locator(".ask .flagged").count() == 0
    press(page, "u")
    page.wait_for_selector(f'.table[data-item="{item}"] .flagged')
    assert not asked  # the page knew
    page.click(".ask .flagged button")
    page.wait_for_selector(".ask .flagged", state="detached")
    assert "taken back" in page.inner_text("#notice")
    assert QuestionFlag.objects.get().withdrawn_at is not None


def test_a_question_is_flagged_and_skipped_in_one_go(questions: list[Any], visit: Visit) -> None:
    page = visit()
    item = item_of(page)
    with_next(page)
    press(page, "f", "1", "s")
    goes_on(page, item)
    assert "The question before is flagged and skipped" in page.inner_text("#notice")
    page.wait_for_selector("#bench:not([data-sending])")
    assert QuestionFlag.objects.get().kind == "wrong_reference"
    said = Skip.objects.values_list("item_id", "reason").get()
    assert said == (int(item), "flagged: wrong reference answer")
    second = item_of(page)
    press(page, "f", "3")
    page.check("#flag [name=reject]")
    page.click("#flag [data-flag-skip]")
    assert "A skip sends no decision" in page.inner_text("#flag .problem")
    page.uncheck("#flag [name=reject]")
    page.click("#flag [data-flag-skip]")
    goes_on(page, second)
    press(page, "u")
    page.wait_for_selector(f'.table[data-item="{second}"] .flagged')
