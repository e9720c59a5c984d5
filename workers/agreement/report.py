"""What people said of rationales in, agreement figures out: plain rows, plain JSON, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from workers.agreement.coefficients import Rating, against_controls, overall, pairs
from workers.agreement.rating import Said

REJECT, EDIT = "reject", "edit"


def agreement(said: Iterable[Said]) -> dict[str, Any]:
    """The figures of a project:

    {"decisions": {"all": figure, "pairs": [{"a": person, "b": person} | figure, …]},
     "steps": the same for step labels,
     "controls": [{"person": person} | figure, …]}

    with each figure {"value", "low", "high", "n", "same", "why"} as in `coefficients.Figure`. People
    can approve, reject or edit: three verdicts without an order. Labels are ordered. Control questions
    count only against what is known of them; an edit says there, as a rejection does, that the rationale
    is not good as it stands.
    """
    decisions: list[Rating] = []
    labels: list[Rating] = []
    controls: list[Rating] = []
    known: dict[tuple[Any, Any], str] = {}
    for one in said:
        if one.known is not None:
            known[one.question, one.rationale] = one.known
            verdict = REJECT if one.verdict == EDIT else one.verdict
            controls.append(Rating(one.question, one.rationale, one.person, verdict))
            continue
        decisions.append(Rating(one.question, one.rationale, one.person, one.verdict))
        labels.extend(
            Rating(one.question, (one.rationale, int(step)), one.person, label)
            for step, label in one.labels.items()
        )
    met = against_controls(controls, known)
    return {
        "decisions": _of(decisions, ordered=False),
        "steps": _of(labels, ordered=True),
        "controls": [{"person": person} | asdict(figure) for person, figure in met.items()],
    }


def _of(ratings: list[Rating], *, ordered: bool) -> dict[str, Any]:
    between = pairs(ratings, ordered=ordered).items()
    return {
        "all": asdict(overall(ratings, ordered=ordered)),
        "pairs": [{"a": a, "b": b} | asdict(figure) for (a, b), figure in between],
    }
