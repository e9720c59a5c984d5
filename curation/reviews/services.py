"""What people say about rationales, and how it is taken back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from curation.errors import Conflict, Invalid
from curation.prepared import Given, Prepared, PreparedInsert, PreparedUpdate
from curation.projects.models import Project, Rubric, User
from curation.questions.models import Split
from curation.quotas import refuse_beyond
from curation.rationales.models import Rationale, Source, passes, text_hash
from curation.rationales.scoring import mark_stale, order_scoring
from curation.reviews.chains import all_steps
from curation.reviews.claims import claim, next_for, one_at_a_time
from curation.reviews.models import (
    Decision,
    Outcome,
    QueueItem,
    QueueStatus,
    Reason,
    Review,
    Seat,
    Skip,
    Verdict,
)
from curation.reviews.queueing import must_not_be_deleted, seat_again
from curation.reviews.restoring import take_back
from curation.reviews.settling import settle
from curation.reviews.telling import tell_made
from curation.texts import must_be_storable

MAX_TEXT = 200_000
MAX_COMMENT = 20_000
# Of one person for one question, with those of reviews that were taken back.
MAX_WRITTEN = 200
STEP = re.compile("[1-9][0-9]{0,5}", re.ASCII)

# What every question asks for, built once, see curation.prepared.
ITEM = Prepared(
    lambda: QueueItem.objects.select_for_update(no_key=True).filter(
        pk=Given("pk"), project=Given("project")
    )
)
SEATS = Prepared(
    lambda: Seat.objects.filter(Q(number__isnull=False) | Q(holder=Given("user"))).filter(
        item=Given("item")
    )
)
FILL = PreparedUpdate(
    lambda: (
        Seat.objects.filter(pk=Given("pk"), holder=Given("user"), done_at__isnull=True),
        {"done_at": Given("now"), "seconds": Given("spent")},
    )
)
CHAINS = Prepared(
    # Their words are asked for only where one of them was edited.
    lambda: (
        Rationale.objects.filter(question=Given("question"))
        .select_related("decision")
        .defer("text", "reasoning")
    )
)
REVIEWS = PreparedInsert(Review)
TO_REVIEW = Prepared(
    lambda: (
        Rationale.objects.filter(question=Given("question"))
        .exclude(source=Source.PERSON, decision__isnull=True)
        .select_related("score", "teacher", "decision")
        .order_by(F("score__overall").desc(nulls_last=True), "id")
    )
)


@dataclass(frozen=True)
class Say:
    """What a person says about one rationale; without `rationale_id`, a chain of their own, whose text
    is `edited_text`."""

    rationale_id: int | None
    verdict: str
    reasons: Sequence[str] = ()
    comment: str = ""
    step_labels: dict[str, int] = field(default_factory=dict)
    edited_text: str = ""
    is_best: bool = False

    @property
    def is_own(self) -> bool:
        return self.rationale_id is None


def check(say: Say) -> None:
    """Raises Invalid when what was said is no decision."""
    if say.verdict not in Verdict.values:
        raise Invalid(f"{say.verdict!r} is no verdict: choose one of {', '.join(Verdict.values)}.")
    wrong = set(say.reasons) - set(Reason.values)
    if wrong:
        raise Invalid(f"{', '.join(sorted(wrong))}: no such reason.")
    if say.verdict == Verdict.REJECT and not say.reasons:
        raise Invalid("Say why: a rejection needs at least one reason.")
    if say.verdict == Verdict.REJECT and say.is_best:
        raise Invalid("The best chain cannot be a rejected one.")
    if Reason.OTHER in say.reasons and not say.comment.strip():
        raise Invalid("The reason “other” needs a comment.")
    if say.is_own and say.verdict != Verdict.APPROVE:
        raise Invalid("A chain of your own is approved as it is sent.")
    if (say.is_own or say.verdict == Verdict.EDIT) and not say.edited_text.strip():
        raise Invalid("Your own chain is empty." if say.is_own else "The edited chain is empty.")
    if len(say.edited_text) > MAX_TEXT or len(say.comment) > MAX_COMMENT:
        raise Invalid(f"A text may have {MAX_TEXT:,} characters, a comment {MAX_COMMENT:,}.")
    must_be_storable([say.edited_text, say.comment])
    for key, value in say.step_labels.items():
        if not STEP.fullmatch(key):
            raise Invalid("A step is named by its number: 1, 2, 3 and so on.")
        if value not in (-1, 0, 1):
            raise Invalid("A step is labelled -1, 0 or 1.")


def check_all(says: Sequence[Say]) -> None:
    if not says:
        raise Invalid("Decide on at least one chain, or skip the question.")
    for say in says:
        check(say)
    if len({say.rationale_id for say in says}) != len(says):
        raise Invalid("A chain was named twice.")
    if sum(say.is_best for say in says) > 1:
        raise Invalid("Only one chain is the best.")


def submit(
    project: Project, user: User, item_id: int, says: Sequence[Say], seconds: float | None = None
) -> list[Review]:
    """Record what the person who holds a question says of its chains; all of it or nothing. With the
    last review that the question waits for, decisions follow, see `settle`.

    Raises Conflict when the claim is gone, a chain was decided by somebody else or superseded, or
    the same person said it already; the message says which. `seconds` is the time spent on all.
    A retry after a lost answer can ask `said_before` whether it came through.
    """
    check_all(says)
    with transaction.atomic():
        return _take(project, user, item_id, says, seconds)


def submit_and_next(
    project: Project,
    user: User,
    item_id: int,
    says: Sequence[Say],
    seconds: float | None = None,
    shown: int | None = None,
) -> Seat | None:
    """`submit`, and what the person gets then: the next question, or, where their page has that in hand
    and shows it (`shown`), the one after it. One transaction: two would wait twice for their turn."""
    check_all(says)
    with transaction.atomic():
        one_at_a_time(project, user)
        _take(project, user, item_id, says, seconds)
        return next_for(project, user, shown)


def _take(
    project: Project, user: User, item_id: int, says: Sequence[Say], seconds: float | None
) -> list[Review]:
    item = ITEM.first(pk=item_id, project=project.pk)
    if item is None:
        must_not_be_deleted(project, item_id)
        raise Invalid("This question does not wait in this project.")
    item.project = project
    seats = SEATS.all(item=item.pk, user=user.pk)
    still_open = [one for one in seats if one.done_at is None]
    seat = next((one for one in still_open if one.holder_id == user.pk), None)
    if seat is None:
        raise Conflict(_who_was_first(item, user))
    is_control = seat.number is None
    chains = chains_of(item, says)
    if not is_control:
        for chain in chains.values():
            _must_be_open(chain)
    spent = seconds if seconds is not None and 0 <= seconds < 86_400 else None
    share = None if spent is None else spent / len(says)
    reviews = record(project, user, item, chains, says, seconds=share, is_control=is_control)
    # A claim that had run out may have gone to somebody else since it was read.
    filled = {"pk": seat.pk, "user": user.pk, "now": timezone.now(), "spent": spent}
    if not FILL.run(**filled):
        raise Conflict("Your claim on this question ran out, and somebody else works on it now.")
    if not is_control and still_open == [seat]:
        settle(item, reviews, seats=len(seats))
    return reviews


def chains_of(item: QueueItem, says: Sequence[Say]) -> dict[int, Rationale]:
    """The named chains of a question with their decisions, by id. Raises Invalid for a foreign one, and
    Conflict for one that was deleted since it was shown."""
    named = {say.rationale_id for say in says if not say.is_own}
    chains = {r.pk: r for r in CHAINS.all(question=item.question_id) if r.pk in named}
    if len(chains) != len(named):
        gone = Rationale.all_objects.filter(question=item.question_id, project__isnull=True)
        if gone.filter(pk__in=named).exists():
            raise Conflict(
                "An admin deleted one of these chains meanwhile: load the page to go on without it. "
                "What you typed is kept."
            )
        raise Invalid("One of the chains does not belong to this question.")
    return chains


def _labels_must_fit(says: Sequence[Say]) -> None:
    """Raises Invalid for a label of a step that its rationale does not have."""
    last = {s.rationale_id: max(map(int, s.step_labels)) for s in says if s.step_labels}
    if None in last:
        raise Invalid("The steps of your own rationale take no labels.")
    if not last:
        return
    for one in Rationale.objects.filter(pk__in=last).select_related("score"):
        score = getattr(one, "score", None)
        # Scoring may have cut it into other steps since it was shown: the person counted either.
        count = max(len(all_steps(one, score.detail if score else {})), len(all_steps(one, {})))
        if last[one.pk] > count:
            raise Invalid(f"This rationale has {count} steps, so there is no step {last[one.pk]}.")


def _must_be_open(rationale: Rationale) -> None:
    standing = getattr(rationale, "decision", None)
    if standing is not None and standing.outcome == Outcome.SUPERSEDED:
        raise Conflict("An edit has taken the place of this chain: decide on the edit.")
    if standing is not None and standing.review_id:
        who = standing.review.reviewer
        raise Conflict(f"{who} has decided this already: {standing.outcome}.")
    if rationale.source == Source.PERSON and standing is None:
        raise Conflict("This chain waits for an admin's decision.")


def record(
    project: Project,
    user: User,
    item: QueueItem,
    chains: dict[int, Rationale],
    says: Sequence[Say],
    *,
    seconds: float | None = None,
    is_control: bool = False,
    is_adjudication: bool = False,
) -> list[Review]:
    """Write the reviews, and the chains that the person wrote, which are scored at once."""
    _labels_must_fit(says)
    written = _written(project, user, item, chains, says)
    rows = [
        Review(
            project=project,
            rationale=written[place] if say.is_own else chains[say.rationale_id],
            reviewer=user,
            verdict=say.verdict,
            reasons=list(say.reasons),
            comment=say.comment.strip(),
            step_labels=say.step_labels,
            seconds=seconds,
            edited=None if say.is_own else written.get(place),
            is_best=say.is_best,
            is_control=is_control,
            is_adjudication=is_adjudication,
        )
        for place, say in enumerate(says)
    ]
    try:
        REVIEWS.run(rows)
    except IntegrityError:  # ends the caller's transaction, too
        raise Conflict("You have decided this chain already: undo that first.") from None
    if written:
        mark_stale(project, [item.question_id])
        order_scoring(project, user)
    return rows


def clean_text(text: str) -> str:
    """An edited chain as it is stored."""
    return text.replace("\r\n", "\n").strip()


def _written(
    project: Project,
    user: User,
    item: QueueItem,
    chains: dict[int, Rationale],
    says: Sequence[Say],
) -> dict[int, Rationale]:
    """The edits and own chains among `says`, stored, by their place there."""
    made = {}
    for place, say in enumerate(says):
        if not say.is_own and say.verdict != Verdict.EDIT:
            continue
        text = clean_text(say.edited_text)
        parent = None if say.is_own else chains[say.rationale_id]
        if parent is not None and text == parent.text:
            raise Invalid("The edit changes nothing: approve the chain as it stands.")
        made[place] = Rationale(
            project=project,
            question_id=item.question_id,
            source=Source.PERSON,
            author=user,
            parent=parent,
            text=text,
            text_hash=text_hash(text),
        )
    if made:  # the question's item is locked
        refuse_beyond(
            Rationale.all_objects.filter(question=item.question_id, author=user),
            MAX_WRITTEN,
            "You have written {most} rationales for this question, with those that you took back, which is "
            "the most: approve or reject what is there.",
        )
    Rationale.objects.bulk_create(list(made.values()))
    return made


def said_before(project: Project, user: User, item_id: int, says: Sequence[Say]) -> bool:
    """Whether the person's standing reviews of this question say just what `says` says: then a
    submission whose answer got lost did come through, and its retry has nothing left to do."""
    standing = list(
        Review.objects.filter(
            project=project,
            reviewer=user,
            withdrawn_at__isnull=True,
            is_adjudication=False,
            rationale__question__queue_item=item_id,
        ).select_related("edited", "rationale")
    )
    of_chain = {review.rationale_id: review for review in standing}
    own = {r.rationale.text for r in standing if r.rationale.author_id == user.pk}
    for say in says:
        if say.is_own:
            if clean_text(say.edited_text) not in own:
                return False
            continue
        review = of_chain.get(say.rationale_id)
        if review is None or review.verdict != say.verdict:
            return False
        if say.verdict == Verdict.EDIT and review.edited.text != clean_text(say.edited_text):
            return False
    return bool(says)


def _who_was_first(item: QueueItem, user: User) -> str:
    """Why a question is not (any more) this person's, naming who has or had it."""
    seats = list(item.seats.filter(number__isnull=False).select_related("holder"))
    if any(seat.holder_id == user.pk and seat.done_at for seat in seats):
        return "You have decided this question already, perhaps in another tab."
    now = timezone.now()
    for seat in seats:
        if seat.done_at is None and seat.holder_id and seat.held_until > now:
            return f"Your claim ran out, and {seat.holder} works on this question now."
    last = max((seat for seat in seats if seat.done_at), key=lambda s: s.done_at, default=None)
    if last is None or last.holder is None:
        return "Your claim on this question ran out."
    at = timezone.localtime(last.done_at)
    return f"{last.holder} was first: decided this question at {at:%H:%M} ({at:%Z})."


def undo(project: Project, user: User) -> Seat:
    """Take back what the person did last, a decision or a skip, and give them that question again.

    The reviews stay in the history, marked as withdrawn. Raises Conflict when there is nothing to
    take back, an admin has decided on it since, or others hold all seats of the question by now.
    """
    with transaction.atomic():
        one_at_a_time(project, user)
        standing = Review.objects.filter(
            project=project,
            reviewer=user,
            withdrawn_at__isnull=True,
            is_adjudication=False,
            rationale__project__isnull=False,  # those of deleted chains come back with them
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
            "This question has come back with new chains since, or has become a control question, or "
            "is none any more: that decision cannot be taken back here."
        )
    if seat.taken_at:  # what they said when the question was here before stays
        mine = mine.filter(created_at__gte=seat.taken_at)
    reviewed = list(mine.values_list("rationale", "edited"))
    chains = {pk for pair in reviewed for pk in pair if pk is not None}
    followed = Decision.objects.filter(rationale__in=chains, review__isnull=False)
    if followed.filter(review__is_adjudication=True).exists():
        raise Conflict("An admin has decided on your review by now: ask them to take that back.")
    mine.update(withdrawn_at=timezone.now())
    Seat.objects.filter(pk=seat.pk).update(done_at=None, held_until=timezone.now())
    if seat.number is not None:
        take_back(item.project, followed)
        QueueItem.objects.filter(pk=item.pk).update(status=QueueStatus.WAITING, done_at=None)
        seat_again(item)


def to_review(item: QueueItem) -> list[Rationale]:
    """The chains of a question that a person may decide on or compare with, likeliest good first: all
    but people's edits and own chains that have no decision, since they were taken back or wait for an
    admin, whom other reviewers' words shall not sway."""
    chains = TO_REVIEW.all(question=item.question_id)
    # Most questions come with no decision and no person's chain: these joins would cost them half of
    # the time of the query for nothing.
    prefetch_related_objects([one for one in chains if one.author_id], "author")
    decided = [one.decision for one in chains if hasattr(one, "decision")]
    prefetch_related_objects(decided, "review__reviewer", "rule", "bulk__created_by")
    return chains


def apply_rule(project: Project, *, rubric: Rubric | None = None) -> int:
    """Approve, in the rule's name, every undecided training chain that passes the rubric.

    Returns how many were approved. What a person decided is never touched; nothing is rejected.
    """
    rubric, approved = rubric or project.rubric, 0
    undecided = passing_undecided(project, rubric).order_by("id").values_list("id", flat=True)
    while ids := list(undecided[:500]):
        with transaction.atomic():
            approved += approve_in_rules_name(project, rubric, ids)
    return approved


def passing_undecided(project: Project, rubric: Rubric) -> QuerySet[Rationale]:
    """The teachers' training chains that pass the rubric, and on which nobody decided."""
    return (
        Rationale.objects.filter(passes(rubric, "score__"), project=project)
        .filter(question__split=Split.TRAIN, decision__isnull=True)
        .exclude(source=Source.PERSON)
    )


def approve_in_rules_name(project: Project, rubric: Rubric, ids: Sequence[int]) -> int:
    """Approve those of these chains on which nobody decided meanwhile; returns how many. Called in a
    transaction."""
    # The items first and by key, as everywhere: who submits on one of these waits, or is waited for.
    items = QueueItem.objects.select_for_update(no_key=True).order_by("pk")
    questions = Rationale.objects.filter(pk__in=ids).values("question")
    list(items.filter(question__in=questions).values_list("pk", flat=True))
    here = Rationale.objects.filter(pk__in=ids)  # what was deleted since stays out
    new = list(here.filter(decision__isnull=True).order_by("pk").values_list("pk", flat=True))
    Decision.objects.bulk_create(
        (
            Decision(rationale_id=i, project=project, outcome=Outcome.APPROVED, rule=rubric)
            for i in new
        ),
        ignore_conflicts=True,
    )
    tell_made(project, new)
    return len(new)
