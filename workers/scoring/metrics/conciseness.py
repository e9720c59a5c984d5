"""How much of a rationale is needed: its length beside the shortest right one, and its idle steps.

It says nothing of the answer: a wrong rationale may be concise. What rewards brevity is gated on correctness
elsewhere (the rubric, and the ceiling of `overall`), since a reward for brevity alone collapses.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from workers.scoring.contract import Flag
from workers.scoring.steps.facts import RationaleFacts

LEAST_RESTATED = 8  # words of a step that restates the question
LEFT_OUT = (
    4  # words of the question that it may leave out in a row, with the one that is looked for
)
SAME_ORDER = 0.85  # share of its words that stand in the question in this order


@dataclass(frozen=True, slots=True)
class StudentLimit:
    """What the project's student can take.

    count: tokens of a text by the student's own tokenizer; budget: most tokens of a rationale; model: the
    student's folder or name, from which another process makes the same limit.
    """

    count: Callable[[str], int]
    budget: int
    model: str = ""


_TOKEN = re.compile(r"\d|[^\W\d_]+|[^\w\s]")


def rough_tokens(text: str) -> int:
    """Length where no tokenizer is given: words, digits and signs, as byte-pair tokenizers split."""
    return len(_TOKEN.findall(text))


def redundancy_flags(rationale: RationaleFacts) -> list[list[Flag]]:
    """Steps that repeat, restate the question or bring nothing new, named one by one."""
    flags: list[list[Flag]] = [[] for _ in rationale.steps]
    last = len(rationale.steps) - 1
    for i, facts in enumerate(rationale.steps):
        flag = _redundant(facts, i == last, i == 0, rationale.question_sequence)
        if flag:
            flags[i].append(flag)
    return flags


def _redundant(facts, is_last: bool, is_first: bool, asked: tuple[str, ...]) -> Flag | None:
    if facts.repeats >= 0:
        return Flag("repeats", f"This repeats step {facts.repeats + 1}.", "warning")
    if is_last or len(facts.words) < 4:
        return None
    no_work = not facts.equations and not facts.new_numbers
    if no_work and facts.likeness >= 0.9:
        return Flag("repeats", "This says again what an earlier step says.", "warning")
    if (
        no_work
        and not is_first
        and facts.overlap_question >= 0.85
        and _restates(facts.words, asked)
    ):
        return Flag("restates_question", "This restates the question.", "info")
    if (
        no_work
        and facts.new_words == 0
        and facts.content
        and not is_first
        and facts.likeness >= 0.6
    ):
        return Flag("nothing_new", "This brings nothing new.", "info")
    return None


def _restates(words: list[str], asked: tuple[str, ...]) -> bool:
    """Whether a step says the question's words in the question's order, with few left out or put in: words of
    the question in another order put what it says to use."""
    if len(words) < LEAST_RESTATED:
        return False
    for start, word in enumerate(asked):
        if word != words[0]:
            continue
        at, found = start, 1
        for one in words[1:]:
            ahead = asked[at + 1 : at + 1 + LEFT_OUT]
            if one in ahead:
                at += 1 + ahead.index(one)
                found += 1
        if found >= SAME_ORDER * len(words):
            return True
    return False


def conciseness_score(
    length: int,
    shortest_right: int | None,
    idle_share: float,
    waste: float,
    limit: StudentLimit | None,
    student_tokens: int | None,
) -> float:
    """In [0, 1], larger is better.

    length: tokens of the rationale; shortest_right: tokens of the shortest right rationale of its group
    (None: none is known, length then says nothing); idle_share: share of its steps that are flagged
    as making no progress; waste: share of its text that says nothing (`degenerate`).
    """
    if length == 0:
        return 0.0
    by_length = min(1.0, shortest_right / length) if shortest_right else 1.0
    if limit and student_tokens and student_tokens > limit.budget:
        by_length = min(by_length, limit.budget / student_tokens)
    return by_length * (1.0 - 0.5 * min(1.0, idle_share)) * (1.0 - waste)
