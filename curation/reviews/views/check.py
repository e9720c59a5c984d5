"""What the scorers say of a text while a person writes it, at the bench and where an admin decides."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from curation import celery_app
from curation.errors import Invalid
from curation.projects.access import project_view
from curation.rationales.models import Score, TextCheck
from curation.rationales.scoring import text_checks
from curation.reviews.bench.rationales import grade_of
from curation.reviews.models import QueueItem
from curation.reviews.submission.payload import body_of, json_view, number_of


@require_POST
@project_view
@json_view
def review_check(request: HttpRequest) -> dict[str, Any]:
    """Body: {"item": n, "text"} asks, {"check": n} looks whether a worker has answered.

    The answer names the check; while it `waits`, `listens` says whether any worker could answer.
    """
    body = body_of(request)
    if "check" in body:
        mine = TextCheck.objects.filter(project=request.project, user=request.user)
        check = get_object_or_404(mine.select_related("question"), pk=number_of(body, "check"))
    else:
        item = get_object_or_404(
            QueueItem.objects.select_related("question"),
            project=request.project,
            pk=number_of(body, "item"),
        )
        text = body.get("text")
        if not isinstance(text, str):
            raise Invalid("The text must be a text.")
        check = text_checks.order_check(request.project, request.user, item.question, text)
    waits = text_checks.is_waited_for(check)
    return {
        "check": check.pk,
        "waits": waits,
        "listens": not waits or bool((celery_app.listeners() or {}).get(celery_app.CPU)),
        "error": check.error,
        "told": told_of(check) if check.score else None,
    }


def told_of(check: TextCheck) -> dict[str, Any]:
    """The score in the words of the bench: grade, answer, sums, and the flags with their steps."""
    found = check.score
    score = Score(answer=found["answer"], verdict=found["verdict"], unread=found["unread"] or "")
    grade, words, why = grade_of(check.question, score, found)
    checked = found["equations_checked"]
    return {
        "grade": grade,
        "words": words,
        "why": why,
        "answer": found["answer"],
        "sums": [checked - found["equations_failed"], checked],
        # Of a wrong answer it would only say once more that it is wrong.
        "validity": None if grade == "wrong" else found["validity"],
        "structure": found["structure"],
        "flags": [
            {"step": number, **flag}
            for number, step in enumerate(found["steps"], 1)
            for flag in step["flags"]
        ]
        + [{"step": None, **flag} for flag in found["flags"]],
    }
