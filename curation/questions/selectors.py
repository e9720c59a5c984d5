"""Reads for the lists of questions. Rationales, right of this app, are reached by the name of their
reverse relation only, never by import; what came of reviews, a `Viewer` says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from curation.db.search import found, parse
from curation.projects.models import Project
from curation.projects.viewers import Viewer, sees_all
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
_HAS = Question.objects.filter(pk=OuterRef("pk"), rationales__project__isnull=False)
# The others say what came of reviews: as a viewer may know it.
_STATES = {
    "no_rationales": ~Exists(_HAS),
    "unscored": Exists(_HAS.filter(rationales__score__isnull=True)),
    "reference": Q(reference_problem__gt=""),
}
NAMES = {"q": "words"}
FACET_LIMIT = 200
FACET_SECONDS = 60


def questions(
    project: Project, filters: dict[str, str], viewer: Viewer | None = None
) -> QuerySet[Question]:
    """The questions that the filters keep, their states as they seem to the `viewer`; without one, to an
    admin. Raises Invalid for a value that is not allowed."""
    rows = Question.objects.for_project(project)
    if split := filters.get("split"):
        rows = rows.filter(split=one_of("split", split, Split.values))
    if subset := filters.get("subset"):
        rows = rows.filter(subset=subset)
    if domain := filters.get("domain"):
        rows = rows.filter(domain=domain)
    if state := filters.get("state"):
        one_of("state", state, STATES)
        if state in _STATES:
            rows = rows.filter(_STATES[state])
        else:
            rows = (viewer or sees_all(project)).questions(rows, state)
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


def add_counts(project: Project, rows: Sequence[Question], viewer: Viewer | None = None) -> None:
    """Put `rationale_count`, `right_count`, `approved_count` and `queue_status` on the questions of one page,
    as they seem to the `viewer`; without one, to an admin."""
    viewer = viewer or sees_all(project)
    here = Q(rationales__project__isnull=False)  # the others were deleted
    if not viewer.is_admin:  # else a count would tell that somebody has written something
        here &= ~viewer.unseen("rationales__")
    keys = [row.pk for row in rows]
    counted = {
        one["pk"]: one
        for one in Question.objects.filter(pk__in=keys)
        .order_by()
        .values("pk")
        .annotate(
            written=Count("rationales", filter=here),
            right=Count("rationales", filter=here & Q(rationales__score__verdict="right")),
        )
    }
    states = viewer.states_of(keys)
    for row in rows:
        found = counted[row.pk]
        row.rationale_count, row.right_count = found["written"], found["right"]
        row.queue_status, row.approved_count = states[row.pk]


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
