"""How alike rationales of one question are, for the intervals of shares over rationales."""

from collections.abc import Collection, Hashable, Mapping
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import BaseExpression

from curation.figures.intervals import Clusters, clusters_of
from curation.projects.models import Project
from curation.rationales.models import Group

SAMPLED = 2000  # questions; a design effect from so many is right within a twentieth
FEW = 50  # questions of a key in the sample; with fewer, all of its questions are read


def question_clusters(
    project: Project,
    rows: QuerySet,
    by: tuple[str, ...],
    keys: Collection[Hashable],
    question: str = "question",
    **amounts: tuple[BaseExpression, BaseExpression],
) -> dict[str, dict[Hashable, Clusters]]:
    """Name of an amount to key to clusters, for intervals.clustered.

    rows      rationales of the project, or rows that have one each
    by        fields that make a key: the key is their value, or a tuple of several
    keys      all keys that `rows` have
    question  the path to the question
    amounts   of each (how many rationales count, the sum of their values), aggregates over `rows`

    Reads every n-th question, about SAMPLED of them, so it takes as long for a million rationales as for
    ten thousand; all of them where there are no more.
    """
    groups = Group.objects.filter(project=project).order_by()
    step = max(1, groups.count() // SAMPLED)
    if step == 1:
        return _clusters(rows, by, question, amounts)
    sample = groups.annotate(place=F("question_id") % step).filter(place=0).values("question")
    found = _clusters(rows.filter(**{f"{question}__in": sample}), by, question, amounts)
    seen: dict[Hashable, int] = {}
    for clusters in found.values():
        for key, one in clusters.items():
            seen[key] = max(seen.get(key, 0), one.questions)
    rare = [key for key in keys if seen.get(key, 0) < FEW]
    if rare:
        more = _clusters(rows.filter(_any(by, rare)), by, question, amounts)
        for name, clusters in more.items():
            found[name].update(clusters)
    return found


def _clusters(
    rows: QuerySet, by: tuple[str, ...], question: str, amounts: Mapping[str, Any]
) -> dict[str, dict[Hashable, Clusters]]:
    counted = {f"{name}_n": n for name, (n, _) in amounts.items()}
    summed = {f"{name}_y": y for name, (_, y) in amounts.items()}
    told = list(rows.order_by().values(*by, question).annotate(**counted, **summed))
    return {
        name: clusters_of(
            (_key([row[field] for field in by]), row[f"{name}_n"], row[f"{name}_y"] or 0)
            for row in told
        )
        for name in amounts
    }


def _key(row: Any) -> Hashable:
    return row[0] if len(row) == 1 else tuple(row)


def _any(by: tuple[str, ...], keys: list[Any]) -> Q:
    found = Q()
    for key in keys:
        values = (key,) if len(by) == 1 else key
        one = Q()
        for field, value in zip(by, values, strict=True):
            one &= Q(**{f"{field}__isnull": True} if value is None else {field: value})
        found |= one
    return found
