"""Evaluations: the list, one with its verdict, and the table that a training's page shows."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from curation.errors import ServiceError
from curation.evaluations import reports, selectors, services
from curation.evaluations.forms import EvaluationForm
from curation.evaluations.models import Evaluation
from curation.projects.access import project_view
from curation.training.models import TrainingJob
from curation.work import Status

PAGE = 30


@require_GET
@project_view
def evaluations(request: HttpRequest) -> HttpResponse:
    return _list(request, _form(request))


def _form(request: HttpRequest) -> EvaluationForm:
    data = request.POST if request.method == "POST" else None
    jobs = selectors.measurable(request.project)
    initial = {"order_key": uuid.uuid4().hex, "job": request.GET.get("job")}
    return EvaluationForm(data, jobs=jobs, initial=initial)


def _list(request: HttpRequest, form: EvaluationForm, status: int = 200) -> HttpResponse:
    before = request.GET.get("before", "")
    found = selectors.evaluations_of(request.project, request.user)
    if before.isascii() and before.isdigit() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    rows = list(found[: PAGE + 1])
    for row in rows:
        row.headline = reports.headline(row.report)
        row.targets = reports.targets(row.report)
    context = {
        "evaluations": rows[:PAGE],
        "more": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "before": before,
        "form": form,
        "moves": any(row.is_active for row in rows),
    }
    name = "evaluations/_rows.html" if request.htmx else "evaluations/list.html"
    return render(request, name, context, status=status)


@require_POST
@project_view(admin=True)
def evaluation_order(request: HttpRequest) -> HttpResponse:
    form = _form(request)
    if form.is_valid():
        chosen = form.cleaned_data
        jobs = {job.pk: job for job in selectors.measurable(request.project)}
        others = [jobs[pk] for pk in chosen["compared"] if pk != chosen["job"] and pk in jobs]
        try:
            evaluation = services.order_evaluation(
                request.project,
                request.user,
                jobs.get(chosen["job"]),
                compared=others,
                splits=chosen["splits"],
                limit=chosen["limit"],
                order_key=chosen["order_key"],
            )
        except ServiceError as error:
            form.add_error(None, ValidationError(str(error)))
        else:
            return redirect("evaluation_detail", request.project.slug, evaluation.pk)
    return _list(request, form, status=400)


def evaluation_or_404(request: HttpRequest, pk: int) -> Evaluation:
    found = Evaluation.objects.for_user(request.user).for_project(request.project)
    return get_object_or_404(found.select_related("job__dataset", "created_by"), pk=pk)


@require_GET
@project_view
def evaluation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    evaluation = evaluation_or_404(request, pk)
    if request.htmx:
        if evaluation.status == Status.DONE:
            return (
                HttpResponseClientRefresh()
            )  # the report has tables, plots and scripts of its own
        return render(request, "evaluations/_progress.html", {"evaluation": evaluation})
    if evaluation.status != Status.DONE or not evaluation.report:
        return render(request, "evaluations/unfinished.html", {"evaluation": evaluation})
    return render(request, "evaluations/detail.html", _report(request, evaluation))


def _report(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    report = evaluation.report
    tables = reports.parts(report)
    choice = selectors.chosen(report, request.GET)
    primary = next((part for part in tables if part.is_primary), None)
    steps = [line for line in evaluation.verdict if line.startswith("Next: ")]
    rest = [line for line in evaluation.verdict if line not in steps]
    return {
        "evaluation": evaluation,
        "headline": rest[0] if rest else "The models were measured.",
        "sentences": rest[1:],
        "next_steps": steps,
        "primary": primary,
        "others": [part for part in tables if not part.is_primary],
        "targets": reports.targets(report),
        "plot": reports.accuracy_plot(report),
        "curation": reports.curation_rows(report),
        "curation_plot": reports.curation_plot(report),
        "kinds": selectors.kinds(evaluation, choice.model, primary.key) if primary else [],
        "facts": report.get("facts", {}),
        **_answers(evaluation, choice),
    }


def _answers(evaluation: Evaluation, choice: selectors.Chosen) -> dict[str, Any]:
    rows, more = selectors.answers(evaluation, choice)
    return {
        "evaluation": evaluation,
        "choice": choice,
        "answers": rows,
        "more": more,
        "models": reports.model_names(evaluation.report),
        "all_parts": reports.parts(evaluation.report),
        "rights": selectors.RIGHTS,
    }


@require_GET
@project_view
def evaluation_answers(request: HttpRequest, pk: int) -> HttpResponse:
    """The list of answers, filtered; or its next page."""
    evaluation = evaluation_or_404(request, pk)
    context = _answers(evaluation, selectors.chosen(evaluation.report, request.GET))
    return render(request, "evaluations/_answers.html", context)


@require_GET
@project_view
def training_measured(request: HttpRequest, pk: int) -> HttpResponse:
    """What the newest evaluation says of a training, for the training's page."""
    jobs = TrainingJob.objects.for_user(request.user).for_project(request.project)
    job = get_object_or_404(jobs.defer("checks", "says"), pk=pk)
    evaluation = job.evaluations.defer("verdict").order_by("-id").first()
    tables = reports.parts(evaluation.report) if evaluation else []
    context = {
        "job": job,
        "evaluation": evaluation,
        "primary": next((part for part in tables if part.is_primary), None),
        # An evaluation follows within seconds of the training's end, if it was wanted.
        "moves": job.is_active or (evaluation is not None and evaluation.is_active),
    }
    return render(request, "evaluations/_measured.html", context)


@require_POST
@project_view(admin=True)
def evaluation_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    services.cancel_evaluation(evaluation_or_404(request, pk))
    messages.success(request, "Cancelled. The answers so far are kept for going on.")
    return redirect("evaluation_detail", request.project.slug, pk)


@require_POST
@project_view(admin=True)
def evaluation_resume(request: HttpRequest, pk: int) -> HttpResponse:
    services.resume_evaluation(evaluation_or_404(request, pk))
    return redirect("evaluation_detail", request.project.slug, pk)
