"""Reads for the lists of questions. What stands right of this app is reached by the names of the
reverse relations only (`queue_item`, `rationales`), never by import."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from curation.db.search import found, parse
from curation.projects.models import Project, User
from curation.questions.correcting.changing import FIELDS
from curation.questions.models import Question, Split
from curation.web.pagination import number, one_of

FILTERS = ("split", "subset", "domain", "state", "q", "after")
STATES = {
    "no_rationales": "no rationales yet",
    "unscored": "not scored yet",
    "waiting": "waits for review",
    "done": "reviewed",
    "approved": "has an approved rationale",
    "reference": "has a reference that cannot be used",
}
NAMES = {"q": "words"}
FACET_LIMIT = 200
FACET_SECONDS = 60


def questions(
    project: Project,
    filters: dict[str, str],
    hidden: Sequence[str] = (),
    reader: User | None = None,
) -> QuerySet[Question]:
    """The questions that the filters keep. Raises Invalid for a value that is not allowed.

    hidden: states (`hidden_states`) in which a question counts as waiting and undecided, unless the
    `reader` has decided it, see `_own`.
    """
    rows = Question.objects.for_project(project)
    if split := filters.get("split"):
        rows = rows.filter(split=one_of("split", split, Split.values))
    if subset := filters.get("subset"):
        rows = rows.filter(subset=subset)
    if domain := filters.get("domain"):
        rows = rows.filter(domain=domain)
    if state := filters.get("state"):
        own = _own(project, hidden, reader)
        rows = rows.filter(_state(one_of("state", state, STATES), hidden, own))
    if words := filters.get("q"):
        if words.startswith("#") and words[1:]:
            rows = rows.filter(pk=number("the number after #", words[1:]))
        else:
            rows = found(rows, parse(words))
    return rows


def in_words(filters: dict[str, str]) -> list[str]:
    """Each filter as "name: value", such as "state: waits for review"; they were checked before."""
    values = {"state": STATES, "split": dict(Split.choices)}
    return [
        f"{NAMES.get(name, name)}: {values.get(name, {}).get(value, value)}"
        for name, value in filters.items()
        if name != "after"
    ]


def _own(project: Project, hidden: Sequence[str], reader: User | None) -> QuerySet | None:
    """What the reader says of rationales of hidden questions, where one review decides a question: after it
    a control looks as any other. None where nothing is told of what is hidden."""
    if not hidden or reader is None or project.overlap > 1:
        return None
    rationales = Question.rationales.rel.related_model
    return rationales.reviews.rel.related_model.objects.filter(
        project=project,
        reviewer=reader,
        withdrawn_at__isnull=True,
        is_adjudication=False,
        rationale__question__queue_item__status__in=list(hidden),
    ).order_by()


def _state(state: str, hidden: Sequence[str], own: QuerySet | None) -> Q:
    quiet = Q(queue_item__status__in=list(hidden))
    mine = approved = Q(pk__in=[])
    if own is not None:
        mine = Q(pk__in=own.values("rationale__question"))
        approved = Q(pk__in=own.exclude(verdict="reject").values("rationale__question"))
    rationales = Question.rationales.rel.related_model.objects.filter(question=OuterRef("pk"))
    return {
        "no_rationales": ~Exists(rationales),
        "unscored": Exists(rationales.filter(score__isnull=True)),
        "waiting": Q(queue_item__status="waiting") | (quiet & ~mine),
        "done": Q(queue_item__status="done") | (quiet & mine),
        "approved": Exists(rationales.filter(decision__outcome="approved")) & ~quiet
        | (quiet & approved),
        "reference": Q(reference_problem__gt=""),
    }[state]


def add_counts(
    project: Project,
    rows: Sequence[Question],
    hidden: Sequence[str] = (),
    reader: User | None = None,
) -> None:
    """Put `rationale_count`, `right_count`, `approved_count` and `queue_status` on the questions of one page;
    one in a `hidden` state seems to wait, with nothing approved, or to be as its `reader` decided it."""
    here = Q(rationales__project__isnull=False)  # the others were deleted
    counted = {
        one["pk"]: one
        for one in Question.objects.filter(pk__in=[row.pk for row in rows])
        .order_by()
        .values("pk", "queue_item__status")
        .annotate(
            written=Count("rationales", filter=here),
            right=Count("rationales", filter=here & Q(rationales__score__correctness=1)),
            approved=Count("rationales", filter=here & Q(rationales__decision__outcome="approved")),
        )
    }
    told: dict[int, int] = {}
    quiet = [pk for pk, one in counted.items() if one["queue_item__status"] in hidden]
    if quiet and (own := _own(project, hidden, reader)) is not None:
        approved = Count("pk", filter=~Q(verdict="reject"))
        mine = own.filter(rationale__question__in=quiet).values_list("rationale__question")
        told = dict(mine.annotate(n=approved))
    for row in rows:
        found = counted[row.pk]
        row.rationale_count, row.right_count = found["written"], found["right"]
        row.approved_count, row.queue_status = found["approved"], found["queue_item__status"]
        if row.queue_status in hidden:
            row.approved_count = told.get(row.pk, 0)
            row.queue_status = "done" if row.pk in told else "waiting"


def scores_wait(question: Question) -> bool:
    """Whether its rationales wait for scores, such as after its reference was changed."""
    groups = Question.group.related.related_model.objects.filter(question=question)
    return groups.filter(scored__lt=F("revision")).exists()


@dataclass(frozen=True)
class ChangeView:
    """A change as its page shows it: `rows` are (field, before, after), texts cut short."""

    pk: int
    at: datetime
    by: str
    job_id: int | None
    undoes_id: int | None
    is_undone: bool
    rows: list[tuple[str, str, str]]


def changes_of(question: Question, most: int = 20) -> list[ChangeView]:
    """What was changed in the question, the newest first."""
    rows = question.changes.select_related("user", "undone_by").order_by("-id")[:most]
    return [
        ChangeView(
            one.pk,
            one.at,
            str(one.user or "The operator"),
            one.job_id,
            one.undoes_id,
            hasattr(one, "undone_by"),
            [
                (FIELDS.get(name, name), as_text(one.before.get(name)), as_text(value))
                for name, value in one.after.items()
            ],
        )
        for one in rows
    ]


def as_text(value: object) -> str:
    text = " | ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return text if len(text) <= 2000 else f"{text[:2000]}…"


def facets(project: Project) -> dict[str, list[str]]:
    """The domains and subsets that the project's questions have, at most a minute old."""

    def read() -> dict[str, list[str]]:
        mine = Question.objects.for_project(project).order_by()
        return {
            name: sorted(
                mine.exclude(**{name: ""}).values_list(name, flat=True).distinct()[:FACET_LIMIT]
            )
            for name in ("domain", "subset")
        }

    return cache.get_or_set(f"facets:{project.pk}", read, FACET_SECONDS)
