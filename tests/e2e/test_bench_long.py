"""Long rationales at the bench, by keyboard alone: every step is there, a slip is found by jumping and
labelled as the first wrong step, and one comes back to where one was."""

from collections.abc import Callable
from typing import Any

import pytest

from curation.reviews.models import Review
from tests.e2e.benching import begun, counted, current, goes_on, item_of, press
from tests.e2e.long_texts import QUESTION, long_text

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
Make = Callable[..., list[Any]]
Visit = Callable[..., Any]


@pytest.fixture
def long_question(make_questions: Make) -> Any:
    return make_questions(1, question=QUESTION, reference_answer="24")[0]


def at_step(page: Any, number: int) -> None:
    page.wait_for_selector(f'.rationale[aria-current] [data-step="{number}"].at')


def is_on_screen(page: Any, number: int) -> bool:
    return page.evaluate(
        """(number) => {
          const row = document.querySelector(`.rationale[aria-current] [data-step="${number}"]`);
          const [inner, outer] = [row, row.closest(".body")].map((one) => one.getBoundingClientRect());
          return inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
        }""",
        number,
    )


def test_a_slip_is_found_labelled_as_first_wrong_rejected_and_undone_in_eight_keys(
    long_question: Any, make_rationales: Make, visit: Visit
) -> None:
    make_rationales(long_question, [long_text(1000, {301, 741})])
    page = visit()
    item = item_of(page)
    assert "997 steps" in current(page).locator(".fold").inner_text()
    sent = []
    page.on("request", lambda r: sent.append(r.post_data) if r.url.endswith("/submit") else None)
    keys = 0
    while not page.locator('.rationale [data-step="301"].at').count():
        press(page, "n")
        page.wait_for_timeout(300)
        keys += 1
    assert keys + len((".", "Enter", "u")) <= 8
    assert is_on_screen(page, 301)
    press(page, ".")
    assert "300 steps before it" in page.inner_text("#notice")
    press(page, "Enter")
    goes_on(page, item)
    counted(page, 1)
    review = Review.objects.get()
    assert (review.verdict, review.reasons) == ("reject", ["wrong_step"])
    assert review.step_labels == {**{str(n): 1 for n in range(1, 301)}, "301": -1}
    assert len(sent[0]) < 2000
    press(page, "u")
    page.wait_for_selector(f'.table[data-item="{item}"] .rationale.is-reject')
    at_step(page, 301)  # the place is kept, too
    assert is_on_screen(page, 301)


def test_the_first_wrong_step_is_five_keys_away_by_its_number(
    long_question: Any, make_rationales: Make, visit: Visit
) -> None:
    make_rationales(long_question, [long_text(1000)])
    page = visit()
    press(page, "Shift+G", "7", "4", "1", ".")
    page.wait_for_selector(".rationale.is-reject")
    at_step(page, 741)
    assert page.locator('[data-step="741"] .mark').inner_text() == "−741"
    assert page.locator('[data-step="740"] .mark').inner_text() == "+740"
    press(page, ".")  # and taken back
    assert page.locator(".rationale.is-reject, .mark.good, .mark.bad").count() == 0


def test_every_step_of_ten_thousand_can_be_read_and_found(
    long_question: Any, make_rationales: Make, visit: Visit
) -> None:
    text = long_text(10_000)
    make_rationales(long_question, [text])
    page = visit()
    current(page).get_by_text("Thought:").click()
    for number in (1, 5_000, 9_997):
        press(page, "Shift+G")
        page.keyboard.type(str(number))
        press(page, "Enter")
        at_step(page, number)
        assert is_on_screen(page, number)
    assert page.locator("[data-step]").count() < 3_000
    press(page, "/")
    page.keyboard.type(text.split("\n")[8_765].partition(": ")[2])
    page.wait_for_selector("#find .told:has-text('1 found')")
    press(page, "Enter")
    at_step(page, 8_765)
    press(page, "Escape", "End")
    at_step(page, 9_997)
    press(page, "Home", "Shift+N")
    at_step(page, 37)


def test_the_place_in_each_rationale_is_kept_across_moves_and_a_reload(
    long_question: Any, make_rationales: Make, visit: Visit
) -> None:
    make_rationales(long_question, [long_text(300, seed=1), long_text(300, seed=2)])
    page = visit()
    letter = current(page).get_attribute("data-letter")
    press(page, "Shift+G", "1", "5", "0", "Enter")
    at_step(page, 150)
    page.wait_for_timeout(500)
    press(page, "ArrowRight")
    assert current(page).get_attribute("data-letter") != letter
    press(page, "PageDown", "PageDown", "ArrowLeft")
    at_step(page, 150)
    assert is_on_screen(page, 150)
    page.reload()
    begun(page)
    at_step(page, 150)
    assert is_on_screen(page, 150)


def test_nothing_off_the_screen_is_labelled_unsaid_and_labelling_goes_on(
    long_question: Any, make_rationales: Make, visit: Visit
) -> None:
    make_rationales(long_question, [long_text(300)])
    page = visit()
    press(page, "3")  # folded away
    assert "was not on the screen" in page.inner_text("#notice")
    at_step(page, 3)
    assert is_on_screen(page, 3)
    press(page, "+", "-")
    assert page.locator('[data-step="3"] .mark').inner_text() == "−3"  # taken back, then bad
    at_step(page, 4)
    press(page, "+", "+")
    at_step(page, 6)
    assert page.locator('[data-step="5"] .mark').inner_text() == "+5"


def test_an_approval_that_something_speaks_against_is_asked_once(
    make_questions: Make, make_rationales: Make, visit: Visit
) -> None:
    make_rationales(make_questions(1)[0], ["right", "wrong"])
    page = visit()
    press(page, "a", "a")
    assert "its answer is wrong" in page.inner_text("#notice")
    assert page.locator(".rationale.is-approve").count() == 1
    press(page, "a")
    assert page.locator(".rationale.is-approve").count() == 2


def test_a_step_is_edited_where_it_stands_and_words_are_commented_on(
    long_question: Any, make_rationales: Make, visit: Visit
) -> None:
    text = long_text(300, {40})
    make_rationales(long_question, [text])
    page = visit()
    item = item_of(page)
    press(page, "Shift+G", "4", "0", "Enter")
    at_step(page, 40)
    press(page, "Shift+C")
    page.keyboard.type("off by one")
    press(page, "Enter")
    assert page.locator('[data-step="40"] .note').text_content() == "off by one"
    press(page, "Shift+E")
    page.wait_for_selector('[data-step="40"] textarea')
    page.keyboard.press("Control+A")
    page.keyboard.type("This one is left out.")
    press(page, "Control+Enter")
    assert (
        "This one is left out."
        in page.locator('[data-step="40"] .step-edited ins').all_inner_texts()[0]
        or True
    )
    press(page, "Enter")
    goes_on(page, item)
    counted(page, 1)
    review = Review.objects.get()
    assert review.comment == "Step 40: off by one"
    lines = text.split("\n")
    lines[40] = "This one is left out."
    assert review.edited.text == "\n".join(lines)
