"""Search by meaning, on the `cpu` queue: vectors of texts, and the texts nearest to a query."""

import logging
import time

import numpy as np
from django.conf import settings

from curation.celery_app import EMBED_TEXTS, SEARCH_MEANING, app, send
from curation.projects.models import Project
from curation.rationales.models import MeaningSearch, TextKind
from curation.rationales.semantic_search import searches
from workers.scoring.metrics.similarity import DEFAULT_MODEL
from workers.scoring.tasks import BETWEEN, embedder
from workers.semantic_search.nearest import Shelf, pack

log = logging.getLogger(__name__)
HITS = 100
BLOCK = 20_000
EMBED_AT_ONCE = 256
MOST_CHARACTERS = 4000  # the model reads 256 word pieces; the rest would only be cut into pieces
# A search waits for the texts of its project that came last, and no longer.
BEFORE_A_SEARCH = 3.0
# Then other work has its turn, and this comes again.
ONE_TURN = 30.0
# So often open searches get a new answer while texts get their vectors.
ANSWER_EVERY = 3.0
MOST_SHELVES = 6  # of projects that were searched last in this process
# Errors of a model that is not there, or does not load or run, and of a disk without space.
BROKEN = (ValueError, OSError, ImportError, RuntimeError)

_shelves: dict[tuple[int, str], Shelf] = {}


@app.task(name=SEARCH_MEANING)
def search_meaning(search_id: int) -> None:
    """Answer a search; anew while texts that have no vector yet get theirs."""
    search = MeaningSearch.objects.select_related("project", "like").filter(pk=search_id).first()
    if search is None or not searches.is_waited_for(search):
        return
    try:
        vector = embedder().encode([(search.like.text if search.like else search.text)])[0]
        made = embed(search.project, search.kind, BEFORE_A_SEARCH)
        look(search, vector.astype("<f4"), made)
    except BROKEN as error:
        # Places of this machine are for the log alone.
        log.error("search %s", search_id, exc_info=error)
        searches.fail(search, "its model of sentences does not load; the workers' log says why.")
        return
    if made.more:
        send(EMBED_TEXTS, search.project_id)


def answer_searches() -> None:
    """Answer the searches that wait while a scoring run has this worker."""
    for search in searches.waiting():
        search_meaning(search.pk)


BETWEEN.append(answer_searches)


def look(search: MeaningSearch, vector: np.ndarray, made: "Made") -> None:
    """Answer with what is nearest among the texts that have their vectors."""
    same_kind = search.like_id is not None and search.kind == TextKind.RATIONALE
    shelf = shelf_of(search.project_id, search.kind)
    hits = shelf.nearest(vector, HITS, but=search.like_id if same_kind else None)
    left = searches.left_of(search.project, search.kind, len(shelf)) if made.more else 0
    pace = made.pace or search.pace
    searches.answer(search, hits, len(shelf), left=left, pace=pace, vector=vector.tobytes())


def shelf_of(project_id: int, kind: str) -> Shelf:
    """The vectors of a project; those that were stored since the last look are added.

    They are stored in the order of their texts, but for the last LATE, see `meaning.missing`.
    """
    shelf = _shelves.pop((project_id, kind), None) or Shelf(settings.HOME)
    _shelves[project_id, kind] = shelf  # the one used last stands last
    while len(_shelves) > MOST_SHELVES:
        del _shelves[next(iter(_shelves))]
    last = max(0, shelf.last - searches.LATE)
    while rows := searches.stored(project_id, kind, DEFAULT_MODEL, last, BLOCK):
        last = rows[-1][0]
        shelf.add([pk for pk, _ in rows], [data for _, data in rows])
    return shelf


@app.task(name=EMBED_TEXTS)
def embed_texts(project_id: int) -> None:
    """Make the vectors that are missing, for half a minute; then come again."""
    project = Project.objects.filter(pk=project_id).first()
    if project is None:
        return
    asked_for = set(searches.unfinished(project).values_list("kind", flat=True))
    for kind in sorted(searches.MODELS, key=lambda kind: kind not in asked_for):
        if embed(project, kind, ONE_TURN, gives_way=True).more:
            send(EMBED_TEXTS, project_id)
            return
    if searches.forget_gone(project):
        for kind in searches.MODELS:
            _shelves.pop((project_id, kind), None)


class Made:
    """How many vectors were made since when, and whether `more` are missing."""

    def __init__(self) -> None:
        self.began, self.count, self.more = time.monotonic(), 0, True

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def pace(self) -> float | None:
        """Texts a second; None where none was made."""
        return self.count / max(self.seconds, 0.01) if self.count else None


def embed(project: Project, kind: str, seconds: float, *, gives_way: bool = False) -> Made:
    """Make missing vectors for so long, and answer the open searches anew.

    `gives_way`: a search that comes meanwhile goes before.
    """
    made, answered = Made(), 0.0
    while part := list(
        searches.missing(project, kind, DEFAULT_MODEL).values_list("pk", "text")[:EMBED_AT_ONCE]
    ):
        if made.seconds > seconds or (gives_way and searches.waiting().exists()):
            answer_anew(project, kind, made)
            return made
        vectors = embedder().encode([text[:MOST_CHARACTERS] for _, text in part])
        rows = [
            searches.Vector(pk, data) for (pk, _), data in zip(part, pack(vectors), strict=True)
        ]
        searches.store(project, kind, DEFAULT_MODEL, rows)
        made.count += len(rows)
        if made.seconds > answered + ANSWER_EVERY:
            answer_anew(project, kind, made)
            answered = made.seconds
    made.more = False
    answer_anew(project, kind, made)
    return made


def answer_anew(project: Project, kind: str, made: Made) -> None:
    """Answer the searches for texts of this kind that are looked at while vectors are being made."""
    for search in searches.unfinished(project, kind)[: searches.OPEN_AT_ONCE]:
        look(search, np.frombuffer(bytes(search.vector), dtype="<f4").copy(), made)
