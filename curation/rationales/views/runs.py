"""Runs: ordering them, watching them, and what can be done with one."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.errors import Invalid, ServiceError
from curation.jobs import cancel
from curation.projects.access import project_view, refuse_blind
from curation.rationales.forms import BudgetForm, CutOffForm, RunForm
from curation.rationales.generation import orders, status
from curation.rationales.generation.estimate import Estimate, estimate
from curation.rationales.generation.parts import part_of
from curation.rationales.generation.prompt_styles import styles
from curation.rationales.generation.question_filter import WHICH, Choice
from curation.rationales.models import GenerationRun, Teacher
from curation.rationales.teachers import services


@require_GET
@project_view
def runs(request: HttpRequest) -> HttpResponse:
    return render(request, "rationales/runs.html", {"runs": status.runs(request.project)})


@require_http_methods(["GET", "POST"])
@project_view(admin=True)
def run_new(request: HttpRequest) -> HttpResponse:
    project = request.project
    first = {"order_key": uuid.uuid4().hex}
    if request.GET.get("which") in WHICH:
        first["which"] = request.GET["which"]
    if request.GET.get("style") in styles():
        first["prompt_style"] = request.GET["style"]
    form = RunForm(request.POST or None, project=project, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("run_detail", project.slug, _ordered(request, form).pk)
        except ServiceError as error:
            form.add_error(None, str(error))
    teachers = Teacher.objects.for_project(project).filter(writes=True)
    context = {"form": form, "teachers": teachers, "styles": styles().values()}
    context["queues"] = sorted({part_of(one) for one in teachers})
    context |= _estimated(request, form)
    return render(request, "rationales/run_new.html", context, status=400 if form.errors else 200)


def _ordered(request: HttpRequest, form: RunForm) -> GenerationRun:
    given, choice = form.cleaned_data, form.choice()
    return orders.order_run(
        request.project,
        request.user,
        teachers=given["teachers"],
        temperatures=given["temperatures"],
        samples=given["samples"],
        questions=choice.questions(request.project),
        filters=choice.stored(),
        seed=given["seed"],
        max_tokens=given["max_tokens"],
        prompt_style=given["prompt_style"],
        budget=form.budget(),
        enough=given["enough"] or 0,
        only_missing=given["only_missing"],
        order_key=given["order_key"] or None,
    )


def _estimated(request: HttpRequest, form: RunForm) -> dict[str, Any]:
    if not form.is_bound:
        teachers = form.fields["teachers"].queryset
        choice = Choice(which=form.initial.get("which", "train"))
        style = form.initial.get("prompt_style", "")
        heats = [0.3, 0.5, 0.7]
        told = estimate(request.project, teachers, heats, 1, choice, prompt_style=style)
        return {"estimate": told}
    given = form.cleaned_data
    needed = ("teachers", "temperatures", "samples", "which")
    if any(not given.get(name) for name in needed) or "limit" in form.errors:
        return {"estimate": None}
    try:
        services.check_temperatures(given["temperatures"])
    except Invalid as error:
        return {"estimate": None, "problem": str(error)}
    told = estimate(
        request.project,
        given["teachers"],
        given["temperatures"],
        given["samples"],
        form.choice(),
        prompt_style=given.get("prompt_style") or "",
        max_tokens=given.get("max_tokens"),
    )
    return {
        "estimate": told,
        "at_most": bool(given.get("only_missing") or given.get("enough")),
        "over": _over(told, given),
    }


def _over(told: Estimate, given: dict[str, Any]) -> str:
    """Which limit the order would reach, as a word; "" where none, or where it is not known."""
    for name, value in (("money", told.cost), ("tokens", told.tokens), ("rationales", told.slots)):
        limit = given.get(f"budget_{name}")
        if limit is not None and value is not None and value > limit:
            return name
    return ""


@require_POST
@project_view(admin=True)
def run_estimate(request: HttpRequest) -> HttpResponse:
    """What the order in the form means and takes; asked while it is filled in."""
    form = RunForm(request.POST, project=request.project)
    form.is_valid()
    return render(request, "rationales/_estimate.html", _estimated(request, form))


def _run(request: HttpRequest, pk: int) -> GenerationRun:
    runs_here = GenerationRun.objects.select_related("created_by", "redo_of", "project")
    runs_here = runs_here.prefetch_related("teachers")
    return get_object_or_404(runs_here, project=request.project, pk=pk)


@require_GET
@project_view
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(request, pk)
    name = "rationales/_run.html" if request.htmx else "rationales/run_detail.html"
    context = {"run": run, "state": status.run_state(run)}
    if style := styles().get(run.prompt_style):
        context["style"] = style
    context["chosen"] = {**run.filters, "which": WHICH.get(run.filters.get("which"), "")}
    if run.is_resumable or run.status == "done":
        most = run.max_tokens or max((one.max_tokens for one in run.teachers.all()), default=256)
        again = {"max_tokens": min(2 * most, orders.MAX_TOKENS), "order_key": uuid.uuid4().hex}
        context["cut_off_form"] = CutOffForm(initial=again)
    if run.is_resumable:
        limits = ("budget_money", "budget_tokens", "budget_rationales")
        context["budget_form"] = BudgetForm(initial={name: getattr(run, name) for name in limits})
    return render(request, name, context)


@require_GET
@project_view
def run_log(request: HttpRequest, pk: int) -> HttpResponse:
    """The end of what the engines of a run wrote; looked at again while the run works."""
    refuse_blind(request.membership)
    run = _run(request, pk)
    parts = run.parts.exclude(log="").select_related("teacher")
    name = "rationales/_run_log.html" if request.htmx else "rationales/run_log.html"
    return render(request, name, {"run": run, "parts": parts})


def _order(request: HttpRequest, pk: int, order: Callable[[GenerationRun], object]) -> HttpResponse:
    run = _run(request, pk)
    order(run)
    return redirect("run_detail", request.project.slug, run.pk)


@require_POST
@project_view(admin=True)
def run_pause(request: HttpRequest, pk: int) -> HttpResponse:
    return _order(request, pk, orders.pause_run)


@require_POST
@project_view(admin=True)
def run_resume(request: HttpRequest, pk: int) -> HttpResponse:
    return _order(request, pk, orders.resume_run)


@require_POST
@project_view(admin=True)
def run_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    return _order(request, pk, cancel)


@require_POST
@project_view(admin=True)
def run_retry(request: HttpRequest, pk: int) -> HttpResponse:
    return _order(request, pk, orders.retry_failed)


@require_POST
@project_view(admin=True)
def run_budget(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(request, pk)
    form = BudgetForm(request.POST)
    if not form.is_valid():
        raise Invalid("A limit is a number above 0, or empty for none.")
    orders.set_budget(run, form.budget())
    messages.success(request, "The new limits hold. “Go on” takes the run up again.")
    return redirect("run_detail", request.project.slug, run.pk)


@require_POST
@project_view(admin=True)
def run_cut_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Order what was cut off once more, with more tokens."""
    run = _run(request, pk)
    form = CutOffForm(request.POST)
    if not form.is_valid():
        raise Invalid(f"Give 1 to {orders.MAX_TOKENS:,} tokens.")
    given = form.cleaned_data
    again = orders.order_cut_off(run, request.user, given["max_tokens"], given["order_key"] or None)
    return redirect("run_detail", request.project.slug, again.pk)
