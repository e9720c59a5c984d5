"""Trainings: the list, one as it runs, its log, and what an admin may do with it."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.errors import ServiceError
from curation.jobs import Status, cancel
from curation.projects.access import project_view
from curation.training import selectors, services
from curation.training.adapters import adapter_files, zipped
from curation.training.forms import TrainingForm
from curation.training.models import TrainingJob
from curation.web.pagination import only, page_of

PAGE = 50


@require_GET
@project_view
def trainings(request: HttpRequest) -> HttpResponse:
    filters = only(request.GET, ["after"])
    page = page_of(
        selectors.jobs_of(request.project, request.user), filters, PAGE, newest_first=True
    )
    context = {
        "page": page,
        "moves": page.is_first and any(row.is_active for row in page.rows),
        "dataset_there": bool(page.rows) or bool(selectors.trainable(request.project)),
    }
    name = "training/_rows.html" if request.htmx else "training/list.html"
    return render(request, name, context)


@require_http_methods(["GET", "POST"])
@project_view(admin=True)
def training_new(request: HttpRequest) -> HttpResponse:
    """Train the project's student on a dataset that is there, with a preset."""
    project = request.project
    datasets = selectors.trainable(project)
    initial = {
        "order_key": uuid.uuid4().hex,
        "preset": "demo" if project.is_demo else "small",
        "dataset": request.GET.get("dataset"),
    }
    form = TrainingForm(request.POST or None, datasets=datasets, initial=initial)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            job = services.order_training(
                project,
                request.user,
                project.dataset_versions.get(number=chosen["dataset"]),
                preset=chosen["preset"],
                recipe=form.recipe(),
                evaluate_after=chosen["evaluate_after"],
                order_key=chosen["order_key"],
            )
        except ServiceError as error:
            form.add_error(None, str(error))
        else:
            return redirect("training_detail", project.slug, job.pk)
    context = {"form": form, "datasets": datasets}
    return render(request, "training/new.html", context, status=400 if form.errors else 200)


@require_POST
@project_view(admin=True)
def export_and_train(request: HttpRequest) -> HttpResponse:
    """The one click: freeze what is approved, train on it, measure."""
    key = request.POST.get("order_key") or None
    job = services.export_and_train(request.project, request.user, order_key=key)
    return redirect("training_detail", request.project.slug, job.pk)


def job_or_404(request: HttpRequest, pk: int) -> TrainingJob:
    found = TrainingJob.objects.for_user(request.user).for_project(request.project)
    return get_object_or_404(
        found.select_related("dataset", "created_by").defer("dataset__card"), pk=pk
    )


@require_GET
@project_view
def training_detail(request: HttpRequest, pk: int) -> HttpResponse:
    job = job_or_404(request, pk)
    context = {
        "job": job,
        "curves": selectors.curves_of(job),
        "checks": job.checks.get("checks", []),
        "first_example": job.checks.get("first_example", []),
        "says": selectors.said(job),
        "recipe": selectors.recipe_of(job),
        "has_adapter": job.status == Status.DONE and bool(adapter_files(job)),
    }
    name = "training/_detail.html" if request.htmx else "training/detail.html"
    return render(request, name, context)


@require_GET
@project_view(admin=True)
def training_adapter(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The adapter as a zip, sent as an attachment in pieces."""
    job = job_or_404(request, pk)
    names = adapter_files(job) if job.status == Status.DONE else []
    if not names:
        raise Http404("This training has no adapter.")
    return StreamingHttpResponse(
        zipped(job, names),
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{request.project.slug}-training-{pk}.zip"'
        },
    )


@require_GET
@project_view
def training_log(request: HttpRequest, pk: int) -> HttpResponse:
    job = job_or_404(request, pk)
    context: dict[str, Any] = {"job": job, "log": selectors.log_tail(job)}
    name = "training/_log.html" if request.htmx else "training/log.html"
    return render(request, name, context)


@require_POST
@project_view(admin=True)
def training_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    cancel(job_or_404(request, pk))
    messages.success(request, "Cancelled. Its last checkpoint is kept, so it can go on.")
    return redirect("training_detail", request.project.slug, pk)


@require_POST
@project_view(admin=True)
def training_resume(request: HttpRequest, pk: int) -> HttpResponse:
    services.resume_training(job_or_404(request, pk))
    return redirect("training_detail", request.project.slug, pk)
