"""`python -m workers.scoring.fit`: fits the models of validity and redundancy on the dev files.

Four small logistic regressions (scikit-learn) over the named features of `features.py`; their weights
go to `models.json`, which a person can read. Everything is cross-validated by question: no question is
on both sides of a split, whatever file it comes from.

What is fitted on what:
- step_validity: planted errors of step_perturbation_dev (the planted step is wrong, the steps of the
  reference right), steps of step_validity_dev, and GSM8K solutions in which one result was changed.
- chain_validity: each perturbed chain against its own reference, and wrong against right teachers'
  solutions of the same GSM8K question (a conditional logistic regression: differences of features
  within a pair); then scaled to a probability on all of these and step_validity_dev, taking a
  teacher's wrong answer as a sign of a wrong step, and moved to the prior `PRIOR_WRONG`.
- step_redundancy: the ratings of step_redundancy_dev.
- chain_redundancy: the most idle step, scaled to a probability on the same file.
"""

import argparse
import json
import os
import random
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from workers.scoring.analysis import ChainFacts, analyse
from workers.scoring.features import CHAIN_FEATURES, STEP_FEATURES, chain_features, step_features
from workers.scoring.steps import Step, split_steps
from workers.scoring.validity import MODELS_FILE, OFF_TOPIC_ODDS, off_topic

FOLDS = 10
STRENGTH = {
    "step_validity": 0.3,
    "chain_validity": 0.5,
    "step_redundancy": 0.05,
}  # scikit-learn's C
ABOUT_ERRORS = ("wrong_equations", "early_values", "contradictions", "operator_conflicts", "odd_powers",
                "orphan_numbers", "unexplained_numbers")  # fmt: skip
GSM8K_SAMPLE = 400
# The share of wrong chains that `validity` starts from. The dev files are half wrong by design, so the
# intercept is moved to this prior (King and Zeng 2001, prior correction for case-control samples).
PRIOR_WRONG = 0.2
TEACHER_QUESTIONS = 350
TEACHER_WEIGHT = 0.05  # of a teachers' pair beside a planted error, whose label is sure


@dataclass(slots=True)
class Chain:
    """One chain of the dev files: its question, features, and labels (None where there are none)."""

    question: str
    rows: np.ndarray
    features: np.ndarray
    kind: str
    wrong: bool | None = None
    wrong_steps: frozenset | None = None
    ratings: list[int] = field(default_factory=list)
    text: str = ""


def as_steps(texts: list) -> list[Step]:
    """Steps given as a list of texts, as they would lie in one rationale."""
    out, at = [], 0
    for text in texts:
        text = text[0] if isinstance(text, list) else text
        out.append(Step(text, at, at + len(text)))
        at += len(text) + 1
    return out


def _chain(question: str, steps: list[Step], kind: str, **labels) -> Chain:
    facts: ChainFacts = analyse(question, "", steps)
    rows = step_features(facts)
    return Chain(
        question,
        np.array(rows),
        np.array(chain_features(facts, rows, False)),
        kind,
        text="\n".join(step.text for step in steps),
        **labels,
    )


def _read(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def load(folder: Path) -> dict[str, list]:
    """The dev files as chains: {"pairs": [(reference, perturbed)], "validity": [...], ...}."""
    pairs = []
    for row in _read(folder / "step_perturbation_dev.jsonl"):
        kind, tags = row["error_type"], row["tags"]
        planted = frozenset(tags if isinstance(tags, list) else [tags])
        tagged = planted if kind in ("random number", "random operation", "swap steps") else None
        pairs.append(
            (
                _chain(row["question"], as_steps(row["reference_steps"]), kind, wrong=False,
                       wrong_steps=frozenset()),
                _chain(row["question"], as_steps(row["hypothesis_steps"]), kind, wrong=True,
                       wrong_steps=tagged),
            )
        )  # fmt: skip
    validity = []
    for row in _read(folder / "step_validity_dev.jsonl"):
        first = row["model_output_solution_first_error_step"]
        steps = as_steps(row["model_output_step_format"])
        wrong = row["model_output_solution_correctness"] != "correct"
        labels = frozenset([int(first) - 1]) if wrong and isinstance(first, int) else frozenset()
        validity.append(_chain(row["question"], steps, "validity", wrong=wrong, wrong_steps=labels))
    redundancy = [
        _chain(
            row["question"],
            as_steps(row["model_output_step_format"]),
            "redundancy",
            ratings=row["rating"],
        )
        for row in _read(folder / "step_redundancy_dev.jsonl")
    ]
    gsm8k = _changed_results(_read(folder / "gsm8k_train.jsonl"))
    teachers = _teachers(_read(folder / "gsm8k_teachers_dev.jsonl"))
    return {"pairs": pairs, "validity": validity, "redundancy": redundancy, "gsm8k": gsm8k,
            "teachers": teachers}  # fmt: skip


def _teachers(rows: list[dict]) -> list[Chain]:
    """Teachers' solutions without calculator marks and answer line; wrong where the answer is."""
    out = []
    for row in random.Random(21).sample(rows, TEACHER_QUESTIONS):
        for one in row.values():
            if isinstance(one, dict):
                text = re.sub(r"<<[^<>]*>>|\nA:[^\n]*$", "", one["solution"])[:4_000]
                if text.strip():
                    out.append(_chain(row["question"], split_steps(text), "teachers",
                                      wrong=not one["is_correct"]))  # fmt: skip
    return out


def change_result(solution: str, rng: random.Random) -> tuple[str, int] | None:
    """A GSM8K solution with one calculator result changed and its marks taken off, and the place."""
    marks = [m for m in re.finditer(r"<<[^<>]*=([^<>=]*)>>(\d[\d,]*(?:\.\d+)?)", solution) if m[2]]
    if not marks:
        return None
    m = rng.choice(marks)
    shown = m[2].replace(",", "")
    step = rng.choice([-10, -3, -2, -1, 1, 2, 3, 10])
    digits = len(shown.split(".")[1]) if "." in shown else 0
    changed = f"{float(shown) + step:.{digits}f}"
    before = re.sub(r"<<[^<>]*>>", "", solution[: m.start()])
    after = re.sub(r"<<[^<>]*>>", "", solution[m.end() :])
    return before + changed + after, len(before)


def _changed_results(rows: list[dict]) -> list[tuple[Chain, Chain]]:
    rng = random.Random(20)
    out = []
    for row in rng.sample(rows, GSM8K_SAMPLE):
        changed = change_result(row["answer"], rng)
        if changed is None:
            continue
        text, at = changed
        right = re.sub(r"<<[^<>]*>>", "", row["answer"])
        steps = split_steps(text)
        wrong = frozenset(i for i, s in enumerate(steps) if s.start <= at < s.end)
        out.append(
            (
                _chain(
                    row["question"],
                    split_steps(right),
                    "gsm8k",
                    wrong=False,
                    wrong_steps=frozenset(),
                ),
                _chain(row["question"], steps, "gsm8k", wrong=True, wrong_steps=wrong),
            )
        )
    return out


@dataclass(slots=True)
class Linear:
    """A linear score: weights on the features as they are, and an intercept."""

    weights: np.ndarray
    intercept: float

    def score(self, x: np.ndarray) -> np.ndarray:
        """Log-odds, one for each row."""
        return x @ self.weights + self.intercept


def _logistic(
    x: np.ndarray, y: np.ndarray, strength: float, intercept: bool = True, weight=None
) -> Linear:
    spread = x.std(axis=0)
    spread[spread < 1e-6] = np.inf  # a feature that never changes has no weight
    middle = x.mean(axis=0) if intercept else np.zeros(x.shape[1])
    model = LogisticRegression(C=strength, max_iter=5_000, fit_intercept=intercept)
    model.fit((x - middle) / spread, y, sample_weight=weight)
    weights = model.coef_[0] / spread
    return Linear(weights, float(model.intercept_[0] - middle @ weights) if intercept else 0.0)


def _steps_of(chains: list[Chain]) -> tuple[np.ndarray, np.ndarray]:
    x, y = [], []
    for chain in chains:
        for i, row in enumerate(chain.rows):
            x.append(row)
            y.append(i in chain.wrong_steps)
    return np.array(x), np.array(y)


def fit(data: dict[str, list]) -> dict[str, Linear]:
    """The four models from loaded chains."""
    labelled = [p for p in data["pairs"] if p[0].kind != "repeat step"] + data["gsm8k"]
    step_chains = [c for pair in labelled for c in pair if c.wrong_steps is not None] + data[
        "validity"
    ]
    step_validity = _logistic(*_steps_of(step_chains), STRENGTH["step_validity"])
    chain_validity = _fit_pairs(labelled, data["teachers"], data["validity"])
    x = np.vstack([c.rows for c in data["redundancy"]])
    y = np.concatenate([[r == 0 for r in c.ratings] for c in data["redundancy"]])
    # What says that a step is wrong says nothing of its progress: those features get no weight.
    x[:, [STEP_FEATURES.index(name) for name in ABOUT_ERRORS]] = 0.0
    step_redundancy = _logistic(x, y, STRENGTH["step_redundancy"])
    most = np.array([[step_redundancy.score(c.rows).max()] for c in data["redundancy"]])
    some = np.array([min(c.ratings) == 0 for c in data["redundancy"]])
    return {
        "step_validity": step_validity,
        "chain_validity": chain_validity,
        "step_redundancy": step_redundancy,
        "chain_redundancy": _logistic(most, some, 10.0),
    }


def _fit_pairs(pairs: list, teachers: list[Chain], alone: list[Chain]) -> Linear:
    """Weights from differences within pairs, then scale and intercept from chains that models wrote."""
    natural = _pairs_of_teachers(teachers)
    difference = np.array([wrong.features - right.features for right, wrong in pairs + natural])
    weight = np.array([1.0] * len(pairs) + [TEACHER_WEIGHT] * len(natural))
    x = np.vstack([difference, -difference])
    y = np.concatenate([np.ones(len(difference)), np.zeros(len(difference))])
    raw = _logistic(x, y, STRENGTH["chain_validity"], intercept=False, weight=np.tile(weight, 2))
    chains = [c for pair in pairs for c in pair] + teachers + alone
    scores = np.array([[float(raw.score(c.features))] for c in chains])
    scale = _logistic(scores, np.array([c.wrong for c in chains]), 10.0)
    wrong = float(np.mean([c.wrong for c in chains]))
    shift = np.log(PRIOR_WRONG / (1 - PRIOR_WRONG)) - np.log(wrong / (1 - wrong))
    return Linear(raw.weights * scale.weights[0], scale.intercept + float(shift))


def _pairs_of_teachers(teachers: list[Chain]) -> list[tuple[Chain, Chain]]:
    """(right, wrong) solutions of the same question, each wrong one once."""
    by_question: dict[str, list[Chain]] = {}
    for chain in teachers:
        by_question.setdefault(chain.question, []).append(chain)
    out = []
    for chains in by_question.values():
        right = [c for c in chains if not c.wrong]
        wrong = [c for c in chains if c.wrong]
        out.extend((right[i % len(right)], c) for i, c in enumerate(wrong) if right)
    return out


def _questions(data: dict[str, list]) -> dict[str, int]:
    """The fold of every question, dealt at random."""
    names = {c.question for c in data["validity"] + data["redundancy"] + data["teachers"]}
    names |= {p[0].question for p in data["pairs"] + data["gsm8k"]}
    ordered = sorted(names)
    random.Random(7).shuffle(ordered)
    return {question: i % FOLDS for i, question in enumerate(ordered)}


def strangeness(pairs: list[tuple[Chain, Chain]], embedder) -> dict[int, float]:
    """`off_topic` of the chains of pairs, by the id of the object; without an embedder none."""
    if embedder is None:
        return {}
    chains = [chain for pair in pairs for chain in pair]
    questions = embedder.encode([chain.question for chain in chains])
    texts = embedder.encode([chain.text[:8_000] for chain in chains])
    used = CHAIN_FEATURES.index("question_numbers_used")
    return {
        id(chain): off_topic(float(q @ t), float(chain.features[used]))
        for chain, q, t in zip(chains, questions, texts, strict=True)
    }


def cross_validate(data: dict[str, list], embedder=None) -> dict[str, float]:
    """Areas under the ROC on questions that the model was not fitted on.

    perturbation: for each kind, "paired" (how often the perturbed chain scores below its own reference,
    ties half: the area chain by chain) and "pooled" (all perturbed against all references). With an
    embedder the pairs are scored as with embeddings on.
    """
    fold = _questions(data)
    scores: dict[int, dict] = {}
    for k in range(FOLDS):
        inside = {
            name: [c for c in chains if fold[_one(c).question] != k]
            for name, chains in data.items()
        }
        models = fit(inside)
        scores[k] = models
    return _areas(data, fold, scores, strangeness(data["pairs"], embedder))


def _one(entry) -> Chain:
    return entry[0] if isinstance(entry, tuple) else entry


def _areas(data, fold, models, strange) -> dict[str, float]:
    def validity(chain: Chain) -> float:
        fitted = models[fold[chain.question]]
        whole = float(fitted["chain_validity"].score(chain.features))
        failing = chain.rows[chain.rows[:, STEP_FEATURES.index("wrong_equations")] > 0]
        # as `validity` does: no likelier right than a step whose calculation fails
        if len(failing):
            whole = max([whole, *fitted["step_validity"].score(failing)])
        return whole + OFF_TOPIC_ODDS * strange.get(id(chain), 0.0)

    def redundancy(chain: Chain) -> tuple[float, np.ndarray]:
        steps = models[fold[chain.question]]["step_redundancy"].score(chain.rows)
        repeated = chain.rows[:, STEP_FEATURES.index("repeats")]
        steps = steps + 10.0 * repeated  # as `validity` does: an exact repeat is idle
        return float(steps.max()), steps

    out: dict[str, float] = {}
    kinds = [*dict.fromkeys(p[0].kind for p in data["pairs"]), "gsm8k"]
    for kind in kinds:
        pairs = [p for p in data["pairs"] + data["gsm8k"] if p[0].kind == kind]
        of = (lambda c: redundancy(c)[0]) if kind == "repeat step" else validity
        values = [(of(a), of(b)) for a, b in pairs]
        out[f"{kind}, paired"] = float(np.mean([(b > a) + 0.5 * (b == a) for a, b in values]))
        flat = [v for pair in values for v in pair]
        out[f"{kind}, pooled"] = float(roc_auc_score([0, 1] * len(values), flat))
    out["validity, solution"] = float(
        roc_auc_score([c.wrong for c in data["validity"]], [validity(c) for c in data["validity"]])
    )
    out["teachers' right answers"] = float(
        roc_auc_score([c.wrong for c in data["teachers"]], [validity(c) for c in data["teachers"]])
    )
    idle = [redundancy(c) for c in data["redundancy"]]
    out["redundancy, solution"] = float(
        roc_auc_score([min(c.ratings) == 0 for c in data["redundancy"]], [most for most, _ in idle])
    )
    ratings = np.concatenate([[r == 0 for r in c.ratings] for c in data["redundancy"]])
    out["redundancy, step"] = float(roc_auc_score(ratings, np.concatenate([s for _, s in idle])))
    return out


def write(models: dict[str, Linear], areas: dict[str, float], path: Path) -> None:
    """Writes the weights by name, with what they reached on questions held out."""
    names = {"step_validity": STEP_FEATURES, "step_redundancy": STEP_FEATURES,
             "chain_validity": CHAIN_FEATURES, "chain_redundancy": ("most_idle_step",)}  # fmt: skip
    content = {
        "what": "Log-odds that a step (chain) is wrong, or makes no progress: intercept plus weight times "
        "feature. Features are explained in features.py; fitted by python -m workers.scoring.fit.",
        "cross_validated": {name: round(value, 3) for name, value in areas.items()},
        **{
            name: {
                "intercept": round(model.intercept, 5),
                "weights": {
                    f: round(float(w), 5) for f, w in zip(names[name], model.weights, strict=True)
                },
            }
            for name, model in models.items()
        },
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def default_data() -> Path:
    """Where the dev files are: $CHAINWRIGHT_DEV_DATA, or the folder beside the checkout."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    return Path(os.environ.get("CHAINWRIGHT_DEV_DATA", beside))


def main(arguments: list[str] | None = None) -> int:
    """Fits, cross-validates, prints and writes."""
    parser = argparse.ArgumentParser(prog="python -m workers.scoring.fit", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of the dev files")
    parser.add_argument(
        "-o", "--output", type=Path, default=MODELS_FILE, help="where the weights go"
    )
    options = parser.parse_args(arguments)
    if not options.data.is_dir():
        print(
            f"error: no dev data in {options.data}; give --data or set CHAINWRIGHT_DEV_DATA",
            file=sys.stderr,
        )
        return 2
    data = load(options.data)
    areas = cross_validate(data)
    for name, value in areas.items():
        print(f"{name:32} {value:.3f}")
    write(fit(data), areas, options.output)
    print(f"written: {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
