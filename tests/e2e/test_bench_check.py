"""The scorers' word on a text while it is written, in a real browser; the worker's own task answers."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from curation import celery_app
from curation.projects.models import Project
from curation.rationales.models import Rationale, TextCheck
from tests.e2e.benching import current, press
from workers.scoring import tasks

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Any]


@pytest.fixture
def worker() -> Iterator[None]:
    """Does what the worker on the queue `cpu` does with these wake-ups, and signs as it signs."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.05):
            celery_app.broker().set(f"{celery_app.LISTENER_PREFIX}{celery_app.CPU}:here:1", 1, ex=8)
            for pk in TextCheck.objects.filter(answered_at=None).values_list("pk", flat=True):
                tasks.check_text(pk)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    ended.set()
    thread.join()


def said(page: Any, words: str) -> str:
    page.wait_for_selector(f".scored:has-text({words!r})")
    return page.inner_text(".scored")


def test_an_own_rationale_is_graded_while_it_is_written(
    questions: list[Any], visit: Visit, worker: None
) -> None:
    page = visit()
    rationales = Rationale.objects.count()
    press(page, "w")
    page.keyboard.type("She has 1 egg.\n1 + 2 = 4 eggs.\nAnswer: 4")
    told = said(page, "4, not 3")  # by itself, once typing has stopped
    assert "answer 4" in told and "Step 2: 1 + 2 is 3, not 4." in told
    press(page, "Backspace")
    assert page.locator(".scored.old").count() == 1
    press(page, "3", "Alt+Enter")
    page.wait_for_selector(".scored .chip.good")
    assert "\n" not in page.input_value(".editor textarea").split("Answer: 3")[1]
    assert Rationale.objects.count() == rationales


def test_an_edit_is_graded_by_the_button_and_a_hidden_reference_stays_hidden(
    questions: list[Any], visit: Visit, worker: None
) -> None:
    Project.objects.update(hides_reference=True)
    page = visit()
    press(page, "e")
    page.click(".editor .ends button:has-text('Check')")
    told = said(page, "graded when the reference is shown")
    assert "answer" in told and not page.locator(".scored .chip.good, .scored .chip.bad").count()
    press(page, "Escape", "r", "e", "Alt+Enter")
    page.wait_for_selector(".scored .chip.good, .scored .chip.bad")


def test_it_says_when_no_worker_listens(questions: list[Any], visit: Visit) -> None:
    celery_app.broker().delete(
        *celery_app.broker().keys(f"{celery_app.LISTENER_PREFIX}*") or ["none"]
    )
    page = visit()
    press(page, "e", "Alt+Enter")
    assert "is graded when one does" in said(page, "No worker listens")
    page.context.set_offline(True)
    press(page, "Alt+Enter")
    assert "Your text is kept" in said(page, "no connection")
    page.context.set_offline(False)
    press(page, "Control+Enter")  # nothing changed: the editor says so, and nothing else is lost
    assert current(page).locator(".editor .problem").inner_text().startswith("The edit changes")
