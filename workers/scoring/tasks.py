"""Score the groups of a project that wait, on the `cpu` queue."""

from collections.abc import Iterable, Iterator

from curation.queue import SCORE_PROJECT, app
from curation.rationales.models import Group, Rationale, ScoringRun
from curation.rationales.scoring import order_scoring, store_scores, waiting_groups
from curation.reviews.claims import enqueue
from curation.reviews.services import apply_rule
from curation.work import Status, begin, finish, still_mine
from workers.pulse import Pulse
from workers.scoring import SCORER_VERSION, Item, score_items
from workers.scoring.similarity import SentenceEmbedder

GROUPS_AT_ONCE = 50

_embedder: SentenceEmbedder | None = None


def embedder() -> SentenceEmbedder:
    """The sentence embedder, loaded once in this worker's process."""
    global _embedder
    if _embedder is None:
        _embedder = SentenceEmbedder()
    return _embedder


@app.task(name=SCORE_PROJECT)
def score(run_id: int) -> None:
    """Score until no group of the project waits. A group that changes meanwhile waits again."""
    run = begin(ScoringRun, run_id)
    if run is None:
        return
    done = run.done
    with Pulse(run, on_lost=lambda: None) as pulse:
        while groups := waiting_groups(run.project_id, GROUPS_AT_ONCE):
            done += score_groups(run, groups)
            if pulse.lost.is_set() or not still_mine(run, done=done):
                return
        if run.project.rule_approves:
            apply_rule(run.project)
    finish(run, Status.DONE, done=done, total=max(run.total, done))
    # A rationale that came between the last look and the end would find this run still active.
    order_scoring(run.project, run.created_by)


def score_groups(run: ScoringRun, groups: list[Group]) -> int:
    """Score all rationales of these groups, store, and put the questions into the review queue."""
    questions = [group.question_id for group in groups]
    chains = (
        Rationale.objects.filter(question_id__in=questions)
        .exclude(edit_review__withdrawn_at__isnull=False)
        .select_related("question", "teacher")
        .order_by("question_id", "id")
    )
    scored = score_items(items(chains), embedder=embedder() if run.embeddings else None)
    scores = {int(one.item.id): one.details() | one.to_dict() for one in scored}
    store_scores(groups, scores, SCORER_VERSION)
    enqueue(run.project, questions)
    return len(scores)


def items(chains: Iterable[Rationale]) -> Iterator[Item]:
    """The chains as the scorers take them."""
    for chain in chains:
        question = chain.question
        answer = question.reference_answer
        yield Item(
            id=str(chain.pk),
            question=question.text,
            rationale=chain.text,
            references=(answer,) if answer else (),
            answer_type=question.answer_type,
            choices=tuple(question.choices),
            group=str(question.pk),
            teacher=chain.teacher.name if chain.teacher_id else None,
            finish_reason=chain.finish_reason or None,
        )
