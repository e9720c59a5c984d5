"""Saved views: the filters of a list under a name, a person's own or shared with the project."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from curation.db.quotas import lock, refuse_beyond
from curation.errors import Invalid
from curation.projects.access import project_view
from curation.projects.models import Project, Role, SavedView, User
from curation.text.clean import clean_line
from curation.web.pagination import only

MOST = 50  # of one person, a list
LISTS = ("rationales", "questions")


@dataclass(frozen=True)
class Shown:
    """A saved view in its list: where it leads, whether the page shows it, who may drop it."""

    view: SavedView
    address: str
    is_here: bool
    may_drop: bool


@dataclass(frozen=True)
class Views:
    """The views of a list, and how many there are that the person may not use."""

    shown: list[Shown]
    withheld: int = 0

    def __bool__(self) -> bool:
        return bool(self.shown or self.withheld)

    def __iter__(self) -> Iterator[Shown]:
        return iter(self.shown)


def views_of(
    project: Project,
    user: User,
    is_admin: bool,
    page: str,
    filters: dict[str, str],
    *,
    closed: Collection[str] = (),
) -> Views:
    """The views of a list that the person has or that were shared, by name.

    closed: filters that this person may not use; views with one of them are withheld, and so are their
    names, which may say what the filter is.
    """
    rows = SavedView.objects.filter(Q(user=user) | Q(is_shared=True), project=project, page=page)
    here = {name: value for name, value in filters.items() if name != "after"}
    shown, withheld = [], 0
    for view in rows.select_related("user").order_by("name", "id"):
        if set(closed) & set(view.filters):
            withheld += 1
            continue
        address = f"{reverse(page, args=[project.slug])}?{urlencode(sorted(view.filters.items()))}"
        is_mine = view.user_id == user.pk
        shown.append(Shown(view, address, view.filters == here, is_mine or is_admin))
    return Views(shown, withheld)


def save_view(
    project: Project, user: User, page: str, name: str, filters: dict[str, str], is_shared: bool
) -> SavedView:
    """Keep a list's filters under a name; the person's own view of that name is replaced."""
    name = clean_line(name)
    if page not in LISTS:
        raise Invalid(f"{page!r} is no list that has views.")
    if not name or len(name) > 60 or not name.isprintable():
        raise Invalid("A view needs a name of at most 60 characters.")
    if not filters:
        raise Invalid("Choose a filter or an order first: this would be the plain list.")
    mine = SavedView.objects.filter(project=project, user=user, page=page)
    with transaction.atomic():
        lock(user)
        if not mine.filter(name=name).exists():
            refuse_beyond(mine, MOST, "You have {most} views of this list: drop one first.")
        view, _ = SavedView.objects.update_or_create(
            **{"project": project, "user": user, "page": page, "name": name},
            defaults={"filters": filters, "is_shared": is_shared},
        )
    return view


def save_from(request: HttpRequest, page: str, names: tuple[str, ...]) -> HttpResponse:
    """What a list's `…/views` address does with a form: the list's filters, of which only `names` are
    allowed, and `view` (the name) and `shared` (on or nothing) beside them."""
    filters = only(request.POST, ("csrfmiddlewaretoken", "view", "shared", *names))
    for name in ("csrfmiddlewaretoken", "after"):
        filters.pop(name, None)
    name, is_shared = filters.pop("view", ""), filters.pop("shared", "") == "on"
    save_view(request.project, request.user, page, name, filters, is_shared)
    messages.success(request, f"The view “{name}” is kept.")
    place = reverse(page, args=[request.project.slug])
    return redirect(f"{place}?{urlencode(sorted(filters.items()))}")


def droppable(project: Project, user: User, is_admin: bool) -> QuerySet[SavedView]:
    """The views that this person may drop: their own, and for an admin those that others share."""
    mine = Q(user=user)
    return SavedView.objects.filter(mine | Q(is_shared=True) if is_admin else mine, project=project)


@require_POST
@project_view
def view_drop(request: HttpRequest, pk: int) -> HttpResponse:
    is_admin = request.membership.role == Role.ADMIN
    view = get_object_or_404(droppable(request.project, request.user, is_admin), pk=pk)
    view.delete()
    messages.success(request, f"The view “{view.name}” is dropped.")
    return redirect(view.page, request.project.slug)
