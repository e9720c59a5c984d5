"""Rows of `make bench-scoring` about right answers whose reasoning may not hold (alone: `--soundness`)."""

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.row import Row
from workers.evaluation.statistics import Estimate, share
from workers.scoring.fitting.soundness import Judged, calibration, held_out, judged
from workers.scoring.roc import clustered_area


def soundness(data: Path) -> Iterator[Row]:
    """Right-answered rationales that people judged: areas and calibration by folds, flags as they come.

    The rules that raise the flags were written with `sound_dev` in view; `read` was labelled when nearly all
    of them stood.
    """
    rationales = judged(data)
    probabilities = held_out(rationales)
    wanted = {"sound_dev": 0.75, "read": 0.70, "step_validity_dev": None}
    for source, least in wanted.items():
        some = [
            (one, found)
            for one, found in zip(rationales, probabilities, strict=True)
            if one.source == source
        ]
        if not some:
            yield Row(f"right answers, {source}", "the file is not there", "shown")
            continue
        for at, name in enumerate(("alone", "beside its group")):
            if at and some[0][0].diverges is None:
                continue
            area = clustered_area(
                [one.wrong for one, _ in some],
                [found[at] for _, found in some],
                [one.question for one, _ in some],
            )
            yield Row(f"right answers, {source}, sound or not, {name}: AUC by folds", f"{area}",
                      "shown" if least is None else f"at least {least}",
                      None if least is None else area.value >= least)  # fmt: skip
        if least is not None:
            yield from _flag_rows(source, [one for one, _ in some])
    found = calibration([p for _, p in probabilities], [one.wrong for one in rationales])
    yield Row("validity of right answers, held out: ECE of ten bins; Brier (of a constant)",
              f"{found.error:.3f}; {found.brier:.3f} ({found.constant:.3f})", "at most 0.05",
              found.error <= 0.05 and found.brier < found.constant)  # fmt: skip
    for said, was, count in found.bins:
        yield Row("  a step is wrong: said; was", f"{said:.0%}; {was:.0%} of {count}", "shown")


def _flag_rows(source: str, rationales: list[Judged]) -> Iterator[Row]:
    bad = [one for one in rationales if one.wrong]
    good = [one for one in rationales if not one.wrong]
    hits = share(sum(bool(one.flagged & one.first) for one in bad), len(bad))
    yield Row(
        f"  {source}: a flag at the first unsound step",
        _shown(hits),
        "at least 30%",
        hits.value >= 0.3,
    )
    alarms = share(sum(bool(one.flagged) for one in good), len(good))
    yield Row(
        f"  {source}: sound ones with a flag", _shown(alarms), "at most 5%", alarms.value <= 0.05
    )


def _shown(found: Estimate) -> str:
    return f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%}) of {found.n}"
