"""Formulas, Markdown and calculator marks in what models wrote: drawn, and never anything else."""

import pytest

from curation.templatetags.maths import formula, maths


@pytest.mark.parametrize(
    "text",
    [
        "costs $5 and sells for $10 each",
        "3*$5=$<<3*5=15>>15 and $4",
        "from $5-$10, or ($5)+($6)",
        "she has 15% * $1000=$150",
        "$16 is half of $32.",
    ],
)
def test_prices_are_no_formulas(text: str) -> None:
    assert "<math" not in maths(text)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**So: $x^2$**", "<strong>So: <math"),
        ("use `x < y`", "use <code>x &lt; y</code>"),
        ("## The end", "<strong>The end</strong>"),
        ("**<script>** #1", "<strong>&lt;script&gt;</strong> #1"),
        ("2**3**4 and 2 * 3 * 4 and ** a **", "2**3**4 and 2 * 3 * 4 and ** a **"),
        ("**a `b** c`", "**a <code>b** c</code>"),
        # Private signs that the filter itself uses, also once the inner ones are taken out.
        ("\ue000\ue0000\ue0010\ue001 $x$", "00 <math"),
    ],
)
def test_markdown_is_drawn_and_sums_stay_sums(text: str, html: str) -> None:
    assert maths(text).startswith(html)


@pytest.mark.parametrize(
    "text",
    ["$x^2$", r"\(a \le b\)", r"\[\frac{1}{2}\]", "$$x_1$$", r"$(3, \frac{\pi}{2})$", "$7,$"],
)
def test_formulas_are_drawn_as_mathml(text: str) -> None:
    assert maths(text).startswith("<math")


@pytest.mark.parametrize(
    "source",
    [
        r"\newcommand{\a}{\b\b}\a",
        r"\def\a{x}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{x}{y}",
        "{" * 500,
        r"\frac{",
        "x" * 1001,
        r"\sqrt" * 200,
    ],
)
def test_what_must_not_be_drawn_shows_its_source(source: str) -> None:
    assert formula(source) == ""
    assert maths(f"\\({source}\\)") == maths(f"\\({source}\\)").replace("<math", "")


def test_what_latex_carries_is_rebuilt_from_allowed_parts() -> None:
    drawn = maths(r"\(\text{<img src=x onerror=a>} \color{red}{x} <script>\)")
    assert "<img" not in drawn and "<script" not in drawn
    assert "<math" in drawn and "mathcolor" not in drawn


def test_calculator_marks_are_folded_behind_a_class() -> None:
    assert maths("16 - 3 = <<16-3=13>>13") == (
        '16 - 3 = <span class="calc">&lt;&lt;16-3=13&gt;&gt;</span>13'
    )
