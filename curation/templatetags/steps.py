"""The steps of a rationale, with their flags, as the bench and lists of rationales show them.

Written as a function, since a question has dozens of them and a template would take longer over each
than all the rest of the page's frame.
"""

from collections.abc import Iterable
from html import escape
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.safestring import SafeString, mark_safe

from curation.reviews.bench.rationales import RationaleView, StepView
from curation.reviews.bench.reading_order import IDLE_FLAGS, WHOLE
from curation.templatetags.blocks import blocks, code, table_row
from curation.text.blocks import cells

register = template.Library()


@register.simple_tag
def step_shown(step: StepView) -> SafeString:
    """The text of one step, for lists that have a frame of their own."""
    return mark_safe(step_text(step))  # escaped piece by piece


@register.simple_tag
def steps(rationale: RationaleView) -> SafeString:
    """The items of a list, one a step; nothing for a rationale without steps."""
    return steps_html(rationale.steps, locked=rationale.locked)


def steps_html(found: Iterable[StepView], *, locked: bool) -> SafeString:
    off = " disabled" if locked else ""
    html, before = [], set[Any]()
    for one in found:
        html.append(_step(one, off, before))
        before = {flag.get("code") for flag in one.flags}
    return mark_safe("".join(html))  # escaped piece by piece


def _step(step: StepView, off: str, before: set[Any]) -> str:
    """`before`: the kinds of flags of the step before, which this one only says again."""
    number = int(step.number)
    # What is this long is no text that formulas are drawn in.
    rest = step.text[WHOLE:]
    text = step_text(step) + (_lines(escape(rest)) if rest else "")
    cut = (
        f' <span class="label cut">… {intcomma(step.cut)} more characters</span>'
        if step.cut
        else ""
    )
    flags = _flags(step.flags, before)
    if step.doubt:
        flags += f'<div class="flag info changed-value">{escape(step.doubt)}</div>'
    kind = (" thought" if step.thought else "") + ("" if step.doubt is None else " doubt")
    kind += " in-table" if step.columns else ""
    return (
        f'<li class="step{kind}" data-step="{number}">'
        f'<button type="button" class="mark" tabindex="-1" aria-label="Step {number}: no label"{off}>'
        f'</button><div class="says"><div class="text" dir="auto">{text}{cut}</div>{flags}</div></li>'
    )


def _lines(html: str) -> str:
    return html.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "<br>")


def _flags(flags: Iterable[dict[str, Any]], before: set[Any]) -> str:
    """What the scorers say of a step; of flags of one kind the first one, the others behind it."""
    by_code: dict[Any, list[str]] = {}
    for flag in flags:
        by_code.setdefault(flag.get("code"), []).append(_flag(flag, before))
    html = ""
    for first, *others in by_code.values():
        others = [one for one in dict.fromkeys(others) if one != first]
        html += first
        if others:
            told = f"<summary>{len(others)} more like it</summary>{''.join(others)}"
            html += f'<details class="more-flags">{told}</details>'
    return html


def step_text(step: StepView) -> str:
    """The step's text as HTML: a row of a table, a line of code, or what it is."""
    if step.columns:
        return table_row(cells(step.text[:WHOLE]), step.columns, step.is_head)
    if step.indent:
        return code(" " * (step.indent - 4) + step.text[:WHOLE])
    return blocks(step.text[:WHOLE])


def _flag(flag: dict[str, Any], before: set[Any]) -> str:
    severity, message = (escape(str(flag.get(key, ""))) for key in ("severity", "message"))
    idle = " idle" if flag.get("code") in IDLE_FLAGS else ""
    again = " again" if flag.get("code") in before and severity != "error" else ""
    return f'<div class="flag {severity}{idle}{again}">{message}</div>'
