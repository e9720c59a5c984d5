"""From the press of ⏎ to the next question painted, in Chromium: `make bench-page`.

Starts everything as `make run` does, signs one reviewer in through the page, decides on all rationales of
100 questions by keyboard with half a second of reading before each ⏎, with the next question in hand
and without (its request blocked), in turns of 25. The browser's own clock runs from the time stamp of the
key press to the first task after the frame that shows the next question.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from typing import Any

TURNS = 4
# Marks the time of a press of Enter that goes on, and the time after the frame with another question.
WATCH = """
window.__times = [];
document.addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("item");
  if (!box) return;
  const item = () => box.querySelector(".table")?.dataset.item;
  let pressed = null;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter") pressed = { at: event.timeStamp, item: item() };
  }, { capture: true });
  new MutationObserver(() => {
    if (!pressed || item() === pressed.item) return;
    const { at } = pressed;
    pressed = null;
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => window.__times.push(performance.now() - at);
      after.port2.postMessage(0);
    });
  }).observe(box, { childList: true });
});
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=100, help="questions a kind of run")
    parser.add_argument("--read", type=float, default=0.5, help="seconds of reading a question")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chainwright-bench-") as home:
        os.environ["CHAINWRIGHT_HOME"] = home
        os.environ["DJANGO_SETTINGS_MODULE"] = "curation.settings"
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
        os.environ.pop("DATABASE_URL", None)
        import django

        django.setup()
        return run(options)


def run(options: argparse.Namespace) -> int:
    from django.core.management import call_command

    from curation.reviews.models import Review
    from tests.benchmarks import bench_long, review_stack
    from tests.benchmarks.review_rows import PASSWORD, build, reviewer

    call_command("migrate", verbosity=0)
    bench_long.build()
    kind = build(max(1000, 3 * options.items), reviewers=1, overlap=1)
    print(f"{review_stack.machine()}; {date.today()}\n1,000 questions: {kind}\n", flush=True)
    times: dict[bool, list[float]] = {True: [], False: []}
    rationales = 0
    with review_stack.running() as (url, _), _page() as page:
        _sign_in(page, url, reviewer(0), PASSWORD)
        for turn in range(2 * TURNS):
            in_hand = turn % 2 == 0
            more, decided = _turn(page, url, in_hand, options.items // TURNS, options.read)
            times[in_hand] += more
            rationales += decided
        _until(lambda: Review.objects.count() == rationales, "not every decision was counted")
        bench_long.measure(page, url)
    print("\n| next question | items | median | p95 | slowest |\n| --- | --- | --- | --- | --- |")
    for in_hand, name in ((True, "in hand when ⏎ is pressed"), (False, "fetched after ⏎")):
        values = sorted(times[in_hand])
        p95 = values[int(0.95 * len(values))]
        print(f"| {name} | {len(values)} | {statistics.median(values):.0f} ms | {p95:.0f} ms | "
              f"{values[-1]:.0f} ms |")  # fmt: skip
    print(f"\n{rationales:,} decisions sent, {Review.objects.count():,} counted.")
    return 0 if statistics.median(times[True]) < 100 else 1


class _page:
    """A page in Chromium, as a context."""

    def __enter__(self) -> Any:
        from playwright.sync_api import sync_playwright

        from tests.e2e.conftest import chromium

        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-background-networking"]
        )
        page = self.browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(WATCH)
        return page

    def __exit__(self, *error: Any) -> None:
        self.browser.close()
        self.playwright.stop()


def _sign_in(page: Any, url: str, name: str, password: str) -> None:
    page.goto(f"{url}/sign-in/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{url}/")


def _turn(page: Any, url: str, in_hand: bool, items: int, read: float) -> tuple[list[float], int]:
    """Decide on so many questions; (milliseconds a question, decisions sent)."""
    page.unroute_all()
    if not in_hand:
        page.route("**/review/ahead", lambda route: route.abort())
    page.goto(f"{url}/projects/load/review/")
    page.wait_for_selector("#bench[data-begun]")
    decided = 0
    for number in range(items):
        decided += page.locator(".rationale:not(.locked)").count()
        while page.locator(".rationale:visible:not(.is-approve):not(.locked)").count():
            page.keyboard.press("a")
        page.wait_for_timeout(1000 * read)
        page.keyboard.press("Enter")
        _until(lambda: page.evaluate("__times.length") == number + 1, "no next question came")  # noqa: B023
    page.wait_for_selector("#bench:not([data-sending])")
    return page.evaluate("__times"), decided


def _until(true: Callable[[], bool], why: str) -> None:
    until = time.monotonic() + 20
    while not true():
        if time.monotonic() > until:
            raise SystemExit(why)
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
