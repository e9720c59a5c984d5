"""Right-answered rationales that people judged, and the models of their soundness with their held-out
figures.

`sound_dev` (cases): GSM8K solutions with a right answer, judged by two readers, with the other teachers'
solutions of their questions and the worked solution beside them; `read`: others of the same file, drawn at
random and read by one person (`read_soundness.jsonl` has their names and labels); `step_validity_dev`:
competition mathematics with a right answer, alone. Cross-validated by question.

The rules of `claims` were written with `sound_dev` in view: what they find there flatters them. `read` was
labelled when nearly all of them stood, so the weights of the findings are fitted on both.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workers.scoring.contract import Item
from workers.scoring.fitting.dev_data import without_marks
from workers.scoring.fitting.models import Linear, logistic
from workers.scoring.metrics.soundness import USUAL_AGREEMENT
from workers.scoring.scorer import score_group

STRENGTH = {"sound_alone": 1.0, "sound_group": 1.0}  # scikit-learn's C
FOLDS = 10
LABELS = Path(__file__).with_name("read_soundness.jsonl")
# Flags that say that a step does not make progress, or is about the whole: no claim that it is wrong.
NOT_ABOUT_ERRORS = frozenset(["repeats", "nothing_new", "degenerate"])


@dataclass(slots=True)
class Judged:
    """One judged rationale. row: SOUND_FEATURES; diverges, agreement: beside its group (None: it is alone);
    graded: what our own grader says (1.0, 0.0, None); flagged: steps (from 1) with a warning or error;
    first: the
    first unsound steps (from 1), empty where it is sound; wrong: whether a step is wrong."""

    question: str
    source: str
    row: tuple[float, ...]
    wrong: bool
    graded: float | None
    flagged: frozenset = frozenset()
    first: frozenset = frozenset()
    diverges: bool | None = None
    agreement: float | None = None
    text: float = 1.0  # validity by the text alone


def _read(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def judged(data: Path) -> list[Judged]:
    """All judged rationales; `sound_dev` lies in `cases` beside the folder of data, and is left out where
    it does not."""
    out = []
    cases = data.parent / "cases" / "sound_dev.jsonl"
    if cases.is_file():
        teachers = {row["question"]: row for row in _read(data / "gsm8k_teachers_dev.jsonl")}
        out += [_of_gsm8k(row, teachers[row["question"]]) for row in _read(cases)]
    out += [_of_gsm8k(row, teachers, "read") for row, teachers in _read_by_one(data)]
    for row in _read(data / "step_validity_dev.jsonl"):
        text = "\n".join(
            step[0] if isinstance(step, list) else step for step in row["model_output_step_format"]
        )
        (scored,) = score_group([Item("0", row["question"], text)])
        wrong = row["model_output_solution_correctness"] != "correct"
        out.append(
            Judged(row["question"], "step_validity_dev", scored.evidence, wrong, 1.0,
                   _flagged(scored), text=scored.soundness)
        )  # fmt: skip
    return out


def _read_by_one(data: Path) -> list[tuple[dict, dict]]:
    """Rows as those of `sound_dev`, made of the labels and the teachers' solutions, with the question's
    teachers."""
    questions = _read(data / "gsm8k_teachers_dev.jsonl")
    out = []
    for row in _read(LABELS):
        number, _, teacher = row["id"].partition("-")
        teachers = questions[int(number)]
        steps = without_marks(teachers[teacher]["solution"]).split("\n")
        about = {"question": teachers["question"], "teacher": teacher,
                 "steps": [step for step in steps if step.strip()],
                 "reference_answer": teachers["ground_truth"].rsplit("A:", 1)[1].strip()}  # fmt: skip
        out.append((row | about, teachers))
    return out


def _of_gsm8k(row: dict, teachers: dict, source: str = "sound_dev") -> Judged:
    """The judged rationale with the other teachers' in its group."""
    about = {
        "references": (row["reference_answer"],),
        "group": "g",
        "worked_solution": teachers["ground_truth"],
    }
    text = "\n".join(
        [*row["steps"], f"A: {row['reference_answer']}"]
    )  # the file leaves the answer's line out
    members = [Item("judged", row["question"], text, **about)]
    for name, one in teachers.items():
        if isinstance(one, dict) and name != row["teacher"]:
            members.append(Item(name, row["question"], one["solution"], **about))
    scored = score_group(members)[0]
    first = row.get("first_wrong_step") or ()
    return Judged(
        row["question"], source, scored.evidence, not row["sound"], scored.correctness,
        _flagged(scored), frozenset([first] if isinstance(first, int) else first),
        any(flag.code == "diverges" for step in scored.steps for flag in step.flags),
        scored.consistency, scored.soundness,
    )  # fmt: skip


def _flagged(scored) -> frozenset:
    return frozenset(
        number
        for number, step in enumerate(scored.steps, 1)
        if any(flag.severity != "info" and flag.code not in NOT_ABOUT_ERRORS for flag in step.flags)
    )


def fit_soundness(rationales: list[Judged]) -> dict[str, Linear]:
    """The two models."""
    alone = logistic(
        np.array([one.row for one in rationales]),
        np.array([one.wrong for one in rationales]),
        STRENGTH["sound_alone"],
    )
    grouped = [one for one in rationales if one.diverges is not None]
    models = {"sound_alone": alone}
    if grouped:
        models["sound_group"] = logistic(
            np.array([_group_row(alone, one) for one in grouped]),
            np.array([one.wrong for one in grouped]),
            STRENGTH["sound_group"],
        )
    return models


def _group_row(alone: Linear, one: Judged) -> tuple[float, float, float]:
    agreement = USUAL_AGREEMENT if one.agreement is None else one.agreement
    return float(alone.score(np.array(one.row))), float(one.diverges), agreement


def held_out(rationales: list[Judged], seed: int = 7) -> list[tuple[float, float]]:
    """(alone, beside its group) probabilities that a step is wrong, from models of other questions; the
    second is the
    first where nothing is beside it."""
    questions = sorted({one.question for one in rationales})
    random.Random(seed).shuffle(questions)
    fold = {question: i % FOLDS for i, question in enumerate(questions)}
    out: list[tuple[float, float]] = [(0.0, 0.0)] * len(rationales)
    for k in range(FOLDS):
        models = fit_soundness([one for one in rationales if fold[one.question] != k])
        for i, one in enumerate(rationales):
            if fold[one.question] != k:
                continue
            odds = float(models["sound_alone"].score(np.array(one.row)))
            beside = odds
            if one.diverges is not None and "sound_group" in models:
                row = np.array(_group_row(models["sound_alone"], one))
                beside = float(models["sound_group"].score(row))
            out[i] = (_probability(odds), _probability(beside))
    return out


def _probability(odds: float) -> float:
    return float(1.0 / (1.0 + np.exp(-np.clip(odds, -30, 30))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """How near probabilities are to what happened. bins: (share predicted, share happened, count); error:
    expected
    calibration error over ten bins of equal count; brier: mean squared error; constant: of the mean alone."""

    bins: tuple[tuple[float, float, int], ...]
    error: float
    brier: float
    constant: float


def calibration(probabilities, happened, bins: int = 10) -> Calibration:
    """The calibration of probabilities; Naeini et al. 2015 (ECE), Brier 1950."""
    p, y = np.asarray(probabilities, float), np.asarray(happened, float)
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    found = tuple((float(p[part].mean()), float(y[part].mean()), len(part)) for part in parts)
    error = sum(abs(said - was) * size for said, was, size in found) / len(p)
    return Calibration(
        found, error, float(((p - y) ** 2).mean()), float(((y.mean() - y) ** 2).mean())
    )
