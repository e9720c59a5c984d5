"""A person's way through the whole loop in Chromium, on the demo project: sign-in to the report."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]


def sign_in(page: Any, stack: Stack, name: str) -> None:
    page.goto("/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(stack.password(name))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Word problems").first.wait_for()


def sign_out(page: Any) -> None:
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Password").wait_for()


def questions_file(folder: Path) -> Path:
    rows = [
        {
            "question": f"Ann has {n} pens and buys 5 more. How many pens has she?",
            "answer": str(n + 5),
        }
        for n in range(11, 15)
    ]
    path = folder / "more.jsonl"
    path.write_text("\n".join([*map(json.dumps, rows), "{not json"]))
    return path


def wait_until_it_ends(page: Any, seconds: float) -> None:
    page.locator(
        "main .title .chip", has_text=re.compile("^(done|failed|cancelled)$")
    ).first.wait_for(timeout=seconds * 1000)
    assert page.locator("main .title .chip", has_text=re.compile("^done$")).count(), (
        page.inner_text("main")
    )


def test_from_sign_in_to_the_report(page: Any, stack: Stack, tmp_path: Path) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    # An admin signs in; the first rationales come while they look.
    sign_in(page, stack, "admin")
    page.goto("/projects/demo/")
    page.locator("#flow-scored b", has_text="600").wait_for(timeout=240_000)

    # They import a file with a bad row, are told its line, and keep the good ones.
    page.get_by_role("link", name="Import questions").click()
    page.set_input_files("input[type=file]", questions_file(tmp_path))
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_text("As reviewers will see row 1").wait_for(timeout=30_000)
    page.get_by_role("button", name=re.compile("^Import ")).click()
    page.get_by_text("line 5").first.wait_for(timeout=30_000)
    page.get_by_role("button", name=re.compile("good rows")).click()
    page.get_by_text("4", exact=True).first.wait_for(timeout=30_000)

    # They order rationales of one teacher, at another temperature, for the first ten questions.
    page.goto("/projects/demo/runs/")
    page.get_by_role("link", name="Order rationales").first.click()
    page.get_by_label("strong").check()
    page.get_by_label("wordy").uncheck()
    page.get_by_label("Temperatures").fill("0.9")
    page.get_by_label("Questions", exact=True).select_option("first")
    page.get_by_label("So many questions").fill("10")
    page.get_by_role("button", name="Order", exact=True).click()
    wait_until_it_ends(page, 90)
    sign_out(page)

    # A reviewer decides on three questions by keyboard, and takes the last one back.
    sign_in(page, stack, "reviewer")
    page.goto("/projects/demo/review/")
    for _ in range(3):
        page.wait_for_selector(".rationale[aria-current]")
        question = page.inner_text(".ask .q")
        page.keyboard.press("a")
        if not page.locator(".rationale.is-approve").count():
            page.keyboard.press("a")  # its answer is wrong: asked once
        page.keyboard.press("Enter")
        page.wait_for_function(
            "old => { const q = document.querySelector('.ask .q'); return q && q.innerText !== old }",
            arg=question,
        )
    page.keyboard.press("u")
    page.wait_for_function(
        "old => document.querySelector('.ask .q')?.innerText === old", arg=question
    )
    page.keyboard.press("Enter")
    page.wait_for_function(
        "old => { const q = document.querySelector('.ask .q'); return q && q.innerText !== old }",
        arg=question,
    )
    # What only an admin may is not theirs.
    assert page.goto("/projects/demo/settings/").status == 403
    sign_out(page)

    # The admin lets the rule approve the rest, freezes and trains by one click, and cancels.
    sign_in(page, stack, "admin")
    page.goto("/projects/demo/")
    page.locator("#by-rule").click()
    page.get_by_text(re.compile(r"by people [3-9], by rule \d{2,}")).wait_for()
    page.get_by_role("button", name="Export and train").click()
    page.wait_for_url(re.compile(r"/training/\d+/"))
    page.get_by_text(re.compile(r"step \d+ of")).wait_for(timeout=120_000)
    page.locator("#cancel").click()
    page.locator("main .title .chip", has_text="cancelled").wait_for(timeout=15_000)

    # A shorter training on the same dataset, measured by hand on a few questions of each part.
    page.locator("#again").click()
    page.get_by_text("Change the preset").click()
    page.get_by_label("Epochs").fill("1")
    page.get_by_label(re.compile("Measure the student")).uncheck()
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url(re.compile(r"/training/\d+/"))
    page.locator("#measure").wait_for(timeout=180_000)
    page.locator("#measure").click()
    page.get_by_label("At most").fill("12")
    page.get_by_role("button", name="Measure", exact=True).click()
    page.wait_for_url(re.compile(r"/evaluations/\d+/"))
    page.locator(".verdict .headline").wait_for(timeout=180_000)

    # The report: a verdict in words, intervals, plots, and the way down to single answers.
    assert "questions right" in page.inner_text(".verdict")
    page.wait_for_selector(".plot .main-svg")
    assert page.get_by_text("strong").count()
    page.goto("/projects/demo/")
    page.locator("#flow-student b", has_text="%").wait_for()
