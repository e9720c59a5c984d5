"""Search by meaning: what a worker finds nearest to some words, or to a rationale. Until it answers, and
where none does, the page shows what has the same words."""

from dataclasses import replace
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.db.search import best_first, found, parse
from curation.errors import Invalid
from curation.projects.access import project_view
from curation.projects.viewers import viewer_of
from curation.questions.models import Question
from curation.rationales.listing import selectors
from curation.rationales.models import MeaningSearch, Rationale, TextKind
from curation.rationales.semantic_search import searches
from curation.web import rate_limit

SHOWN = 50
BY_WORDS = 20
CLEAR = 0.35  # raw cosine; below it, texts of this model share little but their kind


@require_http_methods(["GET", "HEAD", "POST"])
@project_view
def meaning_new(request: HttpRequest) -> HttpResponse:
    """The form; posting it asks a worker."""
    text, kind = request.POST.get("text", ""), request.POST.get("kind", TextKind.RATIONALE)
    error = ""
    if request.method == "POST":
        rate_limit.spend(rate_limit.SEARCHES, request.user.pk)
        try:
            search = searches.order_search(request.project, request.user, text=text, kind=kind)
            return redirect("meaning_found", request.project.slug, search.pk)
        except Invalid as told:
            error = str(told)
    context = {"text": text, "kind": kind, "kinds": TextKind.choices, "error": error}
    return render(request, "rationales/meaning.html", context, status=400 if error else 200)


@require_POST
@project_view
def meaning_like(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for rationales like one."""
    rationale = get_object_or_404(_visible(request), pk=pk)
    rate_limit.spend(rate_limit.SEARCHES, request.user.pk)
    search = searches.order_search(request.project, request.user, like=rationale)
    return redirect("meaning_found", request.project.slug, search.pk)


@require_GET
@project_view
def meaning_found(request: HttpRequest, pk: int) -> HttpResponse:
    mine = MeaningSearch.objects.filter(project=request.project, user=request.user)
    search = get_object_or_404(mine.select_related("like"), pk=pk)
    waits = searches.is_waited_for(search)
    context: dict[str, Any] = {
        "search": search,
        "waits": waits,
        "grows": searches.grows(search),
        "text": search.text,
        "kind": search.kind,
        "kinds": TextKind.choices,
        "clear": CLEAR,
    }
    if search.hits is not None:
        context["rows"] = _nearest(request, search)
    else:
        context["rows"] = _by_words(request, search)
    selectors.show(
        [row for row in context["rows"] if search.kind == TextKind.RATIONALE],
        viewer_of(request.membership),
        parse("" if search.hits is not None else search.text),
    )
    name = "rationales/_meaning.html" if request.htmx else "rationales/meaning.html"
    return render(request, name, context)


def _visible(request: HttpRequest) -> Any:
    rows = Rationale.objects.for_project(request.project)
    return viewer_of(request.membership).rationales(rows)


def _of_kind(request: HttpRequest, kind: str) -> Any:
    if kind == TextKind.QUESTION:
        return Question.objects.for_project(request.project)
    rows = _visible(request).select_related(
        *("question__queue_item", "teacher", "score", "author", "decision")
    )
    return rows.defer("score__detail", "reasoning")


def _nearest(request: HttpRequest, search: MeaningSearch) -> list[Model]:
    """The hits that the person may see, each with its `cosine`."""
    cosines = dict(search.hits[:SHOWN])
    found_rows = _of_kind(request, search.kind).in_bulk(list(cosines))
    rows = [found_rows[pk] for pk in cosines if pk in found_rows]
    for row in rows:
        row.cosine = cosines[row.pk]
    return rows


def _by_words(request: HttpRequest, search: MeaningSearch) -> list[Model]:
    """Texts with the same words: with all of them, else with any."""
    query = parse(search.like.text[:200] if search.like else search.text)
    rows = _of_kind(request, search.kind)
    if search.like_id:
        rows = rows.exclude(pk=search.like_id)
    for asked in (query, replace(query, any_word=True)):
        with_words = found(rows, asked)
        hits = best_first(with_words, asked, BY_WORDS)
        if hits is None:  # too many to put the best first
            hits = list(with_words.order_by("-pk")[:BY_WORDS])
        if hits:
            return hits
    return []
