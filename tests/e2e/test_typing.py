"""Typing in a real browser: input methods, refused forms, pages that Back brings, raw texts, times."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from curation.projects.models import Project, User
from curation.reviews.models import Review
from tests.e2e.benching import begun, current, press

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
Make = Callable[..., list[Any]]
Visit = Callable[..., Any]
ENDS_A_WORD = """(area, how) => area.dispatchEvent(new KeyboardEvent("keydown", {
  key: "Enter", code: "Enter", bubbles: true, cancelable: true, ...how }))"""


@pytest.mark.parametrize(
    "how", [{"isComposing": True}, {"keyCode": 229}], ids=["chromium", "safari"]
)
def test_enter_that_ends_a_word_of_an_input_method_sends_nothing(
    project: Project, questions: list[Any], visit: Visit, how: dict[str, Any]
) -> None:
    page = visit()
    press(page, "x")
    area = page.locator("#reasons textarea")
    area.fill("りんご")
    area.evaluate(ENDS_A_WORD, how)
    assert page.locator("#reasons").is_visible() and not Review.objects.exists()
    area.evaluate(ENDS_A_WORD, {})
    assert page.locator(".rationale.is-reject").count() == 1


def test_what_was_typed_is_there_again_after_the_session_had_ended(
    project: Project, make_questions: Make, visit: Visit, admin_user: User
) -> None:
    question = make_questions(1)[0]
    edit = reverse("question_edit", args=["eggs", question.pk])
    page = visit(admin_user, edit)
    page.fill("[name=text]", "A better question?")
    Session.objects.all().delete()
    page.click("#edit-question .primary")
    page.wait_for_selector("[name=password]")
    assert "What you typed is kept" in page.inner_text("main")
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", "a long enough word")
    page.click("button.primary")
    page.wait_for_selector(".typed-again")
    assert page.url.endswith(edit)
    assert page.input_value("[name=text]") == "A better question?"
    page.click("#edit-question .primary")
    page.wait_for_url(f"**{reverse('question', args=['eggs', question.pk])}")
    question.refresh_from_db()
    assert question.text == "A better question?"
    page.goto(page.url.replace(f"/{question.pk}/", f"/{question.pk}/edit"))
    assert not page.locator(".typed-again").count()


def test_what_was_typed_is_there_again_after_a_second_sign_in_made_the_form_too_old(
    project: Project, visit: Visit, admin_user: User
) -> None:
    page = visit(admin_user, reverse("settings", args=["eggs"]))
    page.fill("[name=guidelines]", "Count slowly.")
    page.evaluate(
        "document.querySelector('main [name=csrfmiddlewaretoken]').value = 'x'.repeat(64)"
    )
    page.click("main form .primary")
    page.click("[data-typed-kept] a")
    page.wait_for_selector(".typed-again")
    assert page.input_value("[name=guidelines]") == "Count slowly."


def test_back_after_a_sign_out_shows_nothing(
    project: Project, questions: list[Any], visit: Visit, admin_user: User
) -> None:
    page = visit(admin_user, reverse("question", args=["eggs", questions[0].pk]))
    page.click(".menu summary")
    page.click("[data-sign-out] button")
    page.wait_for_selector("[name=password]")
    page.go_back()
    page.wait_for_selector("[name=password]")
    assert questions[0].text[:20] not in page.content()


def test_a_page_that_the_browser_kept_is_emptied_before_it_is_asked_for_again(
    project: Project, questions: list[Any], visit: Visit, admin_user: User
) -> None:
    page = visit(admin_user, reverse("settings", args=["eggs"]))
    page.fill("[name=guidelines]", "Half a sen")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.wait_for_selector(".typed-again")
    assert page.input_value("[name=guidelines]") == "Half a sen"


def test_times_are_the_readers_with_the_name_of_the_zone(
    project: Project,
    questions: list[Any],
    browser: Any,
    visit: Visit,
    admin_user: User,
    live_server: Any,
) -> None:
    state = visit(admin_user).context.storage_state()
    context = browser.new_context(storage_state=state, timezone_id="Asia/Tokyo", locale="en-GB")
    page = context.new_page()
    page.goto(live_server.url + reverse("question", args=["eggs", questions[0].pk]))
    shown = page.inner_text("dl.facts time")
    assert "GMT+9" in shown or "JST" in shown
    page.goto(live_server.url + reverse("review", args=["eggs"]))
    begun(page)
    assert "GMT+9" in page.inner_text("#until") or "JST" in page.inner_text("#until")
    context.close()


def test_the_raw_text_is_one_key_away_and_unchanged(
    make_questions: Make, make_rationales: Make, visit: Visit
) -> None:
    text = "So:\n```python\nif a:\n    b = 1\n```\nThe answer is $\\frac{1}{2}$."
    make_rationales(make_questions(1, question="Which?\n\n    x = 1\n        y")[0], [text])
    page = visit()
    assert "    b = 1" in page.locator("pre.code").nth(1).inner_text()
    assert page.locator("#not-yet").count() == 0
    press(page, "Shift+V")
    assert current(page).locator("textarea.raw-text").input_value() == text
    assert page.locator(".ask textarea").input_value() == "Which?\n\n    x = 1\n        y"
    press(page, "Shift+V")
    assert not page.locator("textarea.raw-text").count()


def test_keys_are_said_not_to_be_heard_until_the_scripts_are_there(
    project: Project, questions: list[Any], visit: Visit
) -> None:
    page = visit(path=reverse("questions", args=["eggs"]))
    held = []
    page.route("**/reviews/sending*.js", lambda route: held.append(route))
    page.goto(page.url.replace("/questions/", "/review/"), wait_until="commit")
    page.wait_for_selector("#not-yet:visible")
    assert page.locator(".table").is_visible()
    for route in held:
        route.continue_()
    begun(page)
    assert not page.locator("#not-yet").count()
