"""Lists of questions, and the imports that bring them in."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.errors import Conflict, Invalid
from curation.jobs import Status
from curation.projects.access import project_view
from curation.projects.models import Role
from curation.projects.saved_views import save_from, views_of
from curation.projects.viewers import viewer_of
from curation.questions import selectors, services
from curation.questions.correcting import changing
from curation.questions.correcting.edit_form import QuestionForm
from curation.questions.forms import ImportForm
from curation.questions.models import Question, QuestionChange, QuestionImport, Split
from curation.questions.samples import SAMPLES
from curation.questions.wizard.drafts import choose_saved
from curation.questions.wizard.report import counted
from curation.questions.wizard.views import wizard_page
from curation.web import rate_limit
from curation.web.pagination import only, page_of

PAGE = 50


@require_GET
@project_view
def questions(request: HttpRequest) -> HttpResponse:
    filters = only(request.GET, selectors.FILTERS)
    if "q" in filters:
        rate_limit.spend(rate_limit.SEARCHES, request.user.pk)
    viewer = viewer_of(request.membership)
    found = selectors.questions(request.project, filters, viewer)
    page = page_of(found, filters, PAGE)
    selectors.add_counts(request.project, page.rows, viewer)
    context = {
        "page": page,
        "filters": filters,
        "filtered": bool(set(filters) - {"after"}),
        "splits": Split.choices,
        "states": selectors.STATES.items(),
        "facets": selectors.facets(request.project),
        "saved_views": views_of(
            request.project,
            request.user,
            request.membership.role == Role.ADMIN,
            "questions",
            filters,
        ),
    }
    return render(request, "questions/questions.html", context)


@require_POST
@project_view
def questions_save(request: HttpRequest) -> HttpResponse:
    return save_from(request, "questions", selectors.FILTERS)


@require_http_methods(["GET", "POST"])
@project_view(admin=True)
def question_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a question. What was typed stays in the form where it is refused."""
    found = get_object_or_404(Question, project=request.project, pk=pk)
    context: dict[str, Any] = {"question": found}
    if request.method == "GET":
        context["form"] = QuestionForm(initial=QuestionForm.initial_of(found))
        return render(request, "questions/edit.html", context)
    form, status = QuestionForm(request.POST), 400
    if form.is_valid():
        try:
            version = form.cleaned_data["version"]
            made = changing.change_question(
                request.project, request.user, pk, form.values(), version=version
            )
        except Invalid as error:
            form.add_error(None, str(error))
        except Conflict as error:
            status, context["conflict"] = 409, str(error)
            found.refresh_from_db()
            now = changing.version_of(found)
            if now != version:  # somebody else's change: shown, and "Save" then means it
                form.data = form.data.copy()
                form.data["version"] = str(now)
                given = changing.difference(found, changing.checked(form.values()))
                context["theirs"] = [
                    (changing.FIELDS[name], selectors.as_text(getattr(found, name)))
                    for name in given
                ]
        else:
            what = "There was nothing to change." if made is None else "The question was changed."
            messages.success(request, what)
            return redirect("question", request.project.slug, pk)
    return render(request, "questions/edit.html", {**context, "form": form}, status=status)


@require_POST
@project_view(admin=True)
def question_change_undo(request: HttpRequest, pk: int) -> HttpResponse:
    change = get_object_or_404(QuestionChange.objects.for_project(request.project), pk=pk)
    changing.undo_change(request.project, request.user, pk)
    messages.success(request, "The change was undone.")
    return redirect("question", request.project.slug, change.question_id)


@require_http_methods(["GET", "POST"])
@project_view(admin=True)
def import_new(request: HttpRequest) -> HttpResponse:
    form = ImportForm(
        request.POST or None, request.FILES or None, initial={"order_key": uuid.uuid4().hex}
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            job = services.order_import(
                request.project,
                request.user,
                given["file"],
                given["file"].name,
                preset=given["preset"],
                split=given["split"],
                keep_good_rows=given["keep_good_rows"],
                take_over=given["take_over"],
                id_prefix=given["id_prefix"],
                draft=given["look"],
                order_key=given["order_key"] or None,
            )
            if given["look"] and not job.mapping:
                choose_saved(job)
            return redirect("import_detail", request.project.slug, job.pk)
        except (Invalid, Conflict) as error:
            form.add_error("file", str(error))
    recent = QuestionImport.objects.for_project(request.project).order_by("-id")[:10]
    context = {"form": form, "samples": SAMPLES, "recent": recent}
    status = 400 if form.errors else 200
    return render(request, "questions/import_new.html", context, status=status)


def _job(request: HttpRequest, pk: int) -> QuestionImport:
    return get_object_or_404(QuestionImport, project=request.project, pk=pk)


@require_GET
@project_view
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    job = _job(request, pk)
    if job.status == Status.PAUSED:
        return wizard_page(request, job)
    name = "questions/_import.html" if request.htmx else "questions/import_detail.html"
    context = {
        "job": job,
        "order_key": uuid.uuid4().hex,
        "counted": counted(job.report.get("counts", {})),
    }
    return render(request, name, context)


@require_POST
@project_view(admin=True)
def import_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Order the same file again: this time keep the good rows, or take over what differs."""
    given = only(
        request.POST, ("csrfmiddlewaretoken", "order_key", "take_over", "id_prefix", "all")
    )
    job = services.import_again(
        _job(request, pk),
        request.user,
        keep_good_rows="all" not in given,
        take_over=given.get("take_over"),
        id_prefix=given.get("id_prefix"),
        order_key=request.POST.get("order_key") or None,
    )
    return redirect("import_detail", request.project.slug, job.pk)


@require_POST
@project_view(admin=True)
def import_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    services.cancel_import(_job(request, pk))
    messages.info(request, "The import was cancelled; what it had written stays.")
    return redirect("import_detail", request.project.slug, pk)
