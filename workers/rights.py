"""A queued job asks again whether its owner still may: rights can be lost while it waits."""

from curation.projects.access import may_administer
from curation.work import ACTIVE, Status, Work


def refuse_without_rights(model: type[Work], pk: int) -> bool:
    """True (and the work failed, with the reason) when its owner is no admin of the project now.

    Work without an owner was ordered by a command on this machine, and is not asked about.
    """
    work = model.objects.select_related("created_by").filter(pk=pk).first()
    if work is None or work.status not in ACTIVE:
        return work is None
    if work.created_by_id is None or may_administer(work.created_by, work.project_id):
        return False
    model.objects.filter(pk=pk, status__in=ACTIVE).update(
        status=Status.FAILED,
        error=f"{work.created_by} may no longer order this: only an admin of the project can.",
    )
    return True
