"""Did reviewing pay? Students of approved rationales beside students of all rationales, by teacher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from workers.evaluation.types import CurationPair, Estimate, EvaluationError, PairResult, Report
from workers.evaluation.verdict import points


@dataclass(frozen=True)
class CurationRow:
    """One teacher's line of the table, with its sentence."""

    teacher: str
    approved: Estimate
    unfiltered: Estimate
    difference: Estimate
    p_value: float
    apart: bool
    sentence: str

    def to_dict(self) -> dict:
        """As plain JSON values."""
        return asdict(self)


def compare_curation(
    report: Report, pairs: Sequence[CurationPair], *, split: str = "", subset: str = ""
) -> list[CurationRow]:
    """The table, on the report's primary group or the one named.

    Both students of a pair answered the same questions, so the difference is paired. Raises
    EvaluationError where the report does not hold a pair.
    """
    return [_row(report, pair, split, subset) for pair in pairs]


def _row(report: Report, pair: CurationPair, split: str, subset: str) -> CurationRow:
    where = (split or report.primary_split, subset if split else report.primary_subset)
    groups = []
    for name in (pair.approved, pair.unfiltered):
        model = report.model(name)
        group = model.group(*where) if model else None
        if group is None:
            raise EvaluationError(
                f"The report has no figures for {name!r} on {where[0]} {where[1]}."
            )
        groups.append(group)
    found = report.pair(pair.approved, pair.unfiltered, *where)
    return CurationRow(
        teacher=pair.teacher,
        approved=groups[0].accuracy,
        unfiltered=groups[1].accuracy,
        difference=found.difference,
        p_value=found.p_value,
        apart=found.apart,
        sentence=_sentence(pair.teacher, found),
    )


def _sentence(teacher: str, found: PairResult) -> str:
    value = found.difference.value
    if value is None:
        return f"{teacher}: no question was answered by both students."
    interval = points(found.difference)
    if not found.apart:
        return f"{teacher}: approved and unfiltered rationales cannot be told apart ({interval})."
    better, other = ("Approved", "unfiltered") if value > 0 else ("Unfiltered", "approved")
    return f"{teacher}: {better} rationales taught more than {other} ones ({interval})."
