"""What stands around the bench, for other clients: a person's keys and work, saved views, progress, who
holds what."""

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import ADMIN, ADMIN_READ, READ, REVIEW
from curation.api.core.request_body import Body
from curation.api.routes.rationales import is_admin, viewer_of
from curation.dashboard.home import Entry, projects_of
from curation.errors import Invalid
from curation.projects import saved_views
from curation.projects.models import SavedView
from curation.questions import selectors as questions
from curation.rationales.listing import selectors as rationales
from curation.reviews.bench import shortcuts
from curation.reviews.models import QueueStatus, Seat
from curation.reviews.queue import claims
from curation.reviews.reports.my_work import work_of
from curation.reviews.reports.progress import PersonLine, held_seats, progress_of
from curation.web.pagination import MAX_SEARCH

router = Router(tags=["around the bench"])
P = "/projects/{slug:slug}"
FILTERS = {
    "rationales": {*rationales.FILTERS, "sort"} - {"after"},
    "questions": set(questions.FILTERS) - {"after"},
}


class KeyOut(Schema):
    """An action of the bench and the keys that you have it on, named as in “a”, “Shift+x”, “Enter”."""

    name: str
    group: str
    what: str
    keys: list[str]
    fixed: bool = Field(description="These keys cannot be moved.")
    own: bool = Field(description="You chose them.")


class KeysIn(Body):
    keys: list[str] = Field(max_length=shortcuts.MOST)


class WaitsOut(Schema):
    """What waits for you in a project. Only admins have disputes and flags to settle."""

    slug: str
    name: str
    open: int = Field(description="Questions of which a review is still to be made.")
    waiting: int = Field(description="Of them those that you may get.")
    held: int
    assigned: int = Field(description="Set aside for you.")
    disputes: int
    flags: int


class DayOut(Schema):
    day: date
    questions: int


class MetOut(Schema):
    """Of your last decisions that can be compared, how many said what came of it in the end."""

    compared: int
    same: int
    in_a_row: int


class WorkOut(Schema):
    projects: list[WaitsOut]
    days: list[DayOut] = Field(description="Questions that you finished, the last two weeks.")
    seconds_a_question: float | None = Field(description="In the last seven days.")
    days_in_a_row: int
    met: MetOut


class ViewIn(Body):
    """The filters of a list under a name. One of your own with that name is replaced."""

    of: str = Field(description="rationales or questions")
    name: str
    filters: dict[str, str] = Field(description="As the list has them, without `after`.")
    is_shared: bool = False


class ViewOut(Schema):
    id: int
    of: str
    name: str
    filters: dict[str, str]
    is_shared: bool
    username: str


class PersonOut(Schema):
    """Questions that a person finished, and verdicts on rationales, in the last four weeks."""

    username: str
    today: int
    week: int
    total: int
    seconds_a_question: float | None
    verdicts: dict[str, int]


class ForecastOut(Schema):
    earliest: date | None
    latest: date | None
    why: str = Field(description="Why there is none.")


class ProgressOut(Schema):
    statuses: dict[str, int] = Field(description="Questions of the queue by where they stand.")
    open: int = Field(description="Reviews still to be made.")
    days: list[DayOut]
    people: list[PersonOut] = Field(description="Everybody for admins, else yourself.")
    forecast: ForecastOut


class SeatOut(Schema):
    """A question in somebody's hands."""

    id: int
    question: int
    username: str
    held_until: datetime


@router.get("/me/keys", auth=READ, response=list[KeyOut], summary="My keys at the bench")
def keys_list(request: HttpRequest) -> list[dict[str, Any]]:
    return shortcuts.table_of(request.user)


@router.put(
    "/me/keys/{action}", auth=REVIEW, response=list[KeyOut], summary="Put an action on other keys"
)
def keys_change(request: HttpRequest, action: str, body: KeysIn) -> list[dict[str, Any]]:
    """For you alone, on every machine. 409 where another action has the key."""
    return shortcuts.change_keys(request.user, action, body.keys)


@router.delete("/me/keys", auth=REVIEW, response=list[KeyOut], summary="All keys as they came")
def keys_reset(request: HttpRequest) -> list[dict[str, Any]]:
    return shortcuts.reset_keys(request.user)


@router.get("/me/work", auth=READ, response=WorkOut, summary="What waits for me, what I did")
def my_work(request: HttpRequest) -> dict[str, Any]:
    """Over all your projects, or the one that your token is for."""
    token, entries = request.auth.token, projects_of(request.user)
    if token is not None and token.project_id is not None:
        entries = [one for one in entries if one.membership.project_id == token.project_id]
    work = work_of(request.user, [one.membership.project_id for one in entries])
    return {
        "projects": [_waits(one) for one in entries],
        "days": [{"day": day, "questions": n} for day, n in work.days],
        "seconds_a_question": work.pace,
        "days_in_a_row": work.streak,
        "met": {"compared": work.met.n, "same": work.met.same, "in_a_row": work.met.run},
    }


def _waits(entry: Entry) -> dict[str, Any]:
    project = entry.membership.project
    counts = ("open", "waiting", "held", "assigned", "disputes", "flags")
    return {"slug": project.slug, "name": project.name, **{n: getattr(entry, n) for n in counts}}


def _view(view: SavedView) -> dict[str, Any]:
    plain = {name: getattr(view, name) for name in ("id", "name", "filters", "is_shared")}
    return {**plain, "of": view.page, "username": view.user.username}


@router.get(f"{P}/views", auth=READ, response=list[ViewOut], summary="Saved views of the lists")
def view_list(request: HttpRequest, slug: str) -> list[dict[str, Any]]:
    """Your own, and those that others share."""
    admin = is_admin(request)
    closed = {"rationales": viewer_of(request).closed_filters}
    found = [
        saved_views.views_of(
            *(request.project, request.user, admin, page, {}), closed=closed.get(page, ())
        )
        for page in saved_views.LISTS
    ]
    return [_view(one.view) for views in found for one in views.shown]


@router.post(
    f"{P}/views", auth=REVIEW, response={201: ViewOut}, summary="Keep a list's filters by name"
)
def view_save(request: HttpRequest, slug: str, body: ViewIn) -> Status[dict[str, Any]]:
    if body.of not in FILTERS:
        raise Invalid(f"{body.of!r} is no list that has views: {', '.join(FILTERS)} are.")
    if unknown := sorted(set(body.filters) - FILTERS[body.of]):
        raise Invalid(f"This list has no filter {unknown[0]!r}.")
    if body.of == "rationales":
        viewer_of(request).refuse_closed(body.filters)
    filters = {name: value.strip() for name, value in body.filters.items() if value.strip()}
    if any(len(value) > MAX_SEARCH for value in filters.values()):
        raise Invalid(f"A filter has at most {MAX_SEARCH} characters.")
    view = saved_views.save_view(
        request.project, request.user, body.of, body.name, filters, body.is_shared
    )
    return Status(201, _view(view))


@router.delete(
    f"{P}/views/{{int:view_id}}", auth=REVIEW, response={204: None}, summary="Drop a view"
)
def view_delete(request: HttpRequest, slug: str, view_id: int) -> Status[None]:
    """Your own; an admin also one that somebody shares."""
    mine = saved_views.droppable(request.project, request.user, is_admin(request))
    get_object_or_404(mine, pk=view_id).delete()
    return Status(204, None)


@router.get(f"{P}/progress", auth=READ, response=ProgressOut, summary="How the review goes")
def progress(request: HttpRequest, slug: str) -> dict[str, Any]:
    made = progress_of(request.project)
    whole = is_admin(request)
    people = [one for one in made.people if whole or one.person.pk == request.user.pk]
    forecast = made.forecast
    # How many are controls is for admins.
    statuses = {
        name: n for name, n in made.statuses.items() if whole or name != QueueStatus.CONTROL
    }
    return {
        "statuses": statuses,
        "open": made.open,
        "days": [{"day": day, "questions": n} for day, n in made.days],
        "people": [_person(one) for one in people],
        "forecast": {name: getattr(forecast, name) for name in ("earliest", "latest", "why")},
    }


def _person(line: PersonLine) -> dict[str, Any]:
    counts = {name: getattr(line, name) for name in ("today", "week", "total", "verdicts")}
    return {**counts, "username": line.person.username, "seconds_a_question": line.pace}


@router.get(f"{P}/seats", auth=ADMIN_READ, response=list[SeatOut], summary="Who holds what now")
def seat_list(request: HttpRequest, slug: str) -> list[dict[str, Any]]:
    """At most 200, the first to run out first."""
    return [
        {
            "id": seat.pk,
            "question": seat.item.question_id,
            "username": seat.holder.username,
            "held_until": seat.held_until,
        }
        for seat in held_seats(request.project)
    ]


@router.post(
    f"{P}/seats/{{int:seat_id}}/free",
    auth=ADMIN,
    response={204: None},
    summary="Take a question out of somebody's hands",
)
def seat_free(request: HttpRequest, slug: str, seat_id: int) -> Status[None]:
    claims.free_seat(
        request.project, get_object_or_404(Seat, project=request.project, pk=seat_id).pk
    )
    return Status(204, None)
