"""Errors as `application/problem+json` (RFC 9457), the same for every operation."""

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from curation import errors
from curation.api.core.auth import NotSignedIn
from curation.errors import Conflict, Invalid, TooMany
from curation.web.problems import ABSENT, problem

MAX_ERRORS = 20


def _not_signed_in(request: HttpRequest, error: NotSignedIn) -> HttpResponse:
    response = problem(401, str(error))
    response["WWW-Authenticate"] = 'Bearer realm="Chainwright"'
    return response


def _too_many(request: HttpRequest, error: TooMany) -> HttpResponse:
    response = problem(429, str(error))
    response["Retry-After"] = str(error.wait)
    return response


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Names the fields that are wrong, without showing their values again."""
    told = [
        {"field": ".".join(str(part) for part in one["loc"][1:]), "message": one["msg"]}
        for one in error.errors[:MAX_ERRORS]
    ]
    # A body is one parameter with a name of its own, which means nothing to who sent it.
    for one, source in zip(told, error.errors, strict=False):
        if source["loc"][0] == "body":
            one["field"] = ".".join(str(part) for part in source["loc"][2:])
    detail = "; ".join(f"{one['field'] or 'body'}: {one['message']}" for one in told)
    return problem(400, detail, errors=told)


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    cause = error.__cause__
    if isinstance(cause, Invalid):
        return problem(400, str(cause))
    return problem(error.status_code, str(error))


def _disk_full(request: HttpRequest, error: Exception) -> HttpResponse:
    if not errors.is_disk_full(error):
        raise error
    return problem(507, errors.DISK_FULL)


def install(api: NinjaAPI) -> None:
    """Let every error that an operation raises become a problem."""
    api.add_exception_handler(NotSignedIn, _not_signed_in)
    api.add_exception_handler(TooMany, _too_many)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(Invalid, lambda request, error: problem(400, str(error)))
    api.add_exception_handler(Conflict, lambda request, error: problem(409, str(error)))
    for kind in (OSError, DatabaseError):
        api.add_exception_handler(kind, _disk_full)
    api.add_exception_handler(Http404, lambda request, error: problem(404, ABSENT))
    api.add_exception_handler(
        PermissionDenied, lambda request, error: problem(403, str(error) or "You may not do this.")
    )
    api.add_exception_handler(
        RequestDataTooBig,
        lambda request, error: problem(413, "The request is larger than is taken."),
    )
    for kind in (BadRequest, SuspiciousOperation, MultiPartParserError):
        api.add_exception_handler(
            kind, lambda request, error: problem(400, "This request cannot be read.")
        )
