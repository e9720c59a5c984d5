"""What the tests of the bench in a browser share: presses, and waiting for what follows them."""

from typing import Any

from curation.reviews.models import Review


def begun(page: Any) -> None:
    """Waits until the page's script hears keys."""
    page.wait_for_selector("#bench[data-begun]")


def with_next(page: Any) -> None:
    """Waits until the page has the next question in hand."""
    page.wait_for_selector("#bench[data-ahead-of]")


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def item_of(page: Any) -> str | None:
    table = page.query_selector(".table")
    return table and table.get_attribute("data-item")


def goes_on(page: Any, item: str | None) -> None:
    """Waits until another question, or none, is shown."""
    page.wait_for_selector(f'.table:not([data-item="{item}"]) .rationale[aria-current], .empty')


def counted(page: Any, number: int) -> None:
    """Waits until the server has so many reviews: they travel behind the next question."""
    for _ in range(100):
        if Review.objects.count() >= number:
            break
        page.wait_for_timeout(50)
    assert Review.objects.count() == number


def current(page: Any) -> Any:
    return page.locator(".rationale[aria-current]")
