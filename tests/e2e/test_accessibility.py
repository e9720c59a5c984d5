"""axe-core over every page, read off the address list so that a new page cannot be forgotten: nothing
serious or critical, as an admin and as a reviewer, in light and in dark."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse

from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.reviews.models import Review
from tests.conftest import signed_in
from tests.curation.test_attacks import ADDRESSES, Ids, ids, question  # noqa: F401
from tests.e2e.benching import begun, press

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
GRAVE = {"serious", "critical"}
# Pages that stand below no project; a new one without a number in its address is found by itself below.
OUTSIDE = ("home", "project_new", "tokens", "deleted_projects")


def is_page(client: Client, path: str) -> bool:
    """Whether the address is a whole page for this person: no fragment, download or posting place."""
    answer = client.get(path)
    html = answer.headers.get("Content-Type", "").startswith("text/html")
    return answer.status_code == 200 and html and b"<!doctype html>" in answer.content[:200].lower()


def findings(page: Any, name: str) -> list[str]:
    """What axe finds in light, and of colours in dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        options: dict[str, Any] = {"resultTypes": ["violations"]}
        if scheme == "dark":
            options["runOnly"] = {"type": "rule", "values": ["color-contrast"]}
        for one in Axe().run(page, options=options).response["violations"]:
            if one["impact"] in GRAVE:
                nodes = [node["html"][:160] for node in one["nodes"]]
                found.append(f"{name}, {scheme}: {one['id']} ({one['help']}): {nodes[:3]}")
    page.emulate_media(color_scheme="light")
    return found


@pytest.fixture
def tab(browser: Any, live_server: Any) -> Iterator[Callable[[User | None], Any]]:
    """tab(user): a browser tab in which that person is signed in."""
    contexts = []

    def open_tab(user: User | None) -> Any:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        contexts.append(context)
        if user is not None:
            cookie = signed_in(user).cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(15_000)
        return page

    yield open_tab
    for context in contexts:
        context.close()


def places(client: Client, known: Ids) -> Iterator[tuple[str, str]]:
    for address in ADDRESSES:
        path = known.place(address)
        if is_page(client, path):
            yield address.name, path
    for name in OUTSIDE:
        if is_page(client, reverse(name)):
            yield name, reverse(name)


@pytest.mark.parametrize("role", ["admin", "reviewer"])
def test_no_page_has_a_serious_finding(
    role: str,
    ids: Ids,  # noqa: F811
    admin_user: User,
    reviewer: User,
    live_server: Any,
    tab: Callable[..., Any],
) -> None:
    user = admin_user if role == "admin" else reviewer
    page, found, seen = tab(user), [], []
    for name, path in places(signed_in(user), ids):
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")
        seen.append(name)
        found += findings(page, name)
    assert len(seen) > (25 if role == "admin" else 15), seen
    assert not found, "\n".join(found)


def test_pages_of_those_outside_have_no_serious_finding(
    project: Project, stranger: User, live_server: Any, tab: Callable[..., Any]
) -> None:
    page, found = tab(None), []
    page.goto(live_server.url + reverse("sign_in"))
    found += findings(page, "sign_in")
    page = tab(stranger)
    for name in ("dashboard", "questions", "review", "rationales", "runs", "datasets"):
        page.goto(live_server.url + reverse(name, args=["elsewhere"]))  # all of them empty
        found += findings(page, f"{name}, empty")
    page.goto(live_server.url + reverse("dashboard", args=["eggs"]))
    found += findings(page, "not found")
    assert not found, "\n".join(found)


# The bench beside how it comes: keys to press, and what they show.
STATES = {
    "reasons": ["x"],
    "comment": ["c"],
    "editor": ["e"],
    "own rationale": ["w"],
    "differences": ["d", "ArrowRight"],
    "decided": ["a", "x", "3", "Enter", "b", "1", "Shift+Digit2"],
    "keys": ["?"],
    "flag": ["f"],
    "skip": ["s"],
    "guidelines": ["g"],
    "nothing to undo": ["u"],
}


@pytest.mark.parametrize("state", STATES)
def test_the_bench_has_no_serious_finding_in_any_state(
    state: str,
    question: Question,  # noqa: F811
    reviewer: User,
    live_server: Any,
    tab: Callable[..., Any],
) -> None:
    page = tab(reviewer)
    page.goto(live_server.url + reverse("review", args=["eggs"]))
    begun(page)
    press(page, *STATES[state])
    found = findings(page, state)
    if state == "keys":
        page.click("[data-keys-change]")
        found += findings(page, "keys that are changed")
    assert not found, "\n".join(found)
    assert not Review.objects.exists()
