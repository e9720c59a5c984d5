"""Build the demo models: `python -m tools.demo.build [--out DIR] [--only NAME] [--quick]`.

Each model is trained in its own process with one thread; as many run at once as there are cores.
A folder appears whole or not at all: the model is written beside it and moved into place.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.demo.recipes import RECIPES, quick

REPOSITORY = Path(__file__).resolve().parents[2]
MODELS = REPOSITORY / "workers" / "demo" / "models"


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status, 1 if any model could not be built."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo.build", description=__doc__)
    parser.add_argument("--out", type=Path, default=MODELS, help="folder for the model folders")
    parser.add_argument("--only", choices=sorted(RECIPES), help="build this one alone")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the steps, to try it")
    parser.add_argument("--jobs", type=int, default=0, help="models at once (default: cores)")
    args = parser.parse_args(argv)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"Cannot write to {args.out}: {error.strerror}. Choose --out.", file=sys.stderr)
        return 1
    if args.only:
        build(args.only, args.out, short=args.quick)
        return 0
    return _build_all(args)


def _build_all(args: argparse.Namespace) -> int:
    """Build every model in processes of their own, the longest first."""
    names = sorted(RECIPES, key=lambda n: -RECIPES[n].steps * RECIPES[n].hidden)
    command = [sys.executable, "-m", "tools.demo.build", "--out", str(args.out)]
    command += ["--quick"] if args.quick else []
    # One thread each: with more, the threads of the processes wait for one another.
    env = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

    def run(name: str) -> int:
        return subprocess.run(
            [*command, "--only", name], cwd=REPOSITORY, env=env, check=False
        ).returncode

    with ThreadPoolExecutor(args.jobs or os.cpu_count() or 1) as pool:
        failed = [n for n, status in zip(names, pool.map(run, names), strict=True) if status]
    if failed:
        print(f"Not built: {', '.join(failed)}. The reason stands above.", file=sys.stderr)
    return 1 if failed else 0


def build(name: str, out: Path, short: bool = False) -> Path:
    """Train one model by its recipe, measure it and write its folder under `out`."""
    # Heavy libraries only here, so that --help answers at once.
    from tools.demo.card import write_card
    from tools.demo.pretrain import train
    from tools.demo.tokenizer import build_tokenizer
    from tools.demo.verify import with_control

    started = time.monotonic()
    recipe = quick(RECIPES[name]) if short else RECIPES[name]
    tokenizer = build_tokenizer()

    def progress(stage: str, step: int, of: int, loss: float, left: float) -> None:
        print(
            f"{name}: {stage}, step {step} of {of}, loss {loss:.3f}, {left / 60:.1f} min left",
            flush=True,
        )

    model = train(recipe, tokenizer, progress)
    target = out / name
    # In the same folder, so that moving it into place is one rename.
    with tempfile.TemporaryDirectory(dir=out, prefix=f".{name}-") as folder:
        _write(model, tokenizer, Path(folder))
        write_card(
            recipe, Path(folder), with_control(recipe.name, Path(folder), 40 if short else None)
        )
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder, target)
    minutes = (time.monotonic() - started) / 60
    print(f"{name}: written to {target} after {minutes:.1f} min", flush=True)
    return target


def _write(model, tokenizer, folder: Path) -> None:
    """Weights in bfloat16, configuration, tokenizer."""
    import torch

    model.to(torch.bfloat16).save_pretrained(folder)
    # safetensors writes for the owner alone; the models are for everybody who may read the project.
    (folder / "model.safetensors").chmod(0o644)
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    # The name that every version of transformers and vLLM knows for a fast tokenizer.
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n")
    path = folder / "generation_config.json"
    config = json.loads(path.read_text())
    config |= {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    path.write_text(json.dumps(config, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
