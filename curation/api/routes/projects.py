"""Who I am, projects, members, rubrics."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from curation.api.core.auth import ADMIN, ADMIN_READ, READ, Access
from curation.api.core.pagination import PageOf, asked, filters, paged
from curation.api.core.request_body import Body
from curation.api.core.schemas import MAX_INTEGER
from curation.api.models import Scope
from curation.projects import selectors, services
from curation.projects.access import may_create_projects, membership_of
from curation.projects.models import Membership, Role, Rubric, Unread
from curation.reviews.bulk.orders import order_overlap

router = Router(tags=["projects"])
UNREAD = "What becomes of a rationale whose answer was not read: " + "; ".join(
    f"{one.value}: {one.label}" for one in Unread
)


class MeOut(Schema):
    username: str
    token: str | None = Field(description="The token's name; null with a session.")
    scope: str
    project: str | None = Field(description="The only project that the token opens, if any.")
    expires_at: datetime | None
    may_create_projects: bool


class ProjectRow(Schema):
    slug: str
    name: str
    role: str = Field(description="What you are in it: admin or reviewer.")
    is_demo: bool
    description: str


class RubricOut(Schema):
    version: int
    right_answer: bool
    min_validity: float
    min_conciseness: float
    min_structure: float
    max_redundancy: float
    unread: str = Field(description=UNREAD)


class ProjectOut(ProjectRow):
    guidelines: str
    student: str
    max_rationale_tokens: int | None
    rule_approves: bool
    use_embeddings: bool
    overlap: int = Field(description="How many people review a question.")
    is_blind: bool = Field(description="Reviewers do not see which teacher wrote a rationale.")
    is_shuffled: bool = Field(description="Each reviewer has an own order of rationales.")
    hides_reference: bool = Field(description="The bench shows the reference when it is asked for.")
    control_percent: int | None = Field(description="Control questions in a hundred; for admins.")
    rubric: RubricOut
    created_at: datetime


class MemberOut(Schema):
    username: str
    role: str


class NewProject(Body):
    name: str = Field(max_length=120)
    slug: str = Field(
        "",
        max_length=60,
        pattern=r"^[a-z0-9-]*$",
        description="The address; made from the name where it is empty.",
    )
    description: str = ""
    student: str = Field("", max_length=300)


class SettingsIn(Body):
    """What is left out stays as it is."""

    name: str | None = Field(None, max_length=120)
    description: str | None = None
    guidelines: str | None = None
    student: str | None = Field(None, max_length=300)
    max_rationale_tokens: int | None = Field(None, ge=16, le=MAX_INTEGER)
    rule_approves: bool | None = None
    use_embeddings: bool | None = None
    is_blind: bool | None = None
    is_shuffled: bool | None = None
    hides_reference: bool | None = None
    control_percent: int | None = Field(None, ge=0, le=50)
    overlap: int | None = Field(None, ge=1, le=10)


class RoleIn(Body):
    role: str = Field(description="admin or reviewer")


class RubricIn(Body):
    right_answer: bool | None = None
    min_validity: float | None = None
    min_conciseness: float | None = None
    min_structure: float | None = None
    max_redundancy: float | None = None
    unread: str | None = Field(None, description=UNREAD)


@router.get("/me", auth=READ, response=MeOut, summary="Who I am")
def me(request: HttpRequest) -> dict[str, Any]:
    """The person and the token that the request came with."""
    token = request.auth.token
    return {
        "username": request.user.username,
        "token": token and token.name,
        "scope": token.scope if token else Scope.ADMIN,
        "project": token.project.slug if token and token.project_id else None,
        "expires_at": token and token.expires_at,
        "may_create_projects": may_create_projects(request.user),
    }


def _row(membership: Membership) -> dict[str, Any]:
    project = membership.project
    return {
        "slug": project.slug,
        "name": project.name,
        "role": membership.role,
        "is_demo": project.is_demo,
        "description": project.description,
    }


@router.get(
    "/projects",
    auth=READ,
    response=PageOf[ProjectRow],
    summary="My projects",
    openapi_extra=filters(),
)
def project_list(request: HttpRequest) -> dict[str, Any]:
    """The projects that you belong to, those of the token alone where it is for one."""
    mine = selectors.memberships_of(request.user)
    token = request.auth.token
    if token and token.project_id:
        mine = mine.filter(project=token.project_id)
    return paged(request, mine, asked(request), _row)


@router.post(
    "/projects", auth=Access(Scope.ADMIN), response={201: ProjectOut}, summary="New project"
)
def project_create(request: HttpRequest, body: NewProject) -> Status[dict[str, Any]]:
    """Create a project with you as its admin: where the installation lets you, see `/me`."""
    made = services.create_own_project(request.user, **body.dict())
    return Status(201, project_out(membership_of(request.user, made.slug)))


def project_out(membership: Membership) -> dict[str, Any]:
    project = membership.project
    plain = (
        *("guidelines", "student", "max_rationale_tokens", "rule_approves", "use_embeddings"),
        *("overlap", "is_blind", "is_shuffled", "hides_reference", "created_at"),
    )
    return {
        **_row(membership),
        **{name: getattr(project, name) for name in plain},
        # Who knew the rate could tell which questions are controls.
        "control_percent": project.control_percent if membership.role == Role.ADMIN else None,
        "rubric": _rubric(project.rubric),
    }


def _rubric(rubric: Rubric) -> dict[str, Any]:
    return {"version": rubric.version, **rubric.thresholds()}


@router.get("/projects/{slug:slug}", auth=READ, response=ProjectOut, summary="One project")
def project_detail(request: HttpRequest, slug: str) -> dict[str, Any]:
    return project_out(request.membership)


@router.patch("/projects/{slug:slug}", auth=ADMIN, response=ProjectOut, summary="Change settings")
def project_change(request: HttpRequest, slug: str, body: SettingsIn) -> dict[str, Any]:
    """A `max_rationale_tokens` of null is no limit but the student's own; other nulls change nothing. Where
    many questions wait a worker arranges them for a new overlap: see the bulk actions."""
    given = body.dict(exclude_unset=True)
    kept = {name: value for name, value in given.items() if value is not None}
    if "max_rationale_tokens" in given:
        kept["max_rationale_tokens"] = given["max_rationale_tokens"]
    overlap = kept.pop("overlap", None)
    if kept:
        services.change_settings(request.project, **kept)
    if overlap is not None:
        order_overlap(request.project, request.user, overlap)
    return project_out(membership_of(request.user, slug))


@router.get(
    "/projects/{slug:slug}/members",
    auth=ADMIN_READ,
    response=PageOf[MemberOut],
    summary="Members",
    openapi_extra=filters(),
)
def member_list(request: HttpRequest, slug: str) -> dict[str, Any]:
    return paged(request, selectors.members_of(request.project), asked(request), _member)


def _member(membership: Membership) -> dict[str, str]:
    return {"username": membership.user.username, "role": membership.role}


@router.put(
    "/projects/{slug:slug}/members/{username}",
    auth=ADMIN,
    response=MemberOut,
    summary="Let somebody in, or change a role",
)
def member_set(request: HttpRequest, slug: str, username: str, body: RoleIn) -> dict[str, str]:
    return _member(services.add_member(request.project, username, body.role))


@router.delete(
    "/projects/{slug:slug}/members/{username}",
    auth=ADMIN,
    response={204: None},
    summary="Take somebody out",
)
def member_remove(request: HttpRequest, slug: str, username: str) -> Status[None]:
    """They lose the right at once, with all their tokens and sessions."""
    members = selectors.members_of(request.project)
    member = members.filter(user__username=username).first()
    services.remove_member(request.project, member.user_id if member else 0)
    return Status(204, None)


@router.put(
    "/projects/{slug:slug}/rubric", auth=ADMIN, response=RubricOut, summary="Change the rubric"
)
def rubric_set(request: HttpRequest, slug: str, body: RubricIn) -> dict[str, Any]:
    """Puts a new version in force; what is left out stays. Decisions that stand are not touched."""
    given = body.dict(exclude_none=True)
    return _rubric(services.change_rubric(request.project, request.user, **given))
