"""What people say about rationales, and how it is taken back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from curation.db.prepared_queries import Param, Prepared, PreparedInsert, PreparedUpdate
from curation.db.quotas import refuse_beyond
from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.questions.correcting.changing import FIELDS
from curation.questions.models import QuestionChange
from curation.rationales.models import Rationale, Source, text_hash
from curation.rationales.scoring.scores import mark_stale, order_scoring
from curation.reviews.bench.rationales import all_steps
from curation.reviews.decisions.consensus import settle
from curation.reviews.models import Outcome, QueueItem, Reason, Review, Seat, Verdict
from curation.reviews.queue.claims import next_for, one_at_a_time
from curation.reviews.queue.items import must_not_be_deleted
from curation.reviews.visibility import is_kept_from
from curation.text.clean import clean, is_empty
from curation.text.storable import must_be_storable

MAX_TEXT = 200_000
MAX_COMMENT = 20_000
# Of one person for one question, with those of reviews that were taken back.
MAX_WRITTEN = 200
STEP = re.compile("[1-9][0-9]{0,5}", re.ASCII)

# What every question asks for, built once, see curation.db.prepared_queries.
ITEM = Prepared(
    lambda: QueueItem.objects.select_for_update(no_key=True).filter(
        pk=Param("pk"), project=Param("project")
    )
)
SEATS = Prepared(
    lambda: Seat.objects.filter(Q(number__isnull=False) | Q(holder=Param("user"))).filter(
        item=Param("item")
    )
)
FILL = PreparedUpdate(
    lambda: (
        Seat.objects.filter(pk=Param("pk"), holder=Param("user"), done_at__isnull=True),
        {"done_at": Param("now"), "seconds": Param("spent")},
    )
)
RATIONALES = Prepared(
    # Their words are asked for only where one of them was edited.
    lambda: (
        Rationale.objects.filter(question=Param("question"))
        .select_related("decision")
        .defer("text", "reasoning")
    )
)
REVIEWS = PreparedInsert(Review)


@dataclass(frozen=True)
class ReviewInput:
    """What a person says about one rationale; without `rationale_id`, a rationale of their own, whose text
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


def check(say: ReviewInput) -> None:
    """Raises Invalid when what was said is no decision."""
    if say.verdict not in Verdict.values:
        raise Invalid(f"{say.verdict!r} is no verdict: choose one of {', '.join(Verdict.values)}.")
    wrong = set(say.reasons) - set(Reason.values)
    if wrong:
        raise Invalid(f"{', '.join(sorted(wrong))}: no such reason.")
    if say.verdict == Verdict.REJECT and not say.reasons:
        raise Invalid("Say why: a rejection needs at least one reason.")
    if say.verdict == Verdict.REJECT and say.is_best:
        raise Invalid("The best rationale cannot be a rejected one.")
    if Reason.OTHER in say.reasons and is_empty(say.comment):
        raise Invalid("The reason “other” needs a comment.")
    if say.is_own and say.verdict != Verdict.APPROVE:
        raise Invalid("A rationale of your own is approved as it is sent.")
    if (say.is_own or say.verdict == Verdict.EDIT) and is_empty(say.edited_text):
        raise Invalid(
            "Your own rationale is empty." if say.is_own else "The edited rationale is empty."
        )
    if len(say.edited_text) > MAX_TEXT or len(say.comment) > MAX_COMMENT:
        raise Invalid(f"A text may have {MAX_TEXT:,} characters, a comment {MAX_COMMENT:,}.")
    must_be_storable([say.edited_text, say.comment])
    for key, value in say.step_labels.items():
        if not STEP.fullmatch(key):
            raise Invalid("A step is named by its number: 1, 2, 3 and so on.")
        if value not in (-1, 0, 1):
            raise Invalid("A step is labelled -1, 0 or 1.")


def check_all(says: Sequence[ReviewInput]) -> None:
    if not says:
        raise Invalid("Decide on at least one rationale, or skip the question.")
    for say in says:
        check(say)
    if len({say.rationale_id for say in says}) != len(says):
        raise Invalid("A rationale was named twice.")
    if sum(say.is_best for say in says) > 1:
        raise Invalid("Only one rationale is the best.")


def submit(
    project: Project,
    user: User,
    item_id: int,
    says: Sequence[ReviewInput],
    seconds: float | None = None,
) -> list[Review]:
    """Record what the person who holds a question says of its rationales; all of it or nothing. With the
    last review that the question waits for, decisions follow, see `settle`.

    Raises Conflict when the claim is gone, a rationale was decided by somebody else or superseded, or
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
    says: Sequence[ReviewInput],
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
    project: Project, user: User, item_id: int, says: Sequence[ReviewInput], seconds: float | None
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
    rationales = rationales_of(item, says)
    if not is_control:
        for rationale in rationales.values():
            _must_be_open(rationale)
    spent = seconds if seconds is not None and 0 <= seconds < 86_400 else None
    share = None if spent is None else spent / len(says)
    reviews = record(project, user, item, rationales, says, seconds=share, is_control=is_control)
    # A claim that had run out may have gone to somebody else since it was read.
    filled = {"pk": seat.pk, "user": user.pk, "now": timezone.now(), "spent": spent}
    if not FILL.run(**filled):
        raise Conflict("Your claim on this question ran out, and somebody else works on it now.")
    if not is_control and still_open == [seat]:
        settle(item, reviews, seats=len(seats))
    return reviews


def rationales_of(item: QueueItem, says: Sequence[ReviewInput]) -> dict[int, Rationale]:
    """The named rationales of a question with their decisions, by id. Raises Invalid for a foreign one, and
    Conflict for one that was deleted since it was shown."""
    named = {say.rationale_id for say in says if not say.is_own}
    rationales = {r.pk: r for r in RATIONALES.all(question=item.question_id) if r.pk in named}
    if len(rationales) != len(named):
        gone = Rationale.all_objects.filter(question=item.question_id, project__isnull=True)
        if gone.filter(pk__in=named).exists():
            raise Conflict(
                "An admin deleted one of these rationales meanwhile: load the page to go on without it. "
                "What you typed is kept."
            )
        raise Invalid("One of the rationales does not belong to this question.")
    return rationales


def _labels_must_fit(says: Sequence[ReviewInput]) -> None:
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
        raise Conflict("An edit has taken the place of this rationale: decide on the edit.")
    if standing is not None and standing.review_id:
        who = standing.review.reviewer
        raise Conflict(f"{who} has decided this already: {standing.outcome}.")
    if rationale.source == Source.PERSON and standing is None:
        raise Conflict("This rationale waits for an admin's decision.")


def record(
    project: Project,
    user: User,
    item: QueueItem,
    rationales: dict[int, Rationale],
    says: Sequence[ReviewInput],
    *,
    seconds: float | None = None,
    is_control: bool = False,
    is_adjudication: bool = False,
) -> list[Review]:
    """Write the reviews, and the rationales that the person wrote, which are scored at once."""
    _labels_must_fit(says)
    written = _written(project, user, item, rationales, says)
    rows = [
        Review(
            project=project,
            rationale=written[place] if say.is_own else rationales[say.rationale_id],
            reviewer=user,
            verdict=say.verdict,
            reasons=list(say.reasons),
            comment=clean(say.comment),
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
        raise Conflict("You have decided this rationale already: undo that first.") from None
    if written:
        mark_stale(project, [item.question_id])
        order_scoring(project, user)
    return rows


def _written(
    project: Project,
    user: User,
    item: QueueItem,
    rationales: dict[int, Rationale],
    says: Sequence[ReviewInput],
) -> dict[int, Rationale]:
    """The edits and own rationales among `says`, stored, by their place there."""
    made = {}
    for place, say in enumerate(says):
        if not say.is_own and say.verdict != Verdict.EDIT:
            continue
        text = clean(say.edited_text)
        parent = None if say.is_own else rationales[say.rationale_id]
        if parent is not None and text == clean(parent.text):
            raise Invalid("The edit changes nothing: approve the rationale as it stands.")
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


def said_before(project: Project, user: User, item_id: int, says: Sequence[ReviewInput]) -> bool:
    """Whether the person's standing reviews of this question say just what `says` says: then a
    submission whose answer got lost did come through, and its retry has nothing left to do."""
    standing = list(
        Review.objects.standing()
        .filter(
            project=project,
            reviewer=user,
            is_adjudication=False,
            rationale__question__queue_item=item_id,
        )
        .select_related("edited", "rationale")
    )
    of_rationale = {review.rationale_id: review for review in standing}
    own = {clean(r.rationale.text) for r in standing if r.rationale.author_id == user.pk}
    for say in says:
        if say.is_own:
            if clean(say.edited_text) not in own:
                return False
            continue
        review = of_rationale.get(say.rationale_id)
        if review is None or review.verdict != say.verdict:
            return False
        if say.verdict == Verdict.EDIT and clean(review.edited.text) != clean(say.edited_text):
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
    since = now - settings.CLAIM_LEASE
    changes = QuestionChange.objects.filter(question=item.question_id, at__gte=since)
    change = changes.select_related("user").order_by("-id").first()
    if change is not None and any(seat.done_at is None and not seat.holder_id for seat in seats):
        what = ", ".join(FIELDS[name] for name in change.after if name in FIELDS)
        return (
            f"{change.user or 'An import'} changed this question while you had it ({what}): load the page "
            "to see it as it is now. What you typed is kept."
        )
    if is_kept_from(item, item.project, user):
        # Who has decided it is not told yet; of a control that alone would say that it is one.
        return "Your claim on this question ran out."
    last = max((seat for seat in seats if seat.done_at), key=lambda s: s.done_at, default=None)
    if last is None or last.holder is None:
        return "Your claim on this question ran out."
    at = timezone.localtime(last.done_at)
    return f"{last.holder} was first: decided this question at {at:%H:%M} ({at:%Z})."
