"""`python -m workers.scoring.fitting`: fits the models of validity and redundancy on the dev files.

Small logistic regressions (scikit-learn) over the named features of `features.py` and `topic.py`;
their weights go to `models.json`, which a person can read. Everything is cross-validated by question:
no question is on both sides of a split, whatever file it comes from.

What is fitted on what:
- step_validity: planted errors of step_perturbation_dev (the planted step is wrong, the steps of the
  reference right), steps of step_validity_dev, and GSM8K solutions in which one result was changed.
- rationale_validity: each perturbed rationale against its own reference, and wrong against right teachers'
  solutions of the same GSM8K question (a conditional logistic regression: differences of features
  within a pair); then scaled to a probability on all of these and step_validity_dev, taking a
  teacher's wrong answer as a sign of a wrong step, and moved to the prior `PRIOR_WRONG`.
- step_redundancy: the ratings of step_redundancy_dev.
- rationale_redundancy: the most idle step, scaled to a probability on the same file.
- topic, topic_embedded: rationales of four dev files put to their own and to other questions of
the file, none
  of them a question of step_perturbation_dev, so that its swapped solutions are held out; moved to the
  prior `PRIOR_OFF_TOPIC`.
- sound_alone, sound_group: rationales with a right answer that people judged, see `soundness.py`; fitted
  after the others, whose log-odds they take (`--soundness`: they alone, the others stay as they are).
"""

import argparse
import json
import sys
from pathlib import Path

from workers.scoring.fitting.cross_validation import cross_validate
from workers.scoring.fitting.dev_data import add_cosines, default_data, load
from workers.scoring.fitting.models import Linear, fit
from workers.scoring.fitting.soundness import fit_soundness, held_out, judged
from workers.scoring.metrics.similarity import SentenceEmbedder
from workers.scoring.metrics.topic import EMBEDDED_TOPIC_FEATURES, TOPIC_FEATURES
from workers.scoring.metrics.validity import GROUP_FEATURES, MODELS_FILE, SOUND_FEATURES, models
from workers.scoring.roc import Area, clustered_area
from workers.scoring.steps.features import RATIONALE_FEATURES, STEP_FEATURES

FEATURES = {"step_validity": STEP_FEATURES, "step_redundancy": STEP_FEATURES,
            "rationale_validity": RATIONALE_FEATURES, "rationale_redundancy": ("most_idle_step",),
            "sound_alone": SOUND_FEATURES, "sound_group": GROUP_FEATURES,
            "topic": TOPIC_FEATURES, "topic_embedded": EMBEDDED_TOPIC_FEATURES}  # fmt: skip
WHAT = (
    "Log-odds that a step (rationale) is wrong, or makes no progress: intercept plus weight times "
    "feature. Features "
    "are explained in features.py; fitted by python -m workers.scoring.fitting."
)


def write(fitted: dict[str, Linear], areas: dict[str, Area], path: Path) -> None:
    """Writes the weights by name, with what they reached on questions held out; the file's others stay."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    shown = before.pop("cross_validated", {}) | {
        name: round(area.value, 3) for name, area in areas.items()
    }
    weights = {
        name: {
            "intercept": round(model.intercept, 5),
            "weights": {
                f: round(float(w), 5) for f, w in zip(FEATURES[name], model.weights, strict=True)
            },
        }
        for name, model in fitted.items()
    }
    content = before | {"what": WHAT, "cross_validated": shown} | weights
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def soundness(data: Path, path: Path) -> None:
    """Fits, cross-validates and writes the models for right answers."""
    rationales = judged(data)
    probabilities = held_out(rationales)
    areas = {}
    for source in dict.fromkeys(one.source for one in rationales):
        some = [i for i, one in enumerate(rationales) if one.source == source]
        for at, name in enumerate(("alone", "beside its group")):
            areas[f"soundness, {source}, {name}"] = clustered_area(
                [rationales[i].wrong for i in some],
                [probabilities[i][at] for i in some],
                [rationales[i].question for i in some],
            )
    for name, area in areas.items():
        print(f"{name:44} {area}")
    write(fit_soundness(rationales), areas, path)


def main(arguments: list[str] | None = None) -> int:
    """Fits, cross-validates, prints and writes."""
    parser = argparse.ArgumentParser(prog="python -m workers.scoring.fitting", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of the dev files")
    parser.add_argument(
        "-o", "--output", type=Path, default=MODELS_FILE, help="where the weights go"
    )
    parser.add_argument(
        "--soundness",
        action="store_true",
        help="only the models for rationales with a right answer",
    )
    options = parser.parse_args(arguments)
    if not options.data.is_dir():
        print(
            f"error: no dev data in {options.data}; give --data or set CHAINWRIGHT_DEV_DATA",
            file=sys.stderr,
        )
        return 2
    if options.soundness:
        soundness(options.data, options.output)
        print(f"written: {options.output}")
        return 0
    data = load(options.data)
    add_cosines(data, SentenceEmbedder())
    areas = cross_validate(data)
    for name, area in areas.items():
        print(f"{name:32} {area}")
    write(fit(data), areas, options.output)
    models.cache_clear()
    soundness(options.data, options.output)
    print(f"written: {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
