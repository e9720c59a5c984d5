"""The README beside a saved adapter: what it is, what it was trained on, how to load it."""

from __future__ import annotations

import dataclasses
import json
from importlib.metadata import version
from typing import Any

from workers.training.config import TrainingConfig


def model_card(config: TrainingConfig, facts: dict[str, Any]) -> str:
    """The card as Markdown with the YAML head that model hubs read.

    ``facts``: dataset_sha256, examples, tokens, trained, share, steps, loss, eval_loss, seconds,
    template_sha256.
    """
    base = config.shown_model
    head = {
        "base_model": base,
        "library_name": "peft",
        "tags": ["lora", "trl", "sft", "chainwright"],
    }
    lines = ["---", *(f"{key}: {json.dumps(value)}" for key, value in head.items()), "---", ""]
    lines += [
        f"# LoRA adapter for {base}",
        "",
        "Trained on approved chains of thought with TRL's SFTTrainer and PEFT by Chainwright.",
        "",
        "| what | value |",
        "| --- | --- |",
        f"| examples | {facts['examples']:,} ({facts['tokens']:,} tokens) |",
        f"| data set, SHA-256 | `{facts['dataset_sha256']}` |",
        f"| chat template, SHA-256 | `{facts['template_sha256']}` |",
        f"| trained weights | {facts['trained']:,} ({facts['share']:.1%}) |",
        f"| steps | {facts['steps']:,} in {facts['seconds']:,.0f} s |",
        f"| training loss at the end | {_number(facts['loss'])} |",
        f"| loss on held-out rationales | {_number(facts['eval_loss'])} |",
    ]
    names = ("trl", "peft", "transformers", "torch")
    lines.append(f"| versions | {', '.join(f'{name} {version(name)}' for name in names)} |")
    lines += ["", "## Recipe", "", "```json"]
    lines += [json.dumps(dataclasses.asdict(config.recipe), indent=2), "```", ""]
    lines += [
        "## Use",
        "",
        "```python",
        "from peft import PeftModel",
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        "",
        'base = AutoModelForCausalLM.from_pretrained("FOLDER OR HUB NAME OF THE BASE MODEL")',
        'model = PeftModel.from_pretrained(base, "THIS FOLDER")',
        'tokenizer = AutoTokenizer.from_pretrained("THIS FOLDER")',
        "```",
        "",
        "Use the chat template of this folder: it is the one that the adapter was trained with.",
        "The loss says little about whether the answers are right: see the evaluation.",
        "",
    ]
    return "\n".join(lines)


def _number(value) -> str:
    return "not measured" if value is None else f"{value:.4f}"
