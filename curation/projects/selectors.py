"""Reads about projects, members and rubrics."""

from django.db.models import QuerySet

from curation.projects.models import Membership, Project, Rubric, User

SHOWN_RUBRICS = 20


def memberships_of(user: User) -> QuerySet[Membership]:
    """The person's projects, by name."""
    return (
        Membership.objects.filter(user=user)
        .select_related("project")
        .only("role", "project__slug", "project__name", "project__is_demo", "project__description")
        .order_by("project__name", "project_id")
    )


def members_of(project: Project) -> QuerySet[Membership]:
    """Who belongs to the project: admins first, then by name."""
    return (
        Membership.objects.filter(project=project)
        .select_related("user")
        .order_by("role", "user__username")
    )


def rubric_history(project: Project) -> list[Rubric]:
    """The rubric's versions, the newest first."""
    return list(
        Rubric.objects.for_project(project)
        .select_related("created_by")
        .order_by("-version")[:SHOWN_RUBRICS]
    )
