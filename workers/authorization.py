"""A queued job asks again whether its owner still may: rights can be lost while it waits."""

from django.utils import timezone

from curation.jobs import ACTIVE, Job, Status, stopped
from curation.projects.access import OWNER_GONE, refusal


def refuse_without_rights(model: type[Job], pk: int) -> bool:
    """True (and the work failed, with the reason) when its owner is no admin of the project now, or
    their account is gone.

    Work that a command on this machine ordered (`by_operator`) has no owner, and is not asked about.
    """
    work = model.objects.select_related("created_by").filter(pk=pk).first()
    if work is None or work.status not in ACTIVE:
        return work is None
    return _failed(work, refusal(work.created_by, work.project_id, by_operator=work.by_operator))


def refuse_nobodys(model: type[Job], pk: int) -> bool:
    """The same for work that any member may order: true when the account that ordered it is gone."""
    work = model.objects.filter(pk=pk).first()
    if work is None or work.status not in ACTIVE:
        return work is None
    return _failed(work, "" if work.created_by_id or work.by_operator else OWNER_GONE)


def _failed(work: Job, why: str) -> bool:
    if not why:
        return False
    type(work).objects.filter(pk=work.pk, status__in=ACTIVE).update(
        status=Status.FAILED, error=why, finished_at=timezone.now(), **stopped()
    )
    return True
