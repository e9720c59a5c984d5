"""What nobody sees is marked on every page, and nowhere else is a text changed."""

import io
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.projects.models import Project, User
from curation.questions.models import Question, QuestionImport
from curation.rationales.models import GenerationRun, Rationale, Score, Teacher
from curation.templatetags.maths import maths
from curation.text.invisible import UNSEEN, name_of, plain, shown
from tests.curation.api.api_calls import Caller, no_brake
from tests.curation.test_attacks import ADDRESSES
from tests.curation.test_attacks import ids as ids
from tests.curation.test_attacks import question as question

__all__ = ["ids", "no_brake", "question"]  # fixtures

OVERRIDE = "\u202e"
HOSTILE = f"is {OVERRIDE}42\u202c a\u200bb"
MARK = re.compile(r'<span class="unseen"[^>]*>([^<]*)</span>')


def text_of(html: str) -> str:
    return re.sub("<[^>]*>", "", html)


@pytest.mark.parametrize(
    ("sign", "name"),
    [
        ("\u202a", "U+202A left-to-right embedding"),
        ("\u202e", "U+202E right-to-left override"),
        ("\u2066", "U+2066 left-to-right isolate"),
        ("\u2069", "U+2069 pop directional isolate"),
        ("\u200e", "U+200E left-to-right mark"),
        ("\u200f", "U+200F right-to-left mark"),
        ("\u061c", "U+061C Arabic letter mark"),
        ("\u200b", "U+200B zero width space"),
        ("\u200c", "U+200C zero width non-joiner"),
        ("\u200d", "U+200D zero width joiner"),
        ("\u2060", "U+2060 word joiner"),
        ("\u2064", "U+2064 invisible plus"),
        ("\ufeff", "U+FEFF zero width no-break space"),
        ("\u00ad", "U+00AD soft hyphen"),
        ("\u3164", "U+3164 Hangul filler"),
        ("\u115f", "U+115F invisible character"),
        ("\U000e0041", "U+E0041 tag character"),
        ("\ufe0f", "U+FE0F variation selector"),
        ("\x1b", "U+001B control character"),
        ("\x85", "U+0085 control character"),
    ],
)
def test_each_is_a_mark_with_its_name_that_holds_the_character_itself(sign: str, name: str) -> None:
    html = shown(f"<p>4{sign}2</p>")
    assert name_of(sign) == name
    assert f'title="{name}"' in html and f'aria-label="{name}"' in html and 'role="img"' in html
    assert MARK.findall(html) == [sign] and text_of(html) == f"4{sign}2"
    assert shown(f'<a title="4{sign}2">x</a>') == f'<a title="4[U+{ord(sign):04X}]2">x</a>'


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👩‍👧 ❤️ 1️⃣ #⃣",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "می‌خواهم",
        "क्‍ष and ক্‌ষ",
        "葛\U000e0100",
        "tabs\tand\r\nlines",
        "plain — with “quotes”, é, 数学, 한국어, ไทย",
    ],
    ids=["emoji", "a flag", "Persian", "Indic", "ideographs", "white space", "plain"],
)
def test_what_is_meant_stays_as_it_is(text: str) -> None:
    assert not MARK.search(shown(f"<p>{text}</p>"))
    assert text_of(shown(f"<p>{text}</p>")) == text


def test_what_is_written_from_right_to_left_is_kept_to_itself() -> None:
    assert (
        shown("<b>שלום 42 עולם</b> 5 of 6") == '<b><span class="rtl">שלום 42 עולם</span></b> 5 of 6'
    )
    assert plain("עדה") == "\u2068עדה\u2069"
    assert shown("<p>عربي and عبري</p>").count('class="rtl"') == 2


def test_fields_scripts_and_formulas_keep_their_bytes() -> None:
    page = (
        f'<input value="{HOSTILE}"><textarea>{HOSTILE}</textarea><a href="/?q={HOSTILE}" '
        f'data-text="{HOSTILE}">x</a><script type="application/json">"{HOSTILE}"</script>'
        f"<!-- {HOSTILE} --><math><mo>\u2061</mo></math>"
    )
    assert shown(page) == page


def test_a_title_an_option_and_a_drawing_are_plain() -> None:
    for name in ("title", "option", "svg"):
        assert shown(f"<{name}>{OVERRIDE}42</{name}>x{OVERRIDE}").startswith(
            f'<{name}>[U+202E]42</{name}>x<span class="unseen"'
        )


def test_a_formula_cannot_smuggle_one_in() -> None:
    for source in (rf"$\text{{{OVERRIDE}42}}$", r"$\text{&#x202e;42}$", r"\(\mathrm{&#8238;42}\)"):
        html = shown(maths(source))
        assert "<math" not in html or OVERRIDE not in html
        assert MARK.sub("", html).count(OVERRIDE) == 0
    assert "<math" in maths(r"$\sin x = 1$")


def test_a_hostile_page_stays_small_and_every_character_is_named() -> None:
    html = shown(f"<p>{('a' + OVERRIDE) * 200_000}</p>")
    assert len(html) < 200_000 * 10 + 300_000
    assert OVERRIDE not in MARK.sub("", html)
    assert len(shown(f"<p>{OVERRIDE * 200_000}</p>")) < 200_000 + 300


def test_it_is_marked_on_every_page_that_shows_it(
    ids: Any,
    question: Question,
    project: Project,
    teacher: Teacher,
    admin_user: User,
    admin_client: Client,
) -> None:
    Question.objects.update(
        text=HOSTILE, domain=HOSTILE, difficulty=HOSTILE[:20], reference_answer=HOSTILE
    )
    Question.objects.update(worked_solution=HOSTILE, choices=[HOSTILE, "b"], external_id=HOSTILE)
    Rationale.objects.update(text=HOSTILE, reasoning=HOSTILE)
    Score.objects.update(
        answer=HOSTILE, detail={"steps": [{"text": HOSTILE, "start": 0, "flags": []}]}
    )
    Teacher.objects.filter(pk=teacher.pk).update(name=HOSTILE)
    Project.objects.update(name=HOSTILE, description=HOSTILE, guidelines=HOSTILE)
    QuestionImport.objects.update(file_name=HOSTILE, error=HOSTILE)
    GenerationRun.objects.update(error=HOSTILE)
    User.objects.filter(pk=admin_user.pk).update(username=f"ada{OVERRIDE}")
    admin_client.force_login(User.objects.get(pk=admin_user.pk))
    seen = set()
    for address in ADDRESSES:
        if address.name in ("dataset_download", "training_adapter"):
            continue  # no pages
        answer = admin_client.get(ids.place(address))
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        page = answer.content.decode()
        rest = re.sub(r"(?s)<(script|textarea)\b.*?</\1>", "", MARK.sub("", page))
        rest = re.sub(r'\s(?:value|href|data-[a-z-]+|hx-[a-z-]+|action)="[^"]*"', "", rest)
        assert not UNSEEN.search(rest.replace("\u2068", "").replace("\u2069", "")), (
            address.name,
            re.findall(".{80}[\u202e\u200b].{40}", rest)[:3],
        )
        if MARK.search(page):
            seen.add(address.name)
    assert {"question", "review", "rationales", "dashboard", "questions", "teachers"} <= seen, seen
    assert len(seen) > 25


def test_the_api_keeps_the_text(project: Project, question: Question, admin_user: User) -> None:
    Question.objects.update(text=HOSTILE)
    assert Caller(admin_user).get(f"questions/{question.pk}")["text"] == HOSTILE


def test_a_message_that_names_it_is_marked(project: Project, admin_client: Client) -> None:
    form = {"name": f"far {OVERRIDE}42", "backend": "openai", "base_url": "https://example.org/v1",
            "model": "m", "prompt_style": "plain", "max_tokens": "300", "top_p": "1",
            "price_in": "0", "price_out": "0"}  # fmt: skip
    answer = admin_client.post(reverse("teacher_new", args=["eggs"]), form, follow=True)
    page = answer.content.decode()
    assert Teacher.objects.get(name=form["name"])
    message = re.search(r'(?s)<p class="message.*?is ready to write', page)
    assert message and MARK.findall(message[0]) == [OVERRIDE]
    assert OVERRIDE not in MARK.sub("", message[0])


def test_an_import_keeps_it_and_its_page_marks_it(project: Project, admin_client: Client) -> None:
    row = json.dumps({"question": HOSTILE, "answer": "3"}).encode()
    file = io.BytesIO(row)
    file.name = f"a{OVERRIDE}b.jsonl"
    admin_client.post(reverse("import_new", args=["eggs"]), {"file": file, "split": "train"})
    answer = admin_client.get(
        reverse("import_detail", args=["eggs", QuestionImport.objects.get().pk])
    )
    assert OVERRIDE not in MARK.sub("", answer.content.decode())
