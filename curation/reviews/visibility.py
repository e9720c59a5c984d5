"""Who may see what: the one place that says it.

Two things are kept from people who review. *Who wrote a rationale*, where the project is blind: whoever
knows the author judges the author. *What others said*, as long as it could sway somebody: while more
people are asked about the question, and of a control for good, which looks as any other question does.
A question that is silent to somebody seems to wait, with nothing decided on it. Where one review decides a
question (overlap 1), people see that their word did; so of a control they are told what their own word
would have made of it, else they would know it by that.

The rules, by what is to be seen and who looks. A reviewer looks at a question *before* they said anything
of it, *after* that while it is silent, or once it is *settled*; the *author* looks at what is their own;
a *stranger* is no member (any more). tests/curation/reviews/test_visibility.py reads this table and looks at
every page, operation, filter and download.

::

    what                        stranger  before   after    settled  author  admin     webhook
    comment                     never     never    never    yes      yes     yes       never
    edit                        never     never    never    yes      yes     yes       never
    own rationale               never     never    never    yes      yes     yes       never
    reviewer                    never     never    never    yes      -       yes       settled
    who knew a control          never     never    never    -        -       yes       may
    note of a control           never     never    never    never    -       yes       never
    flag                        never     never    never    never    -       yes       never
    who passed                  never     never    never    never    -       may       never
    why somebody passed         never     never    never    never    -       may       never
    teacher                     never     figures  figures  figures  -       no bench  never
    thought                     never     never    never    never    -       no bench  never
    reference                   never     no JSON  no JSON  no JSON  -       no JSON   never
    why a run failed            never     never    never    never    -       yes       never
    address of a model          never     never    never    never    -       yes       never
    model of the judge          never     never    never    never    -       yes       never
    name of a key               never     never    never    never    -       yes       never
    trial of a teacher          never     never    never    never    -       yes       never
    address of a webhook        never     never    never    never    -       yes       never
    comment of a bulk action    never     never    never    never    -       yes       never
    held-out list               never     may      may      may      -       may       never
    deleted text                never     never    never    never    -       yes       never
    search                      never     never    never    never    yes     never     never
    text that is being written  never     never    never    never    may     never     never
    own view                    never     never    never    never    yes     never     never
    shared view                 never     yes      yes      yes      yes     yes       never
    another project             never     never    never    never    yes     never     never
    name of a token             never     never    never    never    yes     never     never
    secret of a token           never     never    never    never    never   never     never
    secret of a webhook         never     never    never    never    never   never     never
    secret of a password        never     never    never    never    never   never     never

never     it is shown nowhere
yes       it is shown
may       it is no secret, and need not be shown
settled   of settled questions only
figures   where a teacher's share of right answers stands, which tells nobody who wrote what
no bench  not to those who decide: an admin does not know it either while they review or adjudicate
no JSON   the bench's page shows it to those who ask for it, its JSON to nobody

Apps to the left of this one ask through `curation.projects.viewers`, where `Viewer` is registered.
"""

from collections.abc import Iterable, Sequence

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from curation.errors import Invalid
from curation.projects.access import hides_teachers, may_administer
from curation.projects.models import Membership, Project, Role, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, Source
from curation.reviews.models import (
    Decision,
    Outcome,
    QueueItem,
    QueueStatus,
    Review,
    ReviewQuerySet,
    Verdict,
)

OUTCOMES = {
    Verdict.APPROVE: Outcome.APPROVED,
    Verdict.REJECT: Outcome.REJECTED,
    Verdict.EDIT: Outcome.SUPERSEDED,
}
# Filters that would tell who wrote a rationale.
TELLING = frozenset({"teacher", "temperature"})
UNDECIDED = "none"


class Viewer:
    """Somebody who looks at a project, by their membership, and what of it they may know.

    project, is_admin        what they look at, and as what
    hides_teachers           whether who wrote what is kept from them
    closed_filters           filters of the list of rationales that they may not use
    silent                   states of a question in which it is silent to them
    tells_own                whether they are told what their own words make of what is silent
    """

    def __init__(self, membership: Membership) -> None:
        self.membership, self.project = membership, membership.project
        self.is_admin = membership.role == Role.ADMIN
        self.hides_teachers = hides_teachers(membership)
        self.closed_filters = TELLING if self.hides_teachers else frozenset()
        self.silent = () if self.is_admin else silent_states(self.project)
        self.tells_own = not self.is_admin and self.project.overlap == 1

    # Of whole lists

    def refuse_closed(self, filters: Iterable[str]) -> None:
        """Raises Invalid where one of the filters is closed to them."""
        if self.closed_filters & set(filters):
            raise Invalid("This project does not show reviewers which teacher wrote a rationale.")

    def rationales(self, rows: QuerySet, filters: Iterable[str] = ()) -> QuerySet:
        """Of these rationales those that they may see, and find by these filters.

        Nobody's words sway another reviewer: a person's rationale is its author's and the admins' while it
        is not decided, or while its question is silent. Raises Invalid for a closed filter.
        """
        if self.is_admin:
            return rows
        self.refuse_closed(filters)
        rows = rows.exclude(self.unseen())
        is_silent = Q(question__queue_item__status__in=self.silent)
        return rows.exclude(is_silent) if "reviewer" in filters else rows

    def unseen(self, prefix: str = "") -> Q:
        """The rationales, reached through `prefix`, that `rationales` leaves out."""
        person = Q(**{f"{prefix}source": Source.PERSON})
        own = Q(**{f"{prefix}author": self.membership.user_id})
        undecided = Q(**{f"{prefix}decision__isnull": True})
        is_silent = Q(**{f"{prefix}question__queue_item__status__in": self.silent})
        return person & ~own & (undecided | is_silent)

    def decided(self, outcome: str, kept: Q) -> Q:
        """The rationales that seem to them to have this outcome (UNDECIDED: none), where `kept` are those
        that have it: what is silent seems undecided, or as their own words made it."""
        if not self.silent:
            return kept
        is_silent = Q(question__queue_item__status__in=self.silent)
        own = Q(pk__in=[])
        if self.tells_own:
            said = self.own_words()
            if outcome != UNDECIDED:
                said = said.filter(
                    verdict__in=[one for one in OUTCOMES if OUTCOMES[one] == outcome]
                )
            own = Q(pk__in=said.order_by().values("rationale"))
            if outcome in (Outcome.APPROVED, UNDECIDED):  # an edit is approved as it is made
                edits = self.own_words().filter(edited__isnull=False)
                own |= Q(pk__in=edits.order_by().values("edited"))
        return (kept & ~is_silent) | (is_silent & (~own if outcome == UNDECIDED else own))

    def reviewed_by(self, user_id: int) -> Q:
        """The rationales that this person reviewed. What is silent is left out by `rationales`."""
        said = Review.objects.standing().filter(project=self.project, reviewer=user_id)
        return Q(pk__in=said.order_by().values("rationale"))

    def questions(self, rows: QuerySet, state: str) -> QuerySet:
        """Of these questions those that seem to them to be `waiting`, `done`, or `approved`: to have an
        approved rationale."""
        is_silent = Q(queue_item__status__in=self.silent)
        mine = approved = Q(pk__in=[])
        if self.tells_own:
            own = self.own_words().order_by()
            mine = Q(pk__in=own.values("rationale__question"))
            own = own.exclude(verdict=Verdict.REJECT)
            approved = Q(pk__in=own.values("rationale__question"))
        if state == "waiting":
            return rows.filter(Q(queue_item__status=QueueStatus.WAITING) | (is_silent & ~mine))
        if state == "done":
            return rows.filter(Q(queue_item__status=QueueStatus.DONE) | (is_silent & mine))
        good = Rationale.objects.filter(question=OuterRef("pk"), decision__outcome=Outcome.APPROVED)
        return rows.filter(Exists(good) & ~is_silent | (is_silent & approved))

    # Of the rows of a page

    def is_silent(self, question: Question | None) -> bool:
        """Whether they are not to know what was said and decided on the question's rationales."""
        item = getattr(question, "queue_item", None)
        return item is not None and item.status in self.silent

    def own_words(self) -> ReviewQuerySet:
        """What they say of rationales of controls."""
        said = Review.objects.standing().filter(
            project=self.project, reviewer=self.membership.user_id, is_adjudication=False
        )
        return said.filter(rationale__question__queue_item__status=QueueStatus.CONTROL).order_by(
            "id"
        )

    def decisions_of(self, rows: Sequence[Rationale]) -> dict[int, Decision | None]:
        """What they may know of the decisions on these rationales, by id; one query at most where the rows
        come with `question__queue_item` and `decision`."""
        quiet = [row.pk for row in rows if self.is_silent(row.question)]
        told: dict[int, Decision | None] = dict.fromkeys(quiet)
        if quiet and self.tells_own:
            for said in self.own_words().filter(Q(rationale__in=quiet) | Q(edited__in=quiet)):
                said.reviewer = self.membership.user
                told[said.rationale_id] = _by(said, said.rationale_id, OUTCOMES[said.verdict])
                if said.edited_id:
                    told[said.edited_id] = _by(said, said.edited_id, Outcome.APPROVED)
        return {row.pk: told[row.pk] if row.pk in told else _decision(row) for row in rows}

    def decision_of(self, row: Rationale) -> Decision | None:
        """What they may know of the decision on a rationale. Of what is silent: as if their own word had
        decided it (not stored), or nothing."""
        return self.decisions_of([row])[row.pk]

    def reviews(self, rows: QuerySet, question: Question) -> QuerySet:
        """Of these reviews of the question those that they may read."""
        return rows.filter(reviewer=self.membership.user_id) if self.is_silent(question) else rows

    def states_of(self, questions: Iterable[int]) -> dict[int, tuple[str | None, int]]:
        """How these questions seem to them, by id: their state in the queue, None where they are not in
        it, and how many of their rationales are approved."""
        approved = Count(
            "rationales",
            filter=Q(
                rationales__project__isnull=False,  # the others were deleted
                rationales__decision__outcome=Outcome.APPROVED,
            ),
        )
        rows = Question.objects.filter(pk__in=list(questions)).order_by()
        found = rows.annotate(n=approved).values_list("pk", "queue_item__status", "n")
        states = {pk: (status, n) for pk, status, n in found}
        quiet = [pk for pk, (status, _) in states.items() if status in self.silent]
        told = {}
        if quiet and self.tells_own:
            mine = self.own_words().order_by().filter(rationale__question__in=quiet)
            mine = mine.values_list("rationale__question")
            told = dict(mine.annotate(n=Count("pk", filter=~Q(verdict=Verdict.REJECT))))
        for pk in quiet:
            status = QueueStatus.DONE if pk in told else QueueStatus.WAITING
            states[pk] = status.value, told.get(pk, 0)
        return states

    def queue_item_of(self, question: Question) -> QueueItem | None:
        """The question's place in the queue as they may know it: not to be saved."""
        item = getattr(question, "queue_item", None)
        if item is None or item.status != QueueStatus.CONTROL or not self.tells_own:
            return item
        own = self.own_words().filter(rationale__question=question).last()
        item.status = QueueStatus.DONE if own else QueueStatus.WAITING
        item.done_at = own.created_at if own else None
        return item


def silent_states(project: Project) -> tuple[str, ...]:
    """States of a question in which reviewers are not told what was said and decided on its rationales:
    it is a control, or more people are asked about it."""
    if project.overlap > 1:
        return QueueStatus.CONTROL, QueueStatus.WAITING, QueueStatus.ADJUDICATE
    return (QueueStatus.CONTROL,)


def is_kept_from(item: QueueItem, project: Project, user: User) -> bool:
    """Whether the question is silent to this person, whose membership is not at hand: asks for it only
    where the question is silent to anybody."""
    return item.status in silent_states(project) and not may_administer(user, project.pk)


def _decision(row: Rationale) -> Decision | None:
    return getattr(row, "decision", None)


def _by(review: Review, rationale_id: int, outcome: str) -> Decision:
    """As if this word had decided the rationale: not to be saved."""
    return Decision(
        rationale_id=rationale_id,
        project_id=review.project_id,
        outcome=outcome,
        review=review,
        decided_at=review.created_at,
    )
