"""A deleted project is gone for everybody; those who led it can bring it back."""

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from curation.db.quotas import lock
from curation.errors import Conflict
from curation.jobs import ACTIVE, Job, Status, stopped
from curation.projects.access import may_administer
from curation.projects.models import Membership, Project, Role, User
from curation.projects.services import refuse_too_many

STOPPED = "The project was deleted."


def delete_project(project: Project, user: User) -> None:
    """Take a project out of everybody's sight, and stop its work. Its members are set aside with it;
    nothing else of it is touched. Raises Conflict where somebody else was first."""
    if not may_administer(user, project.pk):
        raise PermissionDenied("Only an admin of this project may do this.")
    with transaction.atomic():
        standing = Project.objects.filter(pk=project.pk)
        if not standing.update(deleted_at=timezone.now(), deleted_by=user):
            raise Conflict("This project was deleted already.")
        Membership.objects.filter(project=project).update(project=None, aside=project)
        _stop_work(project)


def _stop_work(project: Project) -> None:
    """Of every stage, whichever there are: each kind of work knows its project, and its worker asks
    again and again whether it is still to be done."""
    for model in apps.get_models():
        if issubclass(model, Job):
            model.objects.filter(project=project, status__in=(*ACTIVE, Status.PAUSED)).update(
                status=Status.CANCELLED, error=STOPPED, finished_at=timezone.now(), **stopped()
            )


def deleted_projects(user: User) -> QuerySet[Project]:
    """The deleted projects that this person led, the last deleted first."""
    led = Membership.all_objects.filter(user=user, role=Role.ADMIN, aside__isnull=False)
    rows = Project.all_objects.filter(pk__in=led.values("aside"))
    return rows.select_related("deleted_by").order_by("-deleted_at", "-id")


def restore_project(user: User, slug: str) -> Project:
    """Bring a project back with its members; work that its deletion stopped can be resumed by hand.

    Raises Project.DoesNotExist for one that is not deleted or that this person did not lead, Conflict
    where its creator has too many without it.
    """
    with transaction.atomic():
        project = deleted_projects(user).get(slug=slug)
        if project.created_by:  # else one could have any number, by deleting them in between
            lock(project.created_by)
            refuse_too_many(project.created_by)
        back = Project.all_objects.filter(pk=project.pk, deleted_at__isnull=False)
        if not back.update(deleted_at=None, deleted_by=None):
            raise Conflict("Somebody else restored this project just now.")
        Membership.all_objects.filter(aside=project).update(project=F("aside"), aside=None)
    return Project.objects.get(pk=project.pk)
