"""Settling disagreements in a real browser, by keys alone, without losing what was typed."""

from collections.abc import Callable
from typing import Any

import pytest

from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.rationales.models import Rationale
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.bench.shortcuts import change_keys
from curation.reviews.models import Decision, Outcome, QueueItem, QueueStatus, Review
from curation.reviews.queue.claims import claim
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from tests.conftest import person

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
LIST = "/projects/eggs/adjudicate/"


@pytest.fixture
def disputed(project: Project, questions: list[Any], reviewer: User) -> list[Any]:
    """Two questions: rudi approves the first rationale, tina edits it; they differ on the second, too."""
    tina = person("tina")
    add_member(project, "tina", "reviewer")
    set_overlap(project, 2)
    for question in questions[:2]:
        for user in (reviewer, tina):
            seat = claim(project, user, question)
            first, second = to_review(seat.item)
            says = [
                ReviewInput(first.pk, "approve"),
                ReviewInput(second.pk, "reject", ["wrong_answer"]),
            ]
            if user == tina:
                says = [
                    ReviewInput(first.pk, "edit", edited_text=f"{first.text} Checked."),
                    ReviewInput(second.pk, "approve"),
                ]
            submit(project, user, seat.item_id, says)
    return questions[:2]


def ready(page: Any) -> None:
    """Waits until the page's script hears keys."""
    page.wait_for_selector("[data-keys-there][data-begun]")


def chosen(page: Any) -> str:
    return page.inner_text("#told")


def test_two_disagreements_are_settled_by_keys_alone(
    disputed: list[Any], admin_user: User, visit: Callable[..., Any]
) -> None:
    page = visit(admin_user, LIST)
    page.keyboard.press("Enter")
    ready(page)
    assert chosen(page) == "0 of 2 chosen"
    first, second = (card.get_attribute("data-dispute") for card in page.locator(".dispute").all())
    # The reasons that reviewers gave stand ticked; they show only with a rejection.
    assert not page.locator(".why").first.is_visible()
    page.keyboard.press("y")  # the only edit: taken, and on to the next rationale
    assert page.locator(".dispute[aria-current]").get_attribute("data-dispute") == second
    page.keyboard.press("x")
    assert page.locator(f'input[name="reasons-{second}"]:checked').get_attribute("value") == (
        "wrong_answer"
    )
    page.keyboard.press("1")  # the first number chooses anew
    page.keyboard.press("2")
    page.keyboard.press("Enter")  # the reasons
    page.keyboard.press("c")
    page.keyboard.type("max and a jar")  # x, a and j are letters here
    page.keyboard.press("Enter")  # keeps the comment
    assert chosen(page) == "2 of 2 chosen"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/adjudicate/{disputed[1].pk}/")
    edit = Rationale.objects.get(parent=first)
    told = dict(Decision.objects.values_list("rationale", "outcome"))
    assert told == {
        int(first): Outcome.SUPERSEDED,
        edit.pk: Outcome.APPROVED,
        int(second): Outcome.REJECTED,
    }
    last = Review.objects.get(rationale=second, is_adjudication=True)
    assert (last.reasons, last.comment) == (["wrong_answer", "wrong_step"], "max and a jar")
    page.keyboard.press("a")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{LIST}")
    assert "No disagreement waits" in page.inner_text("main")
    assert not QueueItem.objects.filter(status=QueueStatus.ADJUDICATE).exists()


def test_the_keys_are_those_of_the_bench_and_moved_ones_are_heard(
    disputed: list[Any], admin_user: User, visit: Callable[..., Any]
) -> None:
    change_keys(admin_user, "approve", ["q"])
    page = visit(admin_user, f"{LIST}{disputed[0].pk}/")
    ready(page)
    page.keyboard.press("?")
    told = page.inner_text("#keys")
    assert "Take a reviewer’s edit" in told and "Step 1 to 9 is good" not in told
    page.keyboard.press("?")
    page.keyboard.press("a")
    assert chosen(page) == "0 of 2 chosen"
    page.keyboard.press("Shift+X")  # the wrong one
    second = page.locator(".dispute").nth(1)
    assert second.locator("input[value=reject]").is_checked() and chosen(page) == "1 of 2 chosen"
    page.keyboard.press("q")
    assert chosen(page) == "2 of 2 chosen"
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    page.wait_for_selector(".message")
    assert "others of this question still wait" in page.inner_text("main")
    ready(page)
    page.keyboard.press("u")  # what was decided last comes back
    page.wait_for_selector("text=Taken back: decide again.")
    ready(page)
    page.keyboard.press("s")
    page.wait_for_url(f"**{LIST}{disputed[1].pk}/")


def test_a_key_that_can_do_nothing_says_so_and_a_rejection_needs_its_reason(
    disputed: list[Any], admin_user: User, visit: Callable[..., Any]
) -> None:
    page = visit(admin_user, f"{LIST}{disputed[0].pk}/")
    ready(page)
    page.keyboard.press("u")
    assert "nothing that could be taken back" in page.inner_text("#note")
    page.keyboard.press("Enter")
    assert "Choose a verdict" in page.inner_text("#note")
    page.keyboard.press("j")
    page.keyboard.press("y")
    assert "There is no edit" in page.inner_text("#note")
    page.keyboard.press("k")
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    first = page.locator(".dispute").first
    assert "at least one reason" in first.locator(".problem").inner_text()
    page.keyboard.press("Escape")
    assert chosen(page) == "0 of 2 chosen"


def test_an_edit_of_the_admin_is_checked_while_it_is_written(
    disputed: list[Any], admin_user: User, visit: Callable[..., Any]
) -> None:
    page = visit(admin_user, f"{LIST}{disputed[0].pk}/")
    ready(page)
    page.keyboard.press("e")
    page.keyboard.type("Answer: 99 ")
    page.keyboard.press("Alt+Enter")
    page.wait_for_selector(".scored:has-text('worker')")  # none is here
    page.keyboard.press("Control+Enter")
    assert page.locator(".dispute[aria-current]").get_attribute("aria-label") == "Rationale B"


def test_what_was_chosen_and_typed_survives_a_reload(
    disputed: list[Any], admin_user: User, visit: Callable[..., Any]
) -> None:
    place = f"{LIST}{disputed[0].pk}/"
    page = visit(admin_user, place)
    ready(page)
    page.keyboard.press("e")
    page.keyboard.press("Control+End")
    page.keyboard.type(" And so it ends.")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.reload()
    page.wait_for_selector("#told:has-text('2 of 2')")
    page.wait_for_timeout(400)
    first, second = page.locator(".dispute").all()
    assert first.locator("textarea[name^=text]").input_value().endswith(" And so it ends.")
    assert second.locator("input[value=reject]").is_checked()
    page.keyboard.press("Enter")
    assert "from before" in page.inner_text("#note")
    page.wait_for_timeout(400)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/adjudicate/{disputed[1].pk}/")
    edits = Rationale.objects.filter(author=admin_user, parent__isnull=False)
    assert edits.get().text.endswith(" And so it ends.")


# What stands on the page when it is left: while it is being left, the browser answers no questions.
LAST_SEEN = """() => addEventListener("pagehide", () => sessionStorage.setItem("seen", [
    document.getElementById("note").textContent,
    document.querySelectorAll(".dispute input[value=approve]:checked").length,
].join("|")))"""


def test_while_decisions_are_sent_no_key_changes_them(
    disputed: list[Any], admin_user: User, visit: Callable[..., Any]
) -> None:
    page = visit(admin_user, f"{LIST}{disputed[0].pk}/")
    ready(page)
    page.evaluate(LAST_SEEN)
    held: list[Any] = []
    page.route(f"**{LIST}{disputed[0].pk}/", lambda route: held.append(route))
    for key in ("a", "a", "Enter", "Enter", "x", "k", "x"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert [route.request.method for route in held] == ["POST"]  # the second Enter sent nothing
    held[0].continue_()
    page.wait_for_url(f"**/adjudicate/{disputed[1].pk}/")
    assert page.evaluate("sessionStorage.getItem('seen')") == (
        "Your decisions are on their way: one moment.|2"
    )
    kept = Review.objects.filter(is_adjudication=True)
    assert [review.verdict for review in kept] == ["approve", "approve"]


def test_an_enter_too_many_sends_nothing_of_the_next_disagreement(
    disputed: list[Any], admin_user: User, visit: Callable[..., Any]
) -> None:
    """Of which something was chosen another time, and left."""
    page = visit(admin_user, f"{LIST}{disputed[1].pk}/")
    ready(page)
    page.keyboard.press("a")
    page.wait_for_timeout(400)
    page.goto(page.url.replace(f"{LIST}{disputed[1].pk}/", f"{LIST}{disputed[0].pk}/"))
    ready(page)
    for key in ("a", "a", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url(f"**/adjudicate/{disputed[1].pk}/", wait_until="commit")
    for _ in range(4):
        page.keyboard.press("Enter")
        page.wait_for_timeout(60)
    ready(page)
    page.wait_for_timeout(600)
    assert page.url.endswith(f"/adjudicate/{disputed[1].pk}/")
    said = Review.objects.filter(is_adjudication=True, rationale__question=disputed[1])
    assert not said.exists() and chosen(page) == "1 of 2 chosen"


def test_letters_typed_while_the_draft_is_still_looked_for_are_letters(
    disputed: list[Any], admin_user: User, visit: Callable[..., Any]
) -> None:
    silent = "indexedDB.open = () => ({})"
    place = f"{LIST}{disputed[0].pk}/"
    page = visit(admin_user, place, before=lambda page: page.add_init_script(silent))
    field = page.locator("textarea[name^=comment]").first
    field.focus()
    page.keyboard.type("a reason", delay=5)
    ready(page)
    assert field.input_value() == "a reason"
