"""Decisions that travel behind the next question: what happens when the way is slow, or the server
refuses or breaks."""

from collections.abc import Callable
from typing import Any

import pytest

from curation.projects.models import User
from curation.reviews.models import Review, Seat
from tests.e2e.benching import counted, goes_on, item_of, press, with_next

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Any]


def hold(page: Any) -> list[Any]:
    """Keeps the first submission on its way; it stands in the list as a route to go on with."""
    held: list[Any] = []
    page.route(
        "**/review/submit",
        lambda route: route.continue_() if held else held.append(route),
    )
    return held


def arrived(page: Any, held: list[Any]) -> None:
    for _ in range(100):
        if held:
            return
        page.wait_for_timeout(50)
    raise AssertionError("nothing was sent")


def one_on_its_way(page: Any) -> tuple[str, list[Any]]:
    """Decides on a question; its submission is on its way."""
    first = item_of(page)
    with_next(page)
    held = hold(page)
    press(page, "a", "a", "a", "Enter")
    goes_on(page, first)
    arrived(page, held)
    return first, held


def two_on_their_way(page: Any) -> tuple[str, str, list[Any]]:
    """Decides on two questions: the first is on its way, the second waits for it."""
    first, held = one_on_its_way(page)
    second = item_of(page)
    press(page, "a", "a", "a", "Enter")
    page.wait_for_selector("#bench.busy")
    return first, second, held


def test_a_refusal_while_the_next_one_waits_sends_neither_wrongly(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    first, second, held = two_on_their_way(page)
    Seat.objects.filter(item=first).update(holder=None, held_until=None)
    held[0].continue_()
    page.wait_for_selector(f'.table[data-item="{first}"]')
    page.wait_for_selector("#bench:not(.busy)")
    assert "was not taken" in page.inner_text("#notice")
    assert page.locator(".rationale.is-approve").count() == 2  # nothing of it was dropped
    assert not Review.objects.exists()
    page.click("[data-notice-do]")
    page.wait_for_selector(f'.table[data-item="{second}"]')
    press(page, "Enter")
    counted(page, 2)
    said = Review.objects.values_list("rationale__question__queue_item", flat=True)
    assert set(said) == {int(second)}


def test_an_undo_after_a_refusal_takes_nothing_else_back(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    zero = item_of(page)
    press(page, "a", "a", "a", "Enter")
    goes_on(page, zero)
    counted(page, 2)
    page.wait_for_selector("#bench:not([data-sending])")
    with_next(page)
    first = item_of(page)
    held = hold(page)
    press(page, "a", "a", "a", "Enter")
    goes_on(page, first)
    arrived(page, held)
    press(page, "u")
    Seat.objects.filter(item=first).update(holder=None, held_until=None)
    held[0].continue_()
    page.wait_for_selector(f'.table[data-item="{first}"]')
    page.wait_for_timeout(500)
    assert item_of(page) == first and "was not taken" in page.inner_text("#notice")
    assert Review.objects.filter(withdrawn_at=None).count() == 2


def test_what_is_on_its_way_cannot_be_changed(questions: list[Any], visit: Visit) -> None:
    page = visit()
    _, second, held = two_on_their_way(page)
    press(page, "x")
    assert page.locator("#reasons").is_hidden()
    assert "on their way" in page.inner_text("#notice")
    assert page.locator(".rationale.is-approve").count() == 2
    held[0].continue_()
    goes_on(page, second)
    counted(page, 4)
    assert Review.objects.filter(verdict="approve").count() == 4


@pytest.mark.parametrize("times", [1, 2])
def test_a_server_that_breaks_after_it_took_the_decisions_counts_them_once(
    times: int, questions: list[Any], visit: Visit
) -> None:
    page = visit()
    item = item_of(page)
    with_next(page)
    calls = []

    def break_after(route: Any) -> None:
        calls.append(route.request.post_data_json)
        if len(calls) > times:
            return route.continue_()
        route.fetch()
        return route.fulfill(status=500, content_type="text/html", body="broken")

    page.route("**/review/submit", break_after)
    press(page, "a", "a", "a", "Enter")
    if times == 2:  # broken again: the question comes back, and is sent once more by hand
        page.wait_for_selector("#notice:has-text('was not taken')")
        assert item_of(page) == item
        press(page, "Enter")
    goes_on(page, item)
    page.wait_for_selector("#bench:not([data-sending])")
    assert len(calls) == times + 1 and calls[-1]["again"] is True
    assert Review.objects.count() == 2


def test_a_question_that_arrives_twice_is_shown_once(questions: list[Any], visit: Visit) -> None:
    """The next question was on its way when ⏎ was pressed, and the decisions' answer brings it, too."""
    asked: list[Any] = []
    page = visit(before=lambda tab: tab.route("**/review/ahead", lambda r: asked.append(r)))
    arrived(page, asked)
    held = hold(page)
    first = item_of(page)
    press(page, "a", "a", "a", "Enter")
    arrived(page, held)
    with page.expect_response("**/review/ahead"):
        asked.pop().continue_()
    page.unroute("**/review/ahead")
    held[0].continue_()
    goes_on(page, first)
    second = item_of(page)
    with_next(page)
    press(page, "a", "a", "a", "Enter")
    goes_on(page, second)
    assert item_of(page) not in (None, first, second)
    counted(page, 4)


# The first answer to a submission breaks off in the middle of its body; the server has taken it.
CUT = """
const real = window.fetch;
let cuts = 1;
window.fetch = async (url, how) => {
  const answer = await real(url, how);
  if (!String(url).endsWith("/review/submit") || !cuts) return answer;
  cuts -= 1;
  await answer.text();
  const part = new TextEncoder().encode('{"ahead":');
  const body = new ReadableStream({
    start: (way) => (way.enqueue(part), way.error(new TypeError("network error"))),
  });
  return new Response(body, { status: 200, headers: { "Content-Type": "application/json" } });
};
"""


def test_an_answer_that_breaks_off_in_its_middle_is_asked_for_again(
    make_questions: Callable[..., Any], make_rationales: Callable[..., Any], visit: Visit
) -> None:
    for one in make_questions(5):
        make_rationales(one, ["right", "wrong"])
    page = visit(before=lambda page: page.add_init_script(CUT))
    for _ in range(4):
        shown = item_of(page)
        page.wait_for_selector("#bench:not(.busy)")
        press(page, "a", "a", "a", "Enter")
        goes_on(page, shown)
        page.wait_for_timeout(400)
    counted(page, 8)
    assert page.get_attribute("#bench", "data-sending") is None


def test_a_question_that_comes_ahead_too_late_is_not_shown_again(
    make_questions: Callable[..., Any], make_rationales: Callable[..., Any], visit: Visit
) -> None:
    for one in make_questions(6):
        make_rationales(one, ["right", "wrong"])
    late: list[Any] = []

    def hold_the_first(route: Any) -> None:
        if late:
            return route.continue_()
        return late.append((route, route.fetch()))

    page = visit(before=lambda page: page.route("**/review/ahead", hold_the_first))
    seen = []
    for turn in range(5):
        seen.append(item_of(page))
        if turn == 2:
            route, answer = late[0]
            route.fulfill(response=answer)
            page.wait_for_timeout(400)
        page.wait_for_timeout(400)
        press(page, "a", "a", "a", "Enter")
        goes_on(page, seen[-1])
    counted(page, 10)
    assert len(set(seen)) == 5


def test_what_is_typed_when_a_question_comes_back_changes_nothing_on_it(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    first, held = one_on_its_way(page)
    press(page, "c")
    page.keyboard.type("the sum ")
    held[0].fulfill(status=429, content_type="application/json", body='{"error": "too many"}')
    page.wait_for_selector(f'.table[data-item="{first}"]')
    page.keyboard.type("as a rule")
    assert page.locator(".rationale.is-approve").count() == 2
    page.wait_for_timeout(1000)
    press(page, "x")
    assert page.is_visible("#reasons")  # after a pause keys are heard


def test_enter_goes_on_from_a_question_that_is_lost(
    questions: list[Any], admin_user: User, visit: Visit
) -> None:
    page = visit()
    first, held = one_on_its_way(page)
    Seat.objects.filter(item=first).update(holder=admin_user)
    held[0].continue_()
    page.wait_for_selector(f'.table[data-item="{first}"]')
    page.wait_for_selector("#notice:has-text('Next question')")
    page.wait_for_timeout(400)
    press(page, "Enter")
    goes_on(page, first)
