from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from curation.api import views
from curation.api.api import api
from curation.web.problems import ABSENT, problem

ANYTHING = r"^(?P<rest>(?s:.*))$"  # line breaks as well, which `path` does not take


def _door(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """An operation checks its caller itself, so no page to sign in stands before it; a verb that it
    does not know is a problem like any other."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Http404:  # the root of the API, where no operation is
            return problem(404, ABSENT)
        if response.status_code == 405:
            allowed = response["Allow"]
            response = problem(405, f"This address takes {allowed}.")
            response["Allow"] = allowed
        return response

    # An operation that comes with a browser's session asks for the CSRF token itself, see `access`.
    return csrf_exempt(login_not_required(wrapped))


@csrf_exempt  # it does nothing, for anybody: what is absent is 404, not a page about a missing token
@login_not_required
def absent(request: HttpRequest, rest: str = "") -> HttpResponse:
    return problem(404, ABSENT)


def _patterns() -> tuple[Any, str, str]:
    patterns, app, namespace = api.urls
    for pattern in patterns:
        if pattern.name in ("openapi-json", "openapi-view"):
            pattern.callback = require_safe(pattern.callback)
        pattern.callback = _door(pattern.callback)
    return [*patterns, re_path(ANYTHING, absent)], app, namespace


urlpatterns = [
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke", views.token_revoke, name="token_revoke"),
    path("api/v1/", _patterns()),
    re_path(r"^api(?:/(?P<rest>(?s:.*)))?$", absent),  # another version, or none
]
