"""Scores chains of thought: correctness, conciseness, structure, similarity and consistency.

A plain library (no Django, no database) and a command: `python -m workers.scoring IN -o OUT`.
Importing it is light; torch, sympy and sentence-transformers load only when they are needed.
"""

from workers.scoring.contract import BadLine, Flag, Item, StepScore, item_from
from workers.scoring.extract.answers import Found, find_answer
from workers.scoring.grade.grading import Grade, grade
from workers.scoring.grade.references import Reference, parse_reference
from workers.scoring.scored import SCORER_VERSION, Scored
from workers.scoring.scorer import score_group, score_items
from workers.scoring.steps.split import Step, split_steps

__all__ = [
    "SCORER_VERSION",
    "BadLine",
    "Flag",
    "Found",
    "Grade",
    "Item",
    "Reference",
    "Scored",
    "Step",
    "StepScore",
    "find_answer",
    "grade",
    "item_from",
    "parse_reference",
    "score_group",
    "score_items",
    "split_steps",
]
