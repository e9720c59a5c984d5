"""Runs, teachers, and the list of rationales."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.errors import Invalid, ServiceError
from curation.listing import only, page_of
from curation.projects.access import project_view
from curation.rationales import scoring, selectors, services
from curation.rationales.forms import RunForm, TeacherForm
from curation.rationales.models import GenerationRun, Teacher

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


@require_GET
@project_view
def runs(request: HttpRequest) -> HttpResponse:
    context = {"runs": selectors.runs(request.project)}
    return render(request, "rationales/runs.html", context)


@require_http_methods(["GET", "POST"])
@project_view(admin=True)
def run_new(request: HttpRequest) -> HttpResponse:
    project = request.project
    form = RunForm(request.POST or None, project=project, initial={"order_key": uuid.uuid4().hex})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            run = services.order_run(
                project,
                request.user,
                teachers=given["teachers"],
                temperatures=given["temperatures"],
                samples=given["samples"],
                questions=selectors.questions_for(project, given["which"], given["limit"]),
                seed=given["seed"],
                max_tokens=given["max_tokens"],
                only_missing=given["only_missing"],
                order_key=given["order_key"] or None,
            )
            return redirect("run_detail", project.slug, run.pk)
        except ServiceError as error:
            form.add_error(None, str(error))
    context = {"form": form, "teachers": Teacher.objects.for_project(project).filter(writes=True)}
    context |= _estimated(request, form)
    return render(request, "rationales/run_new.html", context, status=400 if form.errors else 200)


def _estimated(request: HttpRequest, form: RunForm) -> dict[str, object]:
    if not form.is_bound:
        initial = {name: field.initial for name, field in form.fields.items()} | form.initial
        chosen, heats = len(initial["teachers"]), [0.3, 0.5, 0.7]
        return {"estimate": selectors.estimate(request.project, chosen, heats, 1, "train", None)}
    given = form.cleaned_data
    needed = ("teachers", "temperatures", "samples", "which")
    if any(not given.get(name) for name in needed) or "limit" in form.errors:
        return {"estimate": None}
    try:
        services.check_temperatures(given["temperatures"])
    except Invalid as error:
        return {"estimate": None, "problem": str(error)}
    told = selectors.estimate(
        request.project,
        len(given["teachers"]),
        given["temperatures"],
        given["samples"],
        given["which"],
        given.get("limit"),
    )
    return {"estimate": told, "at_most": given.get("only_missing")}


@require_POST
@project_view(admin=True)
def run_estimate(request: HttpRequest) -> HttpResponse:
    """How many rationales the order in the form means; asked while it is filled in."""
    form = RunForm(request.POST, project=request.project)
    form.is_valid()
    return render(request, "rationales/_estimate.html", _estimated(request, form))


def _run(request: HttpRequest, pk: int) -> GenerationRun:
    runs_here = GenerationRun.objects.select_related("created_by").prefetch_related("teachers")
    return get_object_or_404(runs_here, project=request.project, pk=pk)


@require_GET
@project_view
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(request, pk)
    name = "rationales/_run.html" if request.htmx else "rationales/run_detail.html"
    return render(request, name, {"run": run, "state": selectors.run_state(run)})


def _order(request: HttpRequest, pk: int, order: Callable[[GenerationRun], object]) -> HttpResponse:
    run = _run(request, pk)
    order(run)
    return redirect("run_detail", request.project.slug, run.pk)


@require_POST
@project_view(admin=True)
def run_pause(request: HttpRequest, pk: int) -> HttpResponse:
    return _order(request, pk, services.pause_run)


@require_POST
@project_view(admin=True)
def run_resume(request: HttpRequest, pk: int) -> HttpResponse:
    return _order(request, pk, services.resume_run)


@require_POST
@project_view(admin=True)
def run_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    return _order(request, pk, services.cancel_run)


@require_POST
@project_view(admin=True)
def run_retry(request: HttpRequest, pk: int) -> HttpResponse:
    return _order(request, pk, services.retry_failed)


@require_GET
@project_view
def teachers(request: HttpRequest) -> HttpResponse:
    context = {"teachers": selectors.teachers(request.project)}
    return render(request, "rationales/teachers.html", context)


@require_http_methods(["GET", "POST"])
@project_view(admin=True)
def teacher_new(request: HttpRequest) -> HttpResponse:
    return _teacher(request, Teacher(project=request.project))


@require_http_methods(["GET", "POST"])
@project_view(admin=True)
def teacher_edit(request: HttpRequest, pk: int) -> HttpResponse:
    teacher = get_object_or_404(Teacher, project=request.project, pk=pk, writes=True)
    return _teacher(request, teacher)


def _teacher(request: HttpRequest, teacher: Teacher) -> HttpResponse:
    form = TeacherForm(request.POST or None, instance=teacher)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_teacher(request.project, form.save(commit=False))
            messages.success(request, f"{form.instance.name} is ready to write.")
            return redirect("teachers", request.project.slug)
        except Invalid as error:
            form.add_error(None, str(error))
    status = 400 if form.errors else 200
    return render(
        request, "rationales/teacher.html", {"form": form, "teacher": teacher}, status=status
    )
