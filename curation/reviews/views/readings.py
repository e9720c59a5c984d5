"""How an answer was found, its correction by a person, and the project's cases of how answers are read."""

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from curation.errors import Invalid
from curation.projects.access import project_view
from curation.rationales.models import Rationale, ReadingCase
from curation.rationales.scoring.readings import as_line, case_counts
from curation.reviews.bench.answer_found import answer_found, case_of
from curation.reviews.bench.rationales import rationale_view
from curation.reviews.submission import readings
from curation.reviews.submission.payload import body_of, json_view, number_of
from curation.reviews.visibility import Viewer
from curation.web.pagination import one_of, only, page_of

PAGE = 50
PASSES = {"yes": True, "no": False, "open": None}
PASSES_WORDS = {"yes": "read right now", "no": "still misread", "open": "not scored again yet"}


def viewer_of(request: HttpRequest) -> Viewer:
    return Viewer(request.membership)


def rationale_of(request: HttpRequest, pk: int) -> Rationale:
    """One that this person may see."""
    rows = Rationale.objects.for_project(request.project).select_related("question", "score")
    return get_object_or_404(viewer_of(request).rationales(rows), pk=pk)


@require_GET
@project_view
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """How the answer of one rationale was found."""
    rationale, viewer = rationale_of(request, pk), viewer_of(request)
    case = case_of(rationale)
    context = {
        "rationale": rationale,
        "question": rationale.question,
        "found": answer_found(rationale),
        "case": case,
        "may_drop": case is not None and (viewer.is_admin or case.created_by == request.user),
        "hides_reference": request.project.hides_reference and not viewer.is_admin,
        "hides_people": not viewer.is_admin,
        "hides_teachers": viewer.hides_teachers,
    }
    return render(request, "reviews/answer.html", context)


@require_POST
@project_view
def answer_read(request: HttpRequest, pk: int) -> HttpResponse:
    """The page's form: what the answer is, and whether that is right."""
    given = only(request.POST, ("csrfmiddlewaretoken", "answer", "said"))
    rationale, said = rationale_of(request, pk), given.get("said", "")
    try:
        readings.read_as(
            request.project,
            request.user,
            rationale,
            "" if said == "none" else given.get("answer", ""),  # its field stands beside the button
            said,
        )
        messages.success(request, "It is read so from now on, and is a case for the scorers.")
    except Invalid as error:
        messages.error(request, str(error))
    return redirect("answer", request.project.slug, pk)


@require_POST
@project_view
def answer_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """The scorers' own reading counts again."""
    case = get_object_or_404(readings.cases(request.project), rationale=rationale_of(request, pk))
    if not viewer_of(request).is_admin and case.created_by != request.user:
        raise PermissionDenied("This reading is somebody else's: an admin can drop it.")
    readings.drop_case(case)
    messages.success(request, "The case is dropped: the scorers read this answer again.")
    return redirect("answer", request.project.slug, pk)


@require_POST
@project_view
@json_view
def review_read(request: HttpRequest) -> dict[str, Any]:
    """The bench's dialog: {"rationale", "answer", "said"}; the rationale's grade as it stands then."""
    body = body_of(request)
    given, said = body.get("answer"), body.get("said")
    if not isinstance(given, str) or not isinstance(said, str):
        raise Invalid("An answer and what is said of it are both texts.")
    rationale = rationale_of(request, number_of(body, "rationale"))
    readings.read_as(request.project, request.user, rationale, given, said)
    rationale = rationale_of(request, rationale.pk)
    shown = rationale_view(rationale.question, rationale)
    return {
        "grade": shown.grade,
        "words": shown.grade_words,
        "why": shown.grade_why,
        "answer": rationale.score.answer,
        "suggest": shown.suggested,
    }


@require_GET
@project_view
def reading_cases(request: HttpRequest) -> HttpResponse:
    """All cases, with what the scorers make of each by now."""
    given = only(request.GET, ("passes", "after"))
    rows = visible_cases(request)
    if passes := given.get("passes"):
        rows = rows.filter(passes=PASSES[one_of("passes", passes, PASSES)])
    context = {
        "page": page_of(rows.defer("rationale__score__detail"), given, PAGE, newest_first=True),
        "counts": case_counts(request.project),
        "passes": given.get("passes", ""),
        "passes_words": PASSES_WORDS.items(),
        "hides_people": not viewer_of(request).is_admin,
    }
    return render(request, "reviews/reading_cases.html", context)


def visible_cases(request: HttpRequest) -> Any:
    """Those of rationales that this person may see."""
    rows = Rationale.objects.for_project(request.project)
    seen = viewer_of(request).rationales(rows)
    return readings.cases(request.project).filter(rationale__in=seen.values("pk"))


@require_GET
@project_view
def reading_cases_file(request: HttpRequest) -> StreamingHttpResponse:
    """The cases as JSON lines, as `python -m workers.scoring` reads them."""
    rows = visible_cases(request).order_by("id")
    answer = StreamingHttpResponse(
        _lines(rows, viewer_of(request).hides_teachers), content_type="application/jsonl"
    )
    name = f"{request.project.slug}-reading-cases.jsonl"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _lines(rows: Any, is_blind: bool) -> Iterator[bytes]:
    case: ReadingCase
    for case in rows.iterator(chunk_size=200):
        yield (
            json.dumps(as_line(case, is_blind), ensure_ascii=False).encode("utf-8", "replace")
            + b"\n"
        )
