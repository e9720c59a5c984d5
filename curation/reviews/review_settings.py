"""Reads and writes behind the review settings: controls, and what is set aside for whom."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from curation.errors import Conflict
from curation.projects.models import Membership, Project, User
from curation.projects.services import change_settings
from curation.questions.models import Question, Split
from curation.questions.selectors import questions
from curation.reviews.bulk.orders import order_overlap
from curation.reviews.models import BulkAction, Control, QuestionFlag, Seat


def change_review_settings(
    project: Project, user: User, overlap: int, **fields: Any
) -> BulkAction | None:
    """Put the settings in force; a new overlap holds for the questions that wait, too: see
    `order_overlap` for what is returned."""
    change_settings(project, **fields)
    return order_overlap(project, user, overlap)


def slice_of(project: Project, cleaned: dict[str, Any]) -> QuerySet[Question]:
    """The training questions that a form's filters keep; no others are reviewed."""
    filters = {name: cleaned[name] for name in ("domain", "q") if cleaned[name]}
    kept = questions(project, {**filters, "split": Split.TRAIN})
    return narrowed(kept, cleaned["difficulty"], cleaned["flagged"]).order_by()


def narrowed(kept: QuerySet[Question], difficulty: str, flagged: bool) -> QuerySet[Question]:
    """Those of them of a difficulty ("": of any), and, if `flagged`, with a flag that waits."""
    if difficulty:
        kept = kept.filter(difficulty=difficulty)
    if flagged:
        flags = QuestionFlag.objects.open().filter(question=OuterRef("pk"))
        kept = kept.filter(Exists(flags))
    return kept


@dataclass
class Share:
    """What is set aside for one person: still open, and done by now."""

    user: User
    open: int
    done: int
    is_member: bool


def shares(project: Project) -> list[Share]:
    """Three queries, however many people there are."""
    rows = (
        Seat.objects.filter(project=project, assigned_to__isnull=False)
        .order_by()
        .values("assigned_to")
        .annotate(
            open=Count("pk", filter=Q(done_at__isnull=True)),
            done=Count("pk", filter=Q(done_at__isnull=False)),
        )
    )
    counted = {row["assigned_to"]: row for row in rows}
    people = User.objects.in_bulk(counted)
    members = set(Membership.objects.filter(project=project).values_list("user", flat=True))
    return [
        Share(person, counted[pk]["open"], counted[pk]["done"], pk in members)
        for pk, person in sorted(people.items(), key=lambda one: one[1].username.casefold())
    ]


def assigned_people(project: Project) -> QuerySet[User]:
    seats = Seat.objects.filter(project=project, done_at__isnull=True, assigned_to__isnull=False)
    return User.objects.filter(pk__in=seats.values("assigned_to"))


def controls_of(project: Project) -> QuerySet[Control]:
    """The control questions with how many people have met each, as `met`."""
    met = Q(item__seats__number__isnull=True, item__seats__done_at__isnull=False)
    return (
        Control.objects.filter(project=project)
        .select_related("item__question", "created_by")
        .annotate(met=Count("item__seats", filter=met))
    )


def question_numbered(project: Project, number: int) -> Question:
    """Raises Conflict for a number that no question of the project has."""
    found = Question.objects.filter(project=project, pk=number).first()
    if found is None:
        raise Conflict(f"This project has no question {number}.")
    return found
