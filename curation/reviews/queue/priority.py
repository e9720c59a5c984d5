"""Which waiting question comes first, and why in words.

A person's decision teaches the most where the machines are unsure: where the teachers' answers differ,
and where a rationale just passes or just fails the project's rubric. What failed in the last evaluation is
put in front of all of it (`queueing.pull_forward`); among equals the oldest question comes first.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from curation.projects.models import Rubric, Unread
from curation.rationales.models import AnswerVerdict

PINNED = 2.0  # what a failed evaluation adds: more than the highest rank otherwise, 1.5
UNREAD_FIRST = 1.8  # under what is pinned, over all else, where the rubric wants it
NEAR = 0.1  # a rationale is near the rubric when a change of its scores by this much would turn it
NEAR_WEIGHT = 0.5  # of a rationale right at the threshold, against 1 for answers that all differ


@dataclass(frozen=True)
class Scored:
    """What the scorers say of a rationale, as the order needs it. `is_open`: nobody has decided it."""

    answer: str | None
    is_open: bool
    verdict: str
    validity: float | None
    conciseness: float | None
    structure: float | None
    redundancy: float | None


def rank_of(rationales: Iterable[Scored], rubric: Rubric) -> tuple[float, str]:
    """(rank, reason) of a question: its disagreement, 0 when all rationales give one answer and near 1
    when all give different ones, plus up to NEAR_WEIGHT for the open rationale nearest to the rubric.

    An answer that was not read agrees and disagrees with nothing; that there are such is said.
    """
    rationales = list(rationales)
    unread = sum(one.is_open and one.verdict == AnswerVerdict.NOT_READ for one in rationales)
    read = [one for one in rationales if one.verdict != AnswerVerdict.NOT_READ]
    answers = [one.answer for one in read if one.answer is not None]
    most = max((answers.count(answer) for answer in set(answers)), default=0)
    disagreement = 1 - most / len(answers) if answers else 0.0
    nearness, near = max(
        (near_rubric(rationale, rubric) for rationale in rationales if rationale.is_open),
        default=(0.0, ""),
    )
    reasons = [near] if near else []
    if disagreement > 0:
        reasons.insert(
            0, "teachers disagree" if disagreement >= 0.5 else "some rationales disagree"
        )
    # Two digits, so that age decides between questions that are as good as equal.
    rank = round(disagreement + NEAR_WEIGHT * nearness, 2)
    if unread:
        reasons.append(f"{unread} answer{'s' if unread > 1 else ''} not read")
    if unread and rubric.unread == Unread.FIRST:
        rank = UNREAD_FIRST
    return rank, "; ".join(reasons) or "oldest first"


def near_rubric(rationale: Scored, rubric: Rubric) -> tuple[float, str]:
    """(1 at a threshold to 0 at NEAR from it and beyond, in words). What decides between pass and fail
    is the score with the least slack; a rationale with a wrong answer fails whatever its scores are."""
    if rubric.right_answer and rationale.verdict != AnswerVerdict.RIGHT:
        return 0.0, ""
    slacks = []
    for name, score, threshold, sign in (
        ("validity", rationale.validity, rubric.min_validity, 1),
        ("conciseness", rationale.conciseness, rubric.min_conciseness, 1),
        ("structure", rationale.structure, rubric.min_structure, 1),
        ("idle steps", rationale.redundancy, rubric.max_redundancy, -1),
    ):
        if score is None:  # what is not known passes no threshold
            return 0.0, ""
        slacks.append((sign * (score - threshold), name, score, threshold))
    slack, name, score, threshold = min(slacks)
    if abs(slack) >= NEAR:
        return 0.0, ""
    verb = "passes" if slack >= 0 else "fails"
    return 1 - abs(
        slack
    ) / NEAR, f"a rationale just {verb}: {name} {score:.2f}, rubric {threshold:.2f}"
