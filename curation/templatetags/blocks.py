"""Texts of several lines as HTML: code keeps its blanks, tables are tables, the rest is `maths` with its
lines. All is escaped. `curation.text.blocks` says what is what."""

import re
from collections.abc import Sequence
from html import escape

from django import template
from django.utils.safestring import SafeString, mark_safe

from curation.templatetags.maths import maths
from curation.text.blocks import SUSPECT, Block, cells, parse
from curation.text.invisible import RULE

register = template.Library()

MAX_ROWS = 500
RTL = re.compile(f"[{RULE['rtl']}]")


@register.filter
def blocks(text: str | None) -> SafeString:
    """`text` as safe HTML, see above."""
    if not text:
        return mark_safe("")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not SUSPECT.search(text):
        return _lines(text)
    return mark_safe("".join(map(_block, parse(text))))  # escaped piece by piece


def _lines(text: str) -> SafeString:
    """Where one of several lines is written from right to left, each begins where its own script does."""
    html = maths(text)
    if "\n" not in html:
        return html
    if not RTL.search(text):
        return mark_safe(html.replace("\n", "<br>"))
    lines = '</div><div dir="auto">'.join(line or "<br>" for line in html.split("\n"))
    return mark_safe(f'<div dir="auto">{lines}</div>')


def _block(block: Block) -> str:
    if block.kind == "code":
        return code(block.text, block.language)
    if block.kind == "table":
        return table(block)
    text = block.text.strip("\n")
    return f'<div class="prose">{_lines(text)}</div>' if text.strip() else ""


def code(text: str, language: str = "") -> str:
    """A block of code. It stands from left to right, whatever is around it."""
    label = f' data-language="{escape(language)}"' if language else ""
    return f'<pre class="code" dir="ltr"{label}><code>{escape(text)}</code></pre>'


def row(values: Sequence[str], columns: Sequence[str], tag: str = "td") -> str:
    """The cells of one row, as many as the table has columns."""
    made = []
    for n, align in enumerate(columns):
        look = f' class="{align}"' if align else ""
        value = maths(values[n]) if n < len(values) else ""
        made.append(f'<{tag} dir="auto"{look}>{value}</{tag}>')
    return f"<tr>{''.join(made)}</tr>"


def table(block: Block) -> str:
    head, *rows = block.lines
    body = "".join(row(cells(one), block.columns) for one in rows[:MAX_ROWS])
    if len(rows) > MAX_ROWS:
        more = f"… {len(rows) - MAX_ROWS:,} more rows"
        body += f'<tr><td colspan="{len(block.columns)}">{more}</td></tr>'
    return (
        f'<div class="scroll"><table class="written"><thead>{row(cells(head), block.columns, "th")}</thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def table_row(values: Sequence[str], columns: Sequence[str], is_head: bool) -> str:
    """One row that stands by itself, such as a step of a rationale: a table whose columns have all the same
    width, so that rows below each other line up."""
    made = row(values, columns, "th" if is_head else "td")
    part = "thead" if is_head else "tbody"
    return f'<table class="written one-row"><{part}>{made}</{part}></table>'
