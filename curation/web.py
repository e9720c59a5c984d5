"""What all pages share: the project in force, the shape of errors, and third-party scripts."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from curation import queue
from curation.errors import Conflict, Invalid, TooMany


class ConflictMiddleware:
    """Turns the services' errors into pages: 409 for a lost race, 400 for what cannot be accepted,
    429 for too much at once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Conflict):
            return error_page(request, 409, str(exception))
        if isinstance(exception, Invalid):
            return error_page(request, 400, str(exception))
        if isinstance(exception, TooMany):
            answer = error_page(request, 429, str(exception))
            answer["Retry-After"] = str(exception.wait)
            return answer
        return None


def error_page(request: HttpRequest, status: int, message: str) -> HttpResponse:
    name = "error_fragment.html" if getattr(request, "htmx", False) else "error.html"
    return render(request, name, {"status": status, "message": message}, status=status)


def page_context(request: HttpRequest) -> dict[str, Any]:
    """For every page: the project and the person's role in it, set by `project_view`."""
    return {
        "project": getattr(request, "project", None),
        "membership": getattr(request, "membership", None),
        "is_admin": getattr(getattr(request, "membership", None), "role", None) == "admin",
    }


class PlotlyFinder(BaseFinder):
    """Finds `vendor/plotly.min.js` in the plotly package, without importing the package."""

    PATH = "vendor/plotly.min.js"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        spec = importlib.util.find_spec("plotly")
        self.folder = Path(spec.origin).parent / "package_data"
        self.storage = FileSystemStorage(location=self.folder)
        self.storage.prefix = "vendor"

    def find(self, path: str, find_all: bool = False) -> str | list[str]:
        found = str(self.folder / "plotly.min.js") if path == self.PATH else None
        return ([found] if found else []) if find_all else (found or [])

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        yield "plotly.min.js", self.storage


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """200 when the data base answers; what a load balancer and `make run` ask."""
    connection.ensure_connection()
    return HttpResponse("ok", content_type="text/plain")


def no_worker(request: HttpRequest, queue_name: str) -> HttpResponse:
    """A banner when nobody listens on the queue, or on one of `all`; empty when somebody does."""
    names = queue.QUEUES if queue_name == "all" else (queue_name,)
    if not {*names} <= {*queue.QUEUES}:
        raise Http404
    known = queue.listeners()
    missing = ["broker"] if known is None else [name for name in names if not known[name]]
    return render(request, "includes/no_worker_text.html", {"missing": missing})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 400, "This request cannot be read. Go back and try again.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 403, str(exception) or "You may not do this.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 404, "There is nothing here, or nothing that you may see.")


def server_error(request: HttpRequest) -> HttpResponse:
    message = "Something broke on our side. It was logged; try again."
    if request.path.startswith("/api/"):
        body = {"type": "about:blank", "title": "Internal Server Error", "status": 500}
        body["detail"] = message
        return JsonResponse(body, status=500, content_type="application/problem+json")
    return error_page(request, 500, message)
