"""A project in which people do anything at any time, and what must hold whatever they did."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from curation.errors import ServiceError
from curation.projects.models import Project, User
from curation.projects.services import add_member, remove_member
from curation.questions.models import Question
from curation.rationales.models import Group, Rationale, Source, text_hash
from curation.rationales.scoring.scores import mark_stale, store_scores
from curation.reviews.adjudication import adjudicate
from curation.reviews.bench import open_rationales
from curation.reviews.bulk import orders
from curation.reviews.models import (
    BulkAction,
    Decision,
    DecisionLog,
    QueueItem,
    QueueStatus,
    Review,
    Seat,
    Verdict,
)
from curation.reviews.queue import assignments, claims, controls, items
from curation.reviews.submission import submit
from curation.reviews.submission import undo as undo_module
from curation.reviews.submission.submit import ReviewInput

TOO_LATE = (ServiceError, PermissionDenied)  # what a person is told; anything else is a fault


class World:
    """`people` review, and the first two are admins. Each action takes the place of a press of a key or
    a button; `act` does one."""

    def __init__(self, project: Project, people: list[User]) -> None:
        self.project, self.people = project, people
        self.done: dict[str, int] = {}

    def act(self, name: str, user: User, draw: Random) -> bool:
        """Whether it could be done."""
        project = Project.objects.get(pk=self.project.pk)
        try:
            ACTIONS[name](project, user, draw)
        except TOO_LATE:
            return False
        self.done[name] = self.done.get(name, 0) + 1
        return True


def _says(seat: Seat, draw: Random) -> list[ReviewInput]:
    said = set(
        Review.objects.filter(
            rationale__question=seat.item.question_id, reviewer=seat.holder, withdrawn_at=None
        ).values_list("rationale", flat=True)
    )
    says = []
    for rationale in open_rationales.to_review(seat.item):
        if rationale.pk in said:
            continue
        if rationale.source == Source.PERSON or (
            hasattr(rationale, "decision") and rationale.decision.review_id
        ):
            continue
        verdict = draw.choice(["approve"] * 5 + ["reject"] * 3 + ["edit", "-"])
        if verdict == "edit":
            text = f"Otherwise {draw.randrange(10**6)}.\nAnswer: 3"
            says.append(ReviewInput(rationale.pk, "edit", edited_text=text))
        elif verdict != "-":
            why = ["unclear"] if verdict == "reject" else []
            says.append(ReviewInput(rationale.pk, verdict, why, step_labels={"1": 1}))
    if draw.random() < 0.1:
        says.append(ReviewInput(None, "approve", edited_text=f"My own {draw.random()}.\nAnswer: 3"))
    draw.shuffle(says)
    return says


def work(project: Project, user: User, draw: Random) -> None:
    seat = claims.next_item(project, user)
    if seat is not None:
        submit.submit(project, user, seat.item_id, _says(seat, draw), 3.0)


def work_with_the_next_in_hand(project: Project, user: User, draw: Random) -> None:
    seat = claims.next_item(project, user)
    if seat is not None:
        claims.ahead(project, user, seat.item_id)
        submit.submit(project, user, seat.item_id, _says(seat, draw))
        claims.renew(seat.item_id, user)


def draw_only(project: Project, user: User, draw: Random) -> None:
    claims.next_item(project, user)


def any_question(project: Project, draw: Random) -> Question:
    return draw.choice(list(Question.objects.filter(project=project).order_by("pk")))


def take_one(project: Project, user: User, draw: Random) -> None:
    seat = claims.claim(project, user, any_question(project, draw))
    if draw.random() < 0.7:
        submit.submit(project, user, seat.item_id, _says(seat, draw))


def skip(project: Project, user: User, draw: Random) -> None:
    if seat := claims.held_by(project, user):
        claims.skip(seat.item_id, user, "hard")


def leave(project: Project, user: User, draw: Random) -> None:
    claims.release(project, user)


def undo(project: Project, user: User, draw: Random) -> None:
    undo_module.undo(project, user)


def decide_dispute(project: Project, user: User, draw: Random) -> None:
    waiting = QueueItem.objects.filter(project=project, status=QueueStatus.ADJUDICATE)
    item = draw.choice(list(waiting) or [None])
    if item is None:
        return
    open_ones = Rationale.objects.filter(question=item.question_id).exclude(
        decision__review__isnull=False
    )
    says = [
        ReviewInput(rationale.pk, verdict, ["unclear"] if verdict == "reject" else [])
        for rationale in open_ones
        if (verdict := draw.choice(["approve", "reject", "-"])) != "-"
    ]
    adjudicate.adjudicate(project, user, item.pk, says)


def undo_dispute(project: Project, user: User, draw: Random) -> None:
    item = any_question(project, draw).queue_item
    adjudicate.undo_adjudication(project, user, item.pk)


def overlap(project: Project, user: User, draw: Random) -> None:
    if project.memberships.filter(user=user, role="admin").exists():
        orders.order_overlap(project, user, draw.choice([1, 1, 2, 2, 3]))


def rule(project: Project, user: User, draw: Random) -> None:
    orders.order_rule(project, user)


def control(project: Project, user: User, draw: Random) -> None:
    controls.make_control(project, user, any_question(project, draw))


def no_control(project: Project, user: User, draw: Random) -> None:
    controls.drop_control(project, any_question(project, draw))


def many(project: Project, user: User, draw: Random) -> None:
    kind = draw.choice(["approve", "reject", "clear", "assign", "rescore"])
    filters = draw.choice([{}, {"answer": "right"}, {"answer": "wrong"}])
    until = orders.preview(project, kind, filters).until
    why = ["unclear"] if kind == "reject" else []
    orders.order_bulk(project, user, kind, filters, until=until, reasons=why, person=user)


def undo_many(project: Project, user: User, draw: Random) -> None:
    last = BulkAction.objects.filter(project=project, undone_at=None).order_by("-pk").first()
    if last is not None:
        orders.order_undo(last, user)


def set_aside(project: Project, user: User, draw: Random) -> None:
    assignments.assign(
        project, user, Question.objects.filter(project=project), draw.randrange(1, 4)
    )


def give_back(project: Project, user: User, draw: Random) -> None:
    assignments.unassign(project, user)


def scored(project: Project, user: User, draw: Random) -> None:
    """What a worker does after scoring, here of all questions."""
    items.enqueue(project, Question.objects.filter(project=project).values_list("pk", flat=True))


def new_rationale(project: Project, user: User, draw: Random) -> None:
    """A teacher wrote one more, and it was scored."""
    question = any_question(project, draw)
    right = draw.random() < 0.5
    text = f"So {draw.randrange(10**9)}."
    with transaction.atomic():
        made = Rationale.objects.create(
            project=project,
            question=question,
            source=Source.TEACHER,
            teacher=project.teachers.first(),
            text=text,
            text_hash=text_hash(text),
            temperature=0.5,
            sample=0,
        )
        mark_stale(project, [question.pk])
    group = Group.objects.get(question=question)
    score = dict.fromkeys(
        ("conciseness", "structure", "similarity", "consistency", "validity", "redundancy"), 0.7
    ) | {
        "answer": "3",
        "verdict": "right" if right else "wrong",
        "overall": 0.6,
        "steps": [],
        "flags": [],
    }
    store_scores([group], {made.pk: score}, "test")
    items.enqueue(project, [question.pk])


def front(project: Project, user: User, draw: Random) -> None:
    items.pull_forward(project, ["shop"], "fails")


def time_passes(project: Project, user: User, draw: Random) -> None:
    held = Seat.objects.filter(project=project, holder=user, done_at=None)
    held.update(held_until=timezone.now() - timedelta(minutes=1))


def comes_and_goes(project: Project, user: User, draw: Random) -> None:
    if project.memberships.filter(user=user, role="reviewer").exists():
        remove_member(project, user.pk)
        assignments.unassign_those_who_left()
        add_member(project, user.username, "reviewer")


def flag(project: Project, user: User, draw: Random) -> None:
    question = any_question(project, draw)
    made = adjudicate.flag_question(project, user, question, "ambiguous", "why")
    if draw.random() < 0.5:
        adjudicate.withdraw_flag(project, user, made.pk)


ACTIONS: dict[str, Callable[[Project, User, Random], Any]] = {
    one.__name__: one
    for one in (
        *(work, work_with_the_next_in_hand, draw_only, take_one, skip, leave, undo),
        *(decide_dispute, undo_dispute, overlap, rule, control, no_control, many, undo_many),
        *(set_aside, give_back, scored, new_rationale, front, time_passes, comes_and_goes, flag),
    )
}
OFTEN = ("work", "work", "work", "work_with_the_next_in_hand", "take_one", "undo", "decide_dispute")


def must_hold(project: Project) -> None:
    """Raises AssertionError for a state in which no project may be."""
    project.refresh_from_db()
    rows = QueueItem.objects.filter(project=project).select_related("project", "control")
    for item in rows.prefetch_related("seats"):
        _item_must_hold(item)
    _decisions_must_hold(project)
    _log_must_hold(project)


def _item_must_hold(item: QueueItem) -> None:
    seats = list(item.seats.all())
    numbered = [seat for seat in seats if seat.number is not None]
    open_seats = [seat for seat in numbered if seat.done_at is None]
    about = (item.status, [(s.number, s.holder_id, s.done_at) for s in seats])
    if item.status == QueueStatus.WAITING:
        assert open_seats, ("nobody can ever finish this question", about)
        beyond = [s for s in open_seats if s.number > item.project.overlap and s.holder_id is None]
        assert not beyond, ("a free seat above the overlap", about)
    else:
        assert not open_seats, ("a seat is open at a question that does not wait", about)
    assert all(seat.holder_id for seat in seats if seat.done_at), about
    is_control = item.status == QueueStatus.CONTROL
    assert is_control == hasattr(item, "control"), about
    if item.status == QueueStatus.ADJUDICATE:
        left = Review.objects.filter(
            rationale__question=item.question_id, withdrawn_at=None, is_control=False
        )
        assert left.exclude(rationale__decision__review__isnull=False).exists(), about


def _decisions_must_hold(project: Project) -> None:
    rows = Decision.objects.filter(project=project).select_related("review", "rationale")
    for one in rows:
        review = one.review
        if review is None:
            assert one.rationale.source != Source.PERSON or one.bulk_id, one
            continue
        about = (one.pk, one.outcome, review.pk, review.verdict, review.withdrawn_at)
        assert review.withdrawn_at is None and not review.is_control, about
        if review.rationale_id == one.pk:
            wanted = {"approve": "approved", "reject": "rejected", "edit": "superseded"}
            assert one.outcome == wanted[review.verdict], about
        elif review.edited_id == one.pk:
            assert one.outcome == "approved", about
        else:  # the family of a rationale that an admin decided
            assert review.is_adjudication and one.outcome in ("rejected", "superseded"), about
    edits = Review.objects.filter(
        project=project, verdict=Verdict.EDIT, withdrawn_at=None, is_control=False
    )
    for review in edits.filter(decisions__isnull=False).distinct():
        assert review.edited.decision.outcome, (review.pk, "its edit has no decision")


def _log_must_hold(project: Project) -> None:
    standing = {
        one.pk: (one.outcome, one.review_id, one.rule_id, one.bulk_id)
        for one in Decision.objects.filter(project=project)
    }
    was: dict[int, str] = {}
    last: dict[int, tuple] = {}
    for row in DecisionLog.objects.filter(project=project).order_by("id"):
        assert was.get(row.rationale_id, "") == row.was, ("a decision is missing in the log", row)
        was[row.rationale_id] = row.outcome
        last[row.rationale_id] = (row.outcome, row.review_id, row.rule_id, row.bulk_id)
    assert {pk: told for pk, told in last.items() if told[0]} == standing


def finish(project: Project, people: list[User], draw: Random) -> None:
    """Everybody works until nothing is left; raises AssertionError where that does not end."""
    for user in people:
        claims.release(project, user)
    assignments.unassign(project, people[0])
    for user in people[1:]:
        assignments.unassign(project, user)
    for _ in range(400):
        project.refresh_from_db()
        before = Review.objects.count()
        for user in people:
            if seat := claims.next_item(project, user):
                says = _says(seat, draw)
                submit.submit(project, user, seat.item_id, says or [_own(draw)])
        if Review.objects.count() == before:
            break
    for user in people:
        assert claims.others_hold(project, user) is None
    must_hold(project)


def _own(draw: Random) -> ReviewInput:
    return ReviewInput(
        None, "approve", edited_text=f"Nothing else is open {draw.random()}.\nAnswer: 3"
    )
