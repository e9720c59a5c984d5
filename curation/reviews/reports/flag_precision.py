"""How often the scorers' flags are right on a project: counted by rule from what its reviewers said."""

from dataclasses import dataclass

from curation.db.adaptive_cache import remembered
from curation.projects.models import Project
from curation.reviews.models import Review, Verdict

MOST_REVIEWS = 2_000  # the newest; each is read with its score's detail
WRONG = -1  # the label of a step that is wrong


@dataclass
class RuleLine:
    """One rule (a flag's code). reviewed: reviews of rationales that it flagged; rejected: how many of them
    reject; labelled: flagged steps that somebody labelled; wrong: how many of them as wrong."""

    code: str
    reviewed: int = 0
    rejected: int = 0
    labelled: int = 0
    wrong: int = 0

    @property
    def precision(self) -> float | None:
        """Share of its flags that reviewers confirm: of labelled steps, else of whole rationales."""
        if self.labelled:
            return self.wrong / self.labelled
        return self.rejected / self.reviewed if self.reviewed else None

    @property
    def by_steps(self) -> bool:
        return self.labelled > 0


@dataclass(frozen=True)
class FlagPrecision:
    """lines: rules, the most reviewed first; reviews, rejected: all that were read, with or without flags."""

    lines: list[RuleLine]
    reviews: int
    rejected: int

    @property
    def share(self) -> float | None:
        """What a flag that says nothing would reach."""
        return self.rejected / self.reviews if self.reviews else None


def flag_precision(project: Project) -> FlagPrecision:
    """Counted from the newest reviews, kept for a while."""
    return remembered(f"flag-precision:{project.pk}", lambda: _count(project))


def _count(project: Project) -> FlagPrecision:
    said = (
        Review.objects.standing()
        .filter(project=project, rationale__score__isnull=False)
        .order_by("-id")
        .values_list("verdict", "step_labels", "rationale__score__detail")[:MOST_REVIEWS]
    )
    lines: dict[str, RuleLine] = {}
    reviews = rejected = 0
    for verdict, labels, detail in said.iterator(chunk_size=200):
        reviews += 1
        is_rejected = verdict == Verdict.REJECT
        rejected += is_rejected
        met = {flag["code"] for flag in detail.get("flags", ())}
        for number, step in enumerate(detail.get("steps", ()), 1):
            codes = {flag["code"] for flag in step["flags"]}
            met |= codes
            label = (labels or {}).get(str(number))
            if label is None:
                continue
            for code in codes:
                line = lines.setdefault(code, RuleLine(code))
                line.labelled += 1
                line.wrong += label == WRONG
        for code in met:
            line = lines.setdefault(code, RuleLine(code))
            line.reviewed += 1
            line.rejected += is_rejected
    ordered = sorted(lines.values(), key=lambda line: (-line.reviewed, line.code))
    return FlagPrecision(ordered, reviews, rejected)
