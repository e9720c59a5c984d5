"""A text is scored while somebody writes it: ordered here, answered by a worker; see
workers/scoring/checking. Nothing of it becomes a rationale.

The rows are short-lived: a newer text of the same person takes an older one's place, and what is
answered is kept for some minutes.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from curation import celery_app
from curation.errors import Invalid
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import TextCheck
from curation.text.clean import clean
from curation.web import rate_limit

KEPT = timedelta(minutes=10)
# A page waits no longer: by then the text has changed, or nobody listens.
PATIENCE = timedelta(seconds=30)
MOST_CHARACTERS = 30_000


def order_check(project: Project, user: User, question: Question, text: str) -> TextCheck:
    """Ask a worker what the scorers say of `text` as a rationale for this question. Raises Invalid for an
    empty or too long text, TooMany beyond so many a minute."""
    text = clean(text)
    if not text:
        raise Invalid("There is no text to check yet.")
    if len(text) > MOST_CHARACTERS:
        raise Invalid(f"A text of more than {MOST_CHARACTERS:,} characters is not checked here.")
    rate_limit.spend(rate_limit.CHECKS, user.pk)
    mine = TextCheck.objects.filter(project=project, user=user)
    with transaction.atomic():
        mine.filter(created_at__lt=timezone.now() - KEPT).delete()
        mine.filter(question=question, answered_at=None).delete()
        check = TextCheck.objects.create(project=project, user=user, question=question, text=text)
        celery_app.send(celery_app.CHECK_TEXT, check.pk)
    return check


def is_waited_for(check: TextCheck) -> bool:
    return check.answered_at is None and check.created_at > timezone.now() - PATIENCE


def waiting_checks(pk: int | None = None) -> Iterable[TextCheck]:
    """Those that somebody still waits for, the oldest first; of one id alone where it is given."""
    rows = TextCheck.objects.filter(answered_at=None, created_at__gt=timezone.now() - PATIENCE)
    if pk is not None:
        rows = rows.filter(pk=pk)
    return rows.select_related("question", "project").order_by("created_at")


def answer(check: TextCheck, score: dict[str, Any] | None, error: str = "") -> None:
    """Write what the worker found, or why it found nothing."""
    TextCheck.objects.filter(pk=check.pk, answered_at=None).update(
        score=score, error=error[:300], answered_at=timezone.now()
    )
