"""The environment of the templates that are rendered at every question (`*.jinja`).

All pages are Django's templates. The question that the bench shows is a Jinja2 one: it is made of a
thousand small pieces, over which Django's templates took a third of the whole time of a submission.
"""

from datetime import datetime
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.template.defaultfilters import linebreaksbr, pluralize, truncatechars
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


def environment(**options: Any) -> Environment:
    made = Environment(**options | {"undefined": StrictUndefined})
    made.globals |= {"gauge": gauge, "steps": steps, "part_steps": steps_html}
    made.filters |= {
        "answer_maths": answer_maths,
        "answer_shown": answer_shown,
        "blocks": blocks,
        "clock": clock,
        "intcomma": intcomma,
        "linebreaksbr": linebreaksbr,
        "maths": maths,
        "moment": moment,
        "pluralize": pluralize,
        "truncatechars": truncatechars,
    }
    return made
