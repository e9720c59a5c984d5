"""Claims on several questions at once: which of them live on, and which go to others."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.reviews.claims import ahead, next_item, renew
from curation.reviews.models import Seat

Questions = Callable[..., list[Question]]


def test_renewing_the_question_in_hand_does_not_revive_another_claim_that_ran_out(
    project: Project, reviewer: User, admin_user: User, questions: list[Question]
) -> None:
    now = next_item(project, reviewer)
    coming = ahead(project, reviewer, now.item_id)
    Seat.objects.filter(pk=coming.pk).update(held_until=timezone.now() - timedelta(seconds=1))
    renew(now.item_id, reviewer)
    assert next_item(project, admin_user).item == coming.item
