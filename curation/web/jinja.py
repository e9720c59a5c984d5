"""The environment of the templates that are rendered at every question (`*.jinja`).

All pages are Django's templates. The question that the bench shows is a Jinja2 one: it is made of a
thousand small pieces, over which Django's templates took a third of the whole time of a submission.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.template.defaultfilters import linebreaksbr, pluralize, truncatechars
from django.urls import reverse
from django.utils.timezone import localtime
from jinja2 import Environment, StrictUndefined

from curation.templatetags.blocks import blocks
from curation.templatetags.look import gauge
from curation.templatetags.maths import answer_maths, answer_shown, maths
from curation.templatetags.steps import steps, steps_html


def moment(value: datetime) -> str:
    """For the `datetime` of a <time>."""
    return localtime(value).isoformat()


def clock(value: datetime) -> str:
    return f"{localtime(value):%H:%M %Z}"


def answer_page(slug: str, rationale: int) -> str:
    """The page that shows how a rationale's answer was found; put together by hand, since the bench does so
    for each of its rationales."""
    return f"{_answers_of(slug)}{rationale}/answer/"


@lru_cache(maxsize=1_000)
def _answers_of(slug: str) -> str:
    return reverse("rationales", args=[slug])


def environment(**options: Any) -> Environment:
    made = Environment(**options | {"undefined": StrictUndefined})
    made.globals |= {"gauge": gauge, "steps": steps, "part_steps": steps_html}
    made.filters |= {
        "answer_maths": answer_maths,
        "answer_shown": answer_shown,
        "blocks": blocks,
        "answer_page": answer_page,
        "clock": clock,
        "intcomma": intcomma,
        "linebreaksbr": linebreaksbr,
        "maths": maths,
        "moment": moment,
        "pluralize": pluralize,
        "truncatechars": truncatechars,
    }
    return made
