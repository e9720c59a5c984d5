"""Evaluations: the list, one with its verdict, and the table that a training's page shows."""

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from curation.errors import ServiceError
from curation.evaluations import reports, selectors, services
from curation.evaluations.forms import EvaluationForm
from curation.evaluations.models import Evaluation
from curation.jobs import Status, cancel
from curation.projects.access import hides_teachers, project_view
from curation.training.models import TrainingJob
from curation.web.pagination import only, page_of

PAGE = 30


@require_GET
@project_view
def evaluations(request: HttpRequest) -> HttpResponse:
    found = selectors.evaluations_of(request.project, request.user)
    page = page_of(found, only(request.GET, ["after"]), PAGE, newest_first=True)
    for row in page.rows:
        row.headline = reports.headline(row.report)
        row.standing = reports.standing(row.report)
    moves = page.is_first and any(row.is_active for row in page.rows)
    name = "evaluations/_rows.html" if request.htmx else "evaluations/list.html"
    return render(request, name, {"page": page, "moves": moves})


@require_http_methods(["GET", "POST"])
@project_view(admin=True)
def evaluation_new(request: HttpRequest) -> HttpResponse:
    """Measure a trained student, its base and the teachers on the held-out questions."""
    project = request.project
    jobs = selectors.measurable(project)
    asked_for = request.GET.get("training") or (jobs[0].pk if jobs else "")
    initial = {"order_key": uuid.uuid4().hex, "job": asked_for}
    form = EvaluationForm(request.POST or None, jobs=jobs, initial=initial)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        by_pk = {job.pk: job for job in jobs}
        try:
            evaluation = services.order_evaluation(
                project,
                request.user,
                by_pk.get(chosen["job"]),
                compared=[by_pk[pk] for pk in chosen["compared"] if pk != chosen["job"]],
                splits=chosen["splits"],
                limit=chosen["limit"],
                order_key=chosen["order_key"],
            )
        except ServiceError as error:
            form.add_error(None, str(error))
        else:
            return redirect("evaluation_detail", project.slug, evaluation.pk)
    context = {"form": form, "counts": selectors.held_out_counts(project)}
    return render(request, "evaluations/new.html", context, status=400 if form.errors else 200)


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
    report, hides = _seen(request, evaluation), hides_teachers(request.membership)
    tables = reports.parts(report)
    choice = selectors.chosen(report, request.GET, teachers=not hides)
    primary = next((part for part in tables if part.is_primary), None)
    steps = [line for line in evaluation.verdict if line.startswith("Next: ")]
    rest = [line for line in evaluation.verdict if line not in steps]
    main = next(iter(reports.students(report)), "")
    tiles = [one for one in reports.targets(report) if one.model == main]
    lead, sentences = reports.arranged(rest, tiles)
    return {
        "evaluation": evaluation,
        "compared": evaluation.compared_jobs.order_by("id"),
        "lead": lead or ["The models were measured."],
        "sentences": sentences,
        "next_steps": list(dict.fromkeys(line.removeprefix("Next: ") for line in steps)),
        "primary": primary,
        "others": [part for part in tables if not part.is_primary],
        "tiles": tiles,
        "differences": reports.differences(report),
        "plot": reports.accuracy_plot(report),
        "curation": reports.curation_rows(report),
        "curation_plot": reports.curation_plot(report),
        "kinds": selectors.kinds(evaluation, choice.model, primary.key) if primary else [],
        "controls": reports.controls(report),
        "facts": report.get("facts", {}),
        **_answers(request, evaluation, choice),
    }


def _seen(request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
    """The report as this person may see it."""
    report = evaluation.report
    return reports.blind(report) if hides_teachers(request.membership) else report


def _answers(
    request: HttpRequest, evaluation: Evaluation, choice: selectors.Chosen
) -> dict[str, Any]:
    rows, more = selectors.answers(evaluation, choice)
    hides = hides_teachers(request.membership)
    return {
        "evaluation": evaluation,
        "choice": choice,
        "answers": rows,
        "more": more,
        "models": reports.model_names(evaluation.report, teachers=not hides),
        "hides_teachers": hides,
        "all_parts": reports.parts(evaluation.report),
        "rights": selectors.RIGHTS,
    }


@require_GET
@project_view
def evaluation_answers(request: HttpRequest, pk: int) -> HttpResponse:
    """The list of answers, filtered; or its next page."""
    evaluation = evaluation_or_404(request, pk)
    teachers = not hides_teachers(request.membership)
    choice = selectors.chosen(evaluation.report, request.GET, teachers=teachers)
    context = _answers(request, evaluation, choice)
    return render(request, "evaluations/_answers.html", context)


@require_GET
@project_view
def evaluation_of_training(request: HttpRequest, pk: int) -> HttpResponse:
    """The card on a training's page: its student beside base and teachers, once it is measured.

    Until then: what base and teachers reached when the project last measured them.
    """
    jobs = TrainingJob.objects.for_user(request.user).for_project(request.project)
    job = get_object_or_404(jobs.defer("checks", "says"), pk=pk)
    evaluation = selectors.of_training(job)
    own = evaluation is not None and evaluation.status == Status.DONE
    shown = evaluation if own else selectors.last_done(request.project)
    tables = reports.parts(_seen(request, shown)) if shown else []
    primary = next((part for part in tables if part.is_primary), None)
    if primary and not own:
        primary = replace(primary, rows=[row for row in primary.rows if row.role != "student"])
    context = {
        "job": job,
        "evaluation": evaluation,
        "own": own,
        "shown": shown,
        "primary": primary,
        # An evaluation follows within seconds of the training's end, if it was wanted.
        "moves": job.is_active or (evaluation is not None and evaluation.is_active),
    }
    return render(request, "evaluations/_of_training.html", context)


@require_POST
@project_view(admin=True)
def evaluation_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    cancel(evaluation_or_404(request, pk))
    messages.success(request, "Cancelled. The answers so far are kept for going on.")
    return redirect("evaluation_detail", request.project.slug, pk)


@require_POST
@project_view(admin=True)
def evaluation_resume(request: HttpRequest, pk: int) -> HttpResponse:
    services.resume_evaluation(evaluation_or_404(request, pk))
    return redirect("evaluation_detail", request.project.slug, pk)
