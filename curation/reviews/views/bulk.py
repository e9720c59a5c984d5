"""Pages for what an admin does to many rationales at once: preview, order, progress, undo."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.errors import Invalid
from curation.projects.access import project_view
from curation.projects.models import Unread, User
from curation.projects.selectors import members_of
from curation.rationales.listing.filter_labels import in_words
from curation.rationales.listing.selectors import FILTERS
from curation.reviews.bulk import orders
from curation.reviews.bulk.runner import WHOLE
from curation.reviews.models import BulkAction, BulkKind, Reason
from curation.web.pagination import number, only, page_of

PAGE = 50
# What the button and the heading say of each kind.
DOES = {
    BulkKind.APPROVE: ("Approve", "approved"),
    BulkKind.REJECT: ("Reject", "rejected"),
    BulkKind.CLEAR: ("Make undecided", "made undecided"),
    BulkKind.RESCORE: ("Score again", "scored again"),
    BulkKind.ASSIGN: ("Assign", "assigned"),
    BulkKind.RULE: ("Approve by rule", "approved by the rule"),
    BulkKind.OVERLAP: ("Change the overlap of", "settled, with all their reviews in"),
}
OWN = ("csrfmiddlewaretoken", "kind", "newest", "reasons", "comment", "person", "order_key")
LIST_ALONE = ("sort", "after")  # how the list shows its rationales, not which


@require_http_methods(["GET", "HEAD", "POST"])
@project_view(admin=True)
def bulk_new(request: HttpRequest) -> HttpResponse:
    """The preview; posting it orders what it shows."""
    given = only(
        request.POST if request.method == "POST" else request.GET, (*OWN, *FILTERS, *LIST_ALONE)
    )
    filters = {name: given[name] for name in FILTERS if name in given and name != "after"}
    kind = given.get("kind", "")
    until = number("newest", given["newest"]) if "newest" in given else None
    error = ""
    if request.method == "POST":
        try:
            return _order(request, kind, filters, until, given)
        except Invalid as told:
            error = str(told)
    counted = orders.preview(request.project, kind, filters, until)
    context = {
        "kind": kind,
        "verb": DOES[kind][0],
        "done": DOES[kind][1],
        "counted": counted,
        "filters": filters,
        "in_words": in_words(request.project, filters),
        "list_query": urlencode(filters),
        "reasons": Reason.choices,
        "chosen": request.POST.getlist("reasons"),
        "comment": given.get("comment", ""),
        "people": members_of(request.project) if kind == BulkKind.ASSIGN else (),
        "order_key": given.get("order_key") or uuid.uuid4().hex,
        "is_many": counted.total > orders.INLINE,
        "error": error,
    }
    return render(request, "reviews/bulk_new.html", context, status=400 if error else 200)


def _order(
    request: HttpRequest,
    kind: str,
    filters: dict[str, str],
    until: int | None,
    given: dict[str, str],
) -> HttpResponse:
    if until is None:
        raise Invalid("Look at the preview first.")
    person = None
    if "person" in given:
        people = User.objects.filter(memberships__project=request.project)
        person = people.filter(pk=number("person", given["person"])).first()
    action = orders.order_bulk(
        request.project,
        request.user,
        kind,
        filters,
        until=until,
        reasons=request.POST.getlist("reasons"),
        comment=given.get("comment", ""),
        person=person,
        order_key=given.get("order_key"),
    )
    return redirect("bulk_detail", request.project.slug, action.pk)


def _action(request: HttpRequest, pk: int) -> BulkAction:
    rows = BulkAction.objects.for_project(request.project)
    found = get_object_or_404(
        rows.select_related("created_by", "undone_by", "person", "rule"), pk=pk
    )
    found.project = request.project
    return found


def _words(action: BulkAction) -> list[str]:
    """Which rationales it is about."""
    if action.kind == BulkKind.OVERLAP:
        n = int(action.filters["overlap"])
        return [f"all questions that wait: {n} review{'' if n == 1 else 's'} of each"]
    if action.kind == BulkKind.RULE:
        rejected = action.rule.unread == Unread.REJECT
        more = ", and those that it rejects because their answer was not read" if rejected else ""
        return [f"undecided training rationales that pass rubric {action.rule.version}{more}"]
    return in_words(action.project, action.filters)


def _does(action: BulkAction) -> tuple[str, str]:
    if action.kind == BulkKind.RULE and action.rule.unread == Unread.REJECT:
        return "Decide by rule", "decided by the rule"
    return DOES[action.kind]


def _shown(action: BulkAction) -> dict[str, Any]:
    return {
        "action": action,
        "verb": _does(action)[0],
        "done": _does(action)[1],
        "unit": "questions" if action.kind == BulkKind.OVERLAP else "rationales",
        "in_words": _words(action),
        "reason_words": ", ".join(Reason(one).label for one in action.reasons),
        "list_query": "" if action.kind in WHOLE else urlencode(action.filters),
        "is_whole": action.kind in WHOLE,
        "may_stop": action.is_active and action.kind != BulkKind.OVERLAP,
        "may_undo": action.kind != BulkKind.RESCORE
        and action.kind not in WHOLE
        and not (action.undone_at or action.is_active)
        and action.changed > 0,
    }


@require_GET
@project_view(admin=True)
def bulk_list(request: HttpRequest) -> HttpResponse:
    filters = only(request.GET, ("after",))
    rows = BulkAction.objects.for_project(request.project).select_related("created_by", "rule")
    page = page_of(rows, filters, PAGE, newest_first=True)
    for row in page.rows:
        row.project = request.project
        does = _does(row)
        row.done_words = "overlap changed" if row.kind == BulkKind.OVERLAP else does[1]
        row.words = _words(row)
    return render(request, "reviews/bulk_list.html", {"page": page})


@require_GET
@project_view(admin=True)
def bulk_detail(request: HttpRequest, pk: int) -> HttpResponse:
    name = "reviews/_bulk.html" if request.htmx else "reviews/bulk_detail.html"
    return render(request, name, _shown(_action(request, pk)))


@require_POST
@project_view(admin=True)
def bulk_undo(request: HttpRequest, pk: int) -> HttpResponse:
    orders.order_undo(_action(request, pk), request.user)
    return redirect("bulk_detail", request.project.slug, pk)


@require_POST
@project_view(admin=True)
def bulk_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    orders.cancel_bulk(_action(request, pk))
    messages.info(request, "Stopped. What was changed stays, and can be undone.")
    return redirect("bulk_detail", request.project.slug, pk)


@require_POST
@project_view(admin=True)
def bulk_resume(request: HttpRequest, pk: int) -> HttpResponse:
    orders.resume_bulk(_action(request, pk))
    return redirect("bulk_detail", request.project.slug, pk)
