"""The bench, the JSON that it talks to the server with, and a person's own history."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import get_template, render_to_string
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_POST

from curation.errors import Conflict, Invalid
from curation.projects.access import project_view
from curation.questions.models import Question
from curation.questions.selectors import changes_of, scores_wait
from curation.reviews.adjudication import adjudicate
from curation.reviews.bench import selectors, shortcuts
from curation.reviews.bench.flat_meters import flat_meters
from curation.reviews.models import FlagKind, QueueItem, Reason, Seat
from curation.reviews.queue import claims
from curation.reviews.queue.items import must_not_be_deleted
from curation.reviews.reports.timeline import lives
from curation.reviews.submission import submit, undo
from curation.reviews.submission.conflicts import meanwhile
from curation.reviews.submission.payload import body_of, json_view, list_of, number_of, say_of
from curation.reviews.visibility import Viewer

PAGE = 50
ITEM = get_template("reviews/_item.jinja", using="jinja2")
SKIP_REASONS = (
    ("hard", "too hard for me"),
    ("long", "too long for now"),
    ("field", "not my field"),
    ("unsure", "I cannot decide"),
)


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
    context["flag_kinds"] = FlagKind.choices
    context["skip_reasons"] = SKIP_REASONS
    context["flat_meters"] = flat_meters(request.project)
    context["keys"] = shortcuts.table_of(request.user)
    flagged = list(selectors.flagged_by(request.project, request.user))
    context["state"] = _state(context) | {"flagged": flagged}
    context["item_html"] = _html(request, context)
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
    bench = context["bench"]
    state: dict[str, Any] = {"item": None}
    if bench is not None:
        state |= {
            "item": bench.item.pk,
            "until": bench.seat.held_until.isoformat(),
            "texts": bench.texts,
            "question": bench.question.text,
            "prefill": prefill or {},
        }
    elif context["nothing"].state in ("held", "scoring", "unscored"):
        state["poll"] = 5
    return state


def _answer(
    request: HttpRequest, seat: Seat | None, prefill: dict[str, Any] | None = None
) -> dict[str, Any]:
    context = _context(request, seat)
    return {
        "html": _html(request, context),
        "state": _state(context, prefill),
        "progress": context["progress"].words,
    }


def _html(request: HttpRequest, context: dict[str, Any]) -> str:
    """The question as it stands in the page, or why there is none."""
    if context["bench"] is None:
        return render_to_string("reviews/_nothing.html", context, request)
    shown = {
        "bench": context["bench"],
        "project": request.project,
        "today": context["progress"].words,
    }
    return mark_safe(ITEM.render(shown))  # escaped by Jinja2


def _next(request: HttpRequest) -> dict[str, Any]:
    return _answer(request, claims.next_item(request.project, request.user))


def _after(
    request: HttpRequest, shown: int | None, seat: Seat | None = None, *, is_taken: bool = False
) -> dict[str, Any]:
    """What follows a decision or a skip: the next question, or, where the page had that in hand and
    shows it (`shown`), the one after it, which the page has in hand then. `is_taken`: it is `seat`."""
    if shown is None:
        return _answer(request, seat) if is_taken else _next(request)
    if not is_taken:
        seat = claims.ahead(request.project, request.user, shown)
    if seat is not None:
        answer = _answer(request, seat)
        return {"ahead": answer, "progress": answer.pop("progress")}
    return {"ahead": None, "progress": selectors.progress(request.project, request.user).words}


def _shown(body: dict[str, Any]) -> int | None:
    return number_of(body, "shown") if "shown" in body else None


@require_POST
@project_view
@json_view
def review_ahead(request: HttpRequest) -> dict[str, Any]:
    """Claim and send the question after `item`, while the person works on `item`."""
    return _after(request, number_of(body_of(request), "item"))


@require_POST
@project_view
@json_view
def review_submit(request: HttpRequest) -> dict[str, Any]:
    """Take the decisions on one question, answer with what comes after, see `_after`.

    Body: {"item": n, "seconds": x, "says": [{"rationale": n or null, "verdict", "reasons"?,
    "comment"?, "step_labels"?, "edited_text"?, "is_best"?}], "shown"?: n, "again"?: true}; null: a "
    "rationale of
    one's own. With `again` the page says that it sends the same a second time, since the first
    answer got lost: what came through then counts as done. Words that come too late are told (409)
    what was decided in the meantime, see `meanwhile`.
    """
    body = body_of(request)
    says = [say_of(one) for one in list_of(body, "says")]
    seconds = body.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | None):
        raise Invalid("seconds must be a number.")
    item_id, shown = number_of(body, "item"), _shown(body)
    project, user = request.project, request.user
    try:
        seat = submit.submit_and_next(project, user, item_id, says, seconds, shown)
    except Conflict as error:
        if body.get("again") is True and submit.said_before(project, user, item_id, says):
            return _after(request, shown)
        error.more = {"meanwhile": meanwhile(project, user, item_id, says)}
        raise
    return _after(request, shown, seat, is_taken=True)


@require_GET
@project_view
@json_view
def review_next(request: HttpRequest) -> dict[str, Any]:
    """The next question as JSON: what a page with nothing to do asks now and then."""
    return _next(request)


def _item_here(request: HttpRequest, item_id: int) -> int:
    """`item_id`, once it is known to be of this project; 404 else."""
    if not QueueItem.objects.filter(project=request.project, pk=item_id).exists():
        must_not_be_deleted(request.project, item_id)
        raise Http404("No such question here.")
    return item_id


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
    if not isinstance(reason, str):
        raise Invalid("The reason must be a text.")
    claims.skip(item_id, request.user, reason)
    return _after(request, _shown(body))


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
    seat = seat or undo.undo(request.project, request.user)
    return _answer(request, seat, selectors.prefill_of(seat.item_id, request.user))


@require_POST
@project_view
@json_view
def review_flag(request: HttpRequest) -> dict[str, Any]:
    """What this person says of the question itself. Body: {"item": n} asks, with {"kind", "comment"?}
    flags, with {"withdraw": flag} takes back; the answer is always what stands then."""
    body = body_of(request)
    item = get_object_or_404(
        QueueItem.objects.select_related("question"),
        project=request.project,
        pk=number_of(body, "item"),
    )
    if "withdraw" in body:
        adjudicate.withdraw_flag(request.project, request.user, number_of(body, "withdraw"))
    elif "kind" in body:
        kind, comment = body["kind"], body.get("comment", "")
        if not isinstance(kind, str) or not isinstance(comment, str):
            raise Invalid("A flag has a kind and a comment, both texts.")
        adjudicate.flag_question(request.project, request.user, item.question, kind, comment)
    flags = selectors.flags_of(item.question, request.user)
    return {
        "flags": [
            {"id": one.pk, "words": one.get_kind_display(), "comment": one.comment} for one in flags
        ]
    }


@require_POST
@json_view
def bench_keys(request: HttpRequest) -> dict[str, Any]:
    """Change a key of the person's own: {"action", "keys", "swap"?}, or {"reset": true} for all."""
    body = body_of(request)
    if body.get("reset") is True:
        return {"keys": shortcuts.reset_keys(request.user)}
    name, wanted = body.get("action"), body.get("keys")
    if (
        not isinstance(name, str)
        or not isinstance(wanted, list)
        or not all(isinstance(key, str) for key in wanted)
    ):
        raise Invalid("Name an action and its keys.")
    swap = body.get("swap") is True
    return {"keys": shortcuts.change_keys(request.user, name, wanted, swap=swap)}


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
    """One question with all its rationales: scores, decisions, and who did what when."""
    found = get_object_or_404(
        Question.objects.select_related("queue_item"), project=request.project, pk=pk
    )
    viewer = Viewer(request.membership)
    shown = lives(found, viewer)  # before its state is told, which changes the item at hand
    item = viewer.queue_item_of(found)
    context = {
        "question": found,
        "item": item,
        "holders": claims.holders(item) if item else [],
        "lives": shown,
        "changes": changes_of(found),
        "scores_wait": scores_wait(found),
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
