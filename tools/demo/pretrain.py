"""Pre-training of the demo models: seeded, budgets in steps, one thread.

Muon (torch.optim.Muon; Keller Jordan et al. 2024, with the learning rate matched to AdamW's update
size as in Moonlight, arXiv 2502.16982) moves the hidden matrices, AdamW the embeddings and norms.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import torch
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tools.demo.corpus import Example, Mix, draw_from

BATCH = 16
_POOL = 8  # batches that are drawn at once and sorted by length, so that little is padding
_WARM_UP = 30
_HEAD = 32  # numbers in one attention head: one of the sizes that vLLM knows on every platform

Progress = Callable[[str, int, int, float, float], None]


@dataclass(frozen=True)
class Stage:
    """`steps` steps on `mix`; the learning rate goes from `start` to `end` along a cosine."""

    name: str
    steps: int
    mix: Mix
    start: float
    end: float


@dataclass(frozen=True)
class Recipe:
    """A demo model: its shape (layers, hidden, feed-forward), seed and stages."""

    name: str
    layers: int
    hidden: int
    inner: int
    seed: int
    stages: tuple[Stage, ...]

    @property
    def steps(self) -> int:
        return sum(stage.steps for stage in self.stages)


def new_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A Llama of the recipe's shape with random weights from its seed."""
    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        intermediate_size=recipe.inner,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.hidden // _HEAD,
        num_key_value_heads=recipe.hidden // _HEAD,
        head_dim=_HEAD,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        attn_implementation="sdpa",
    )
    return LlamaForCausalLM(config)


def train(
    recipe: Recipe,
    tokenizer: PreTrainedTokenizerFast,
    progress: Progress,
    after_stage: Callable[[Stage, LlamaForCausalLM], None] | None = None,
) -> LlamaForCausalLM:
    """Train a model by its recipe.

    `progress(stage, step, of, loss, seconds_left)` is called every 25 steps, with the steps counted
    over all stages. The same recipe on the same kind of machine gives the same weights.
    """
    torch.set_num_threads(1)
    model = new_model(recipe, tokenizer).train()
    optimizers = _optimizers(model)
    rng = Random(f"chainwright demo {recipe.name} {recipe.seed}")
    started, done, recent = time.monotonic(), 0, []
    for stage in recipe.stages:
        batches = _batches(rng, stage.mix, tokenizer)
        for step in range(stage.steps):
            rate = stage.end + (stage.start - stage.end) * 0.5 * (
                1 + math.cos(math.pi * step / max(1, stage.steps))
            )
            rate *= min(1.0, (done + 1) / _WARM_UP)
            recent.append(_step(model, optimizers, rate, *next(batches)))
            done += 1
            if done % 25 == 0 or done == recipe.steps:
                left = (time.monotonic() - started) / done * (recipe.steps - done)
                progress(stage.name, done, recipe.steps, sum(recent) / len(recent), left)
                recent = []
        if after_stage:
            after_stage(stage, model)
    return model.eval()


def _optimizers(model: LlamaForCausalLM) -> list[torch.optim.Optimizer]:
    hidden = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    other = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    muon = torch.optim.Muon(
        hidden, lr=0.0, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )
    adamw = torch.optim.AdamW(other, lr=0.0, betas=(0.9, 0.95), weight_decay=0.0)
    return [muon, adamw]


def _step(model, optimizers, rate: float, tokens: torch.Tensor, learn: torch.Tensor) -> float:
    """One step on tokens and learn, both (batch, length); returns the loss in nats a token.

    Padding stands on the right, where causal attention never looks back at it: no mask is needed.
    """
    hidden = model.model(input_ids=tokens).last_hidden_state
    at = learn[:, 1:]
    logits = model.lm_head(hidden[:, :-1][at])
    loss = functional.cross_entropy(logits, tokens[:, 1:][at])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return loss.item()


def encode(example: Example, tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[bool]]:
    """Token ids of an example, and which of them are learnt; both of the same length."""
    ids: list[int] = []
    learn: list[bool] = []
    for text, learnt in example:
        piece = tokenizer._tokenizer.encode(text, add_special_tokens=False).ids
        ids += piece
        learn += [learnt] * len(piece)
    return ids, learn


def _batches(rng: Random, mix: Mix, tokenizer) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Endless batches of tokens and learn, both (BATCH, longest of the batch)."""
    while True:
        pool = [encode(draw_from(rng, mix), tokenizer) for _ in range(BATCH * _POOL)]
        pool.sort(key=lambda pair: len(pair[0]))
        chunks = [pool[i : i + BATCH] for i in range(0, len(pool), BATCH)]
        rng.shuffle(chunks)
        for chunk in chunks:
            length = max(len(ids) for ids, _ in chunk)
            tokens = torch.full((len(chunk), length), tokenizer.pad_token_id)
            learn = torch.zeros((len(chunk), length), dtype=torch.bool)
            for row, (ids, mask) in enumerate(chunk):
                tokens[row, : len(ids)] = torch.tensor(ids)
                learn[row, : len(ids)] = torch.tensor(mask)
            yield tokens, learn
