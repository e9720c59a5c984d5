"""From answers to figures: each answer scored, each group of questions summed up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from workers.evaluation import statistics
from workers.evaluation.answers import Answer
from workers.evaluation.config import ModelEntry
from workers.evaluation.types import (
    Estimate,
    GroupResult,
    ModelResult,
    PairResult,
    Question,
    Share,
    TargetResult,
    Targets,
)

Groups = dict[tuple[str, str], list[int]]


@dataclass(frozen=True)
class Outcome:
    """What one answer is worth. One that was not read is not ``graded``: neither right nor wrong."""

    text: str
    came_back: bool
    right: bool
    graded: bool
    validity: float | None
    ended: bool | None
    tokens: int


@dataclass(frozen=True)
class References:
    """What length and similarity are measured against: whose rationales, and how long they are.

    ``rationales[i]`` are the reference rationales of question i, empty where there is none; ``tokens[i]``
    their lengths. ``teacher`` is "" where the rationales come from a file.
    """

    teacher: str
    rationales: list[list[str]]
    tokens: list[list[int]]


def outcomes(
    answers: Sequence[Answer],
    scores: Sequence[dict | None],
    count_tokens: Callable[[Sequence[str]], list[int]],
) -> list[Outcome]:
    """One outcome an answer; ``scores`` are those of the scoring contract, None where it failed."""
    lengths = count_tokens([answer.text for answer in answers])
    return [
        _outcome(answer, score, tokens)
        for answer, score, tokens in zip(answers, scores, lengths, strict=True)
    ]


def _outcome(answer: Answer, score: dict | None, tokens: int) -> Outcome:
    came_back = answer.came_back
    score = score or {}
    correctness = score.get("correctness")
    return Outcome(
        text=answer.text,
        came_back=came_back,
        right=came_back and correctness == 1,
        graded=correctness is not None,
        validity=score.get("validity") if score.get("steps") else None,
        ended=answer.finish_reason == "stop" if answer.finish_reason else None,
        tokens=tokens,
    )


def group_questions(questions: Sequence[Question]) -> Groups:
    """Places of the questions by (split, subset), in the order in which the groups first come."""
    groups: Groups = {}
    for place, question in enumerate(questions):
        groups.setdefault((question.split, question.subset), []).append(place)
    return groups


def measure(
    entry: ModelEntry,
    found: Sequence[Outcome],
    groups: Groups,
    references: References | None,
    cosines: Sequence[float | None] | None,
) -> ModelResult:
    """All figures of one model; ``cosines`` are those of :func:`similarities`, None for none."""
    results = [
        _group(
            name, [i for i in places if found[i].came_back], len(places), found, references, cosines
        )
        for name, places in groups.items()
    ]
    return ModelResult(entry.name, entry.role, tuple(results))


def _group(name, places, asked, found, references, cosines) -> GroupResult:
    rows = [found[i] for i in places]
    alike = [cosines[i] for i in places if cosines[i] is not None] if cosines is not None else []
    return GroupResult(
        split=name[0],
        subset=name[1],
        n=asked,
        n_failed=asked - len(rows),
        n_not_read=sum(not row.graded for row in rows),
        accuracy=statistics.share(sum(row.right for row in rows), len(rows)),
        validity=statistics.mean([row.validity for row in rows if row.validity is not None]),
        length_ratio=_length_ratio(places, found, references),
        similarity=statistics.mean(alike, bounds=(-1.0, 1.0)),  # raw cosines
        ended=_ended(rows),
        mean_tokens=float(np.mean([row.tokens for row in rows])) if rows else None,
    )


def _ended(rows) -> Estimate:
    """Of those of which it is known; a server that says nothing of it says nothing against the model."""
    known = [row.ended for row in rows if row.ended is not None]
    return statistics.share(sum(known), len(known))


def _length_ratio(places, found, references: References | None) -> Estimate:
    """Right rationales against the reference's right rationales of the same questions."""
    if references is None:
        return statistics.NOTHING
    both = [i for i in places if found[i].right and references.tokens[i]]
    return statistics.ratio(
        [found[i].tokens for i in both],
        [float(np.mean(references.tokens[i])) for i in both],
    )


def similarities(found: Sequence[Outcome], references: References, embedder) -> list[float | None]:
    """Mean raw cosine of each answer to the reference rationales of its question, None without one.

    ``embedder.encode(texts)`` gives unit vectors, shape (texts, width). Equal texts are encoded
    once.
    """
    places = [i for i, row in enumerate(found) if row.text.strip() and references.rationales[i]]
    different = list(
        dict.fromkeys(text for i in places for text in (found[i].text, *references.rationales[i]))
    )
    cosines: list[float | None] = [None] * len(found)
    if not different:
        return cosines
    vectors = embedder.encode(different)
    at = {text: number for number, text in enumerate(different)}
    for i in places:
        theirs = vectors[[at[text] for text in references.rationales[i]]]
        cosines[i] = float(np.mean(theirs @ vectors[at[found[i].text]]))
    return cosines


def compare(
    names: Sequence[str], found: dict[str, Sequence[Outcome]], groups: Groups
) -> list[PairResult]:
    """Every two models on every group, over the questions that both answered."""
    results = []
    for (split, subset), places in groups.items():
        for number, a in enumerate(names):
            for b in names[number + 1 :]:
                both = [i for i in places if found[a][i].came_back and found[b][i].came_back]
                left = [found[a][i].right for i in both]
                right = [found[b][i].right for i in both]
                results.append(PairResult(a, b, split, subset, *statistics.difference(left, right)))
    return results


def share_of_teacher(
    student: Sequence[Outcome], teacher: Sequence[Outcome], places: Sequence[int]
) -> Estimate:
    """Accuracy of the student over the teacher's, on questions that both answered."""
    both = [i for i in places if student[i].came_back and teacher[i].came_back]
    return statistics.ratio([student[i].right for i in both], [teacher[i].right for i in both])


def judge(
    model: ModelResult,
    share: Share | None,
    teacher_accuracy: float | None,
    primary: tuple[str, str],
    targets: Targets,
) -> list[TargetResult]:
    """The four targets of one student on the primary group.

    Accuracy is judged by the share of the better teacher's, which carries the uncertainty of both
    (same questions, resampled together); the bar and figure shown are in accuracy.
    """
    group = model.group(*primary)
    if group is None:
        return []
    status = "unknown"
    bar = None
    if share is not None and teacher_accuracy is not None:
        status = standing(share.estimate, targets.accuracy, larger_is_better=True)
        bar = targets.accuracy * teacher_accuracy
    found = [TargetResult(model.name, "accuracy", group.accuracy, bar, status)]
    for name, larger in (("validity", True), ("length_ratio", False), ("similarity", True)):
        estimate, limit = getattr(group, name), getattr(targets, name)
        found.append(
            TargetResult(model.name, name, estimate, limit, standing(estimate, limit, larger))
        )
    return found


def standing(estimate: Estimate, bar: float, larger_is_better: bool) -> str:
    """How a figure with its interval stands to a bar, see types.STATUSES."""
    if estimate.value is None:
        return "unknown"
    sign = 1.0 if larger_is_better else -1.0
    ends = [sign * (end - bar) for end in (estimate.low, estimate.high) if end is not None]
    good = sign * (estimate.value - bar) >= 0
    if len(ends) == 2 and min(ends) >= 0:
        return "met"
    if len(ends) == 2 and max(ends) < 0:
        return "missed"
    return "met_by_estimate" if good else "missed_by_estimate"
