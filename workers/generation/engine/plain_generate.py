"""transformers' own ``generate`` with our choice of tokens: for every model that lanes do not fit.

The choice of ``sampling.choose`` is forced through a logits processor (everything but the chosen
token is minus infinity, then greedy), so the same request gives the same text here as well.
A finished row is told at once; its lane idles until the batch ends.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, PreTrainedModel

from workers.generation.engine.sampling import choose
from workers.generation.jobs import Hooks, Job, Limits, out_of_memory


class GenerateEngine:
    """Decodes jobs on one model, batch after batch. Not thread-safe."""

    def __init__(self, model: PreTrainedModel, eos: Iterable[int]) -> None:
        self.model = model
        self.device = model.device
        self.eos = frozenset(eos)

    def run(self, jobs: Iterable[Job], limits: Limits, hooks: Hooks) -> None:
        """Decode all jobs; hooks hear of each. Raises what hooks.step raises (Cancelled)."""
        waiting = sorted(jobs, key=lambda job: (-(len(job.prompt) + job.max_new), job.prompt))
        rows = limits.rows
        while waiting:
            longest = len(waiting[0].prompt) + waiting[0].max_new
            count = max(1, min(rows, limits.tokens // longest))
            batch, waiting = waiting[:count], waiting[count:]
            try:
                self._batch(batch, hooks)
            except Exception as error:
                if not out_of_memory(error):
                    raise
                if self.device.type == "cuda":
                    torch.cuda.empty_cache()
                left = [job for job in batch if not job.ended]
                if len(left) == 1:
                    hooks.done(left[0], "error", "Out of memory: this request alone does not fit.")
                else:
                    rows = max(1, len(batch) // 2)
                    print(f"Out of memory: going on with {rows} rows.", file=sys.stderr)
                    waiting = left + waiting

    def _batch(self, batch: list[Job], hooks: Hooks) -> None:
        for job in batch:
            job.begin()
        hooks.start(batch)
        width = max(len(job.prompt) for job in batch)
        ids = [(0,) * (width - len(job.prompt)) + job.prompt for job in batch]
        mask = [[0] * (width - len(job.prompt)) + [1] * len(job.prompt) for job in batch]
        end = min(self.eos, default=0)
        config = GenerationConfig(
            max_new_tokens=max(job.max_new for job in batch),
            do_sample=False,
            eos_token_id=sorted(self.eos) or None,
            pad_token_id=end,
            use_cache=True,
        )
        self.model.generate(  # type: ignore[operator]  # torch says a module's part may be a tensor
            torch.tensor(ids, device=self.device),
            attention_mask=torch.tensor(mask, device=self.device),
            generation_config=config,
            logits_processor=LogitsProcessorList([_Chooser(batch, self.eos, end, hooks)]),
            stopping_criteria=[lambda ids, scores: _all_ended(batch, ids)],
        )


def _all_ended(batch: list[Job], ids: torch.Tensor) -> torch.Tensor:
    return torch.tensor([job.ended for job in batch], device=ids.device)


class _Chooser(LogitsProcessor):
    """Chooses each row's token and leaves ``generate`` no other."""

    def __init__(self, batch: list[Job], eos: frozenset[int], end: int, hooks: Hooks) -> None:
        self.batch, self.eos, self.end, self.hooks = batch, eos, end, hooks

    def __call__(self, input_ids: torch.LongTensor, scores: torch.Tensor) -> torch.Tensor:
        self.hooks.step()
        device = scores.device
        settings = torch.tensor(
            [(job.temperature, job.top_p, job.uniform()) for job in self.batch],
            dtype=torch.float32 if device.type == "mps" else torch.float64,
        ).to(device)
        temperature, top_p, uniform = settings.unbind(1)
        tokens, broken = choose(scores, temperature.float(), top_p.float(), uniform)
        chosen = []
        for job, token, bad in zip(self.batch, tokens.tolist(), broken.tolist(), strict=True):
            if job.ended:
                chosen.append(self.end)
                continue
            chosen.append(token)
            end = job.take(token, bad, self.eos)
            if end:
                self.hooks.done(job, *end)
        forced = torch.full_like(scores, float("-inf"))
        return forced.scatter(1, torch.tensor(chosen, device=device)[:, None], 0.0)
