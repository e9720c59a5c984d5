"""Every number of a recipe reaches the training: two trainings that differ in one of them differ.

A new LoRA adapter changes nothing of what the base says (its B is zero). So with a learning rate that
moves no weight, the losses tell which examples came when, and nothing else; and the weights of A tell
what the seed drew.
"""

import json
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.workers.training.training_tiny import make_model, sums, write_rows
from workers.training.__main__ import main
from workers.training.errors import EXIT_DONE
from workers.training.events import read_events

STILL = 1e-8  # moves no weight by more than float32 shows in a loss


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("base") / "model", hidden=16, layers=1)


@pytest.fixture(autouse=True)
def signals_and_environment_stay(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command is called in this process: starting it anew takes ten times as long as it works."""
    kept = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    for name in ("OMP_NUM_THREADS", "TOKENIZERS_PARALLELISM", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "1")
    yield
    for one, handler in kept.items():
        signal.signal(one, handler)


class Trained:
    """What `python -m workers.training CONFIG.json` left behind."""

    def __init__(self, folder: Path) -> None:
        events, _ = read_events(folder / "out" / "events.jsonl")
        self.losses = [event["loss"] for event in events if event["event"] == "progress"]
        self.adapter = folder / "out" / "adapter"
        self.settings = json.loads((self.adapter / "adapter_config.json").read_text())

    def weights(self, part: str) -> Any:
        """All weights of the adapter's `lora_A` or `lora_B`, in one row."""
        import torch
        from safetensors.torch import load_file

        found = load_file(self.adapter / "adapter_model.safetensors")
        return torch.cat([found[name].flatten() for name in sorted(found) if part in name])


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """trained(weight_decay=0.5, …): a short training of 12 sums with these numbers in its recipe; the
    same numbers are trained once."""

    @cache
    def train(**recipe: Any) -> Trained:
        folder = tmp_path_factory.mktemp("job")
        plain = {
            "rank": 2, "alpha": 4, "learning_rate": 1e-2, "scheduler": "constant",
            "warmup_ratio": 0.0, "batch_size": 4, "max_steps": 3, "max_length": 128,
            "logging_steps": 1, "checkpoint_seconds": 0,
        }  # fmt: skip
        values = {
            "base_model": str(base),
            "dataset": str(write_rows(folder / "train.jsonl", sums(12))),
            "output_dir": str(folder / "out"),
            "recipe": plain | recipe,
        }
        path = folder / "config.json"
        path.write_text(json.dumps(values))
        assert main([str(path)]) == EXIT_DONE
        return Trained(folder)

    return train


def test_alpha_scales_what_is_learned_and_is_served_with_the_adapter(trained: Any) -> None:
    small, large = trained(), trained(alpha=64)
    assert (small.settings["lora_alpha"], large.settings["lora_alpha"]) == (4, 64)
    assert small.losses[0] == large.losses[0]  # nothing is learned yet
    assert abs(small.losses[-1] - large.losses[-1]) > 1e-3


def test_the_rank_the_targets_and_the_dropout_are_the_recipes(trained: Any) -> None:
    made = trained(rank=3, target="q_proj,v_proj", dropout=0.25, max_steps=1).settings
    assert (made["r"], sorted(made["target_modules"])) == (3, ["q_proj", "v_proj"])
    assert made["lora_dropout"] == 0.25


def test_the_seed_draws_what_the_adapter_begins_with(trained: Any) -> None:
    whole = {"batch_size": 12, "max_steps": 1, "learning_rate": STILL}  # one batch: no order
    zero, one = (trained(seed=seed, **whole).weights("lora_A") for seed in (0, 1))
    assert (zero - one).abs().max() > 0.01


@pytest.mark.parametrize("by_length", [True, False], ids=["in length buckets", "shuffled"])
def test_the_seed_draws_the_order_of_the_examples(trained: Any, by_length: bool) -> None:
    still = {"learning_rate": STILL, "batch_size": 2, "max_steps": 6, "group_by_length": by_length}
    zero, one = (trained(seed=seed, **still).losses for seed in (0, 1))
    assert zero != pytest.approx(one, abs=1e-4)
    # The same examples, whichever came first: each training saw all of them once.
    assert sum(zero) == pytest.approx(sum(one), abs=0.05)


def test_weight_decay_draws_the_weights_to_zero(trained: Any) -> None:
    without, with_it = (one.weights("lora_A") for one in (trained(), trained(weight_decay=1.0)))
    # Three steps at a rate of 0.01 take about 3% off.
    assert with_it.norm() < 0.99 * without.norm()


def test_the_gradient_is_cut_at_its_longest_norm(trained: Any) -> None:
    # Adam takes steps of one length, however long a gradient is, until that is lost in its epsilon.
    free, cut = (one.weights("lora_B") for one in (trained(), trained(max_grad_norm=1e-9)))
    assert cut.norm() < 0.5 * free.norm()
