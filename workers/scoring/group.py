"""What the rationales of one question know of each other, and the scores that depend on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.scoring.contract import Flag, unit
from workers.scoring.metrics.conciseness import StudentLimit, conciseness_score
from workers.scoring.metrics.consistency import Ballot
from workers.scoring.metrics.soundness import (
    Others,
    divergence_flag,
    first_wrong_step,
    left_of_wrong,
    right_soundness,
)
from workers.scoring.metrics.validity import off_topic
from workers.scoring.scored import Scored

WEIGHTS = {
    "correctness": 0.45,
    "validity": 0.25,
    "structure": 0.10,
    "consistency": 0.10,
    "conciseness": 0.10,
}
OFF_TOPIC_FLAG = 0.5  # how likely a rationale is about another question before a flag says so
WRONG_CEILING = 0.4  # overall of a rationale with a wrong answer, or without any


@dataclass(slots=True)
class Group:
    """What the members of one group need to know of each other; grows one member at a time."""

    ballot: Ballot = field(default_factory=Ballot)
    shortest_right: int | None = None
    texts: dict[bytes, str] = field(default_factory=dict)
    others: Others = field(default_factory=Others)

    def add(self, scored: Scored, weights: Mapping[str, float]) -> None:
        """Counts one member in, where it counts, and notes which answer it gives."""
        if not scored.item.counts:
            scored.vote = self.ballot.key_of(scored.answered)
            return
        weight = weights.get(scored.item.teacher or "", 0.5)
        scored.vote = self.ballot.add(scored.answered, weight)
        if scored.correctness == 1.0:
            self.others.add(scored.numbers)
        if scored.correctness == 1.0 and scored.length:
            self.shortest_right = min(scored.length, self.shortest_right or scored.length)

    def twin(self, scored: Scored) -> str | None:
        """Id of an earlier member with the same words, noting this one."""
        earlier = self.texts.get(scored.words)
        if earlier is None and scored.item.counts and len(self.texts) < 100_000:
            self.texts[scored.words] = scored.item.id
        return earlier


def finish(scored: Scored, group: Group, limit: StudentLimit | None = None) -> Scored:
    """Adds what depends on the rest of the group, and on the embeddings where there are any."""
    scored.consistency = _rounded(group.ballot.share(scored.vote))
    _note_validity(scored, group.others)
    scored.weighted_consistency = _rounded(group.ballot.weighted_share(scored.vote))
    twin = group.twin(scored)
    if twin is not None:
        scored.flags.append(Flag("duplicate", f"The same text as {twin}.", "info"))
    scored.conciseness = unit(
        conciseness_score(
            scored.length,
            group.shortest_right,
            scored.idle_share,
            scored.waste,
            limit,
            scored.tokens,
        )
    )
    scored.overall = unit(overall_score(scored))
    return scored


def _note_validity(one: Scored, others: Others) -> None:
    """How likely no step is wrong, given the grade and the group, and that it is about its question."""
    right = one.correctness == 1.0
    others.read_worked(one.item.worked_solution)
    beside = others.beside(one.numbers, counted=right and one.item.counts)
    at = None
    if beside is not None and one.correctness is not None:
        found = divergence_flag(one.results, beside, others.worked, right)
        if found is not None:
            at, flag = found
            one.steps[at].flags.append(flag)
    sound = one.soundness
    if right:
        sound = right_soundness(one.evidence, beside and (at is not None, one.consistency))
    elif one.correctness == 0.0:
        sound = left_of_wrong(one.soundness)
        step = first_wrong_step([step.validity for step in one.steps], at)
        one.first_wrong = None if step is None else step + 1
    off = off_topic(one.topic, one.cosine) if one.topic is not None else 0.0
    one.validity = unit(sound * (1.0 - off))
    if off > OFF_TOPIC_FLAG:
        message = "This is hardly about the question: it takes little of its words and numbers."
        one.flags.append(Flag("off_topic", message, "warning"))


def _rounded(value: float | None) -> float | None:
    return None if value is None else unit(value)


def overall_score(scored: Scored) -> float:
    """Weighted mean of what is known (`WEIGHTS`); a wrong or missing answer keeps it under
    `WRONG_CEILING`."""
    parts = {
        "correctness": scored.correctness,
        "validity": scored.validity,
        "structure": scored.structure,
        "consistency": scored.consistency,
        "conciseness": scored.conciseness,
    }
    known = {name: value for name, value in parts.items() if value is not None}
    mean = sum(WEIGHTS[n] * v for n, v in known.items()) / sum(WEIGHTS[n] for n in known)
    is_answered = scored.correctness != 0.0 and scored.found.answer is not None
    return mean if is_answered else min(mean, WRONG_CEILING)
