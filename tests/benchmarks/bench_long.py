"""Long rationales at the bench in Chromium: the second half of `make bench-page`, alone by
`python -m tests.benchmarks.bench_long`.

A project with one question a text: 1,000 steps; 10,000 words; 10,000 steps of 1 MB. For each: from
the address to the first paint of the page; from the key to the frame painted for keys that move, jump and
label in it; the longest time between two frames meanwhile, and while it is scrolled by the wheel; and how
many bytes "first wrong step at 741" sends.
"""

import argparse
import os
import statistics
import sys
import tempfile
from datetime import date
from typing import Any

SLUG = "long"
# Marks from a key's time stamp to the first task after the next frame; and the times of all frames.
WATCH = """
window.__keys = []; window.__frames = [];
document.addEventListener("keydown", ({ timeStamp }) => requestAnimationFrame(() => {
  const after = new MessageChannel();
  after.port1.onmessage = () => window.__keys.push(performance.now() - timeStamp);
  after.port2.postMessage(0);
}), { capture: true });
const tick = (now) => { window.__frames.push(now); requestAnimationFrame(tick); };
requestAnimationFrame(tick);
"""
KEYS = {
    "n, N (jump)": ["n", "Shift+N"] * 30,
    "PageDown, PageUp": ["PageDown"] * 40 + ["PageUp"] * 20,
    "↓": ["ArrowDown"] * 60,
    "+ (label and go on)": ["+"] * 60,
    ". (first wrong step, back)": ["."] * 40,
}


def texts() -> list[tuple[str, str]]:
    from tests.e2e.long_texts import long_text

    words = long_text(710, {301, 700})  # some 10,000 words
    huge = long_text(10_000, {5_000})
    filler = " " + "and so on with the pencils of the school " * 2
    return [
        ("1,000 steps", long_text(1_000, {301, 741})),
        (f"{len(words.split()):,} words", words),
        ("10,000 steps, 1 MB", huge.replace(" anew:", f" anew{filler[:40]}:")),
    ]


def build() -> None:
    """The project, its reviewer and its scored questions."""
    from curation.projects.models import User
    from curation.projects.services import add_member, create_project
    from curation.questions.formats import Row
    from curation.questions.models import Question
    from curation.questions.services import add_questions
    from curation.rationales.models import Rationale, Source, Teacher, text_hash
    from curation.rationales.scoring.scores import mark_stale, store_scores, waiting_groups
    from curation.reviews.queue.items import enqueue
    from tests.benchmarks.review_rows import PASSWORD, reviewer
    from tests.e2e.long_texts import QUESTION
    from workers.scoring import SCORER_VERSION, score_items
    from workers.scoring.tasks import items

    owner = User.objects.create_user("long-owner", password=PASSWORD)
    project = create_project(owner, "Long", SLUG, use_embeddings=False)
    if not User.objects.filter(username=reviewer(0)).exists():
        User.objects.create_user(reviewer(0), password=PASSWORD)
    add_member(project, reviewer(0), "reviewer")
    teacher = Teacher.objects.create(project=project, name="long", model="demo:strong")
    short = "14 × 36 = 504.\n504 / 21 = 24.\nAnswer: 24"
    for number, (name, text) in enumerate([("before", short), *texts()], 1):
        row = Row(line=number, question=f"{QUESTION} ({name})", reference_answer="24")
        add_questions(project, [row], "train")
        question = Question.objects.get(project=project, text__contains=f"({name})")
        Rationale.objects.create(
            project=project, question=question, source=Source.TEACHER, teacher=teacher, text=text,
            text_hash=text_hash(text), sample=0, finish_reason="stop", completion_tokens=len(text) // 4,
        )  # fmt: skip
        mark_stale(project, [question.pk])
    groups = waiting_groups(project.pk, 100)
    questions = [group.question_id for group in groups]
    rows = Rationale.objects.filter(question_id__in=questions).select_related("question", "teacher")
    rows = rows.order_by("question_id", "id")
    scores = {int(s.item.id): s.details() | s.to_dict() for s in score_items(items(rows))}
    store_scores(groups, scores, SCORER_VERSION)
    enqueue(project, questions)


def measure(page: Any, url: str) -> None:
    """Prints the rows; the page is signed in."""
    from curation.questions.models import Question

    page.add_init_script(WATCH)
    print(
        "| text | opened | key | median | p95 | slowest frame |\n| --- | --- | --- | --- | --- | --- |"
    )
    for question in Question.objects.filter(project__slug=SLUG).order_by("pk")[1:]:
        page.goto(f"{url}/projects/{SLUG}/review/{question.pk}/")
        page.wait_for_selector("#bench[data-begun]")
        opened = page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        )
        page.wait_for_timeout(3_000)  # the other steps come meanwhile
        page.click(".fold button")
        name = question.text.rpartition("(")[2].rstrip(")")
        for what, keys in KEYS.items():
            page.evaluate("__keys.length = 0")
            page.keyboard.press("Home")
            page.wait_for_timeout(300)
            page.evaluate("__keys.length = 0; __frames.length = 0")
            for key in keys:
                page.keyboard.press(key)
                page.wait_for_timeout(40)
            times = sorted(page.evaluate("__keys"))
            p95 = times[int(0.95 * len(times))]
            print(f"| {name} | {opened:.0f} ms | {what} | {statistics.median(times):.0f} ms | {p95:.0f} ms "
                  f"| {_slowest(page):.0f} ms |", flush=True)  # fmt: skip
        page.mouse.move(700, 500)
        page.evaluate("__frames.length = 0")
        for _ in range(60):
            page.mouse.wheel(0, 400)
            page.wait_for_timeout(30)
        print(f"| {name} | | the wheel, 60 × 400 px | | | {_slowest(page):.0f} ms |")
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.post_data) if r.url.endswith("/submit") else None)
    first = Question.objects.filter(project__slug=SLUG, text__contains="1,000 steps").get()
    page.goto(f"{url}/projects/{SLUG}/review/{first.pk}/")
    page.wait_for_selector("#bench[data-begun]")
    page.wait_for_timeout(2_000)
    for key in ("Shift+G", "7", "4", "1", ".", "Enter"):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    print(
        f"\nFirst wrong step at 741 of 1,000: 5 keys, {len(sent[0]) if sent else 0:,} bytes sent."
    )


def _slowest(page: Any) -> float:
    """The longest time between two frames since `__frames` was emptied."""
    return page.evaluate("Math.max(0, ...__frames.slice(1).map((at, i) => at - __frames[i]))")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chainwright-bench-") as home:
        os.environ["CHAINWRIGHT_HOME"] = home
        os.environ["DJANGO_SETTINGS_MODULE"] = "curation.settings"
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
        os.environ.pop("DATABASE_URL", None)
        import django

        django.setup()
        from django.core.management import call_command

        from tests.benchmarks import review_stack
        from tests.benchmarks.bench_page import _page, _sign_in
        from tests.benchmarks.review_rows import PASSWORD, reviewer

        call_command("migrate", verbosity=0)
        build()
        print(f"{review_stack.machine()}; {date.today()}\n", flush=True)
        with review_stack.running() as (url, _), _page() as page:
            _sign_in(page, url, reviewer(0), PASSWORD)
            measure(page, url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
