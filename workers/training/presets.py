"""Recipes by name, each with a sentence about what it is for and what it was measured on.

LoRA on all linear layers, about ten times the learning rate of full fine-tuning, and a small
effective batch: "LoRA Without Regret" (thinkingmachines.ai/blog/lora, 2025), and TRL's page of the
same name.
"""

from __future__ import annotations

from dataclasses import dataclass

from workers.training.config import Recipe


@dataclass(frozen=True)
class Preset:
    """A named recipe and the sentence that the page shows beside it."""

    name: str
    sentence: str
    recipe: Recipe


_ALL = (
    Preset(
        "demo",
        "For the demonstration student that ships with the project (under a million weights, one "
        "CPU thread): a high learning rate, as so small a model needs. Not for real models.",
        Recipe(
            learning_rate=3e-3,
            batch_size=16,
            # More steps do not help: 88% on the development questions after 100, 300 and 400.
            max_steps=300,
            max_length=512,
            logging_steps=5,
            samples_every=50,
            sample_tokens=128,
        ),
    ),
    Preset(
        "small",
        "A careful start for any model up to about 200 million weights, on a CPU or a small GPU. "
        "Not measured here on a model of that size.",
        Recipe(learning_rate=1e-3, batch_size=16, epochs=4.0, max_length=1024, samples_every=100),
    ),
    Preset(
        "qwen-0.5b",
        "For Qwen2.5 0.5B: rank 16 on all linear layers trains 1.8% of its weights. The end token "
        "is that of the chat template, which the base model's tokenizer does not name. Wants a GPU "
        "of 8 GB or more; not measured here.",
        Recipe(
            learning_rate=2e-4,
            batch_size=16,
            micro_batch=8,
            epochs=3.0,
            max_length=2048,
            dtype="bfloat16",
            eos_token="<|im_end|>",
            samples_every=50,
            checkpoint_seconds=300.0,
        ),
    ),
    Preset(
        "8b",
        "For models of 7 to 8 billion weights on one GPU of 40 GB or more: memory before speed "
        "(gradient checkpointing, one example a pass). Not measured here.",
        Recipe(
            rank=32,
            alpha=64,
            learning_rate=1e-4,
            batch_size=16,
            micro_batch=1,
            epochs=2.0,
            max_length=4096,
            dtype="bfloat16",
            gradient_checkpointing=True,
            samples_every=50,
            checkpoint_seconds=600.0,
        ),
    ),
)

#: name -> :class:`Preset`, in the order in which a page lists them
PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}
