"""The look through a recipe's examples by page: what was found, what is done about it, brought lists."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from curation.datasets.choosing import funnel_words
from curation.datasets.gates import lists, runs
from curation.datasets.models import GateRun, HeldOutList
from curation.datasets.recipes import recipe_in_words
from curation.errors import ServiceError
from curation.projects.access import project_view
from curation.questions.prompts import prompt_of

PAGE = 50


def _run(request: HttpRequest, pk: int) -> GateRun:
    return get_object_or_404(
        GateRun.objects.for_user(request.user).for_project(request.project), pk=pk
    )


@require_GET
@project_view(admin=True)
def gates_detail(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(request, pk)
    gate = request.GET.get("gate", "")
    gate = gate if gate in runs.GATES else next((g for g in runs.GATES if run.counts.get(g)), "")
    after = request.GET.get("after", "")
    after = int(after) if after.isascii() and after.isdigit() and len(after) < 16 else 0
    findings = list(
        run.findings.filter(gate=gate, pk__gt=after)
        .select_related("rationale__question", "other_question", "other_rationale", "acted_by")
        .order_by("pk")[: PAGE + 1]
    )
    for one in findings:
        one.asked = prompt_of(one.rationale.question)
    context = {
        "run": run,
        "words": recipe_in_words(run.recipe),
        "funnel_words": funnel_words(run.funnel),
        "gates": [
            {
                "name": name,
                "title": title,
                "count": run.counts.get(name, 0),
                "is_here": name == gate,
                "blocks": name in runs.BLOCKING,
            }
            for name, title in runs.GATES.items()
        ],
        "gate": gate,
        "gate_title": runs.GATES.get(gate, ""),
        "findings": findings[:PAGE],
        "more": findings[PAGE - 1].pk if len(findings) > PAGE else None,
        "unlisted": max(0, run.counts.get(gate, 0) - run.findings.filter(gate=gate).count()),
        "blocks": runs.open_blocks(run).count(),
        "out": len(runs.left_out(run)),
        "order_key": uuid.uuid4().hex,
    }
    name = "datasets/_gates.html" if request.htmx else "datasets/gates.html"
    return render(request, name, context)


@require_POST
@project_view(admin=True)
def gates_act(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(request, pk)
    ids = [int(one) for one in request.POST.getlist("finding") if one.isascii() and one.isdigit()]
    gate = request.POST.get("gate", "")
    is_all = request.POST.get("which") == "all"
    try:
        if not ids and not is_all:
            messages.error(request, "Tick some findings first, or choose all of them.")
        else:
            count = runs.act(
                run,
                request.user,
                request.POST.get("action", ""),
                ids=[] if is_all else ids,
                gate=gate,
                reason=request.POST.get("reason", ""),
            )
            messages.success(request, f"{count:,} findings were acted on.")
    except ServiceError as error:
        messages.error(request, str(error))
    place = redirect("look", request.project.slug, run.pk)
    place["Location"] += f"?gate={gate}" if gate in runs.GATES else ""
    return place


@require_POST
@project_view(admin=True)
def list_add(request: HttpRequest) -> HttpResponse:
    file = request.FILES.get("file")
    try:
        if file is None:
            messages.error(request, "Choose a file of questions.")
        else:
            made = lists.add_list(request.project, request.user, request.POST.get("name", ""), file)
            messages.success(
                request, f"{made.name}: {made.count:,} questions are kept out from now on."
            )
    except ServiceError as error:
        messages.error(request, str(error))
    return redirect("datasets", request.project.slug)


@require_POST
@project_view(admin=True)
def list_remove(request: HttpRequest, pk: int) -> HttpResponse:
    found = HeldOutList.objects.for_user(request.user).for_project(request.project)
    lists.remove_list(get_object_or_404(found, pk=pk))
    return redirect("datasets", request.project.slug)
