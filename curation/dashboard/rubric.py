"""The rubric's preview: how the scored rationales of a project lie, and what thresholds let pass."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Func, IntegerField

from curation.db.adaptive_cache import remembered
from curation.projects.models import Project, Rubric
from curation.rationales.models import Score, is_not_read, is_right, passes

BARS = 20
THRESHOLDS = {
    "min_validity": "validity",
    "min_conciseness": "conciseness",
    "min_structure": "structure",
    "max_redundancy": "redundancy",
}


@dataclass
class Spread:
    """How the scored rationales of a project lie: all, those with a right answer, those whose answer was not
    read, and for each score of
    `THRESHOLDS` how many have each hundredth (101 numbers, from 0 to 100)."""

    scored: int
    right: int
    not_read: int
    hundredths: dict[str, list[int]]

    def bars(self, score: str) -> list[int]:
        """The counts in `BARS` bars of the same width; the last one holds the full hundred too."""
        counts = self.hundredths[score]
        width = 100 // BARS
        bars = [sum(counts[n * width : (n + 1) * width]) for n in range(BARS)]
        bars[-1] += counts[100]
        return bars


class Hundredth(Func):
    """The hundredths of a score from 0 to 1, cut off; scores have four decimals at most."""

    output_field = IntegerField()
    template = "CAST(%(expressions)s * 100 + 0.001 AS INTEGER)"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # There the cast rounds.
        return super().as_sql(
            compiler,
            connection,
            template="CAST(FLOOR(%(expressions)s * 100 + 0.001) AS INTEGER)",
            **context,
        )


def spread_of(project: Project) -> Spread:
    return remembered(f"spread:{project.pk}", lambda: _spread(project))


def _spread(project: Project) -> Spread:
    mine = Score.objects.filter(project=project).order_by()
    counted = mine.aggregate(
        scored=Count("pk"),
        right=Count("pk", filter=is_right()),
        not_read=Count("pk", filter=is_not_read()),
    )
    hundredths = {}
    for score in THRESHOLDS.values():
        rows = mine.exclude(**{f"{score}__isnull": True}).values_list(Hundredth(score))
        found = dict(rows.annotate(n=Count("pk")))
        hundredths[score] = [found.get(n, 0) for n in range(101)]
    return Spread(**counted, hundredths=hundredths)


def rubric_effect(project: Project, rubric: Rubric, spread: Spread) -> dict[str, int]:
    """How many scored rationales there are, pass each threshold alone, and pass all of them.

    What one threshold lets pass is read off the hundredths, so that only the last is counted anew at
    each move of a threshold.
    """
    mine = Score.objects.filter(project=project)
    effect = {
        "scored": spread.scored,
        "right_answer": spread.right,
        "unread": spread.not_read,
    }
    for name, score in THRESHOLDS.items():
        threshold, at_most = getattr(rubric, name), name.startswith("max")
        place = round(100 * threshold, 6)
        if at_most or not place.is_integer():
            # The hundredths are cut off: they tell what lies from one on, not what lies up to one.
            which = f"{score}__lte" if at_most else f"{score}__gte"
            effect[name] = mine.filter(**{which: threshold}).count()
        else:
            effect[name] = sum(spread.hundredths[score][int(place) :])
    effect["passing"] = mine.filter(passes(rubric)).count()
    return effect
