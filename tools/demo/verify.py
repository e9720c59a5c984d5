"""Measure the demo models: `python -m tools.demo.verify [--seed dev|final]`, JSON to stdout.

Greedy answers through transformers on one thread, with Wilson 95% intervals. "dev" is what choices
were made on while building, "final" what the demo project ships.

`--begin "Step 1:"` starts every answer with these words. It is the control beside a training: how
much of a student's gain do the first words of a rationale bring without any training?
"""

import argparse
import json
import sys
from pathlib import Path

from tools.demo.build import MODELS
from tools.demo.problems import DEV_SEED, FINAL_SEED, SUBSETS, project_split
from tools.demo.recipes import RECIPES

SEEDS = {"dev": DEV_SEED, "final": FINAL_SEED}
PARTS = ("eval", *SUBSETS)
FIRST_WORDS = "Step 1:"  # of every rationale that the student would be trained on


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status, 1 if a model folder is missing."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo.verify", description=__doc__)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--only", choices=sorted(RECIPES))
    parser.add_argument("--seed", choices=sorted(SEEDS), default="final")
    parser.add_argument("--limit", type=int, help="only the first questions of each part")
    parser.add_argument("--begin", default="", help="words that every answer starts with")
    parser.add_argument(
        "--write", action="store_true", help="write the figures into the models' cards too"
    )
    args = parser.parse_args(argv)
    if args.write and (args.seed != "final" or args.limit or args.begin):
        parser.error(
            "--write is for the whole of the final questions as the model answers them: leave out "
            "--seed, --limit and --begin."
        )
    report: dict[str, dict] = {}
    for name in [args.only] if args.only else list(RECIPES):
        folder = args.models / name
        if not (folder / "model.safetensors").is_file():
            print(
                f"No model in {folder}: build it with python -m tools.demo.build.",
                file=sys.stderr,
            )
            return 1
        if args.write:
            report[name] = with_control(name, folder)
            from tools.demo.card import write_card

            write_card(RECIPES[name], folder, report[name])
        else:
            report[name] = measure_folder(folder, args.seed, args.limit, args.begin)
    print(json.dumps(report, indent=2))
    return 0


def with_control(name: str, folder: Path, limit: int | None = None) -> dict[str, dict]:
    """What a model's card shows: `measure_folder` on the final questions, and for the student the same
    with its answers begun by a rationale's first words, as parts named after them."""
    figures = measure_folder(folder, "final", limit)
    if name == "student":
        begun = measure_folder(folder, "final", limit, FIRST_WORDS)
        figures |= {f'{part}, begun with "{FIRST_WORDS}"': one for part, one in begun.items()}
    return figures


def measure_folder(
    folder: Path, seed_name: str, limit: int | None = None, begin: str = ""
) -> dict[str, dict]:
    """Greedy accuracy of the model in `folder` on each held-out part, as `measure.accuracy` says.

    Every answer starts with the words of `begin`. Each entry also has `tokens`, the mean length of a
    rationale.
    """
    # Heavy libraries only here, so that --help answers at once.
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tools.demo.measure import accuracy, answer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    report = {}
    for part in PARTS:
        problems = project_split(part, SEEDS[seed_name])[:limit]
        rationales = answer(model, tokenizer, [p.question for p in problems], begin=begin)
        lengths = [len(tokenizer(text)["input_ids"]) for text, _ in rationales]
        mean = round(sum(lengths) / max(1, len(lengths)), 1)
        report[part] = {**accuracy(problems, rationales), "tokens": mean}
    return report


if __name__ == "__main__":
    sys.exit(main())
