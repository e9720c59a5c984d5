"""Word problems for the demo project and for the training of the demo models.

Everything is seeded: the same arguments give the same problems on every machine. No model library
is imported here. The questions of the demo project (`demo_project_questions`) use `FINAL_SEED`, on
which no choice was made while the models were built; choices were made on `DEV_SEED`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from tools.demo import kinds_floor, kinds_measures, kinds_money, kinds_things
from tools.demo.story import FLOOR, NEW_WORDS, PARAPHRASE, USUAL, OutOfBounds, Step, Story, Style

KINDS: dict[str, Callable[[Story, int], None]] = {
    **kinds_money.KINDS,
    **kinds_things.KINDS,
    **kinds_measures.KINDS,
}
FLOOR_KINDS = kinds_floor.KINDS
STEPS, STEP_WEIGHTS = (1, 2, 3), (4, 46, 50)  # mostly two or three steps
SUBSETS: dict[str, Style] = {"paraphrase": PARAPHRASE, "new words": NEW_WORDS, "floor": FLOOR}

DEV_SEED = 11  # every choice made while building was made on these questions
FINAL_SEED = 2027  # the shipped questions
PROJECT_SIZES = {"train": 1000, "eval": 500, "paraphrase": 200, "new words": 200, "floor": 200}


@dataclass(frozen=True)
class Problem:
    """One word problem. `difficulty` is the number of steps, `domain` the kind.

    `subset` is "" for the train and eval splits and one of `SUBSETS` for the ood split.
    """

    id: str
    question: str
    reference_answer: str
    rationale: str
    domain: str
    difficulty: int
    split: str
    subset: str
    steps: tuple[Step, ...]
    sentences: tuple[str, ...]

    def row(self) -> dict[str, object]:
        """The question as the app imports it."""
        return {
            "id": self.id,
            "question": self.question,
            "reference_answer": self.reference_answer,
            "answer_type": "number",
            "domain": self.domain,
            "difficulty": self.difficulty,
            "split": self.split,
            "subset": self.subset,
            # Only where it is a yardstick: the curve of the held-out loss is drawn on these.
            **({"worked_solution": self.rationale} if self.split == "eval" else {}),
        }


def question_hash(question: str) -> str:
    """SHA-256 of a question, deaf to case and to the width of white space."""
    return hashlib.sha256(" ".join(question.casefold().split()).encode()).hexdigest()


def gold_rationale(steps: tuple[Step, ...]) -> str:
    """The short rationale: one line a step, then the answer."""
    lines = [f"Step {i}: {s.words}: {s.equation}." for i, s in enumerate(steps, 1)]
    return "\n".join([*lines, f"Answer: {steps[-1].result}"])


def draw(
    rng: Random, style: Style = USUAL, steps: int | None = None, split: str = "", subset: str = ""
) -> Problem:
    """Draw one problem; `steps` fixes the number of steps (1 to 3; 4 or 5 for the floor)."""
    kinds = FLOOR_KINDS if style is FLOOR else KINDS
    while True:
        if style is FLOOR:
            count = steps or rng.choice((4, 5))
        else:
            count = steps or rng.choices(STEPS, STEP_WEIGHTS)[0]
        domain = rng.choice(tuple(kinds))
        for _ in range(1000):
            story = Story(rng, style)
            try:
                kinds[domain](story, count)
            except OutOfBounds:
                continue
            done = tuple(story.steps)
            return Problem(
                id="",
                question=story.question,
                reference_answer=str(done[-1].result),
                rationale=gold_rationale(done),
                domain=domain,
                difficulty=len(done),
                split=split,
                subset=subset,
                steps=done,
                sentences=tuple(story.sentences),
            )


def demo_questions(split: str, n: int, seed: int, subset: str | None = None) -> list[Problem]:
    """`n` different problems of a split ("train", "eval", "ood"), the same for the same arguments.

    The ood split needs a subset: "paraphrase", "new words" or "floor". Train questions are never
    among the held-out ones of either seed. Raises ValueError for an unknown split or subset.
    """
    if split not in ("train", "eval", "ood"):
        raise ValueError(f"No split called {split!r}: use train, eval or ood.")
    if (split == "ood") != (subset in SUBSETS):
        raise ValueError(f"The ood split, and only it, has a subset: one of {', '.join(SUBSETS)}.")
    name = subset or split
    rng = Random(f"chainwright demo {name} {seed}")
    left_out: frozenset[str] | set[str] = frozenset()
    if split == "train":
        left_out = held_out_hashes()
    elif seed != FINAL_SEED:
        left_out = _final_hashes()
    style, seen, problems = SUBSETS.get(name, USUAL), set(left_out), []
    while len(problems) < n:
        problem = draw(rng, style, split=split, subset=subset or "")
        key = question_hash(problem.question)
        if key in seen:
            continue
        seen.add(key)
        number = f"demo-{name.replace(' ', '-')}-{len(problems) + 1:04d}"
        problems.append(Problem(**{**problem.__dict__, "id": number}))
    return problems


def project_split(name: str, seed: int) -> list[Problem]:
    """The questions of one part of the demo project ("train", "eval" or a subset) for a seed."""
    if name in SUBSETS:
        return demo_questions("ood", PROJECT_SIZES[name], seed, subset=name)
    return demo_questions(name, PROJECT_SIZES[name], seed)


@cache
def _final_hashes() -> frozenset[str]:
    return _hashes(FINAL_SEED)


@cache
def held_out_hashes() -> frozenset[str]:
    """Hashes of all eval and ood questions, of the final and of the development seed."""
    return _final_hashes() | _hashes(DEV_SEED)


def _hashes(seed: int) -> frozenset[str]:
    names = ("eval", *SUBSETS)
    return frozenset(question_hash(p.question) for n in names for p in project_split(n, seed))


def demo_project_questions() -> Iterator[dict[str, object]]:
    """The questions of the demo project, train first, as rows to import (see `Problem.row`)."""
    for name in PROJECT_SIZES:
        for problem in project_split(name, FINAL_SEED):
            yield problem.row()
