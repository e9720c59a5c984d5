"""What all pages share: the project in force, the shape of errors, and third-party scripts."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from curation.errors import Invalid, TooMany, status_of
from curation.text.invisible import shown
from curation.text.storable import form_must_be_storable
from curation.web.error_views import error_page, is_api


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


class SignInMiddleware(LoginRequiredMiddleware):
    """As Django's; but who sent a form after their session had ended comes back to the form's page, which
    shows again what they typed (static/typed.js), not to an address that takes forms alone."""

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        came_from = urlsplit(request.headers.get("Referer", ""))
        path = request.get_full_path()
        if came_from.netloc == request.get_host() and came_from.path:
            path = urlunsplit(("", "", came_from.path, came_from.query, ""))
        return redirect_to_login(path, self.get_login_url(view_func))


class TextsMiddleware(ErrorsMiddleware):
    """Refuses what cannot be stored (`curation.text.storable`) in an address or a form, on every
    page. Bodies in JSON are read by `texts.read_json`, and the API asks for itself, when it knows
    who calls."""

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
    """Makes characters visible that nobody sees, in every page and fragment, see
    `curation.text.invisible`."""

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


def page_context(request: HttpRequest) -> dict[str, Any]:
    """For every page: the project and the person's role in it, set by `project_view`."""
    return {
        "project": getattr(request, "project", None),
        "membership": getattr(request, "membership", None),
        "shows_teachers": getattr(request, "shows_teachers", False),
        "is_admin": getattr(getattr(request, "membership", None), "role", None) == "admin",
    }
