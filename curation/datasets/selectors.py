"""Reads of frozen datasets."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from curation.datasets.models import DatasetVersion, Example
from curation.projects.models import Project, User
from curation.rationales.models import Teacher

FIRST_EXAMPLES = 5


def versions_of(project: Project, user: User) -> QuerySet[DatasetVersion]:
    """The project's datasets, the newest first, without their cards."""
    return (
        DatasetVersion.objects.for_user(user)
        .for_project(project)
        .select_related("created_by")
        .defer("card")
        .order_by("-number")
    )


def first_examples(version: DatasetVersion, hidden: Sequence[str] = ()) -> list[Example]:
    """The first ones, in the order of the file; without those of questions in a `hidden` state (see
    `hidden_states`): that they are in it says what was decided."""
    return list(
        Example.objects.filter(version=version)
        .exclude(rationale__question__queue_item__status__in=list(hidden))
        .select_related("rationale__question", "rationale__teacher", "rationale__author")
        .order_by("position")[:FIRST_EXAMPLES]
    )


def teachers_with_rationales(project: Project) -> list[Teacher]:
    """Teachers of the project, those without rationales left aside."""
    found = project.teachers.order_by("id")
    return [teacher for teacher in found if teacher.rationales.exists()]


def recipe_in_words(recipe: dict[str, Any], *, hides_teachers: bool = False) -> str:
    """How the examples were chosen, as a sentence part; `hides_teachers`: without their names."""
    of = f" of {' and '.join(recipe['teachers'])}" if recipe.get("teachers") else ""
    if of and hides_teachers:
        of = " of some teachers"
    if recipe.get("selection") == "unfiltered":
        words = f"rationales{of} as they were written, whatever was decided"
    else:
        words = f"approved rationales{of}"
    if recipe.get("limit"):
        words += f", at most {recipe['limit']:,}, drawn with seed {recipe.get('seed', 0)}"
    return words
