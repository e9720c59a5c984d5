"""Who calls, and whether they may: asked again at every request, so a right that was lost is lost."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from curation.api.core import tokens
from curation.api.models import ApiToken, Scope
from curation.projects.access import membership_of
from curation.projects.models import Role, User
from curation.web import rate_limit


class NotSignedIn(Exception):
    """No token and no session, or a token that is not in force."""


@dataclass(frozen=True)
class Caller:
    """The person who calls; `token` is None where they come with the session of their browser."""

    user: User
    token: ApiToken | None


class Access(AuthBase):
    """What an operation needs: a scope of the token, and in a project a membership or its admin.

    Sets `request.user`; below a project also `request.project` and `request.membership`. A project
    that is absent, forbidden or not the token's is 404 alike.
    """

    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_description = "A token that you make at /tokens/. Sessions of the pages work as well."

    def __init__(self, scope: str = Scope.READ, *, admin: bool = False) -> None:
        self.scope, self.admin = scope, admin
        super().__init__()

    def __call__(self, request: HttpRequest) -> Caller:
        caller = _caller(request)
        token = caller.token
        asking = f"token:{token.pk}" if token else f"user:{caller.user.pk}"
        rate_limit.spend(rate_limit.API_REQUESTS, asking)
        if token is not None and not Scope(token.scope).allows(self.scope):
            raise PermissionDenied(
                f"This token has the scope “{token.scope}”; this needs “{self.scope}”."
            )
        request.user = caller.user
        place = request.resolver_match.kwargs
        if any("\0" in str(value) for value in place.values()):
            raise Http404("No name holds a NUL.")
        slug = place.get("slug")
        if slug is not None:
            self._enter(request, slug, token)
        elif token is not None and token.project_id is not None and request.method != "GET":
            raise PermissionDenied("This token is for one project only.")
        return caller

    def _enter(self, request: HttpRequest, slug: str, token: ApiToken | None) -> None:
        membership = membership_of(request.user, slug)
        if token is not None and token.project_id not in (None, membership.project_id):
            raise Http404("No such project.")
        request.membership, request.project = membership, membership.project
        if self.admin and membership.role != Role.ADMIN:
            raise PermissionDenied("Only an admin of this project may do this.")


def _caller(request: HttpRequest) -> Caller:
    header = request.headers.get("Authorization")
    if header is not None:
        # Whoever sends a token means it: a wrong one never falls back to the browser's session.
        kind, _, secret = header.partition(" ")
        token = tokens.find(secret.strip()) if kind.lower() == "bearer" else None
        if token is None:
            # Counted only now: whatever others send from the same address, a right token is let in.
            rate_limit.spend(rate_limit.WRONG_TOKENS, rate_limit.address_of(request))
            raise NotSignedIn("This token is not in force: wrong, revoked or expired.")
        return Caller(token.user, token)
    if not request.user.is_authenticated:
        raise NotSignedIn("Send a token: “Authorization: Bearer cw_…”.")
    if check_csrf(request):
        raise PermissionDenied("The CSRF token is missing or wrong. Scripts send an API token.")
    return Caller(request.user, None)


READ = Access(Scope.READ)
REVIEW = Access(Scope.REVIEW)
ADMIN = Access(Scope.ADMIN, admin=True)
# Reads that the pages show to admins only.
ADMIN_READ = Access(Scope.READ, admin=True)
