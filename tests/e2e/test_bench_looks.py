"""That nothing at the bench is cut, however many rationales stand side by side."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.benching import press

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

# Buttons and chips that reach beyond the rationale, or the panel of the question, that they stand in.
CUT = """
[...document.querySelectorAll(".rationale, .ask")].filter((box) => box.offsetParent).flatMap((box) => {
  const { left, right } = box.getBoundingClientRect();
  return [...box.querySelectorAll("button, .chip, kbd, .end")].filter((one) => {
    const inner = one.getBoundingClientRect();
    return one.offsetParent && (inner.right > right || inner.left < left);
  }).map((one) => `${box.dataset.letter}: ${one.textContent.trim()}`);
})
"""


@pytest.mark.parametrize("rationales", [2, 4, 9, 30])
def test_no_button_or_chip_is_cut(
    rationales: int,
    make_questions: Callable[..., list[Any]],
    make_rationales: Callable[..., list[Any]],
    visit: Callable[..., Any],
) -> None:
    (question,) = make_questions(1, domain="arithmetic in everyday life, shopping and travelling")
    make_rationales(question, ["right", *["wrong"] * (rationales - 1)])
    page = visit()
    for keys in (["b"], ["ArrowRight", "x"], ["Escape", "c"], ["Escape", "e"]):
        press(page, *keys)
        assert page.evaluate(CUT) == []
    press(page, "Escape", "a")
    assert page.evaluate(CUT) == []
    # The rationale marked as the best still has its header on one line.
    rows = page.locator(".rationale header .row")
    heights = {round(row.bounding_box()["height"]) for row in rows.all()[:4]}
    assert len(heights) == 1


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("o", "No other rationale is like"),
        ("r", "no worked answer"),
        ("+", "No step is under the cursor"),
        ("9", "has no step 9"),
        ("Shift+X", "No open rationale has a wrong answer"),
    ],
)
def test_a_key_that_can_do_nothing_says_so(
    keys: str,
    says: str,
    make_questions: Callable[..., list[Any]],
    make_rationales: Callable[..., list[Any]],
    visit: Callable[..., Any],
) -> None:
    make_rationales(make_questions(1)[0], ["right"])
    page = visit()
    press(page, keys)
    assert says in page.inner_text("#notice")
