"""Search by meaning: ordered here, answered by a worker, which has the model; see
workers/semantic_search.

A text's vector is made when somebody first searches in its project, by the worker; `missing` says which
have none yet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, Max, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from curation import celery_app
from curation.db.quotas import lock
from curation.errors import Invalid
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Embedding, MeaningSearch, Rationale, TextKind

KEPT = timedelta(hours=1)
# A page waits no longer: by then its hits by words are all there is.
PATIENCE = timedelta(seconds=30)
OPEN_AT_ONCE = 5
LATE = 5000
MOST_WORDS = 1000  # characters; a model of sentences reads no more
MODELS: dict[str, type[Model]] = {TextKind.RATIONALE: Rationale, TextKind.QUESTION: Question}


def order_search(
    project: Project,
    user: User,
    *,
    text: str = "",
    like: Rationale | None = None,
    kind: str = TextKind.RATIONALE,
) -> MeaningSearch:
    """Ask a worker for what is nearest to the words, or to a rationale. Raises Invalid for nothing to look
    for, and for too many searches at once."""
    text = " ".join(text.split())
    if kind not in TextKind.values:
        raise Invalid(f"{kind!r} cannot be searched: choose {' or '.join(TextKind.values)}.")
    if like is None and not text:
        raise Invalid("Say in words what you look for.")
    if len(text) > MOST_WORDS:
        raise Invalid(f"Say it in at most {MOST_WORDS:,} characters.")
    now = timezone.now()
    mine = MeaningSearch.objects.filter(project=project, user=user)
    mine.filter(created_at__lt=now - KEPT).delete()
    with transaction.atomic():
        lock(user)
        if mine.filter(answered_at=None, created_at__gt=now - PATIENCE).count() >= OPEN_AT_ONCE:
            raise Invalid("Five searches are on their way already: wait for one of them.")
        search = MeaningSearch.objects.create(
            project=project, user=user, text=text, like=like, kind=kind
        )
        celery_app.send(celery_app.SEARCH_MEANING, search.pk)
    return search


def is_waited_for(search: MeaningSearch) -> bool:
    return search.answered_at is None and search.created_at > timezone.now() - PATIENCE


def grows(search: MeaningSearch) -> bool:
    """Whether the answer holds only some of the texts so far, and a worker goes on with it."""
    return search.left > 0 and not search.error and search.created_at > timezone.now() - KEPT


def waiting() -> QuerySet[MeaningSearch]:
    """Searches that have no answer yet, in any project, the oldest first."""
    return MeaningSearch.objects.filter(
        answered_at=None, created_at__gt=timezone.now() - PATIENCE
    ).order_by("pk")


def unfinished(project: Project, kind: str | None = None) -> QuerySet[MeaningSearch]:
    """Searches whose answer grows while texts get their vectors, the newest first."""
    rows = MeaningSearch.objects.filter(
        project=project, left__gt=0, error="", created_at__gt=timezone.now() - KEPT
    )
    return (rows.filter(kind=kind) if kind else rows).order_by("-pk")


def growing() -> list[int]:
    """The projects that have such searches."""
    rows = MeaningSearch.objects.filter(
        left__gt=0, error="", created_at__gt=timezone.now() - KEPT, project__deleted_at__isnull=True
    )
    return list(rows.order_by().values_list("project", flat=True).distinct())


def answer(
    search: MeaningSearch,
    hits: Sequence[tuple[int, float]],
    embedded: int,
    *,
    left: int = 0,
    pace: float | None = None,
    vector: bytes | None = None,
) -> None:
    """Write what the worker found among `embedded` texts; `left` had no vector yet, and so many get
    theirs in a second. With some left a later answer takes this one's place."""
    MeaningSearch.objects.filter(Q(answered_at=None) | Q(left__gt=0), pk=search.pk).update(
        hits=[[pk, round(cosine, 4)] for pk, cosine in hits],
        embedded=embedded,
        left=left,
        pace=pace,
        vector=vector if left else None,
        answered_at=Coalesce("answered_at", timezone.now()),
    )


def left_of(project: Project, kind: str, embedded: int) -> int:
    """How many texts of the project have no vector where so many have one."""
    return max(0, MODELS[kind].objects.filter(project=project).count() - embedded)


def fail(search: MeaningSearch, error: str) -> None:
    MeaningSearch.objects.filter(pk=search.pk, answered_at=None).update(
        error=error[:300], answered_at=timezone.now()
    )


def missing(project: Project, kind: str, model: str) -> QuerySet:
    """The texts that have no vector of this model yet, in their order.

    All are made in that order, so those before the last one made are there: what is looked at does not
    grow with what is done. But for the last LATE of them: on PostgreSQL a text can be written with an
    earlier number and be seen later. And but for what was deleted for a while, which lost its vector.
    """
    mine = Embedding.objects.filter(project=project, kind=kind, model=model)
    last = mine.aggregate(last=Max("object_id"))["last"] or 0
    has = mine.filter(object_id=OuterRef("pk"))
    unsure = Q(pk__gt=last - LATE) | Q(deletion__isnull=False)
    rows = MODELS[kind].objects.filter(unsure, ~Exists(has), project=project)
    return rows.order_by("pk")


def forget_gone(project: Project) -> int:
    """Delete the vectors of texts that are there no more, which would stand in the way of hits that can
    be shown; returns how many."""
    gone = 0
    for kind, model in MODELS.items():
        text = model.objects.filter(pk=OuterRef("object_id"), project=project)
        rows = Embedding.objects.filter(~Exists(text), project=project, kind=kind)
        gone += rows.delete()[0]
    return gone


@dataclass(frozen=True)
class Vector:
    """Of a text: its id, and the float16 bytes of its vector."""

    pk: int
    data: bytes


def store(project: Project, kind: str, model: str, vectors: Iterable[Vector]) -> None:
    """Keep vectors; one of another model is replaced."""
    Embedding.objects.bulk_create(
        (
            Embedding(project=project, kind=kind, object_id=one.pk, model=model, vector=one.data)
            for one in vectors
        ),
        batch_size=500,
        update_conflicts=True,
        unique_fields=["project", "kind", "object_id"],
        update_fields=["model", "vector"],
    )


def stored(
    project_id: int, kind: str, model: str, after: int, size: int
) -> list[tuple[int, bytes]]:
    """The next (object id, float16 bytes of its vector) with an object id above `after`."""
    rows = Embedding.objects.filter(
        project=project_id, kind=kind, model=model, object_id__gt=after
    ).order_by("object_id")
    found = rows.values_list("object_id", "vector")[:size]
    return [(pk, bytes(vector)) for pk, vector in found]
