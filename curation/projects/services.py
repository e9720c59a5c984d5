"""Writes to projects, members and rubrics."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from curation.errors import Conflict, Invalid
from curation.projects.models import Membership, Project, Role, Rubric, User


@transaction.atomic
def create_project(owner: User, name: str, slug: str = "", **fields: Any) -> Project:
    """Create a project with `owner` as its admin and a first rubric."""
    name = name.strip()
    if not name:
        raise Invalid("A project needs a name.")
    slug = slug or slugify(name)
    if not slug:
        raise Invalid(f"No address can be made from the name {name!r}: give a slug of a-z and 0-9.")
    if Project.objects.filter(slug=slug).exists():
        raise Conflict(f"There is a project at /projects/{slug}/ already: choose another name.")
    project = Project.objects.create(name=name, slug=slug, **fields)
    Membership.objects.create(project=project, user=owner, role=Role.ADMIN)
    Rubric.objects.create(project=project, version=1, created_by=owner)
    return project


def add_member(project: Project, username: str, role: str) -> Membership:
    if role not in Role.values:
        raise Invalid(f"{role!r} is no role: choose one of {', '.join(Role.values)}.")
    user = User.objects.filter(username=username.strip(), is_active=True).first()
    if user is None:
        raise Invalid(f"Nobody here signs in as {username!r}. Check the spelling.")
    membership, _ = Membership.objects.update_or_create(
        project=project, user=user, defaults={"role": role}
    )
    return membership


@transaction.atomic
def remove_member(project: Project, user_id: int) -> None:
    """Take a person out. A project always keeps an admin."""
    members = Membership.objects.select_for_update().filter(project=project)
    membership = members.filter(user_id=user_id).first()
    if membership is None:
        raise Conflict("This person is not (any more) a member of the project.")
    if membership.role == Role.ADMIN and members.filter(role=Role.ADMIN).count() == 1:
        raise Conflict("A project needs an admin: make somebody else one first.")
    membership.delete()


def change_rubric(project: Project, user: User, **thresholds: Any) -> Rubric:
    """Put new thresholds in force as a new version; earlier versions and decisions stay as they are."""
    unknown = set(thresholds) - set(Rubric.THRESHOLDS)
    if unknown:
        raise Invalid(f"The rubric has no {', '.join(sorted(unknown))}.")
    current = project.rubric
    if current.version and current.thresholds() == {**current.thresholds(), **thresholds}:
        return current
    rubric = Rubric(
        project=project,
        version=current.version + 1,
        created_by=user,
        **{**current.thresholds(), **thresholds},
    )
    try:
        rubric.clean_fields()
    except ValidationError as error:
        raise Invalid("; ".join(f"{k}: {v[0]}" for k, v in error.message_dict.items())) from None
    try:
        with transaction.atomic():
            rubric.save()
    except IntegrityError:
        raise Conflict("Somebody else changed the rubric just now: load the page again.") from None
    return rubric


def change_settings(project: Project, **fields: Any) -> None:
    allowed = {"name", "description", "guidelines", "student", "rule_approves", "use_embeddings"}
    unknown = set(fields) - allowed
    if unknown:
        raise Invalid(f"These cannot be changed here: {', '.join(sorted(unknown))}.")
    if "name" in fields and not fields["name"].strip():
        raise Invalid("A project needs a name.")
    Project.objects.filter(pk=project.pk).update(**fields)
