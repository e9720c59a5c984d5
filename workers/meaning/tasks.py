"""Search by meaning, on the `cpu` queue: vectors of texts, and the texts nearest to a query."""

import logging
import time
from collections.abc import Iterator

import numpy as np

from curation.projects.models import Project
from curation.queue import EMBED_TEXTS, SEARCH_MEANING, app, send
from curation.rationales import meaning
from curation.rationales.models_meaning import MeaningSearch, TextKind
from workers.meaning.nearest import nearest, pack, unpack
from workers.scoring.similarity import DEFAULT_MODEL
from workers.scoring.tasks import embedder

log = logging.getLogger(__name__)
HITS = 100
BLOCK = 20_000
EMBED_AT_ONCE = 256
MOST_CHARACTERS = 4000  # the model reads 256 word pieces; the rest would only be cut into pieces
# A search waits for the texts of its project that came last, and no longer.
BEFORE_A_SEARCH = 3.0
# Then other work has its turn, and this comes again.
ONE_TURN = 30.0


@app.task(name=SEARCH_MEANING)
def search_meaning(search_id: int) -> None:
    """Answer a search. Texts that have no vector yet are found by a later one."""
    search = MeaningSearch.objects.select_related("project", "like").filter(pk=search_id).first()
    if search is None or not meaning.is_waited_for(search):
        return
    try:
        vector = embedder().encode([(search.like.text if search.like else search.text)])[0]
        if embed(search.project, search.kind, BEFORE_A_SEARCH):
            send(EMBED_TEXTS, search.project_id)
        same_kind = search.like_id is not None and search.kind == TextKind.RATIONALE
        hits, compared = nearest(
            vector, blocks(search), HITS, but=search.like_id if same_kind else None
        )
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        # The model is not there, or does not load or run; places of this machine are for the log alone.
        log.error("search %s", search_id, exc_info=error)
        meaning.fail(search, "its model of sentences does not load; the workers' log says why.")
        return
    meaning.answer(search, hits, compared)


def blocks(search: MeaningSearch) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The vectors of the project, some thousand at a time."""
    last = 0
    while rows := meaning.stored(search.project_id, search.kind, DEFAULT_MODEL, last, BLOCK):
        last = rows[-1][0]
        yield np.array([pk for pk, _ in rows], dtype=np.int64), unpack(data for _, data in rows)


@app.task(name=EMBED_TEXTS)
def embed_texts(project_id: int) -> None:
    """Make the vectors that are missing, for half a minute; then come again."""
    project = Project.objects.filter(pk=project_id).first()
    if project is None:
        return
    for kind in meaning.MODELS:
        if embed(project, kind, ONE_TURN):
            send(EMBED_TEXTS, project_id)
            return


def embed(project: Project, kind: str, seconds: float) -> bool:
    """Make missing vectors for so long; True where some are still missing."""
    until = time.monotonic() + seconds
    while part := list(
        meaning.missing(project, kind, DEFAULT_MODEL).values_list("pk", "text")[:EMBED_AT_ONCE]
    ):
        if time.monotonic() > until:
            return True
        vectors = embedder().encode([text[:MOST_CHARACTERS] for _, text in part])
        made = [meaning.Vector(pk, data) for (pk, _), data in zip(part, pack(vectors), strict=True)]
        meaning.store(project, kind, DEFAULT_MODEL, made)
    return False
