"""What a dataset is to hold: the recipe, checked when it is ordered and stored with the dataset.

A recipe is plain JSON. Keys that a stored recipe lacks (it is older) stand for their defaults, and `form`
for 1: so a dataset frozen years ago is made again to the same bytes.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from curation.errors import Invalid
from curation.projects.models import Project, SavedView, User
from curation.rationales.listing.selectors import FILTERS, rationales

SELECTIONS = ("approved", "unfiltered")
# Of several rationales of a question: which are taken first.
WHICH = {
    "random": "drawn by the seed",
    "best": "the best overall score first",
    "shortest": "the shortest right one first",
    "diverse": "as different from each other as possible",
    "validity": "the highest score of valid steps first",
    "conciseness": "the highest conciseness first",
    "structure": "the highest score of structure first",
    "redundancy": "the fewest idle steps first",
    "consistency": "the highest consistency first",
}
SCORES = ("overall", "validity", "conciseness", "structure", "redundancy", "consistency")
BALANCE = {
    "": "as they come",
    "domain": "as many of each domain",
    "teacher": "as many of each teacher",
    "difficulty": "as many of each difficulty",
}
STYLES = {
    "rationale_first": "the rationale, then the answer",
    "answer_first": "the answer, then the rationale",
}
# What becomes of what a reasoning model wrote before its final text.
THOUGHTS = {
    "final": "the final part only",
    "inline": "kept, as <think>…</think> before the final part",
    "reasoning_content": "kept, in the message's field reasoning_content",
    "thinking": "kept, in the message's field thinking",
    "none": "rationales with thoughts are left out",
}
FORM = 2  # of the canonical lines, see `curation.datasets.formats`
MOST_NAMES = 1000


def make_recipe(
    project: Project,
    user: User | None = None,
    *,
    selection: str = "approved",
    teachers: Iterable[str] | None = None,
    domains: Iterable[str] | None = None,
    difficulties: Iterable[str] | None = None,
    minimum: dict[str, float] | None = None,
    right_only: bool = False,
    view: str = "",
    filters: dict[str, str] | None = None,
    per_question: int | None = None,
    which: str = "random",
    max_tokens: int | None = None,
    balance: str = "",
    style: str = "rationale_first",
    thoughts: str = "final",
    limit: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """The recipe as it is stored. Raises Invalid, with the key that is wrong and what it may be.

    minimum: the least of each stored score (of `redundancy` the most), 0 to 1. view: the name of a saved
    view of the list of rationales, `filters` such filters themselves; a view's are stored as they are now.
    per_question: so many rationales of a question at most, by `which`. max_tokens: prompt and rationale
    together, counted as `tokens_of` says. limit: so many examples.
    """
    _one_of("selection", selection, SELECTIONS)
    _one_of("which", which, WHICH)
    _one_of("balance", balance, BALANCE)
    _one_of("style", style, STYLES)
    _one_of("thoughts", thoughts, THOUGHTS)
    for name, value in (("per_question", per_question), ("max_tokens", max_tokens)):
        if value is not None and value < 1:
            raise Invalid(f"{name} is 1 or more; leave it empty for no limit.")
    if limit is not None and limit < 1:
        raise Invalid("A dataset has at least one example.")
    if view:
        filters = _filters_of(project, user, view)
    filters = {name: value for name, value in (filters or {}).items() if value}
    unknown = sorted(set(filters) - set(FILTERS) - {"sort", "after"})
    if unknown:
        raise Invalid(f"The list of rationales has no filter {', '.join(unknown)}.")
    filters = {name: value for name, value in filters.items() if name not in ("sort", "after")}
    rationales(project, filters)  # refuses values that the list would refuse
    return {
        "form": FORM,
        "selection": selection,
        "teachers": _known_teachers(project, teachers),
        "domains": _known(project, "domain", domains),
        "difficulties": _known(project, "difficulty", difficulties),
        "minimum": _thresholds(minimum or {}),
        "right_only": bool(right_only),
        "view": view,
        "filters": filters,
        "per_question": per_question,
        "which": which,
        "max_tokens": max_tokens,
        "balance": balance,
        "style": style,
        "thoughts": thoughts,
        "limit": limit,
        "seed": seed,
        "rubric": project.rubric.version,
    }


def _one_of(name: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise Invalid(f"{value!r} is no {name}: choose one of {', '.join(filter(None, known))}.")


def _known_teachers(project: Project, names: Iterable[str] | None) -> list[str]:
    wanted = sorted(set(names or []))[:MOST_NAMES]
    there = set(project.teachers.filter(name__in=wanted).values_list("name", flat=True))
    if unknown := set(wanted) - there:
        raise Invalid(f"This project has no teacher {', '.join(sorted(unknown))}.")
    return wanted


def _known(project: Project, column: str, values: Iterable[str] | None) -> list[str]:
    wanted = sorted(set(values or []))[:MOST_NAMES]
    for value in wanted:
        if not project.questions.filter(**{column: value}).exists():
            raise Invalid(f"No question of this project has the {column} {value!r}.")
    return wanted


def _thresholds(given: dict[str, float]) -> dict[str, float]:
    told = {}
    for name, value in given.items():
        _one_of("score", name, SCORES)
        if value is None:
            continue
        if not 0 <= value <= 1:
            raise Invalid(f"The threshold of {name} is from 0 to 1, not {value}.")
        told[name] = float(value)
    return dict(sorted(told.items()))


def _filters_of(project: Project, user: User | None, name: str) -> dict[str, str]:
    may_use = Q(is_shared=True) | Q(user=user) if user is not None else Q(is_shared=True)
    views = SavedView.objects.filter(may_use, project=project, page="rationales", name=name)
    found = views.order_by("id").first()
    if found is None:
        raise Invalid(f"There is no saved view {name!r} of the list of rationales.")
    return found.filters


def recipe_in_words(recipe: dict[str, Any], *, hides_teachers: bool = False) -> str:
    """How the examples were chosen, as a sentence part; `hides_teachers`: without their names."""
    of = f" of {' and '.join(recipe['teachers'])}" if recipe.get("teachers") else ""
    if of and hides_teachers:
        of = " of some teachers"
    if recipe.get("selection") == "unfiltered":
        words = f"rationales{of} as they were written, whatever was decided"
    else:
        words = f"approved rationales{of}"
    return words + "".join(f", {part}" for part in more_words(recipe))


def more_words(recipe: dict[str, Any]) -> Iterable[str]:
    """What the recipe asks for beside selection and teachers, a part of a sentence each."""
    for name, word in (("domains", "domain"), ("difficulties", "difficulty")):
        if recipe.get(name):
            yield f"{word} {' or '.join(recipe[name])}"
    if recipe.get("view"):
        yield f"of the view “{recipe['view']}”"
    elif recipe.get("filters"):
        yield "filtered as a list of rationales"
    if recipe.get("right_only"):
        yield "the answer right"
    for name, value in recipe.get("minimum", {}).items():
        yield f"{name} {'at most' if name == 'redundancy' else 'at least'} {value:g}"
    if recipe.get("max_tokens"):
        yield f"at most {recipe['max_tokens']:,} tokens"
    if recipe.get("per_question"):
        yield f"at most {recipe['per_question']:,} a question, {WHICH[recipe['which']]}"
    if recipe.get("balance"):
        yield BALANCE[recipe["balance"]]
    if recipe.get("style") == "answer_first":
        yield STYLES["answer_first"]
    if recipe.get("thoughts", "final") != "final":
        yield f"thoughts {THOUGHTS[recipe['thoughts']]}"
    if recipe.get("left_out"):
        yield f"without {len(recipe['left_out']):,} that were left out by name"
    if recipe.get("limit"):
        yield f"at most {recipe['limit']:,}, drawn with seed {recipe.get('seed', 0)}"
