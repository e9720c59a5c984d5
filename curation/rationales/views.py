"""The list of rationales, and their scoring."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from curation.listing import only, page_of
from curation.projects.access import project_view
from curation.rationales import scoring, selectors
from curation.rationales.models import Teacher

PAGE = 50


@require_GET
@project_view
def rationales(request: HttpRequest) -> HttpResponse:
    filters = only(request.GET, selectors.FILTERS)
    found = selectors.rationales(request.project, filters).select_related(
        "question", "teacher", "score", "decision", "author"
    )
    page = page_of(found.defer("score__detail", "reasoning"), filters, PAGE, newest_first=True)
    context = {
        "page": page,
        "filters": filters,
        "filtered": bool(set(filters) - {"after"}),
        "teachers": Teacher.objects.for_project(request.project).order_by("name"),
        "answers": [("right", "right"), ("wrong", "wrong"), ("unknown", "cannot be graded")],
        "bands": selectors.BANDS.items(),
        "decisions": selectors.DECISIONS.items(),
        "flags": selectors.FLAGS.items(),
        "bar": selectors.range_words(filters.get("range", "")),
        "scoring": selectors.scoring_state(request.project),
    }
    return render(request, "rationales/rationales.html", context)


@require_GET
@project_view
def scoring_state(request: HttpRequest) -> HttpResponse:
    context = {"scoring": selectors.scoring_state(request.project)}
    return render(request, "rationales/_scoring.html", context)


@require_POST
@project_view(admin=True)
def score_again(request: HttpRequest) -> HttpResponse:
    if scoring.order_rescoring(request.project, request.user) is None:
        messages.info(request, "There is nothing to score yet.")
    else:
        messages.success(request, "Everything is scored again. Decisions stay as they are.")
    return redirect("rationales", request.project.slug)
