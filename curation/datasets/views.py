"""Frozen datasets: the list, one with its card, freezing, downloads."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from curation.datasets import formats, selectors
from curation.datasets.choosing import funnel_words
from curation.datasets.exports import files
from curation.datasets.forms import FreezeForm
from curation.datasets.gates.runs import order_gates
from curation.datasets.models import DatasetCheck, DatasetVersion, GateRun
from curation.datasets.previews import preview_of
from curation.datasets.recipes import recipe_in_words
from curation.datasets.services import order_freeze
from curation.datasets.verification import last_check, order_check
from curation.errors import ServiceError
from curation.jobs import Status
from curation.projects.access import hides_teachers, project_view
from curation.reviews.visibility import Viewer
from curation.text.markdown import to_html

PAGE = 50
CONTENT_TYPES = {
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "md": "text/markdown; charset=utf-8",
    "rejected": "application/x-ndjson",
}


@require_GET
@project_view
def datasets(request: HttpRequest) -> HttpResponse:
    return _list(request, _form(request))


def _form(request: HttpRequest) -> FreezeForm:
    return FreezeForm(
        request.POST if request.method == "POST" else None,
        names=[t.name for t in selectors.teachers_with_rationales(request.project)],
        domains=selectors.domains_of(request.project),
        views=selectors.view_names(request.project, request.user),
        initial={"order_key": uuid.uuid4().hex},
    )


@require_POST
@project_view(admin=True)
def dataset_freeze(request: HttpRequest) -> HttpResponse:
    form = _form(request)
    if gates := request.POST.get("gates", ""):
        return _freeze_through(request, gates)
    if form.is_valid():
        try:
            version = order_freeze(
                request.project,
                request.user,
                order_key=form.cleaned_data["order_key"],
                **form.recipe(),
            )
        except ServiceError as error:
            form.add_error(None, ValidationError(str(error)))
        else:
            return redirect("dataset_detail", request.project.slug, version.number)
    return _list(request, form, status=400)


def _freeze_through(request: HttpRequest, gates: str) -> HttpResponse:
    """Freeze what was looked through, without what people left out."""
    if not (gates.isascii() and gates.isdigit() and len(gates) < 16):
        raise Http404
    run = get_object_or_404(GateRun.objects.for_project(request.project), pk=int(gates))
    key = request.POST.get("order_key") or None
    try:
        version = order_freeze(request.project, request.user, order_key=key, gates=run.pk)
    except ServiceError as error:
        messages.error(request, str(error))
        return redirect("look", request.project.slug, run.pk)
    return redirect("dataset_detail", request.project.slug, version.number)


@require_POST
@project_view(admin=True)
def dataset_look(request: HttpRequest) -> HttpResponse:
    """Have the examples of the form's recipe looked through before they are frozen."""
    form = _form(request)
    if form.is_valid():
        key = form.cleaned_data["order_key"]
        try:
            run = order_gates(request.project, request.user, order_key=key, **form.recipe())
        except ServiceError as error:
            form.add_error(None, ValidationError(str(error)))
        else:
            return redirect("look", request.project.slug, run.pk)
    return _list(request, form, status=400)


@require_POST
@project_view(admin=True)
def dataset_preview(request: HttpRequest) -> HttpResponse:
    """What the form would choose, below it."""
    form, context = _form(request), {}
    if form.is_valid():
        try:
            context["preview"] = preview_of(request.project, request.user, **form.recipe())
        except ServiceError as error:
            context["error"] = str(error)
    else:
        context["form"] = form
    return render(request, "datasets/_preview.html", context)


def _list(request: HttpRequest, form: FreezeForm, status: int = 200) -> HttpResponse:
    before = request.GET.get("before", "")
    versions = selectors.versions_of(request.project, request.user)
    if before.isascii() and before.isdigit() and len(before) < 10:
        versions = versions.filter(number__lt=int(before))
    rows = list(versions[: PAGE + 1])
    hides = hides_teachers(request.membership)
    for row in rows:
        row.words = recipe_in_words(row.recipe, hides_teachers=hides)
    context = {
        "versions": rows[:PAGE],
        "more": rows[PAGE - 1].number if len(rows) > PAGE else None,
        "before": before,
        "form": form,
        "moves": any(row.is_active for row in rows),
        "lists": request.project.held_out_lists.all(),
        "looks": request.project.gate_runs.select_related("created_by")[:5],
    }
    name = "datasets/_rows.html" if request.htmx else "datasets/list.html"
    return render(request, name, context, status=status)


def version_or_404(request: HttpRequest, number: int) -> DatasetVersion:
    found = DatasetVersion.objects.for_user(request.user).for_project(request.project)
    return get_object_or_404(found.select_related("project", "created_by"), number=number)


@require_GET
@project_view
def dataset_detail(request: HttpRequest, number: int) -> HttpResponse:
    version = version_or_404(request, number)
    context = _detail(version, Viewer(request.membership))
    name = "datasets/_detail.html" if request.htmx else "datasets/detail.html"
    return render(request, name, context)


def _detail(version: DatasetVersion, viewer: Viewer) -> dict[str, Any]:
    context: dict[str, Any] = {
        "version": version,
        "words": recipe_in_words(version.recipe, hides_teachers=viewer.hides_teachers),
        "verdicts": formats.verdict_words(version),
    }
    if version.status == Status.DONE:
        context |= {
            "examples": selectors.first_examples(version, viewer),
            "card": to_html(version.card),
            "check": last_check(version),
            "more_forms": [(name, told[0]) for name, told in files.forms().items()],
            "same": selectors.same_bytes(version),
            "funnel": funnel_words(version.funnel),
            "downloads": [
                ("jsonl", "JSONL for TRL"),
                ("parquet", "Parquet"),
                ("md", "Card"),
                *([("rejected", "Left out")] if formats.has_rejected(version) else []),
            ],
        }
    return context


@require_POST
@project_view(admin=True)
def dataset_verify(request: HttpRequest, number: int) -> HttpResponse:
    """Make the bytes again from the rows and compare their hash with the frozen one."""
    return _verified(request, order_check(version_or_404(request, number), request.user))


@require_GET
@project_view(admin=True)
def dataset_verified(request: HttpRequest, number: int) -> HttpResponse:
    """How far the last check came, and what came of it."""
    return _verified(request, last_check(version_or_404(request, number)))


def _verified(request: HttpRequest, check: DatasetCheck | None) -> HttpResponse:
    context = {"check": check, "version": check and check.version}
    return render(request, "datasets/_verified.html", context)


@require_GET
@project_view(admin=True)
def dataset_download(request: HttpRequest, number: int, form: str) -> StreamingHttpResponse:
    """The file as an attachment, in pieces."""
    return download(version_or_404(request, number), form)


def download(version: DatasetVersion, form: str) -> StreamingHttpResponse:
    """A stored file, or another form that is made as it is sent. Raises Http404."""
    known = files.forms()
    if form in known and version.status == Status.DONE:
        _, extension, kind = known[form]
        # A FileResponse sets no headers for what is no file.
        told = content_disposition_header(True, formats.file_name(version, extension))
        return StreamingHttpResponse(
            files.stream(version, form), content_type=kind, headers={"Content-Disposition": told}
        )
    if form not in CONTENT_TYPES or version.status != Status.DONE:
        raise Http404
    if form == "rejected" and not formats.has_rejected(version):
        raise Http404
    return FileResponse(
        formats.open_format(version, form),
        as_attachment=True,
        filename=formats.file_name(version, formats.EXTENSIONS[form]),
        content_type=CONTENT_TYPES[form],
    )
