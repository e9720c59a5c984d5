"""How far the reviewers agree: all of it for admins, their own lines for everybody else."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from curation.jobs import ACTIVE, Status
from curation.projects.access import project_view
from curation.projects.models import Role
from curation.reviews.models import AgreementCount
from curation.reviews.reports import agreement as counts
from curation.reviews.reports.flag_precision import flag_precision


@require_GET
@project_view
def agreement(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@project_view
def agreement_count(request: HttpRequest) -> HttpResponse:
    """Count anew. The page asks for it by itself when people have reviewed since the last count."""
    counts.order_agreement(request.project, request.user)
    return _page(request) if request.htmx else redirect("agreement", request.project.slug)


def _page(request: HttpRequest) -> HttpResponse:
    name = "reviews/_agreement.html" if request.htmx else "reviews/agreement.html"
    return render(request, name, _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    project, is_admin = request.project, request.membership.role == Role.ADMIN
    last = AgreementCount.objects.filter(project=project).order_by("-id").first()
    count = last if last is None or last.status == Status.DONE else counts.newest_count(project)
    running = last is not None and last.status in ACTIVE
    failed = last if last is not None and last.status == Status.FAILED else None
    figures = None
    if count is not None:
        figures = counts.figures_for(count, request.user, all_people=is_admin)
    return {
        "count": count,
        "figures": figures,
        "rules": flag_precision(project) if is_admin else None,
        "running": running,
        "last": last,
        "failed": failed,
        "stale": not running and not failed and counts.is_stale(project, count),
        "known": counts.material(project, whole=count is None),
    }
