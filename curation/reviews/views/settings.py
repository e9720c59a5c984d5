"""The review tab of a project's settings: how people review, control questions, assignments."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.errors import Invalid, ServiceError
from curation.projects.access import project_view
from curation.questions.models import Question
from curation.reviews import review_settings
from curation.reviews.forms import AssignForm, ReviewForm
from curation.reviews.queue import assignments, controls
from curation.text.clean import clean
from curation.web.pagination import number, only, page_of

CONTROLS_SHOWN = 25


@require_http_methods(["GET", "HEAD", "POST"])
@project_view(admin=True)
def settings_review(request: HttpRequest) -> HttpResponse:
    """The settings; posting changes them."""
    form = ReviewForm(request.POST or None, instance=request.project)
    if request.method == "POST" and form.is_valid():
        try:
            action = review_settings.change_review_settings(
                request.project, request.user, **form.cleaned_data
            )
        except ServiceError as error:
            form.add_error(None, ValidationError(str(error)))
        else:
            messages.success(request, "Saved.")
            if action is not None and action.is_active:
                return redirect("bulk_detail", request.project.slug, action.pk)
            return redirect("settings_review", request.project.slug)
    if form.errors:  # the form wrote its values to the instance; the page shows what is stored
        request.project.refresh_from_db()
    return _page(request, form=form)


def _page(request: HttpRequest, **forms: Any) -> HttpResponse:
    project = request.project
    filters = only(request.GET, ("after",))
    context = {
        "tab": "review",
        "form": ReviewForm(instance=project),
        "assign": AssignForm(None, project),
        "controls": page_of(review_settings.controls_of(project), filters, CONTROLS_SHOWN),
        "shares": review_settings.shares(project),
        **forms,
    }
    bad = any(form.is_bound and form.errors for form in forms.values())
    return render(request, "reviews/settings.html", context, status=400 if bad else 200)


@require_GET
@project_view(admin=True)
def assign_preview(request: HttpRequest) -> HttpResponse:
    """How many questions the filters would set aside for the person."""
    form = AssignForm(request.GET, request.project)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        seats = _assignable(request, form)
        free, most = seats.count(), form.cleaned_data["most"]
        context |= {
            "n": min(free, most or free),
            "free": free,
            "person": form.cleaned_data["person"],
        }
    return render(request, "reviews/_assign_preview.html", context)


def _assignable(request: HttpRequest, form: AssignForm) -> Any:
    kept = review_settings.slice_of(request.project, form.cleaned_data)
    return assignments.assignable(request.project, form.cleaned_data["person"], kept)


@require_POST
@project_view(admin=True)
def assign(request: HttpRequest) -> HttpResponse:
    form = AssignForm(request.POST, request.project)
    if not form.is_valid():
        return _page(request, assign=form)
    kept = review_settings.slice_of(request.project, form.cleaned_data)
    person = form.cleaned_data["person"]
    n = assignments.assign(request.project, person, kept, form.cleaned_data["most"])
    told = f"{n:,} question{'' if n == 1 else 's'} set aside for {person}."
    if n:
        messages.success(request, told)
    else:
        messages.warning(request, f"{told} None that waits and that they can take is like that.")
    return redirect("settings_review", request.project.slug)


@require_POST
@project_view(admin=True)
def unassign(request: HttpRequest) -> HttpResponse:
    """Take back what was set aside for a person, also for one who is no member any more."""
    given = number("The person", request.POST.get("person", ""))
    person = get_object_or_404(review_settings.assigned_people(request.project), pk=given)
    n = assignments.unassign(request.project, person)
    what = f"{n:,} question{' is' if n == 1 else 's are'}"
    messages.success(request, f"{what} anybody’s again.")
    return redirect("settings_review", request.project.slug)


@require_POST
@project_view(admin=True)
def control_add(request: HttpRequest) -> HttpResponse:
    """Make a control of the question with the given number."""
    given = request.POST.get("question", "").strip().removeprefix("#")
    if not given:
        raise Invalid("Give the number of a decided question; it stands at the top of its page.")
    found = review_settings.question_numbered(request.project, number("The question", given))
    return _made(request, found, "settings_review")


@require_POST
@project_view(admin=True)
def question_control(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a control of the question whose page this was posted from."""
    found = get_object_or_404(Question, project=request.project, pk=pk)
    return _made(request, found, "question", pk)


def _made(request: HttpRequest, found: Question, name: str, *rest: int) -> HttpResponse:
    note = clean(request.POST.get("note", ""))[:2000]
    controls.make_control(request.project, request.user, found, note)
    told = f"Question {found.pk} is a control question now."
    if not request.project.control_percent:
        told += " None is mixed in yet: set how many in the review settings."
    messages.success(request, told)
    return redirect(name, request.project.slug, *rest)


@require_POST
@project_view(admin=True)
def question_control_drop(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Question, project=request.project, pk=pk)
    controls.drop_control(request.project, found)
    messages.success(request, f"Question {pk} is no control question any more.")
    if request.POST.get("back") == "question":
        return redirect("question", request.project.slug, pk)
    return redirect("settings_review", request.project.slug)
