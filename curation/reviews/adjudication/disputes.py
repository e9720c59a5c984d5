"""Reads for adjudication: the questions on which reviews disagree, and who said what of each rationale."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet

from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, Source
from curation.reviews.bench.rationales import RationaleView, StepView, name_in_order, rationale_view
from curation.reviews.bench.text_diff import Piece, differences
from curation.reviews.decisions.consensus import standing_reviews
from curation.reviews.models import QuestionFlag, QueueItem, QueueStatus, Reason, Review, Verdict

LABELS = {1: "good", 0: "neutral", -1: "bad"}


def waiting_disputes(project: Project) -> QuerySet[QueueItem]:
    return QueueItem.objects.filter(project=project, status=QueueStatus.ADJUDICATE).select_related(
        "question"
    )


def next_dispute(project: Project, after: int = 0) -> QueueItem | None:
    """The next question for an admin after the item `after`, round to the first again; never that
    item itself."""
    waiting = waiting_disputes(project).exclude(pk=after).order_by("id")
    return waiting.filter(pk__gt=after).first() or waiting.first()


@dataclass
class Line:
    """One question of the list: who reviewed it, and how often each verdict was said."""

    item: QueueItem
    people: list[str] = field(default_factory=list)
    verdicts: list[tuple[str, int]] = field(default_factory=list)
    rationales: int = 0


def lines_of(items: Sequence[QueueItem]) -> list[Line]:
    """One query for all of them."""
    lines = {item.question_id: Line(item) for item in items}
    said = (
        Review.objects.standing()
        .filter(
            rationale__question__in=list(lines),
            rationale__project__isnull=False,
            is_adjudication=False,
            is_control=False,
        )
        .order_by("id")
        .values_list("rationale__question", "rationale", "reviewer__username", "verdict")
    )
    rows: dict[int, list[tuple[int, str, str]]] = {pk: [] for pk in lines}
    for question_id, *row in said:
        rows[question_id].append(tuple(row))
    for question_id, line in lines.items():
        mine = rows[question_id]
        line.people = list(dict.fromkeys(name for _, name, _ in mine))
        line.rationales = len({rationale for rationale, _, _ in mine})
        counts = Counter(verdict for _, _, verdict in mine)
        line.verdicts = [
            (verdict, counts[verdict]) for verdict in Verdict.values if counts[verdict]
        ]
    return list(lines.values())


@dataclass
class Edit:
    """A reviewer's edit of a rationale: what it changes, and whether it is the reader's own."""

    rationale: Rationale
    pieces: list[Piece]
    grade: str
    grade_words: str
    is_mine: bool


@dataclass
class Voice:
    """What one person said of one rationale; `is_mine`: the reader said it."""

    review: Review
    reasons: list[str]
    edit: Edit | None = None
    is_mine: bool = False


@dataclass
class Step:
    """A step with the labels that people gave it: (name, good, neutral or bad)."""

    view: StepView
    labels: list[tuple[str, str]]


@dataclass
class Dispute:
    """A rationale on which people disagree, with all that they said. `is_mine`: the reader wrote it, so
    another admin decides. `suggested`: the reasons that those who reject it gave. The last four are
    what a form that was refused had chosen and typed."""

    rationale: RationaleView
    voices: list[Voice]
    steps: list[Step]
    is_mine: bool
    suggested: list[str]
    chosen: str = ""
    ticked: list[str] = field(default_factory=list)
    comment: str = ""
    text: str = ""

    @property
    def edits(self) -> list[Edit]:
        return [voice.edit for voice in self.voices if voice.edit]

    @property
    def waits_for_another(self) -> bool:
        """The reader's own edit is among those that wait: another admin decides on edits."""
        return any(edit.is_mine for edit in self.edits)

    @property
    def is_own_rationale(self) -> bool:
        return self.rationale.rationale.source == Source.PERSON


@dataclass
class Case:
    """A question for an admin: its disputed rationales, those that are decided, and its flags."""

    item: QueueItem
    question: Question
    disputes: list[Dispute]
    decided: list[RationaleView]
    flags: list[QuestionFlag]

    @property
    def is_disputant(self) -> bool:
        """Whether the reader is one of those who disagree."""
        return any(voice.is_mine for dispute in self.disputes for voice in dispute.voices)


def case_of(item: QueueItem, reader: User) -> Case:
    """Six queries, however many rationales and people there are. Where the project reviews blind, teachers
    have no names here either: this is judging, too."""
    question = item.question
    reviews = standing_reviews(item)
    rationales = list(
        Rationale.objects.filter(question=question)
        .select_related(
            "score", "teacher", "author", "decision__review__reviewer", "decision__rule"
        )
        .order_by("id")
    )
    views = [rationale_view(question, one) for one in rationales]
    for view in views:
        view.is_blind = item.project.is_blind
    of_rationale: dict[int, list[Review]] = {}
    for review in reviews:
        of_rationale.setdefault(review.rationale_id, []).append(review)
    people = User.objects.in_bulk({review.reviewer_id for review in reviews})
    for review in reviews:
        review.reviewer = people[review.reviewer_id]
    # Edits stand below their rationale, so the letters are those of the other rationales.
    edits = {review.edited_id for review in reviews if review.edited_id}
    shown = [view for view in views if view.rationale.pk not in edits]
    name_in_order(shown)
    by_id = {view.rationale.pk: view for view in views}
    disputes = [
        _dispute(view, of_rationale[view.rationale.pk], by_id, reader)
        for view in shown
        if view.rationale.pk in of_rationale
    ]
    decided = [view for view in shown if view.rationale.pk not in of_rationale and view.decision]
    flags = QuestionFlag.objects.open().filter(question=question)
    return Case(item, question, disputes, decided, list(flags.select_related("user")))


def _dispute(
    rationale: RationaleView, reviews: list[Review], views: dict[int, RationaleView], reader: User
) -> Dispute:
    voices = []
    for review in reviews:
        words = [Reason(reason).label for reason in review.reasons if reason != Reason.OTHER]
        edit = views.get(review.edited_id) if review.edited_id else None
        changed = _edit(rationale, edit, reader) if edit else None
        voices.append(Voice(review, words, changed, review.reviewer_id == reader.pk))
    steps = [
        Step(
            view,
            [
                (review.reviewer.username, LABELS[review.step_labels[str(view.number)]])
                for review in reviews
                if str(view.number) in review.step_labels
            ],
        )
        for view in rationale.steps
    ]
    suggested = [
        reason
        for review in reviews
        if review.verdict == Verdict.REJECT
        for reason in review.reasons
    ]
    is_mine = rationale.rationale.author_id == reader.pk
    return Dispute(rationale, voices, steps, is_mine, list(dict.fromkeys(suggested)))


def _edit(rationale: RationaleView, edit: RationaleView, reader: User) -> Edit:
    one = edit.rationale
    pieces = differences(rationale.rationale.text, one.text)
    return Edit(one, pieces, edit.grade, edit.grade_words, one.author_id == reader.pk)


def decided_lately(project: Project, admin: User, limit: int = 10) -> list[Review]:
    """What this admin adjudicated last, one review a question: what can be taken back."""
    rows = (
        Review.objects.standing()
        .filter(
            project=project,
            reviewer=admin,
            is_adjudication=True,
            rationale__project__isnull=False,
        )
        .select_related("rationale__question__queue_item")
        .order_by("-id")[: 10 * limit]
    )
    seen: dict[int, Review] = {}
    for review in rows:
        seen.setdefault(review.rationale.question_id, review)
    return list(seen.values())[:limit]


def open_flags(project: Project) -> QuerySet[QuestionFlag]:
    """What reviewers said of questions that no admin has settled."""
    return QuestionFlag.objects.open().filter(project=project).select_related("user", "question")
