"""Whether a frozen dataset is still what it was: its lines made again from the rows, their hash compared.

A large dataset takes a worker minutes. Its worker may die: the next one begins anew.
"""

import hashlib

from django.db import IntegrityError, transaction

from curation import celery_app
from curation.datasets import formats
from curation.datasets.models import DatasetCheck, DatasetVersion
from curation.errors import Conflict
from curation.jobs import ACTIVE, Status, begin, ending, finish, ordered_by, still_mine
from curation.projects.models import User

# So many examples are looked at before the answer to the click; more are a worker's.
INLINE = 1000
LINES_AT_ONCE = 500  # between two signs of life
KEPT = 20


def order_check(version: DatasetVersion, user: User | None) -> DatasetCheck:
    """Have the dataset checked; the check that is under way, where one is. Raises Conflict for a dataset
    that is not frozen."""
    if version.status != Status.DONE:
        told = f"Dataset {version.number} is {version.status}: there is nothing to verify yet."
        raise Conflict(told)
    try:
        with transaction.atomic():
            made = DatasetCheck.objects.create(
                project=version.project, version=version, **ordered_by(user)
            )
            if version.example_count > INLINE:
                celery_app.send(celery_app.CHECK_DATASET, made.pk)
    except IntegrityError:  # of a double click, or somebody else's
        return version.checks.filter(status__in=ACTIVE).first() or order_check(version, user)
    if version.example_count <= INLINE:
        run_check(made.pk)
        made.refresh_from_db()
    return made


def last_check(version: DatasetVersion) -> DatasetCheck | None:
    return version.checks.select_related("created_by").last()


def run_check(check_id: int) -> None:
    """Make the lines again and compare. Does nothing where another worker has it."""
    check = begin(DatasetCheck, check_id)
    if check is None:
        return
    with ending(check):
        digest, done = hashlib.sha256(), 0
        # A hash cannot go on from the middle: what an earlier worker had made is made again.
        if not still_mine(check, done=0):
            return
        for done, line in enumerate(formats.jsonl_lines(check.version), 1):
            digest.update(line)
            if done % LINES_AT_ONCE == 0 and not still_mine(check, done=done):
                return
        same = digest.hexdigest() == check.version.sha256
        if finish(check, Status.DONE, same=same, done=done):
            checks = check.version.checks.order_by("-id")
            older = list(checks.values_list("pk", flat=True)[KEPT : 2 * KEPT])
            DatasetCheck.objects.filter(pk__in=older).delete()
