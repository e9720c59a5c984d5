"""Pages for what an admin deletes: preview, order, what was deleted, and restoring it."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.errors import Invalid
from curation.jobs import cancel
from curation.projects.access import project_view
from curation.projects.models import Project
from curation.questions import selectors as question_selectors
from curation.questions.models import Deletion, Kind, Question
from curation.rationales.listing import selectors as rationale_selectors
from curation.rationales.listing.filter_labels import in_words as rationale_words
from curation.rationales.models import Rationale
from curation.reviews.deletion import orders
from curation.web.pagination import number, one_of, only, page_of

PAGE = 50
FILTERS = {
    Kind.QUESTIONS: question_selectors.FILTERS,
    Kind.RATIONALES: rationale_selectors.FILTERS,
}
OWN = ("csrfmiddlewaretoken", "kind", "newest", "why", "order_key", "sort", "after")


def _words(project: Project, deletion: Deletion) -> list[str]:
    if deletion.kind == Kind.QUESTIONS:
        return question_selectors.in_words(deletion.filters)
    return rationale_words(project, deletion.filters)


def title_of(deletion: Deletion) -> str:
    """What it took, in words: "Question 12", "All questions that match"."""
    if deletion.one:
        return f"{'Question' if deletion.kind == Kind.QUESTIONS else 'Rationale'} {deletion.one}"
    return f"{deletion.get_kind_display().capitalize()} of a list"


@require_http_methods(["GET", "HEAD", "POST"])
@project_view(admin=True)
def deletion_new(request: HttpRequest) -> HttpResponse:
    """The preview of deleting all that a list's filters keep; posting it orders what it shows."""
    sent = request.POST if request.method == "POST" else request.GET
    kind = one_of("kind", sent.get("kind", ""), Kind.values)
    given = only(sent, {*OWN, *FILTERS[kind]})
    filters = {name: given[name] for name in FILTERS[kind] if name in given and name != "after"}
    until = number("newest", given["newest"]) if "newest" in given else None
    error = ""
    if request.method == "POST":
        if until is None:
            raise Invalid("Look at the preview first.")
        try:
            made = orders.order_deletion(
                request.project,
                request.user,
                kind,
                filters,
                until=until,
                why=given.get("why", ""),
                order_key=given.get("order_key"),
            )
            return redirect("deletion_detail", request.project.slug, made.pk)
        except Invalid as told:
            error = str(told)
    counted = orders.preview(request.project, kind, filters, until)
    context = {
        "kind": kind,
        "counted": counted,
        "filters": filters,
        "in_words": _words(request.project, Deletion(kind=kind, filters=filters)),
        "list_query": urlencode(filters),
        "why": given.get("why", ""),
        "order_key": given.get("order_key") or uuid.uuid4().hex,
        "is_many": counted.total > orders.INLINE,
        "error": error,
    }
    return render(request, "reviews/deletion_new.html", context, status=400 if error else 200)


def _delete_one(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    made = orders.delete_one(
        request.project,
        request.user,
        kind,
        pk,
        order_key=request.POST.get("order_key") or None,
    )
    return redirect("deletion_detail", request.project.slug, made.pk)


@require_POST
@project_view(admin=True)
def question_delete(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Question, project=request.project, pk=pk)
    return _delete_one(request, Kind.QUESTIONS, pk)


@require_POST
@project_view(admin=True)
def rationale_delete(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Rationale, project=request.project, pk=pk)
    return _delete_one(request, Kind.RATIONALES, pk)


def _deletion(request: HttpRequest, pk: int) -> Deletion:
    found = get_object_or_404(orders.deletions_of(request.project), pk=pk)
    found.project = request.project
    return found


def _shown(request: HttpRequest, deletion: Deletion) -> dict[str, Any]:
    rows = orders.taken(deletion)
    if deletion.kind == Kind.RATIONALES:
        rows = rows.select_related("question", "teacher", "author")
    filters = only(request.GET, ("after",))
    return {
        "deletion": deletion,
        "title": title_of(deletion),
        "in_words": _words(deletion.project, deletion),
        "page": page_of(rows, filters, PAGE),
        "left": deletion.deleted - deletion.restored,
        "stays": orders.stays(deletion.kind),
    }


@require_GET
@project_view(admin=True)
def deletion_list(request: HttpRequest) -> HttpResponse:
    filters = only(request.GET, ("after",))
    page = page_of(orders.deletions_of(request.project), filters, PAGE, newest_first=True)
    for row in page.rows:
        row.title, row.words = title_of(row), _words(request.project, row)
        row.left = row.deleted - row.restored
    return render(request, "reviews/deletion_list.html", {"page": page})


@require_GET
@project_view(admin=True)
def deletion_detail(request: HttpRequest, pk: int) -> HttpResponse:
    name = "reviews/_deletion.html" if request.htmx else "reviews/deletion_detail.html"
    return render(request, name, _shown(request, _deletion(request, pk)))


@require_POST
@project_view(admin=True)
def deletion_restore(request: HttpRequest, pk: int) -> HttpResponse:
    """All that it took, or one of it (`one`)."""
    deletion, one = _deletion(request, pk), request.POST.get("one")
    if one is None:
        orders.order_restore(deletion, request.user)
    else:
        orders.restore_one(deletion, request.user, number("one", one))
    return redirect("deletion_detail", request.project.slug, pk)


@require_POST
@project_view(admin=True)
def deletion_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    cancel(_deletion(request, pk))
    return redirect("deletion_detail", request.project.slug, pk)


@require_POST
@project_view(admin=True)
def deletion_resume(request: HttpRequest, pk: int) -> HttpResponse:
    orders.resume_deletion(_deletion(request, pk))
    return redirect("deletion_detail", request.project.slug, pk)
