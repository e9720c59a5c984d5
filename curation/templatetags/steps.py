"""The steps of a rationale, with their flags, as the bench and lists of rationales show them.

Written as a function, since a question has dozens of them and a template would take longer over each
than all the rest of the page's frame.
"""

from html import escape
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.safestring import SafeString, mark_safe

from curation.reviews.bench.rationales import RationaleView, StepView
from curation.templatetags.maths import maths

register = template.Library()


@register.simple_tag
def steps(rationale: RationaleView) -> SafeString:
    """The items of a list, one a step; nothing for a rationale without steps."""
    off = " disabled" if rationale.locked else ""
    return mark_safe("".join(_step(one, off) for one in rationale.steps))  # escaped piece by piece


def _step(step: StepView, off: str) -> str:
    number = int(step.number)
    text = maths(step.text).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "<br>")
    cut = f' <span class="label">… {intcomma(step.cut)} more characters</span>' if step.cut else ""
    flags = "".join(_flag(flag) for flag in step.flags)
    return (
        f'<li class="step{" thought" if step.thought else ""}" data-step="{number}">'
        f'<button type="button" class="mark" tabindex="-1" aria-label="Step {number}: no label"{off}>'
        f'</button><div class="says"><div class="text" dir="auto">{text}{cut}</div>{flags}</div></li>'
    )


def _flag(flag: dict[str, Any]) -> str:
    severity, message = (escape(str(flag.get(key, ""))) for key in ("severity", "message"))
    return f'<div class="flag {severity}">{message}</div>'
