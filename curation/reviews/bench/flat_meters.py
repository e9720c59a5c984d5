"""Meters that tell nothing in a project, since nearly all its rationales show the same number."""

from curation.db.adaptive_cache import remembered
from curation.projects.models import Project
from curation.rationales.models import Score

METERS = {"Valid": "validity", "Concise": "conciseness", "Structure": "structure"}
LOOKED_AT = 500  # scores, the newest
FEWEST = 40  # of less nothing is said
SAME = 0.97  # so large a share with one number is no help to choose by


def flat_meters(project: Project) -> list[str]:
    """The names of the meters that the bench leaves out."""
    return remembered(f"flat-meters:{project.pk}", lambda: _flat(project), seconds=60)


def _flat(project: Project) -> list[str]:
    newest = Score.objects.filter(project=project).order_by("-pk")
    rows = list(newest.values_list(*METERS.values())[:LOOKED_AT])
    if len(rows) < FEWEST:
        return []
    flat = []
    for name, values in zip(METERS, zip(*rows, strict=True), strict=True):
        shown = [None if value is None else round(100 * value) for value in values]
        if max(map(shown.count, set(shown))) >= SAME * len(shown):
            flat.append(name)
    return flat
