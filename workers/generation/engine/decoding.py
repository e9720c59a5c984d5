"""Which decoding loop serves a model.

``LaneEngine`` (lanes.py) keeps the batch full and shares equal prompts; it serves every model of
transformers whose cache is plain full attention. All others (sliding windows, recurrent states,
inputs of their own) go through ``GenerateEngine`` (plain_generate.py), which is transformers'
own ``generate`` with our choice of tokens.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable

from transformers import DynamicCache, GenerationMixin, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from workers.generation.engine.continuous_batching import LaneEngine
from workers.generation.engine.plain_generate import GenerateEngine

Engine = LaneEngine | GenerateEngine


def make_engine(model: PreTrainedModel, eos: Iterable[int], kind: str = "auto"):
    """The engine that fits the model; ``kind`` may force "lanes" or "generate"."""
    fits = lanes_fit(model)
    if kind == "lanes" and not fits:
        raise ValueError(f"{type(model).__name__} cannot run with engine 'lanes'; use 'auto'.")
    if kind == "generate" or not fits:
        return GenerateEngine(model, eos)
    return LaneEngine(model, eos)


def lanes_fit(model: PreTrainedModel) -> bool:
    """Whether the model's cache and inputs are the plain kind that LaneEngine knows."""
    if model.config.is_encoder_decoder or getattr(model, "_is_stateful", False):
        return False
    if (
        type(model).prepare_inputs_for_generation  # type: ignore[attr-defined]  # every such model has it
        is not GenerationMixin.prepare_inputs_for_generation
    ):
        return False
    wanted = {"input_ids", "attention_mask", "position_ids", "past_key_values"}
    if not wanted <= set(inspect.signature(model.forward).parameters):
        return False
    cache = DynamicCache(config=model.config.get_text_config(decoder=True))
    return bool(cache.layers) and all(type(layer) is DynamicLayer for layer in cache.layers)
