"""Who may come in: every page below a project passes through `project_view`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from curation.db.prepared_queries import Param, Prepared
from curation.projects.models import Membership, Role, User

OWNER_GONE = (
    "The account that ordered this was deleted, so it was not carried out. An admin of the project can "
    "order it again."
)
MEMBERSHIP = Prepared(
    lambda: Membership.objects.select_related("project").filter(
        user=Param("user"), project__slug=Param("slug")
    )
)


def membership_of(user: User, slug: str) -> Membership:
    """The person's membership in the project; 404 where there is none, as for an absent project."""
    membership = MEMBERSHIP.first(user=user.pk, slug=slug)
    if membership is None:
        raise Http404("No such project.")
    membership.user = user
    return membership


def project_view(
    view: Callable[..., HttpResponse] | None = None, *, admin: bool = False
) -> Callable[..., HttpResponse]:
    """Resolve `slug` to `request.project` and `request.membership`; the view takes (request, ...).

    A stranger gets 404 and a reviewer on an admin's page 403, whatever the verb.
    """

    def decorate(inner: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(inner)
        def wrapped(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponse:
            membership = membership_of(request.user, slug)
            request.membership, request.project = membership, membership.project
            request.shows_teachers = not hides_teachers(membership)
            if admin and membership.role != Role.ADMIN:
                raise PermissionDenied("Only an admin of this project may do this.")
            return inner(request, *args, **kwargs)

        return wrapped

    return decorate(view) if view else decorate


def hides_teachers(membership: Membership) -> bool:
    """Whether this person must not learn which teacher wrote what: a reviewer where people review
    blind. On a page: `not shows_teachers`."""
    return membership.project.is_blind and membership.role != Role.ADMIN


def refuse_blind(membership: Membership) -> None:
    """For pages that are about teachers alone. Raises PermissionDenied, see `hides_teachers`."""
    if hides_teachers(membership):
        raise PermissionDenied("People review blind here: only an admin sees who writes what.")


def may_create_projects(user: User) -> bool:
    """Whether this installation lets the person create projects."""
    return settings.WHO_CREATES_PROJECTS == "everybody" or user.may_create_projects


def refusal(user: User | None, project_id: int, *, by_operator: bool = False) -> str:
    """Why a queued job of this person is not done now; "" where it may be. Asked again by every job:
    rights can be lost while it waits, and an account can be deleted."""
    if user is None:
        return "" if by_operator else OWNER_GONE
    if may_administer(user, project_id):
        return ""
    return f"{user} may no longer order this: only an admin of the project can."


def may_administer(user: User | None, project_id: int) -> bool:
    """Whether the person is an admin of the project now."""
    return (
        user is not None
        and user.is_active
        and Membership.objects.filter(user=user, project_id=project_id, role=Role.ADMIN).exists()
    )
