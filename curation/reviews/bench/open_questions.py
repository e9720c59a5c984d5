"""How many questions are open: one count for the bench, home, the dashboard, progress and the API."""

from collections.abc import Sequence

from django.db import connection

from curation.db.adaptive_cache import remembered
from curation.db.prepared_queries import run_sql
from curation.reviews.models import QueueItem, QueueStatus

# Up to so many are counted each time: a millisecond by their index. More would cost the bench, which
# asks at every question, more than all the rest (a million: a quarter of a second of all cores).
EXACT = 10_000
TIMES = 50  # so a long count takes 2% of the database's time at most

ONE = """
    SELECT COUNT(*) FROM (SELECT 1 FROM reviews_queueitem
    WHERE project_id = %(project)s AND status = 'waiting' LIMIT %(most)s) AS found
"""
MANY = """
    SELECT project_id, COUNT(*) FROM (SELECT project_id FROM reviews_queueitem
    WHERE status = 'waiting' AND project_id IN ({keys}) LIMIT %s) AS found GROUP BY project_id
"""


def open_questions(project_id: int) -> int:
    """How many questions of the project are open: in the queue, with a review of them still to be made.

    It falls when a question's last review is made, when it is decided by rule, by many at once or by
    its deletion, and when it becomes a control or goes to an admin; it rises when one comes back. Who
    holds a question, skipped it or has it set aside changes nothing: somebody still reviews it. What of
    that one person may get is another figure, see `curation.dashboard.home`.

    Exact up to EXACT. Of more every page shows the same count, which may be some seconds old.
    """
    (found,) = run_sql(ONE, project=project_id, most=EXACT + 1)
    if found <= EXACT:
        return found
    return remembered(
        f"open:{project_id}",
        lambda: QueueItem.objects.filter(project=project_id, status=QueueStatus.WAITING).count(),
        seconds=0,
        times=TIMES,
    )


def open_in(project_ids: Sequence[int]) -> dict[int, int]:
    """`open_questions` of several projects, in one query unless they are large."""
    if not project_ids:
        return {}
    keys = ", ".join(["%s"] * len(project_ids))
    with connection.cursor() as cursor:
        cursor.execute(MANY.format(keys=keys), [*project_ids, EXACT + 1])
        found = dict(cursor.fetchall())
    if sum(found.values()) > EXACT:
        return {pk: open_questions(pk) for pk in project_ids}
    return {pk: found.get(pk, 0) for pk in project_ids}
