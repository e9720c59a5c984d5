"""What others decided while a person worked on the same rationales: told when their own words come too late,
with the difference, so that they can see whether anything of theirs is missing."""

from collections.abc import Sequence
from typing import Any

from curation.projects.models import Project, User
from curation.reviews.bench.text_diff import differences
from curation.reviews.models import Decision, Outcome, QueueItem, Reason
from curation.reviews.submission.submit import ReviewInput
from curation.reviews.visibility import is_kept_from
from curation.text.clean import clean

BECAME = {
    Outcome.APPROVED: "approved",
    Outcome.REJECTED: "rejected",
    Outcome.SUPERSEDED: "edited and approved",
}


def meanwhile(
    project: Project, user: User, item_id: int, says: Sequence[ReviewInput]
) -> list[dict[str, Any]]:
    """Of each rationale of `says` that somebody else has decided: who, what, when, why, and `pieces`, what
    turns the text as it stands into this person's (kind same, out or in; none where they are equal).

    Empty where a reviewer is not to know yet, since more people are asked.
    """
    item = QueueItem.objects.filter(pk=item_id, project=project).first()
    if item is None:
        return []
    if is_kept_from(item, project, user):
        return []
    of_rationale = {say.rationale_id: say for say in says if not say.is_own}
    decisions = (
        Decision.objects.filter(
            rationale__in=list(of_rationale),
            rationale__question=item.question_id,
            review__isnull=False,
        )
        .exclude(review__reviewer=user)
        .select_related("rationale", "review__reviewer", "review__edited")
        .order_by("rationale")
    )
    return [_told(decision, of_rationale[decision.rationale_id]) for decision in decisions]


def _told(decision: Decision, say: ReviewInput) -> dict[str, Any]:
    review, rationale = decision.review, decision.rationale
    theirs = review.edited.text if review.edited_id else rationale.text
    mine = clean(say.edited_text) or rationale.text
    reasons = [Reason(one).label for one in review.reasons if one != Reason.OTHER]
    return {
        "rationale": rationale.pk,
        "who": review.reviewer.username,
        "what": BECAME[decision.outcome],
        "at": decision.decided_at.isoformat(),
        "why": ", ".join([*reasons, review.comment] if review.comment else reasons),
        "pieces": []
        if mine == theirs
        else [[piece.kind, piece.text] for piece in differences(theirs, mine)],
    }
