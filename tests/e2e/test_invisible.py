"""What a browser paints: characters that nobody sees are marks, turn nothing around, and are copied as they
are; text from right to left reads as it should. And after signing out, Back shows nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, Score, Teacher
from curation.reviews.queue.claims import next_item
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from curation.text.invisible import UNSEEN, name_of, plain
from tests.e2e.benching import begun, press

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Any]

OVERRIDE = "\u202e"
HOSTILE = f"It is {OVERRIDE}42."
# Of every "42" on the page: whether the 4 is painted left of the 2.
PAINTED = """
() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const { index } of node.data.matchAll(/42/g)) {
      const [four, two] = [index, index + 1].map((at) => {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        return range.getBoundingClientRect();
      });
      if (four.width > 0) found.push([four.left < two.left, node.parentElement.outerHTML.slice(0, 200)]);
    }
  }
  return found;
}
"""
PAGES = {
    "the bench": "/projects/eggs/review/",
    "a question": "/projects/eggs/questions/{question}/",
    "questions": "/projects/eggs/questions/",
    "rationales": "/projects/eggs/rationales/",
    "the dashboard": "/projects/eggs/",
    "home": "/",
    "teachers": "/projects/eggs/teachers/",
    "runs": "/projects/eggs/runs/",
    "members": "/projects/eggs/settings/members/",
    "adjudication": "/projects/eggs/adjudicate/",
    "my reviews": "/projects/eggs/review/mine",
    "flags": "/projects/eggs/flags/",
    "progress": "/projects/eggs/progress/",
}


@pytest.fixture
def hostile(
    project: Project,
    teacher: Teacher,
    make_questions: Callable[..., list[Question]],
    make_rationales: Callable[..., list[Rationale]],
) -> Question:
    (made,) = make_questions(1, domain=HOSTILE)
    make_rationales(made, ["right", "wrong"])
    Question.objects.update(
        text=HOSTILE, reference_answer=f"{OVERRIDE}42", worked_solution=HOSTILE, difficulty=HOSTILE
    )
    Rationale.objects.update(text=HOSTILE, reasoning=HOSTILE)
    step = {"text": HOSTILE, "start": 0, "flags": [{"severity": "error", "message": HOSTILE}]}
    Score.objects.update(answer=f"{OVERRIDE}42", detail={"steps": [step], "flags": []})
    Teacher.objects.update(name=f"strong {OVERRIDE}42")
    Project.objects.update(name=f"Eggs {OVERRIDE}42", guidelines=HOSTILE)
    return made


@pytest.mark.parametrize("name", PAGES)
def test_an_override_is_a_mark_and_42_is_painted_as_42(
    name: str, hostile: Question, admin_user: User, visit: Visit
) -> None:
    User.objects.filter(pk=admin_user.pk).update(username=f"ada{OVERRIDE}42")
    user = User.objects.get(pk=admin_user.pk)
    address = PAGES[name].format(question=hostile.pk)
    page = visit(user, "/", before=lambda _: None)
    answer = page.goto(page.url.rstrip("/") + address)
    assert answer.status == 200
    if name == "the bench":
        begun(page)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    found = page.evaluate(PAINTED)
    assert found and all(right for right, _ in found), [one for right, one in found if not right]
    marks = page.locator(f".unseen[title='{name_of(OVERRIDE)}']")
    assert marks.count() >= 1
    box = marks.first.bounding_box()
    assert box and box["width"] > 10 and box["height"] > 5
    assert OVERRIDE not in page.title()


def test_what_scripts_write_is_marked_as_well_and_copied_as_it_is(
    hostile: Question, reviewer: User, visit: Visit
) -> None:
    page = visit()
    press(page, "c")
    page.locator("#comment textarea").fill(f"not {OVERRIDE}42")
    press(page, "Enter", "a", "d")
    page.wait_for_selector(".told .unseen")
    press(page, "ArrowRight", "e")
    page.locator(".editor textarea").fill(f"Now {OVERRIDE}42\u200b.")
    press(page, "Control+Enter")
    page.wait_for_selector(".edited .unseen")
    found = page.evaluate(PAINTED)
    assert all(right for right, _ in found), [one for right, one in found if not right]
    told = page.locator(".told:has(.unseen)").first
    assert "[U+202E]" in (told.get_attribute("title") or "")
    copied = page.evaluate(
        """() => {
          const range = document.createRange();
          range.selectNodeContents(document.querySelector(".ask .q"));
          getSelection().removeAllRanges();
          getSelection().addRange(range);
          return getSelection().toString();
        }"""
    )
    assert copied.strip() == HOSTILE
    assert page.locator(".ask .q").evaluate("one => one.textContent").strip() == HOSTILE


def test_a_field_says_what_nobody_sees_in_it(
    hostile: Question, admin_user: User, visit: Visit
) -> None:
    page = visit(admin_user)
    press(page, "e")
    editor = page.locator(".editor textarea")
    note = page.locator(".editor .unseen-note")
    name = "U+202E right-to-left override"
    assert note.inner_text() == f"Not seen in this text: {name} (character 7)."
    editor.fill("It is 42.")
    assert note.count() == 0
    editor.fill(f"😀{OVERRIDE}42\u200b.")
    assert f"{name} (character 2), U+200B zero width space (character 5)" in note.inner_text()
    editor.fill("👩‍👩‍👧 می‌خواهم")
    assert note.count() == 0
    # A name that stands in a form when the page comes.
    page.goto(page.url.partition("/projects/")[0] + "/projects/eggs/settings/")
    assert f"{name} (character 6)" in page.locator("input[name=name] + .unseen-note").inner_text()


ARABIC = "اشترت آن 42 بيضة، ثم 2. كم بيضة عندها؟"


def test_text_from_right_to_left_reads_as_it_should(
    hostile: Question, reviewer: User, project: Project, visit: Visit
) -> None:
    Question.objects.update(text=ARABIC)
    Rationale.objects.update(text=ARABIC)
    step = {"text": ARABIC, "start": 0, "flags": []}
    Score.objects.update(detail={"steps": [step], "flags": []})
    page = visit()
    assert all(right for right, _ in page.evaluate(PAINTED))
    for selector in (".ask .q", ".rationale .step .text"):
        # Its first letter is painted at the right, its question mark at the left.
        first, last, direction = page.locator(selector).first.evaluate(
            """(one) => {
              const node = document.createTreeWalker(one, NodeFilter.SHOW_TEXT).nextNode();
              const at = (place) => {
                const range = document.createRange();
                range.setStart(node, place);
                range.setEnd(node, place + 1);
                return range.getBoundingClientRect();
              };
              return [at(0).right, at(node.data.length - 1).left, getComputedStyle(one).direction];
            }"""
        )
        box = page.locator(selector).first.bounding_box()
        assert direction == "rtl" and first > last
        assert box and first == pytest.approx(box["x"] + box["width"], abs=30)


def test_the_page_and_the_server_know_the_same_characters(
    reviewer: User, project: Project, visit: Visit
) -> None:
    page = visit(reviewer, "/")
    known = page.evaluate(
        """async () => {
          const { UNSEEN, nameOf } = await import("/static/invisible.js");
          const found = {};
          for (let code = 0; code < 0x110000; code += 1) {
            if (code >= 0xd800 && code < 0xe000) continue;
            const sign = String.fromCodePoint(code);
            if (UNSEEN.test(sign)) found[code] = nameOf(sign);
          }
          return found;
        }"""
    )
    signs = (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    assert known == {str(ord(sign)): name_of(sign) for sign in signs if UNSEEN.match(sign)}
    texts = [
        *("👩‍👩‍👧 ❤️ 1️⃣", "می‌خواهم", "क्‍ष", "葛\U000e0100", "a\u200db", "x\ufe0f", "4\ufe0f2"),
        *("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "שלום 42, עולם! ok"),
        f"a{OVERRIDE}\u2066b",
    ]
    mine = page.evaluate(
        """async (texts) => {
          const { plain } = await import("/static/invisible.js");
          return texts.map(plain);
        }""",
        texts,
    )
    assert mine == [plain(text) for text in texts]


@pytest.mark.parametrize("path", ["/projects/eggs/", "/projects/eggs/review/", "/tokens/"])
def test_after_signing_out_back_shows_nothing(
    path: str, hostile: Question, admin_user: User, visit: Visit
) -> None:
    page = visit(admin_user, path)
    if "/review/" in path:
        begun(page)
    page.locator(".top .menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/**")
    page.go_back()
    page.wait_for_load_state()
    assert "/sign-in/" in page.url
    assert "42" not in page.inner_text("body")


def test_a_dispute_of_people_with_hostile_names(
    hostile: Question, project: Project, reviewer: User, admin_user: User, visit: Visit
) -> None:
    set_overlap(project, 2)
    User.objects.filter(pk=reviewer.pk).update(username=f"rudi{OVERRIDE}42")
    for user, verdict in ((reviewer, "approve"), (admin_user, "reject")):
        item = next_item(project, user).item
        why = ["wrong_step"] if verdict == "reject" else []
        says = [ReviewInput(one.pk, verdict, why, HOSTILE) for one in hostile.rationales.all()]
        submit(project, user, item.pk, says)
    page = visit(admin_user, f"/projects/eggs/adjudicate/{hostile.pk}/")
    assert page.locator(".unseen").count() > 3
    found = page.evaluate(PAINTED)
    assert found and all(right for right, _ in found), [one for right, one in found if not right]
    page.goto(page.url.replace(f"adjudicate/{hostile.pk}/", f"questions/{hostile.pk}/"))
    found = page.evaluate(PAINTED)  # with the history of what both said
    assert len(found) > 4 and all(right for right, _ in found)
