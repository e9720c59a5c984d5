"""The list of rationales, and their scoring."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from curation.db.search import Query, best_first, parse
from curation.projects.access import project_view
from curation.projects.models import Project, Role
from curation.projects.saved_views import save_from, views_of
from curation.projects.selectors import members_of
from curation.projects.viewers import Viewer, viewer_of
from curation.rationales.listing import selectors
from curation.rationales.models import Teacher
from curation.rationales.scoring import scores
from curation.web import rate_limit
from curation.web.pagination import Page, only, page_of

PAGE = 50
BEST = 100  # hits on the one page of those that fit best
# What the reviews' app, to the right of this one, does to many at once.
BULK_KINDS = (
    ("approve", "approve"),
    ("reject", "reject"),
    ("clear", "make undecided"),
    ("rescore", "score again"),
    ("assign", "assign for review"),
)
MORE = {"temperature", "valid_from", "valid_to", "reviewer", "since", "until", "range", "band"}


@require_GET
@project_view
def rationales(request: HttpRequest) -> HttpResponse:
    filters = only(request.GET, (*selectors.FILTERS, "sort"))
    is_admin = request.membership.role == Role.ADMIN
    query = parse(filters.get("q", ""))
    if "q" in filters:
        rate_limit.spend(rate_limit.SEARCHES, request.user.pk)
    viewer = viewer_of(request.membership)
    page, too_many = _page(viewer, request.project, filters, query)
    selectors.show(page.rows, viewer, query)
    context = {
        "page": page,
        "filters": filters,
        "filtered": bool(set(filters) - {"after", "sort"}),
        "more": bool(set(filters) & MORE),
        "too_many": too_many,
        "nothing_asked": "q" in filters and query.is_empty,
        "hides_teachers": not request.shows_teachers,
        "teachers": Teacher.objects.for_project(request.project).order_by("name"),
        "people": members_of(request.project) if is_admin else (),
        "answers": selectors.ANSWERS.items(),
        "bands": selectors.BANDS.items(),
        "decisions": selectors.DECISIONS.items(),
        "flags": selectors.FLAGS.items(),
        "orders": [pair for pair in selectors.ORDERS.items() if pair[0] != "fit" or "q" in filters],
        "facets": selectors.facets(request.project),
        "bar": selectors.range_words(filters.get("range", "")),
        "scoring": selectors.scoring_state(request.project),
        "bulk_kinds": BULK_KINDS,
        "saved_views": views_of(
            *(request.project, request.user, is_admin, "rationales", filters),
            closed=viewer.closed_filters,
        ),
    }
    return render(request, "rationales/rationales.html", context)


@require_GET
@project_view
def rationales_verdicts(request: HttpRequest) -> HttpResponse:
    """How many of the scored rationales have which verdict: a part of the list that comes after it."""
    context = {
        "verdicts": selectors.verdict_counts(request.project),
        "chosen": only(request.GET, ("answer",)).get("answer", ""),
    }
    return render(request, "rationales/_verdicts.html", context)


@require_POST
@project_view
def rationales_save(request: HttpRequest) -> HttpResponse:
    asked = [name for name, value in request.POST.items() if value]
    viewer_of(request.membership).refuse_closed(asked)
    return save_from(request, "rationales", (*selectors.FILTERS, "sort"))


def _page(
    viewer: Viewer, project: Project, filters: dict[str, str], query: Query
) -> tuple[Page, bool]:
    """The page, and whether there were too many hits to put the best first."""
    rows = selectors.rationales(project, filters, viewer)
    rows = rows.select_related("question__queue_item", "teacher", "score", "author", "decision")
    rows = rows.defer("score__detail", "reasoning")
    sort = filters.get("sort", "newest")
    if sort == "fit":
        best = best_first(rows, query, BEST)
        if best is not None:
            return Page(best, "", True, urlencode(filters)), False
    rows, order = selectors.order_of(sort, project, rows)
    return page_of(rows, filters, PAGE, order=order), sort == "fit"


@require_GET
@project_view
def scoring_state(request: HttpRequest) -> HttpResponse:
    context = {"scoring": selectors.scoring_state(request.project)}
    return render(request, "rationales/_scoring.html", context)


@require_POST
@project_view(admin=True)
def score_again(request: HttpRequest) -> HttpResponse:
    if scores.order_rescoring(request.project, request.user) is None:
        messages.info(request, "There is nothing to score yet.")
    else:
        messages.success(request, "Everything is scored again. Decisions stay as they are.")
    return redirect("rationales", request.project.slug)
