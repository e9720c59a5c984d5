"""The files of imports: stored beside the rows, bounded for each person, removed some days after."""

import uuid
from contextlib import suppress
from datetime import timedelta
from typing import IO

from django.conf import settings
from django.db.models import Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from curation import artifacts
from curation.errors import Conflict, Invalid
from curation.jobs import TERMINAL, Status, move
from curation.projects.models import User
from curation.questions.models import QuestionImport

REMOVED_AT_ONCE = 100


def refuse_beyond_share(user: User | None, size: int) -> None:
    """Raises Invalid where `size` more bytes are more than the person may have stored. What counts is
    the call under the lock of the person's row; one before the upload saves its way."""
    if user is None:  # the operator, by a command
        return
    kept = QuestionImport.objects.filter(created_by=user).exclude(artifact="")
    stored = kept.aggregate(n=Sum("size"))["n"] or 0
    most = settings.UPLOAD_BYTES_PER_PERSON
    if stored + size > most:
        raise Invalid(
            f"Your import files take {filesizeformat(stored)} of the {filesizeformat(most)} that one "
            f"person may have stored, so this one ({filesizeformat(size)}) does not fit. Files are removed "
            f"{settings.IMPORT_FILE_DAYS} days after their import has ended; or ask the operator "
            "(UPLOAD_BYTES_PER_PERSON)."
        )


def store(file: IO[bytes], file_name: str) -> tuple[str, int]:
    """Store an upload; returns its place and its bytes. Outside of any transaction: a large file would
    keep SQLite's one write lock from everybody for as long as it is copied. Raises Invalid for an empty
    or a huge one."""
    place, size = f"imports/{uuid.uuid4().hex}", 0
    with artifacts.writing(place) as target:
        while chunk := file.read(1024 * 1024):
            size += len(chunk)
            if size > settings.IMPORT_MAX_BYTES:
                limit = settings.IMPORT_MAX_BYTES // 1024**2
                raise Invalid(f"The file is larger than {limit:,} MB: split it into parts.")
            target.write(chunk)
        if size == 0:
            raise Invalid(f"{file_name} is empty: nothing to import.")
    return place, size


def remove_old_files() -> int:
    """Remove the files of imports that ended IMPORT_FILE_DAYS ago; their rows stay. Returns how many."""
    before = timezone.now() - timedelta(days=settings.IMPORT_FILE_DAYS)
    drafts = QuestionImport.objects.filter(status=Status.PAUSED, created_at__lt=before)
    for pk in drafts.exclude(artifact="").values_list("pk", flat=True)[:REMOVED_AT_ONCE]:
        with suppress(Conflict):  # somebody stored it at this moment
            move(QuestionImport, pk, (Status.PAUSED,), Status.CANCELLED, finished_at=before)
    ended = QuestionImport.objects.filter(status__in=TERMINAL, finished_at__lte=before)
    rows = list(ended.exclude(artifact="").values_list("pk", "artifact")[:REMOVED_AT_ONCE])
    for pk, artifact in rows:
        artifacts.remove(artifact)
        QuestionImport.objects.filter(pk=pk, artifact=artifact).update(artifact="")
    return len(rows)
