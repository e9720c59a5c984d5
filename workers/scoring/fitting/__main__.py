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
"""

import argparse
import json
import sys
from pathlib import Path

from workers.scoring.fitting.cross_validation import cross_validate
from workers.scoring.fitting.dev_data import add_cosines, default_data, load
from workers.scoring.fitting.models import Linear, fit
from workers.scoring.metrics.similarity import SentenceEmbedder
from workers.scoring.metrics.topic import EMBEDDED_TOPIC_FEATURES, TOPIC_FEATURES
from workers.scoring.metrics.validity import MODELS_FILE
from workers.scoring.roc import Area
from workers.scoring.steps.features import RATIONALE_FEATURES, STEP_FEATURES


def write(models: dict[str, Linear], areas: dict[str, Area], path: Path) -> None:
    """Writes the weights by name, with what they reached on questions held out."""
    names = {"step_validity": STEP_FEATURES, "step_redundancy": STEP_FEATURES,
             "rationale_validity": RATIONALE_FEATURES, "rationale_redundancy": ("most_idle_step",),
             "topic": TOPIC_FEATURES, "topic_embedded": EMBEDDED_TOPIC_FEATURES}  # fmt: skip
    content = {
        "what": "Log-odds that a step (rationale) is wrong, or makes no progress: intercept plus "
        "weight times "
        "feature. Features are explained in features.py; fitted by python -m workers.scoring.fitting.",
        "cross_validated": {name: round(area.value, 3) for name, area in areas.items()},
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


def main(arguments: list[str] | None = None) -> int:
    """Fits, cross-validates, prints and writes."""
    parser = argparse.ArgumentParser(prog="python -m workers.scoring.fitting", description=__doc__,
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
    add_cosines(data, SentenceEmbedder())
    areas = cross_validate(data)
    for name, area in areas.items():
        print(f"{name:32} {area}")
    write(fit(data), areas, options.output)
    print(f"written: {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
