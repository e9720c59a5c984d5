"""Error pages, and problem documents for the API."""

import sys

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from curation.errors import status_of
from curation.web.problems import ABSENT, problem


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
