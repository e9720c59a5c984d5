"""Take back one's own last decision or skip."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from curation.errors import Conflict
from curation.projects.models import Project, User
from curation.reviews.decisions.revert import take_back
from curation.reviews.models import Decision, QueueItem, QueueStatus, Review, Seat, Skip
from curation.reviews.queue.claims import claim, one_at_a_time
from curation.reviews.queue.items import seat_again


def undo(project: Project, user: User) -> Seat:
    """Take back what the person did last, a decision or a skip, and give them that question again.

    The reviews stay in the history, marked as withdrawn. Raises Conflict when there is nothing to
    take back, an admin has decided on it since, or others hold all seats of the question by now.
    """
    with transaction.atomic():
        one_at_a_time(project, user)
        standing = Review.objects.standing().filter(
            project=project,
            reviewer=user,
            is_adjudication=False,
            rationale__project__isnull=False,  # those of deleted rationales come back with them
        )
        last = standing.order_by("-id").select_related("rationale").first()
        skipped = (
            Skip.objects.filter(item__project=project, user=user)
            .select_related("item")
            .order_by("-id")
            .first()
        )
        if last is None and skipped is None:
            raise Conflict("There is nothing to undo.")
        of_skip = last is None or (skipped is not None and skipped.created_at > last.created_at)
        question_id = skipped.item.question_id if of_skip else last.rationale.question_id
        item = (
            QueueItem.objects.select_for_update(of=("self",), no_key=True)
            .select_related("question")
            .get(question_id=question_id)
        )
        item.project = project
        if of_skip:
            Skip.objects.filter(item=item, user=user).delete()
        else:
            _withdraw(user, item, standing.filter(rationale__question_id=question_id))
        return claim(project, user, item.question)


def _withdraw(user: User, item: QueueItem, mine: QuerySet[Review]) -> None:
    seat = item.seats.filter(holder=user, done_at__isnull=False).first()
    if seat is None or (seat.number is None) != (item.status == QueueStatus.CONTROL):
        raise Conflict(
            "This question has come back with new rationales since, or has become a control question, or "
            "is none any more: that decision cannot be taken back here."
        )
    if seat.taken_at:  # what they said when the question was here before stays
        mine = mine.filter(created_at__gte=seat.taken_at)
    reviewed = list(mine.values_list("rationale", "edited"))
    rationales = {pk for pair in reviewed for pk in pair if pk is not None}
    followed = Decision.objects.filter(rationale__in=rationales, review__isnull=False)
    if followed.filter(review__is_adjudication=True).exists():
        raise Conflict("An admin has decided on your review by now: ask them to take that back.")
    mine.update(withdrawn_at=timezone.now())
    Seat.objects.filter(pk=seat.pk).update(done_at=None, held_until=timezone.now())
    if seat.number is not None:
        take_back(item.project, followed)
        QueueItem.objects.filter(pk=item.pk).update(status=QueueStatus.WAITING, done_at=None)
        seat_again(item)
