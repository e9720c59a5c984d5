"""What all pages share: the project in force, the shape of errors, and third-party scripts."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from curation import queue
from curation.errors import Invalid, TooMany, status_of
from curation.invisible import shown
from curation.problems import ABSENT, problem
from curation.texts import form_must_be_storable


class ErrorsMiddleware:
    """Turns the errors that people can do something about into pages, see `curation.errors.status_of`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        known = status_of(exception)
        if known is None:
            return None
        answer = error_page(request, *known)
        if isinstance(exception, TooMany):
            answer["Retry-After"] = str(exception.wait)
        return answer


class TextsMiddleware(ErrorsMiddleware):
    """Refuses what cannot be stored (`curation.texts`) in an address or a form, on every page. Bodies in
    JSON are read by `texts.read_json`, and the API asks for itself, when it knows who calls."""

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        try:
            form_must_be_storable(request.GET)
            if request.method == "POST" and not is_api(request):
                form_must_be_storable(request.POST)
                form_must_be_storable(request.FILES)
        except Invalid as error:
            return error_page(request, 400, str(error))
        return None


class NoStoreMiddleware:
    """No answer is kept, by no proxy and no browser: a copy would show it after its reader signed out.
    Static files are answered before this, and keep theirs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Cache-Control"] = "private, no-store"
        return response


class InvisibleMiddleware:
    """Makes characters visible that nobody sees, in every page and fragment, see `curation.invisible`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        kind = response.get("Content-Type", "")
        if kind.startswith("text/html") and not response.streaming:
            html = response.content.decode(response.charset)
            made = shown(html)
            if made is not html:
                response.content = made
        return response


def is_api(request: HttpRequest) -> bool:
    """Whether the address is below that of the API, where every answer is JSON."""
    return request.path_info == "/api" or request.path_info.startswith("/api/")


def error_page(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """The error in the form that the caller reads: a problem, a fragment, or a page."""
    if is_api(request):
        return problem(status, message)
    name = "error_fragment.html" if getattr(request, "htmx", False) else "error.html"
    try:
        return render(request, name, {"status": status, "message": message}, status=status)
    except DatabaseError:  # the page's frame asks who is signed in
        return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")


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


def no_worker(request: HttpRequest, queue_name: str) -> HttpResponse:
    """A banner when nobody listens on the queue, or on one of `all`; empty when somebody does."""
    names = queue.QUEUES if queue_name == "all" else (queue_name,)
    if not {*names} <= {*queue.QUEUES}:
        raise Http404
    known = queue.listeners()
    missing = ["broker"] if known is None else [name for name in names if not known[name]]
    command = queue.start_command(missing[0]) if missing and known is not None else ""
    context = {"missing": missing, "command": command}
    return render(request, "includes/no_worker_text.html", context)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 400, "This request cannot be read. Go back and try again.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 403, str(exception) or "You may not do this.")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_page(
        request, 403, "This form is too old, or cookies are off: load the page again."
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 404, ABSENT)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page of an error that nobody expected, or of a disk that was full before any view began (an
    upload is written while the request is read)."""
    known = status_of(sys.exc_info()[1]) if sys.exc_info()[1] else None
    status, message = known or (500, "Something broke on our side. It was logged; try again.")
    return error_page(request, status, message)
