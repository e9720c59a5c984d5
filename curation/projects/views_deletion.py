"""Pages that delete a project and bring it back."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.projects import deletion
from curation.projects.access import project_view
from curation.projects.models import Project


@require_http_methods(["GET", "HEAD", "POST"])
@project_view(admin=True)
def project_delete(request: HttpRequest) -> HttpResponse:
    """Says what goes; posting deletes where the project's address was typed, so that nobody does it to
    the wrong one."""
    error = ""
    if request.method == "POST":
        if request.POST.get("slug", "").strip() == request.project.slug:
            deletion.delete_project(request.project, request.user)
            messages.success(
                request, f"{request.project} is deleted. Restore it here if it is missed."
            )
            return redirect("deleted_projects")
        error = f"That is not its address: type {request.project.slug}."
    context = {"error": error, "tab": "delete", "typed": request.POST.get("slug", "")[:60]}
    return render(request, "projects/delete.html", context, status=400 if error else 200)


@require_GET
def deleted_projects(request: HttpRequest) -> HttpResponse:
    """The deleted projects that this person led."""
    found = deletion.deleted_projects(request.user)
    return render(request, "projects/deleted.html", {"projects": found})


@require_POST
def project_restore(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        project = deletion.restore_project(request.user, slug)
    except Project.DoesNotExist:
        raise Http404("No such project.") from None
    messages.success(request, f"{project} is back, with its members.")
    return redirect("dashboard", project.slug)
