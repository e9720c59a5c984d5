"""The model card of a demo model."""

import json
from collections.abc import Mapping
from pathlib import Path

from tools.demo.pretrain import BATCH, Recipe

_WHAT = {
    "strong": "a teacher that is mostly right and mostly short",
    "wordy": "a teacher that is often wrong and often wordy, with mistakes of its own",
    "student": "a student that answers at once and is mostly wrong, to be trained",
}

_CARD = """\
---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
---
# Chainwright demo: {name}

**A demonstration, not a model to use.** It is {what}.
It knows nothing but word problems of 18 kinds with one to three steps and numbers up to 100, in
the words of `tools/demo/`.

## Measured

Greedy answers on one thread, on questions that no choice was made with and that were left out of
the pre-training. Intervals are Wilson's, 95%.

| questions | n | accuracy | tokens a rationale |
| --- | --- | --- | --- |
{rows}

{control}The floor has kinds, sizes and lengths that no demo model has met: nothing is expected there.

## Made by

`python -m tools.demo.build --only {name}`, from seeds, on one thread of a CPU:

- Llama architecture, {layers} layers, {hidden} wide, feed-forward {inner}, {heads} heads of 32
- seed {seed}, batches of {batch}
- {stages}
- loss on the completions only; Muon for the hidden matrices and AdamW for the rest, learning rate
  {peak:g} at the start
- trained in float32, stored in bfloat16
"""


_CONTROL = """\
Rows that are "begun with" some words are a control: the same model, without any training, made to begin
each answer with the first words of a rationale. It has met rationales while it was made, so these words
alone bring out most of what a training seems to teach it. Read every figure of a trained student beside
them.

"""


def model_card(recipe: Recipe, figures: Mapping[str, Mapping]) -> str:
    """The README.md of a model folder; `figures` as `verify.with_control` gives them."""
    rows = [
        f"| {part} | {f['n']} | {f['accuracy']:.1%} "
        f"[{f['interval'][0]:.1%}, {f['interval'][1]:.1%}] | {f['tokens']} |"
        for part, f in figures.items()
    ]
    return _CARD.format(
        name=recipe.name,
        what=_WHAT[recipe.name],
        rows="\n".join(rows),
        control=_CONTROL if any("begun with" in part for part in figures) else "",
        layers=recipe.layers,
        hidden=recipe.hidden,
        inner=recipe.inner,
        heads=recipe.hidden // 32,
        seed=recipe.seed,
        batch=BATCH,
        stages=", then ".join(f"{s.steps} steps of {s.name}" for s in recipe.stages),
        peak=recipe.stages[0].start,
    )


def write_card(recipe: Recipe, folder: Path, figures: Mapping[str, Mapping]) -> None:
    """Write the card and the figures it shows (`measured.json`) into a model's folder."""
    (folder / "README.md").write_text(model_card(recipe, figures))
    (folder / "measured.json").write_text(json.dumps(figures, indent=2) + "\n")
