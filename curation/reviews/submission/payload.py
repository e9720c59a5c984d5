"""The JSON that the bench talks to the server with: what comes in is checked, errors go out as JSON."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException

from curation.errors import Conflict, Invalid, TooMany, status_of
from curation.reviews.submission.step_ranges import each_step
from curation.reviews.submission.submit import ReviewInput
from curation.text.storable import read_json

MAX_BODY = 4 * 1024 * 1024


def json_view(view: Callable[..., dict[str, Any]]) -> Callable[..., HttpResponse]:
    """The view returns what is sent as JSON; errors of the services become JSON with their status."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return JsonResponse(view(request, *args, **kwargs))
        except PermissionDenied as error:
            return JsonResponse({"error": str(error)}, status=403)
        except Exception as error:
            known = status_of(error)
            if known is None:
                raise
            status, message = known
            more = error.more if isinstance(error, Conflict) else {}
            wait = {"Retry-After": str(error.wait)} if isinstance(error, TooMany) else {}
            return JsonResponse({**more, "error": message}, status=status, headers=wait)

    return wrapped


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object. Raises Invalid when it is none."""
    try:
        raw = request.body
    except RawPostDataException:  # a form's body, which was read as such
        raise Invalid("The request must be a JSON object.") from None
    if len(raw) > MAX_BODY:
        raise Invalid("This is more than the bench sends at once.")
    value = read_json(raw)
    if not isinstance(value, dict):
        raise Invalid("The request must be a JSON object.")
    return value


def number_of(body: dict[str, Any], key: str) -> int:
    value = body.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
        raise Invalid(f"{key} must be a number.")
    return value


def list_of(body: dict[str, Any], key: str) -> list[Any]:
    value = body.get(key)
    if not isinstance(value, list) or len(value) > 1000:
        raise Invalid(f"{key} must be a list.")
    return value


SAY_FIELDS = {
    *("rationale", "verdict", "reasons", "comment", "step_labels", "edited_text", "is_best"),
}


def say_of(one: Any) -> ReviewInput:
    if not isinstance(one, dict) or set(one) - SAY_FIELDS:
        raise Invalid(f"A decision has the fields {', '.join(sorted(SAY_FIELDS))} and no others.")
    reasons, labels = one.get("reasons", []), one.get("step_labels", {})
    texts = (one.get("verdict"), one.get("comment", ""), one.get("edited_text", ""))
    if (
        not all(isinstance(text, str) for text in texts)
        or not isinstance(reasons, list)
        or not all(isinstance(reason, str) for reason in reasons)
        or not isinstance(labels, dict)
        or not all(isinstance(v, int) and not isinstance(v, bool) for v in labels.values())
        or not isinstance(one.get("is_best", False), bool)
    ):
        raise Invalid("A decision holds something of a wrong type.")
    return ReviewInput(
        rationale_id=None if one.get("rationale", 0) is None else number_of(one, "rationale"),
        verdict=texts[0],
        reasons=reasons,
        comment=texts[1],
        step_labels=each_step(labels),
        edited_text=texts[2],
        is_best=one.get("is_best", False),
    )
