"""The shape of an error of the API: `application/problem+json` (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, JsonResponse

ABSENT = "There is nothing here, or nothing that you may see."


def problem(status: int, detail: str, **more: Any) -> HttpResponse:
    """`type` is `about:blank`: the status says it all, and `title` is the status's own name."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body |= {"detail": detail, **more}
    return JsonResponse(body, status=status, content_type="application/problem+json")
