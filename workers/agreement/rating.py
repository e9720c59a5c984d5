"""One review as the figures take it. By itself, so that it can be had without the libraries of the
coefficients, which take seconds to import."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Said:
    """One person's review of one rationale. `labels`: step number to -1, 0 or 1. `known`: for a rationale of
    a control question its right verdict, approve or reject; None for all others."""

    question: int
    rationale: int
    person: int
    verdict: str
    labels: dict[str, int] = field(default_factory=dict)
    known: str | None = None
