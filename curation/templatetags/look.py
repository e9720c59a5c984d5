"""Small filters and tags that all pages share."""

import posixpath
import re
from functools import lru_cache

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from curation.figures.rounding import in_percent
from curation.jobs import Job
from curation.progress import Progress, progress_of

register = template.Library()


@register.filter
def progress(work: Job) -> Progress:
    """How far a piece of long work has come, in the figures that every page shows."""
    return progress_of(work)


# The pages of a project's bar of navigation, and what stands in their addresses; a page below none of
# them is the dashboard's.
ROOMS = {
    "Questions": ("questions", "question-changes", "rationales", "meaning", "bulk", "deleted"),
    "Runs": ("runs", "teachers"),
    "Review": ("review", "agreement", "progress", "adjudicate", "flags"),
    "Datasets": ("datasets",),
    "Training": ("training",),
    "Evaluations": ("evaluations",),
    "Settings": ("settings",),
}
_ROOM_OF = {part: room for room, parts in ROOMS.items() for part in parts}


@register.filter
def room(path: str) -> str:
    """Under which page of the navigation an address stands: "/projects/eggs/bulk/3/" is "Questions"."""
    part = path.split("/")[3:4]
    return _ROOM_OF.get(part[0], "") if part and part[0] else "Dashboard"


IMPORT = re.compile(
    r"""^import\b[^"';\n]{0,300}["'](\./[^"'\n]{1,200})["']|\bfrom\s{1,9}["'](\.{1,2}/[^"'\n]{1,200})["']""",
    re.M,
)


@register.simple_tag
def preload(path: str) -> SafeString:
    """Links that have the browser load a script's modules at once, those that others import too: one after
    the other, each would cost a slow line a round trip."""
    links = ('<link rel="modulepreload" href="{}">', ((static(one),) for one in modules_of(path)))
    return format_html_join("\n  ", *links)


@lru_cache(maxsize=None if not settings.DEBUG else 0)
def modules_of(path: str) -> tuple[str, ...]:
    """The script itself and all that it imports, each once."""
    found, left = [], ["".join(path)]  # plain, not SafeString
    while left:
        one = left.pop(0)
        if one in found:
            continue
        found.append(one)
        text = (settings.BASE_DIR / "static" / one).read_text(encoding="utf-8")
        for names in IMPORT.findall(text):
            left.append(posixpath.normpath(posixpath.join(posixpath.dirname(one), "".join(names))))
    return tuple(found)


@register.filter
def percent(value: float | None, digits: int = 0) -> str:
    """0.893 as "89%" (or "89.3%" with digits 1); a dash where nothing is known."""
    return "–" if value is None else f"{in_percent(value, digits)}%"


@register.filter
def hundred(value: float | None) -> str:
    """A share as a whole number from 0 to 100; a dash where nothing is known."""
    return "–" if value is None else in_percent(value)


@register.filter
def level(value: float | None) -> str:
    """good, warn or bad: the colour of a meter that shows a share."""
    if value is None:
        return ""
    return "good" if value >= 0.75 else "warn" if value >= 0.5 else "bad"


@register.simple_tag
def gauge(value: float | None) -> SafeString:
    """A share as a bar of an SVG with its number beside it. There are a hundred of them in all."""
    return _gauge(hundred(value), level(value))


@lru_cache(maxsize=512)
def _gauge(number: str, colour: str) -> SafeString:
    return format_html(
        '<div class="measure"><svg class="gauge {}" viewBox="0 0 100 4" preserveAspectRatio="none" '
        'aria-hidden="true"><rect width="100" height="4"/><rect class="fill" width="{}" height="4"/>'
        '</svg><span class="label num">{}</span></div>',
        colour,
        number if number.isdecimal() else 0,
        number,
    )


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds in words that fit a label: "45 s", "3 min 20 s", "2 h 5 min"."""
    if seconds is None:
        return "–"
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        minutes, rest = divmod(seconds, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60} min" if rest >= 60 else f"{hours} h"


@register.filter
def unslug(code: str) -> str:
    """A code in words: "nothing_new" as "nothing new"."""
    return code.replace("_", " ").replace("-", " ")
