"""How tests review by the services, and what they look at afterwards."""

from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.models import QueueItem, Seat
from curation.reviews.queue.claims import claim
from curation.reviews.submission.submit import ReviewInput, submit


def review(project: Project, user: User, question: Question, *verdicts: str) -> Seat:
    """`user` says one verdict of each rationale of the question, best scored first; "-" says nothing."""
    seat = claim(project, user, question)
    says = []
    for rationale, verdict in zip(to_review(seat.item), verdicts, strict=False):
        if verdict == "edit":
            says.append(ReviewInput(rationale.pk, "edit", edited_text=f"{user} says 3.\nAnswer: 3"))
        elif verdict != "-":
            why = ["unclear"] if verdict == "reject" else []
            says.append(ReviewInput(rationale.pk, verdict, why))
    submit(project, user, seat.item_id, says)
    return seat


def outcomes(question: Question) -> list[str | None]:
    """What is decided of the teachers' rationales, in the order of `review`."""
    rationales = Rationale.objects.filter(question=question, source="teacher")
    found = {c.pk: getattr(c, "decision", None) for c in rationales.select_related("decision")}
    order = [c.pk for c in to_review(question.queue_item) if c.pk in found]
    return [found[pk] and found[pk].outcome for pk in order]


def status(question: Question) -> str:
    return QueueItem.objects.get(question=question).status
