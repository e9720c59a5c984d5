"""Scores rationales group by group: everything that the contract's "score" says.

`score_rationale` looks at one rationale alone; `Group` gathers what the members of a group need to know of
each other; `finish` puts both together. `score_items` does all three for a stream of items.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain as joined
from itertools import groupby, islice, tee

from workers.scoring.claims.divergence import MAX_RESULTS, results_of
from workers.scoring.claims.findings import NO_CLAIMS, read_claims
from workers.scoring.contract import MAX_RATIONALE, Flag, Item, StepScore, unit
from workers.scoring.extract.answers import Found, find_answer
from workers.scoring.grade.grading import grade, reference_of
from workers.scoring.group import Group, finish
from workers.scoring.isolation.process import Failure, TextError, TextProcess
from workers.scoring.metrics.conciseness import (
    StudentLimit,
    redundancy_flags,
    rough_tokens,
)
from workers.scoring.metrics.consistency import vote_of
from workers.scoring.metrics.degenerate import look
from workers.scoring.metrics.soundness import (
    STEP_ODDS,
    evidence_of,
    finding_flags,
)
from workers.scoring.metrics.structure import (
    answer_value,
    rationale_flags,
    step_flags,
    structure_score,
)
from workers.scoring.metrics.thoughts import thought_of
from workers.scoring.metrics.topic import topic_features
from workers.scoring.metrics.validity import less_likely, likelihoods
from workers.scoring.readings import as_read, own_reading
from workers.scoring.scored import Scored, digest_of, fields_of, unpack
from workers.scoring.steps.facts import RationaleFacts, analyse

IDLE_CODES = ("repeats", "restates_question", "nothing_new")
NO_REASONING = (
    0.5  # of conciseness is lost where nothing but an answer stands: there is nothing concise in it
)
EMBED_AHEAD = 2_048  # items that are embedded together, so that texts of like length share a batch
PROCESS_AHEAD = 256  # items that are handed to a process together
EMBED_CHARS = 8_000  # the model reads 256 tokens; more text only costs time


def score_rationale(item: Item, *, limit: StudentLimit | None = None, hard=None) -> Scored:
    """Scores one rationale alone: everything that needs no other member of its group."""
    rationale = analyse(item.question, item.rationale)
    found = find_answer(item.rationale, kind_of(item), item.choices, item.finish_reason)
    if item.finish_reason == "refusal":
        found = Found(None, method="refusal")
    graded = grade(found, item.references, item.answer_type, item.choices, item.question, hard=hard)
    itself = None
    if item.reading is not None:
        itself = own_reading(item, found, graded, hard=hard)
        found, graded = as_read(item)
    value = answer_value(found)
    thought = thought_of(item.rationale, rationale)
    final, before = _final_steps(item, rationale, thought.end)
    results = results_of((step.equations for step in final.steps), before)
    degenerate = look(item.question, item.rationale, rationale)
    # A wrong answer says enough, and what its steps claim would cost as much as all the rest.
    unread = graded.correctness == 0.0 or any(f.code == "other_language" for f in degenerate.flags)
    claims = NO_CLAIMS if unread else read_claims(item.question, final, before)
    answer = value if graded.correctness == 1.0 else None
    shown = finding_flags(claims, results, len(rationale.steps), answer)
    by_step = step_flags(rationale)
    for own, here, idle in zip(by_step, shown, redundancy_flags(rationale), strict=True):
        own.extend(here)
        own.extend(idle)
    overall_flags = rationale_flags(rationale, found, item.finish_reason, value)
    overall_flags.extend(degenerate.flags)
    if graded.unread in ("not_understood", "ambiguous", "type_mismatch", "bad_reference"):
        overall_flags.append(Flag("cannot_grade", graded.reason, "warning"))
    tokens = limit.count(item.rationale) if limit else None
    if limit and tokens > limit.budget:
        overall_flags.append(
            Flag(
                "too_long",
                f"The rationale is longer than the {limit.budget} tokens that the student can take.",
                "warning",
            )
        )
    scored = _assemble(item, rationale, final, found, graded, by_step, overall_flags, shown)
    scored.length = rough_tokens(item.rationale[thought.end : thought.end + 200_000])
    scored.thought = (thought.length, thought.repeats, thought.corrections) if thought.end else None
    scored.evidence = evidence_of(scored.soundness, claims, final, sum(map(bool, shown)))
    scored.tokens, scored.own = tokens, itself
    scored.results = results
    no_reasoning = any(flag.code == "no_reasoning" for flag in overall_flags)
    scored.waste = max(degenerate.waste, NO_REASONING * no_reasoning)
    scored.numbers = final.numbers if len(final.numbers) <= MAX_RESULTS else frozenset()
    return scored


def _final_steps(item: Item, rationale: RationaleFacts, start: int) -> tuple[RationaleFacts, int]:
    """The facts of the steps from `start` on, where a thought ends there, and how many stand before them."""
    steps = [step.step for step in rationale.steps if step.step.start >= start]
    if not steps or len(steps) == len(rationale.steps):
        return rationale, 0
    return analyse(item.question, item.rationale, steps), len(rationale.steps) - len(steps)


def kind_of(item: Item) -> str | None:
    """The answer type that the references are of, so that the rationale is read for the same."""
    if item.choices:
        return "choice"
    if not item.references:
        return item.answer_type
    return reference_of(item.references[0], item.answer_type).answer_type


def _assemble(
    item,
    rationale: RationaleFacts,
    final: RationaleFacts,
    found,
    graded,
    by_step,
    overall_flags,
    shown,
) -> Scored:
    is_unsupported = any(f.code == "unsupported_answer" for f in overall_flags)
    likely = likelihoods(rationale, is_unsupported)
    sound = likely.soundness if final is rationale else likelihoods(final, is_unsupported).soundness
    steps = [
        StepScore(
            f.step.text,
            f.step.start,
            f.step.end,
            unit(less_likely(v, STEP_ODDS * len(here))),
            unit(r),
            own,
            bool(f.equations),
        )
        for f, (v, r), own, here in zip(rationale.steps, likely.steps, by_step, shown, strict=True)
    ]
    counted = by_step[len(steps) - len(final.steps) :]
    idle = sum(any(f.code in IDLE_CODES for f in own) for own in counted)
    return Scored(
        item,
        found,
        graded,
        steps,
        overall_flags,
        structure=unit(structure_score(final, found, counted, overall_flags)),
        validity=unit(sound),
        redundancy=unit(likely.redundancy),
        length=0,
        checkable=rationale.checkable,
        failed=rationale.failed,
        idle_share=idle / len(counted) if counted else 0.0,
        soundness=sound,
        topic=topic_features(item.question, rationale),
        # What was not read against the reference, or is only denied, says nothing for or against any answer.
        answered=None
        if graded.verdict == "not_read" or found.method == "denied"
        else vote_of(found.answer, item.choices),
        words=digest_of(item.rationale),
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """How a stream of items is scored.

    embedder: a `similarity.Embedder`, None leaves similarity out; limit: what the project's student
    can take; teacher_weights: what each teacher's vote is worth, see `consistency`; hard: compares
    hard expressions (default: Math-Verify in a bounded child process); on_error(item, error): called
    for an item whose scoring raised, which is then left out (default: the error is raised); judge:
    called with finished rationales, puts its own score on each, see `judge.Judge`; process: reads the
    texts, so that none holds up the caller (default: they are read here, without any limit).
    """

    embedder: object = None
    limit: StudentLimit | None = None
    teacher_weights: Mapping[str, float] = field(default_factory=dict)
    hard: Callable | None = None
    on_error: Callable[[Item, Exception], None] | None = None
    judge: Callable[[list[Scored]], None] | None = None
    process: TextProcess | None = None


def score_items(
    items: Iterable[Item],
    *,
    embedder=None,
    limit: StudentLimit | None = None,
    teacher_weights: Mapping[str, float] | None = None,
    hard=None,
    on_error=None,
    judge=None,
    process=None,
) -> Iterator[Scored]:
    """Scores items in their order, one `Scored` for each.

    The rationales of one question (same `group`, or same question text where there is no group) must
    stand together: a group that comes back later is a new one. Without an embedder one group is held
    in memory at a time, with one about `EMBED_AHEAD` items. The arguments are those of `Settings`.
    """
    settings = Settings(embedder, limit, teacher_weights or {}, hard, on_error, judge, process)
    waiting: list[list[Item]] = []
    for _, members in groupby(items, key=lambda item: item.group_key):
        waiting.append(list(members))
        ahead = EMBED_AHEAD if embedder is not None else PROCESS_AHEAD if process is not None else 1
        if sum(map(len, waiting)) >= ahead:
            yield from score_groups(waiting, settings)
            waiting = []
    if waiting:
        yield from score_groups(waiting, settings)


def score_group(members: list[Item], settings: Settings = Settings()) -> list[Scored]:
    """Scores all rationales of one question."""
    return score_groups([members], settings)


def score_groups(groups: list[list[Item]], settings: Settings) -> list[Scored]:
    """Scores whole groups, in order; their texts are embedded together."""
    alone = _each(joined.from_iterable(groups), settings)
    done = [[s for s in islice(alone, len(members)) if s is not None] for members in groups]
    if settings.embedder is not None:
        _add_similarity([scored for scored in done if scored], settings.embedder)
    out = []
    for scored in done:
        group = Group()
        for one in scored:
            group.add(one, settings.teacher_weights)
        out.extend(finish(one, group, settings.limit) for one in scored)
    if settings.judge is not None:
        settings.judge(out)
    return out


def _each_alone(members: Iterable[Item], settings: Settings) -> Iterator[Scored]:
    return (scored for scored in _each(members, settings) if scored is not None)


def _each(items: Iterable[Item], settings: Settings) -> Iterator[Scored | None]:
    """Each item scored alone; None for one that failed, which `on_error` is told of: it fails alone."""
    for item, scored in (_in_process if settings.process else _here)(items, settings):
        if not isinstance(scored, Exception):
            yield scored
        elif settings.on_error is None:
            raise scored
        else:
            settings.on_error(item, scored)
            yield None


def _here(items: Iterable[Item], settings: Settings) -> Iterator[tuple[Item, Scored | Exception]]:
    for item in items:
        try:
            yield item, score_rationale(item, limit=settings.limit, hard=settings.hard)
        except Exception as error:
            yield item, error


def _in_process(
    items: Iterable[Item], settings: Settings
) -> Iterator[tuple[Item, Scored | Exception]]:
    limit = settings.limit and (settings.limit.model, settings.limit.budget)
    items, again = tee(items)
    sent = ((limit, *fields_of(item)) for item in again if not _is_huge(item))
    with closing(settings.process.map("score", sent)) as results:
        for item in items:
            if _is_huge(item):
                yield item, TextError(f"it has more than {MAX_RATIONALE:,} characters")
            elif isinstance(result := next(results), Failure):
                yield item, TextError(result.reason, result.trace)
            else:
                yield item, unpack(item, result)


def _is_huge(item: Item) -> bool:
    return max(len(item.rationale), len(item.question)) > MAX_RATIONALE


def score_large_group(
    members: Callable[[bool], Iterable[Item]], settings: Settings
) -> Iterator[Scored]:
    """Scores a group too large for memory.

    members(last) gives its items afresh: first to gather what they need to know of each other, then,
    with last=True, to be scored in their order.
    """
    group = Group()
    total, count = None, 0
    for one in _each_alone(
        members(False), replace(settings, on_error=settings.on_error and _ignore)
    ):
        group.add(one, settings.teacher_weights)
    if settings.embedder is not None:
        for texts in _batches(item.rationale[:EMBED_CHARS] for item in members(False)):
            part = settings.embedder.encode(texts).sum(axis=0)
            total, count = (part if total is None else total + part), count + len(texts)
    for chunk in _batches(_each_alone(members(True), settings)):
        if total is not None:
            _similar_to(chunk, settings.embedder, total, count)
        for one in chunk:
            one.vote = group.ballot.key_of(one.answered)
            finish(one, group, settings.limit)
        if settings.judge is not None:
            settings.judge(chunk)
        yield from chunk


def _ignore(item: Item, error: Exception) -> None:
    """The second reading reports it."""


def _batches(stream: Iterable, size: int = 512) -> Iterator[list]:
    stream = iter(stream)
    while batch := list(islice(stream, size)):
        yield batch


def _similar_to(chunk: list[Scored], embedder, total, count: int) -> None:
    import numpy as np

    from workers.scoring.metrics.similarity import to_rest

    texts = [one.item.rationale[:EMBED_CHARS] for one in chunk]
    asked = chunk[0].item.question[:EMBED_CHARS]
    *vectors, question = embedder.encode([*texts, asked])
    for one, vector in zip(chunk, vectors, strict=True):
        one.cosine = float(vector @ question)
    for one, value in zip(chunk, to_rest(np.array(vectors), total, count), strict=True):
        one.similarity = round(float(value), 4)


def _add_similarity(groups: list[list[Scored]], embedder) -> None:
    """Embeds the texts of all groups at once (equal texts once), then compares within each and with
    the question."""
    places: dict[str, int] = {}
    for scored in groups:
        for one in scored:
            places.setdefault(one.item.rationale[:EMBED_CHARS], len(places))
            places.setdefault(one.item.question[:EMBED_CHARS], len(places))
    if not places:
        return
    vectors = embedder.encode(list(places))
    for scored in groups:
        own = vectors[[places[one.item.rationale[:EMBED_CHARS]] for one in scored]]
        for one, vector in zip(scored, own, strict=True):
            question = vectors[places[one.item.question[:EMBED_CHARS]]]
            one.cosine = float(vector @ question)
        _add_to_rest(scored, own)


def _add_to_rest(scored: list[Scored], vectors) -> None:
    """How near each of a group is to the others of it that count."""
    import numpy as np

    from workers.scoring.metrics.similarity import to_rest

    counts = np.array([one.item.counts for one in scored])
    total, n = vectors[counts].sum(axis=0), int(counts.sum())
    values = np.full(len(scored), np.nan)
    values[counts] = to_rest(vectors[counts], total, n)
    if n:
        values[~counts] = vectors[~counts] @ total / n
    for one, value in zip(scored, values, strict=True):
        if not np.isnan(value):
            one.similarity = round(float(value), 4)
