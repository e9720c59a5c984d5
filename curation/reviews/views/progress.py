"""How the review of a project goes, and for admins who holds what."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from curation.figures.charts import day_bars
from curation.projects.access import project_view
from curation.projects.models import Role
from curation.reviews.models import Seat
from curation.reviews.queue import claims
from curation.reviews.reports.progress import burning, held_seats, progress_of


@require_GET
@project_view
def progress(request: HttpRequest) -> HttpResponse:
    """All people for admins; for a reviewer the whole project and their own line."""
    made = progress_of(request.project)
    is_admin = request.membership.role == Role.ADMIN
    people = [line for line in made.people if is_admin or line.person.pk == request.user.pk]
    context = {
        "made": made,
        "people": people,
        "bars": day_bars(made.days),
        "burning": burning(made),
        "held": held_seats(request.project) if is_admin else [],
    }
    name = "reviews/_progress_page.html" if request.htmx else "reviews/progress.html"
    return render(request, name, context)


@require_POST
@project_view(admin=True)
def seat_free(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody else have a question that a person holds."""
    seat = get_object_or_404(Seat.objects.select_related("holder"), project=request.project, pk=pk)
    claims.free_seat(request.project, seat.pk)
    messages.success(request, f"{seat.holder} does not hold it any more; the next one can take it.")
    return redirect("progress", request.project.slug)
