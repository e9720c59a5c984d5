"""The recipes of the three demo models: shapes, seeds, mixes and budgets in steps.

Facts come first in each: without a few hundred steps of bare sums the models copy the pattern of a
rationale and cannot add. The good teacher is trained to the end; the wordy one has its own seed, is
smaller, stops early and then learns to be wordy, with some slips and missing answers; the student
has met rationales, and was then taught to answer at once, which it does badly: like a real base model it
has seen reasoning and does not reason unless it is taught to.
"""

from dataclasses import replace

from tools.demo import corpus
from tools.demo.pretrain import Recipe, Stage

_PEAK = 8e-3

_FACTS = ((1.0, corpus.facts),)
_RATIONALES = (
    (0.25, corpus.facts),
    (0.07, corpus.one_step),
    (0.68, corpus.rationales(wordy=0.2, no_answer=0.03, slips=0.0)),
)
_PLAIN_RATIONALES = (
    (0.25, corpus.facts),
    (0.07, corpus.one_step),
    (0.68, corpus.rationales(wordy=0.0, no_answer=0.0, slips=0.0)),
)
_WORDY_RATIONALES = (
    (0.1, corpus.facts),
    (0.9, corpus.rationales(wordy=0.65, no_answer=0.05, slips=0.15)),
)
_STRAIGHT = (
    (0.15, corpus.facts),
    (0.1, corpus.next_step),
    (0.6, corpus.straight_answer),
    (0.15, corpus.rationales(wordy=0.0, no_answer=0.0, slips=0.0)),
)

RECIPES = {
    "strong": Recipe(
        "strong",
        layers=4,
        hidden=128,
        inner=384,
        seed=101,
        stages=(
            Stage("facts", 515, _FACTS, _PEAK, _PEAK),
            Stage("rationales", 2700, _RATIONALES, _PEAK, 1e-4),
        ),
    ),
    "wordy": Recipe(
        "wordy",
        layers=4,
        hidden=96,
        inner=256,
        seed=202,
        stages=(
            Stage("facts", 420, _FACTS, _PEAK, _PEAK),
            Stage("rationales", 380, _PLAIN_RATIONALES, _PEAK, 3e-3),
            Stage("wordy rationales", 420, _WORDY_RATIONALES, 3e-3, 1e-4),
        ),
    ),
    "student": Recipe(
        "student",
        layers=4,
        hidden=96,
        inner=256,
        seed=303,
        stages=(
            Stage("facts", 420, _FACTS, _PEAK, _PEAK),
            Stage("rationales", 1900, _PLAIN_RATIONALES, _PEAK, 2e-3),
            Stage("straight answers", 600, _STRAIGHT, 2e-3, 1e-4),
        ),
    ),
}


def quick(recipe: Recipe) -> Recipe:
    """The recipe with a twentieth of its steps: to try the builder, not to use the model."""
    return replace(
        recipe, stages=tuple(replace(s, steps=max(2, s.steps // 20)) for s in recipe.stages)
    )
