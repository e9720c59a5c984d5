"""My work, and a project's dashboard: the way of its data and what to do next."""

import re
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curation.celery_app import listeners
from curation.dashboard import selectors
from curation.dashboard.advice import Known, next_step
from curation.dashboard.home import my_work, projects_of
from curation.dashboard.rubric import THRESHOLDS, Spread, rubric_effect, spread_of
from curation.dashboard.waiting import Board, named, seen_by
from curation.errors import Invalid
from curation.figures.charts import day_bars
from curation.jobs import Status
from curation.projects.access import may_create_projects, project_view
from curation.projects.deletion import deleted_projects
from curation.projects.forms import RubricForm
from curation.projects.models import Rubric, Unread
from curation.rationales.scoring.scores import order_scoring
from curation.reviews.bulk.orders import order_rule


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """My projects with what waits for me in each, and what I did."""
    entries = projects_of(request.user)
    work = my_work(request.user, entries)
    context = {"entries": entries, "work": work, "bars": day_bars(work.days)}
    context["may_create"] = may_create_projects(request.user)
    if request.htmx:
        return render(request, "dashboard/_home.html", context)
    context["has_deleted"] = deleted_projects(request.user).exists()
    return render(request, "dashboard/home.html", context)


@require_GET
@project_view
def dashboard(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/dashboard.html", _context(request))


@require_GET
@project_view
def dashboard_live(request: HttpRequest) -> HttpResponse:
    """The part of the dashboard that moves."""
    return render(request, "dashboard/_live.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    project, rubric = request.project, request.project.rubric
    counts = selectors.counts_of(project, rubric, fresh="now" in request.GET)
    pace = selectors.pace_of(project)
    student = selectors.student_of(project)
    running = selectors.running_in(project)
    for one in running:
        one.url = address(project.slug, one.view, one.pk)
    known = Known(
        counts,
        pace,
        student,
        running,
        can_write=project.teachers.filter(writes=True).exists(),
        has_student=bool(project.student),
        is_admin=request.membership.role == "admin",
    )
    runs = [one for one in running if one.view == "run_detail"]
    ordered = sum(one.progress.total or 0 for one in runs)
    written = sum(one.progress.done for one in runs)
    advice = next_step(known)
    return {
        "counts": counts,
        "pace": pace,
        "bars": day_bars(pace.days),
        "student": student,
        "running": running,
        "writing": next((one.progress for one in runs if one.progress.rate), None),
        "ordered": ordered,
        "written": written,
        "training": next((one for one in running if one.view == "training_detail"), None),
        "shares": _shares(counts, student, running) | {"written": _hundred(written, ordered)},
        "has_tokens": any(line.tokens for line in counts.teachers),
        "advice": advice,
        "advice_url": address(project.slug, advice.view, advice.pk),
        "rule_would_approve": counts.passing > counts.approved,
        "rubric": rubric,
        "order_key": _order_key(request.GET.get("order_key", "")),
    }


@require_GET
@project_view
def waiting(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """What is in front of one piece of work of this project, and whether anybody listens for it."""
    work = get_object_or_404(seen_by(request.membership, kind), pk=pk)
    places = [(place, named(request.project, place)) for place in Board().waiting(work)]
    for _, jobs in places:
        for one in jobs:
            one.url = address(request.project.slug, one.view, one.pk)
    context = {"places": places, "has_broker": listeners() is not None}
    return render(request, "dashboard/_waiting.html", context)


def _order_key(known: str) -> str:
    """The page keeps its key while its live part is drawn anew, so that a double click that falls
    between two drawings still orders once."""
    return known if re.fullmatch(r"[0-9a-f]{32}", known) else uuid.uuid4().hex


def address(slug: str, view: str, pk: int | None = None) -> str:
    """The address of a page below the project; "" for none."""
    return reverse(view, args=[slug] if pk is None else [slug, pk]) if view else ""


def _shares(
    counts: selectors.Counts, student: selectors.Student, running: list[selectors.Running]
) -> dict[str, int]:
    """How full the bars of the funnel are, 0 to 100, each stage against the one before it."""
    training = next((one for one in running if one.view == "training_detail"), None)
    learned = (student.accuracy or {}).get("value") or 0
    return {
        "unscored": max(0, counts.rationales - counts.scored),
        "scored": _hundred(counts.scored, counts.rationales),
        "passing": _hundred(counts.passing, counts.scored),
        "approved": _hundred(counts.approved, counts.passing),
        "student": (training.progress.percent or 0) if training else round(100 * learned),
    }


def _hundred(part: int, whole: int) -> int:
    return min(100, round(100 * part / whole)) if whole else 0


@require_GET
@project_view(admin=True)
def rubric_preview(request: HttpRequest) -> HttpResponse:
    """How many scored rationales would pass with the values in the form."""
    form = RubricForm(request.GET)
    if not form.is_valid():
        raise Invalid("Each threshold is a number from 0 to 1.")
    rubric = Rubric(**{name: form.cleaned_data[name] for name in Rubric.THRESHOLDS})
    spread = spread_of(request.project)
    effect = rubric_effect(request.project, rubric, spread)
    lines = []
    if effect["scored"]:
        lines = [
            {
                "name": name,
                "label": form.fields[name].label,
                "n": effect[name],
                "share": effect[name] / effect["scored"],
                "bars": _histogram(spread, rubric, name),
                "cut": round(100 * getattr(rubric, name), 1) if name in THRESHOLDS else None,
            }
            for name in ("right_answer", *THRESHOLDS)
            if name != "right_answer" or rubric.right_answer
        ]
        if effect["unread"]:
            lines.append(
                {
                    "label": f"Answer not read: {rubric.get_unread_display()}",
                    "n": effect["unread"],
                    "share": effect["unread"] / effect["scored"],
                    "query": "answer=not_read",
                }
            )
    return render(request, "dashboard/_rubric_preview.html", {"effect": effect, "lines": lines})


def _histogram(spread: Spread, rubric: Rubric, name: str) -> list[dict[str, Any]]:
    """The histogram of the score behind a threshold: bars 5 hundredths wide and at most 40 high."""
    score = THRESHOLDS.get(name)
    if score is None:
        return []
    counts = spread.bars(score)
    highest, width = max(*counts, 1), 100 // len(counts)
    cut, at_most = getattr(rubric, name), name.startswith("max")
    return [
        {
            "n": n,
            "x": place * width,
            "height": max(0.8, round(40 * n / highest, 1)) if n else 0,
            "y": 40 - (max(0.8, round(40 * n / highest, 1)) if n else 0),
            "range": f"{score}:{place * width}-{(place + 1) * width}",
            "words": f"{place * width} to {(place + 1) * width}",
            "passes": (place + 0.5) * width <= 100 * cut
            if at_most
            else (place + 0.5) * width >= 100 * cut,
        }
        for place, n in enumerate(counts)
    ]


@require_POST
@project_view(admin=True)
def score_now(request: HttpRequest) -> HttpResponse:
    run = order_scoring(request.project, request.user)
    if run is None:
        messages.info(request, "Every rationale has its scores.")
    return redirect("dashboard", request.project.slug)


@require_POST
@project_view(admin=True)
def approve_by_rule(request: HttpRequest) -> HttpResponse:
    action = order_rule(request.project, request.user)
    if action is not None and action.is_active:
        return redirect("bulk_detail", request.project.slug, action.pk)
    if action is not None and action.status != Status.DONE:
        messages.error(request, action.error)
    elif action is None or not action.changed:
        messages.success(request, "No undecided rationale passes the rubric.")
    else:
        does = "decided" if action.rule.unread == Unread.REJECT else "approved"
        messages.success(request, f"{action.changed:,} more rationales are {does} by the rule.")
    return redirect(address(request.project.slug, "dashboard") + "?now")
