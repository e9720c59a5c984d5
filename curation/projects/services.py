"""Writes to projects, members and rubrics."""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from curation.db.quotas import lock, refuse_beyond
from curation.errors import Conflict, Invalid
from curation.projects.access import may_create_projects
from curation.projects.models import Membership, Project, Role, Rubric, User
from curation.text.clean import clean, clean_line
from curation.web import rate_limit


def check_student(name: str) -> str:
    """The student's name, trimmed. Raises Invalid for what no folder or hub name looks like."""
    name = name.strip()
    if (
        any(sign in name for sign in "\n\r;|&$`<>\"'\\")
        or name.startswith("-")
        or ".." in name.split("/")
    ):
        raise Invalid(
            f"{name!r} cannot be a student: name a folder of the worker's models, or a hub name."
        )
    return name


ASK = (
    "You may not create projects here. Ask the person who runs this Chainwright: they can allow it with "
    "“manage.py change_person NAME --may-create-projects”."
)


def create_own_project(user: User, name: str, slug: str = "", **fields: Any) -> Project:
    """What a page or a script of the person does: `create_project`, where the installation lets them and
    they have not too many. Raises PermissionDenied, Conflict or TooMany."""
    if not may_create_projects(user):
        raise PermissionDenied(ASK)
    rate_limit.spend(rate_limit.NEW_PROJECTS, user.pk)
    with transaction.atomic():
        lock(user)
        refuse_too_many(user)
        return create_project(user, name, slug, **fields)


def refuse_too_many(user: User) -> None:
    """Raises Conflict where the person has created as many projects as one may have. The caller holds
    their row."""
    refuse_beyond(
        Project.objects.filter(created_by=user),
        settings.PROJECTS_PER_PERSON,
        f"{user} has created {{most}} projects, which is the most that one person may have: delete one "
        "first, or ask the operator (PROJECTS_PER_PERSON).",
    )


@transaction.atomic
def create_project(owner: User, name: str, slug: str = "", **fields: Any) -> Project:
    """Create a project with `owner` as its admin and a first rubric, by the operator's hand: whether
    the person may do it is not asked."""
    name = clean_line(name)
    if not name:
        raise Invalid("A project needs a name.")
    if "student" in fields:
        fields["student"] = check_student(fields["student"])
    slug = slug or slugify(name)[:60].strip("-")
    if not slug:
        raise Invalid(f"No address can be made from the name {name!r}: give a slug of a-z and 0-9.")
    # The address of a deleted project stays its own: it may come back.
    if slug == "new" or Project.all_objects.filter(slug=slug).exists():
        raise Conflict(f"The address /projects/{slug}/ is taken: choose another name.")
    project = Project.objects.create(name=name, slug=slug, created_by=owner, **fields)
    Membership.objects.create(project=project, user=owner, role=Role.ADMIN)
    Rubric.objects.create(project=project, version=1, created_by=owner)
    return project


@transaction.atomic
def add_member(project: Project, username: str, role: str) -> Membership:
    """Let a person in, or change their role. A project always keeps an admin."""
    if role not in Role.values:
        raise Invalid(f"{role!r} is no role: choose one of {', '.join(Role.values)}.")
    user = User.objects.filter(username=username.strip(), is_active=True).first()
    if user is None:
        raise Invalid(f"Nobody here signs in as {username!r}. Check the spelling.")
    if role != Role.ADMIN:
        _keep_an_admin(project, user.pk)
    membership, _ = Membership.objects.update_or_create(
        project=project, user=user, defaults={"role": role}
    )
    return membership


def _keep_an_admin(project: Project, leaving_id: int) -> None:
    admins = Membership.objects.select_for_update().filter(project=project, role=Role.ADMIN)
    if set(admins.values_list("user_id", flat=True)) == {leaving_id}:
        raise Conflict("A project needs an admin: make somebody else one first.")


@transaction.atomic
def remove_member(project: Project, user_id: int) -> None:
    """Take a person out. A project always keeps an admin."""
    _keep_an_admin(project, user_id)
    if not Membership.objects.filter(project=project, user_id=user_id).delete()[0]:
        raise Conflict("This person is not (any more) a member of the project.")


def change_rubric(project: Project, user: User, **thresholds: Any) -> Rubric:
    """Put new thresholds in force as a new version; earlier versions and decisions stay as they are."""
    unknown = set(thresholds) - set(Rubric.THRESHOLDS)
    if unknown:
        raise Invalid(f"The rubric has no {', '.join(sorted(unknown))}.")
    current = project.rubric
    if current.version and current.thresholds() == {**current.thresholds(), **thresholds}:
        return current
    rate_limit.spend(rate_limit.NEW_RUBRICS, user.pk)
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
    allowed = {
        *("name", "description", "guidelines", "student"),
        *("max_rationale_tokens", "rule_approves", "use_embeddings"),
        *("is_blind", "is_shuffled", "hides_reference", "control_percent"),
    }
    unknown = set(fields) - allowed
    if unknown:
        raise Invalid(f"These cannot be changed here: {', '.join(sorted(unknown))}.")
    if "name" in fields:
        fields["name"] = clean_line(fields["name"])
        if not fields["name"]:
            raise Invalid("A project needs a name.")
    for name in {"description", "guidelines"} & set(fields):
        fields[name] = clean(fields[name])
    if "student" in fields:
        fields["student"] = check_student(fields["student"])
    Project.objects.filter(pk=project.pk).update(**fields)
