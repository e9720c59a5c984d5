"""``python -m workers.training.bench MODEL TRAIN.jsonl``: what TRL costs beside a bare loop.

Both train the same LoRA on the same batches in one process, one thread, in turns, and are timed in
seconds of CPU (the clock on the wall moves with whatever else runs). Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Time both loops ``--rounds`` times for ``--steps`` steps each."""
    parser = argparse.ArgumentParser(prog="python -m workers.training.bench", description=__doc__)
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args(argv)
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch

    torch.set_num_threads(1)
    ours, bare = [], []
    for _ in range(args.rounds):
        ours.append(_ours(args))
        bare.append(_bare(args))
    best = {"trl": min(ours), "bare": min(bare)}
    line = {
        "steps": args.steps,
        "cpu_ms_per_step": {name: round(1000 * value, 2) for name, value in best.items()},
        "steps_per_cpu_second": {name: round(1 / value, 2) for name, value in best.items()},
        "share_of_bare": round(best["bare"] / best["trl"], 3),
    }
    print(json.dumps(line))
    return 0


def _job(args, folder: str):
    """A loaded job of the real code, quiet and without checkpoints."""
    from workers.training.config import TrainingConfig
    from workers.training.events import EventWriter
    from workers.training.folder import RunFolder
    from workers.training.run import Job
    from workers.training.stopping import StopRequest

    config = TrainingConfig.from_dict(
        {
            "base_model": args.model,
            "dataset": args.data,
            "output_dir": folder,
            "recipe": {
                "preset": "demo",
                "max_steps": args.steps,
                "samples_every": 0,
                "checkpoint_seconds": 0,
            },
        }
    )
    job = Job(config, StopRequest(), EventWriter(folder), RunFolder(config))
    job.prepare()
    return job


def _ours(args) -> float:
    with tempfile.TemporaryDirectory() as folder:
        job = _job(args, folder)
        began = time.process_time()
        job.trainer.train()
        return (time.process_time() - began) / args.steps


def _bare(args) -> float:
    """The same steps as a plain loop: PEFT's model, the model's own loss, fused AdamW."""
    import torch

    with tempfile.TemporaryDirectory() as folder:
        trainer = _job(args, folder).trainer
        rows = list(trainer.train_dataset)
        order = list(trainer._get_train_sampler())
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    model = get_peft_model(model, trainer.model.peft_config["default"]).train()
    recipe = trainer.args
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=0.0, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * step / args.steps))
    )
    size = recipe.per_device_train_batch_size
    began = time.process_time()
    for step in range(args.steps):
        start = (step * size) % (len(order) - size + 1)
        batch = trainer.data_collator([rows[i] for i in order[start : start + size]])
        loss = model(**batch, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, recipe.max_grad_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return (time.process_time() - began) / args.steps


if __name__ == "__main__":
    if not Path("workers").is_dir():
        sys.exit("Run this from the repository's root.")
    sys.exit(main())
