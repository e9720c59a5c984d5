"""Code, tables and formulas of texts on the pages: drawn, and to be had as they are stored."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from curation.projects.models import Project
from curation.questions.models import Question
from curation.templatetags.blocks import blocks
from curation.templatetags.maths import answer_maths, maths
from curation.text.blocks import parse

Make = Callable[..., list[Any]]
CODE = "def total(n):\n    for i in range(n):\n        s += i\n    return s"
TABLE = "| item | price |\n|------|-----:|\n| egg  | $2 |"
TEXT = f"We write:\n```python\n{CODE}\n```\nIt prints 6.\n\n{TABLE}\n\nThe answer is 6."
QUESTION = "Which sum?\n\n    a = 1\n        b = 2\n\nSay it."


def test_fenced_code_keeps_its_blanks_and_a_table_is_a_table() -> None:
    html = blocks(TEXT)
    assert f'data-language="python"><code>{CODE}</code></pre>' in html and "```" not in html
    assert '<th dir="auto" class="right">price</th>' in html
    assert (
        '<td dir="auto">egg</td><td dir="auto" class="right">$2</td>' in html and "---" not in html
    )


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a\n\n    x\n        y\nb", ["prose", "code", "prose"]),
        ("    x = 1\n    y", ["code"]),
        ("1. Foo:\n\n    3 + 4 = 7", ["prose"]),
        ("a\n    b", ["prose"]),
        ("~~~\n```\n~~~", ["code"]),
        ("```\nnever closed", ["code"]),
        ("|a|b|\n|-|-|\n|1|2|\nend", ["table", "prose"]),
        ("a | b\n--- | ---\n1 | 2", ["table"]),
        ("|x| + |y|\n|-|", ["prose"]),
        ("P(a|b) = 3\n- 4 |", ["prose"]),
    ],
)
def test_what_is_what(text: str, kinds: list[str]) -> None:
    assert [one.kind for one in parse(text)] == kinds


@given(st.text(alphabet="ab|-:`~ \n\t<&", max_size=80))
def test_every_line_stands_where_it_says_and_nothing_is_unescaped(text: str) -> None:
    for block in parse(text):
        for line, start in zip(block.lines, block.starts, strict=True):
            assert line in text[start : start + len(line) + 4]
    html = blocks(text)
    assert "<a" not in html and "<b" not in html.replace("<br>", "")


@pytest.mark.parametrize(
    "text",
    [
        r"so \boxed{\frac{1}{2}} it is",
        "\\begin{align}\na &= 1 \\\\\nb &= 2\n\\end{align}",
        r"\begin{aligned} a &= 1 \\ b &= 2 \end{aligned}",
        r"\begin{eqnarray*} a &=& 1 \end{eqnarray*}",
        r"\begin{cases} 1 & x > 0 \\ 0 \end{cases}",
    ],
)
def test_bare_formulas_are_drawn(text: str) -> None:
    drawn = maths(text)
    assert "<math" in drawn and "&amp;=" not in re.sub('alttext="[^"]*"', "", drawn)


@pytest.mark.parametrize("text", [r"\frac{3}{4}", "x^2+1", r"\text{(B)}", r"90^\circ", r"\sqrt2"])
def test_an_answer_in_latex_is_drawn(text: str) -> None:
    assert answer_maths(text).startswith("<math")


@pytest.mark.parametrize(
    "text", ["12", "C:\\dir", "5 < 6", "file_name of it", "2024-03-10", "a_b_c word"]
)
def test_another_answer_is_not(text: str) -> None:
    assert "<math" not in answer_maths(text)


def test_the_pages_draw_them_and_give_the_raw_text(
    project: Project,
    make_questions: Make,
    make_rationales: Make,
    admin_client: Client,
    reviewer_client: Client,
) -> None:
    question = make_questions(1, question=QUESTION)[0]
    make_rationales(question, [TEXT])
    Question.objects.update(reference_answer=r"\frac{1}{2}")
    page = admin_client.get(reverse("question", args=["eggs", question.pk])).content.decode()
    bench = reviewer_client.get(reverse("review", args=["eggs"])).content.decode()
    for html in (page, bench):
        assert "<code>a = 1\n    b = 2</code>" in html
        assert f"<code>{CODE}</code>" in html
        assert '<th dir="auto">item</th>' in html and '<td dir="auto">egg</td>' in html
        assert "<mfrac>" in html
    assert f"\n{QUESTION}</textarea>" in page and f"\n{TEXT}</textarea>" in page


def test_every_text_and_every_field_takes_the_direction_of_its_script(
    project: Project, make_questions: Make, make_rationales: Make, admin_client: Client
) -> None:
    question = make_questions(1, question="كم عدد التفاحات؟")[0]
    make_rationales(question, ["لدى سارة 12 تفاحة.\nالجواب هو 7."])
    for name, args in (
        ("review", ["eggs"]),
        ("question", ["eggs", question.pk]),
        ("question_edit", ["eggs", question.pk]),
        ("questions", ["eggs"]),
        ("rationales", ["eggs"]),
        ("settings", ["eggs"]),
        ("import_new", ["eggs"]),
    ):
        html = admin_client.get(reverse(name, args=args)).content.decode()
        for field in re.findall(r'<textarea[^>]*>|<input type="(?:text|search)"[^>]*>', html):
            assert 'dir="auto"' in field, (name, field)
        for place in re.finditer("كم عدد|لدى سارة", html):
            before = html[max(0, place.start() - 400) : place.start()]
            assert 'dir="auto"' in before or "bench-state" in html[: place.start()], (name, before)


def test_lines_of_two_directions_begin_each_at_its_own_side() -> None:
    assert blocks("لدى 12.\nThen 5.") == (
        '<div dir="auto">لدى 12.</div><div dir="auto">Then 5.</div>'
    )
    assert blocks("a\nb") == "a<br>b"


def test_a_formula_of_several_lines_stays_one_formula() -> None:
    html = blocks("So\n\\begin{align}\na &= 1 \\\\\nb &= 2\n\\end{align}\nend")
    assert html.count("<br>") == 2 and "<br>" not in html.split("alttext=")[1].split(">")[0]
