"""What of a long rationale does not come with its question: the other steps, the thought that a teacher's
address gave apart, and the text to be edited."""

from typing import Any

from django.http import Http404, HttpRequest
from django.utils.html import format_html_join
from django.views.decorators.http import require_GET

from curation.errors import Invalid
from curation.projects.access import project_view
from curation.rationales.models import Rationale, Source
from curation.reviews.bench.rationales import all_steps, outline, steps_of
from curation.reviews.bench.reading_order import parts_of
from curation.reviews.submission.payload import json_view
from curation.reviews.visibility import Viewer
from curation.templatetags.maths import maths
from curation.templatetags.steps import steps_html

BLOCK = 25  # parts that are sent together
LONGEST = 1_000_000  # characters of one step


@require_GET
@project_view
@json_view
def review_steps(request: HttpRequest) -> dict[str, Any]:
    """The steps of a rationale beyond those that came with the question.

    `?rationale=n&block=b`: {"parts": [html, …]}, the parts 25b to 25b + 24 in reading order;
    `?rationale=n&what=text`: {"text", "spans"}, where each step stands in it, in UTF-16 units as a
    browser counts; `?rationale=n&what=thought`: {"html"}, the thought that stands apart from the text.
    """
    row = _rationale(request)
    score = getattr(row, "score", None)
    found = all_steps(row, score.detail if score else {})
    what = request.GET.get("what", "steps")
    if what == "text":
        return {"text": row.text, "spans": _spans(row.text, found)}
    if what == "thought":
        if request.project.is_blind:
            raise Http404("Who wrote the rationales is hidden in this project.")
        lines = (line for line in row.reasoning.splitlines() if line.strip())
        return {
            "html": format_html_join("", '<p dir="auto">{}</p>', ((maths(line),) for line in lines))
        }
    if what != "steps":
        raise Invalid("“what” is steps, text or thought.")
    known = outline(row, found)
    block = _number(request, "block")
    parts = parts_of(known.total, known.thought)[BLOCK * block : BLOCK * (block + 1)]
    return {
        "parts": [
            # Whether it takes labels the page knows; a control must not be told from others here.
            steps_html(steps_of(part, found, known.doubts, LONGEST), locked=False)
            for part in parts
        ]
    }


def _rationale(request: HttpRequest) -> Rationale:
    """The rationale, where the bench shows it: edits and own rationales without a decision are their
    author's alone."""
    rows = Rationale.objects.filter(project=request.project, pk=_number(request, "rationale"))
    rows = Viewer(request.membership).rationales(rows)
    row = rows.select_related("score", "decision").first()
    if row is None or (
        row.source == Source.PERSON
        and row.author_id != request.user.pk
        and not hasattr(row, "decision")
    ):
        raise Http404("There is no such rationale here.")
    return row


def _number(request: HttpRequest, key: str) -> int:
    raw = request.GET.get(key, "")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 19):
        raise Invalid(f"{key} must be a number.")
    return int(raw)


def _spans(text: str, steps: list[dict[str, Any]]) -> list[list[int]]:
    """Where each step begins and ends in the text, in UTF-16 units."""
    spans, at = [], 0
    for step in steps:
        start = step.get("start")
        if start is None:  # not scored: its lines
            start = text.index(step["text"], at)
        at = start + len(step["text"])
        spans.append([start, at])
    if text.isascii():
        return spans
    units, done, shifted = 0, 0, []
    for span in spans:
        pair = []
        for place in span:
            units += len(text[done:place].encode("utf-16-le", "surrogatepass")) // 2
            done = place
            pair.append(units)
        shifted.append(pair)
    return shifted
