"""The bench, the JSON that it talks to the server with, and a person's own history."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_POST

from curation.errors import Conflict, Invalid
from curation.projects.access import project_view
from curation.questions.models import Question
from curation.reviews import claims, selectors, services
from curation.reviews.models import QueueItem, Reason, Seat

MAX_BODY = 4 * 1024 * 1024
PAGE = 50


def json_view(view: Callable[..., dict[str, Any]]) -> Callable[..., HttpResponse]:
    """The view returns what is sent as JSON; errors of the services become JSON with their status."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return JsonResponse(view(request, *args, **kwargs))
        except Conflict as error:
            return JsonResponse({"error": str(error)}, status=409)
        except Invalid as error:
            return JsonResponse({"error": str(error)}, status=400)
        except PermissionDenied as error:
            return JsonResponse({"error": str(error)}, status=403)

    return wrapped


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object. Raises Invalid when it is none."""
    if len(request.body) > MAX_BODY:
        raise Invalid("This is more than the bench sends at once.")
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Invalid("The request is not JSON.") from None
    if not isinstance(value, dict):
        raise Invalid("The request must be a JSON object.")
    return value


def number_of(body: dict[str, Any], key: str) -> int:
    value = body.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
        raise Invalid(f"{key} must be a number.")
    return value


@require_GET
@project_view
def review(request: HttpRequest) -> HttpResponse:
    """The bench with the question that waits for this person."""
    seat = claims.next_item(request.project, request.user)
    return render(request, "reviews/bench.html", _page(request, seat))


@require_GET
@project_view
def review_question(request: HttpRequest, pk: int) -> HttpResponse:
    """The bench with one given question, such as from a list."""
    question = get_object_or_404(Question, project=request.project, pk=pk)
    try:
        seat = claims.claim(request.project, request.user, question)
    except Conflict as error:
        context = {"message": str(error), "question": question}
        return render(request, "reviews/taken.html", context, status=409)
    return render(request, "reviews/bench.html", _page(request, seat))


def _page(request: HttpRequest, seat: Seat | None) -> dict[str, Any]:
    context = _context(request, seat)
    context["reasons"] = Reason.choices
    context["state"] = _state(context)
    return context


def _context(request: HttpRequest, seat: Seat | None) -> dict[str, Any]:
    progress = selectors.progress(request.project, request.user)
    if seat is None:
        until = claims.others_hold(request.project, request.user)
        nothing = selectors.nothing_for(request.project, request.user, until)
        return {"bench": None, "nothing": nothing, "progress": progress}
    seat.project = request.project
    return {"bench": selectors.bench_of(seat), "progress": progress}


def _state(context: dict[str, Any], prefill: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the page's script must know beside the HTML."""
    bench, progress = context["bench"], context["progress"]
    state: dict[str, Any] = {
        "item": None,
        "today": progress.today,
        "waiting": progress.waiting,
        "pace": progress.pace,
    }
    if bench is not None:
        state |= {
            "item": bench.item.pk,
            "until": bench.seat.held_until.isoformat(),
            "texts": bench.texts,
            "prefill": prefill or {},
        }
    elif context["nothing"].state in ("held", "unscored"):
        state["poll"] = 5
    return state


def _answer(
    request: HttpRequest, seat: Seat | None, prefill: dict[str, Any] | None = None
) -> dict[str, Any]:
    context = _context(request, seat)
    html = render_to_string("reviews/_item.html", context, request)
    return {"html": html, "state": _state(context, prefill)}


def _next(request: HttpRequest) -> dict[str, Any]:
    return _answer(request, claims.next_item(request.project, request.user))


@require_POST
@project_view
@json_view
def review_submit(request: HttpRequest) -> dict[str, Any]:
    """Take the decisions on one question, answer with the next one.

    Body: {"item": n, "seconds": x, "says": [{"rationale": n or null, "verdict", "reasons"?,
    "comment"?, "step_labels"?, "edited_text"?, "is_best"?}], "again"?: true}; null: a chain of one's
    own. With `again` the page says that it sends the
    same a second time, since the first answer got lost: what came through then counts as done.
    """
    body = body_of(request)
    says = [_say(one) for one in _list(body, "says")]
    seconds = body.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | None):
        raise Invalid("seconds must be a number.")
    item_id = number_of(body, "item")
    try:
        services.submit(request.project, request.user, item_id, says, seconds)
    except Conflict:
        again = body.get("again") is True
        if not (again and services.said_before(request.project, request.user, item_id, says)):
            raise
    return _next(request)


def _list(body: dict[str, Any], key: str) -> list[Any]:
    value = body.get(key)
    if not isinstance(value, list) or len(value) > 1000:
        raise Invalid(f"{key} must be a list.")
    return value


SAY_FIELDS = {
    *("rationale", "verdict", "reasons", "comment", "step_labels", "edited_text", "is_best"),
}


def _say(one: Any) -> services.Say:
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
    return services.Say(
        rationale_id=None if one.get("rationale", 0) is None else number_of(one, "rationale"),
        verdict=texts[0],
        reasons=reasons,
        comment=texts[1],
        step_labels=labels,
        edited_text=texts[2],
        is_best=one.get("is_best", False),
    )


@require_GET
@project_view
@json_view
def review_next(request: HttpRequest) -> dict[str, Any]:
    """The next question as JSON: what a page with nothing to do asks now and then."""
    return _next(request)


def _item_here(request: HttpRequest, item_id: int) -> int:
    """`item_id`, once it is known to be of this project; 404 else."""
    return get_object_or_404(QueueItem.objects.only("id"), project=request.project, pk=item_id).pk


@require_POST
@project_view
@json_view
def review_renew(request: HttpRequest) -> dict[str, Any]:
    item_id = _item_here(request, number_of(body_of(request), "item"))
    return {"until": claims.renew(item_id, request.user).isoformat()}


@require_POST
@project_view
@json_view
def review_skip(request: HttpRequest) -> dict[str, Any]:
    body = body_of(request)
    item_id = _item_here(request, number_of(body, "item"))
    reason = body.get("reason", "")
    if not isinstance(reason, str) or "\0" in reason:
        raise Invalid("The reason must be a text.")
    claims.skip(item_id, request.user, reason)
    return _next(request)


@require_POST
@project_view
@json_view
def review_undo(request: HttpRequest) -> dict[str, Any]:
    """Take the last decision or skip back. The page names the question it shows: a retry (`again`)
    that finds the person with another one in hand is of an undo that came through."""
    body = body_of(request)
    seat = None
    if body.get("again") is True and "shown" in body:
        held = claims.held_by(request.project, request.user)
        seat = held if held is not None and held.item_id != body["shown"] else None
    seat = seat or services.undo(request.project, request.user)
    return _answer(request, seat, selectors.prefill_of(seat.item_id, request.user))


@require_POST
@project_view
def review_release(request: HttpRequest) -> HttpResponse:
    """The page closes (sendBeacon: a form, nobody reads the answer): its claim runs out soon."""
    raw = request.POST.get("item", "")
    if raw.isascii() and raw.isdigit() and len(raw) < 19:
        claims.leave(_item_here(request, int(raw)), request.user)
    return HttpResponse(status=204)


@require_GET
@project_view
def question(request: HttpRequest, pk: int) -> HttpResponse:
    """One question with all its chains: scores, decisions, and who did what when."""
    found = get_object_or_404(
        Question.objects.select_related("queue_item"), project=request.project, pk=pk
    )
    context = {
        "question": found,
        "item": (item := getattr(found, "queue_item", None)),
        "holders": claims.holders(item) if item else [],
        "lives": selectors.lives(found),
    }
    return render(request, "questions/question.html", context)


@require_GET
@project_view
def my_reviews(request: HttpRequest) -> HttpResponse:
    """What I decided, the newest first, in pages by key."""
    reviews = selectors.history(request.project, request.user)
    before = request.GET.get("before", "")
    if before:
        if not (before.isascii() and before.isdigit() and len(before) < 19):
            raise Invalid("“before” must be the number of a review.")
        reviews = reviews.filter(pk__lt=int(before))
    rows = list(reviews[: PAGE + 1])
    for row in rows:
        row.reason_words = [
            Reason(reason).label for reason in row.reasons if reason != Reason.OTHER
        ]
    context = {
        "reviews": rows[:PAGE],
        "more": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "before": before,
        "progress": selectors.progress(request.project, request.user),
    }
    name = "reviews/_my_reviews.html" if request.htmx else "reviews/my_reviews.html"
    return render(request, name, context)
