"""Continuous batching over a fixed number of lanes, for models with plain full attention.

Each lane holds one row. All rows end at the same column of the key and value buffers (left
padding); a mask says which columns belong to the row that holds the lane now. When rows finish,
their lanes are given to waiting requests, whose prompts are read in a small batch of their own
and written into the lanes; when nobody waits, the batch shrinks. Requests with the same prompt
that start together are read once.
"""

from __future__ import annotations

import inspect
import sys
from collections import deque
from collections.abc import Iterable

import torch
from transformers import DynamicCache, PreTrainedModel

from workers.generation.engine.attention import use_grouped_attention
from workers.generation.engine.kv_cache import GrowingLayer
from workers.generation.engine.sampling import choose
from workers.generation.jobs import Hooks, Job, Limits, out_of_memory

REFILL = 8  # new rows are taken in when one lane in so many is free
TRIM = 32  # columns that nobody uses are forgotten when there are so many


class LaneEngine:
    """Decodes jobs on one model. Not thread-safe."""

    def __init__(self, model: PreTrainedModel, eos: Iterable[int]) -> None:
        self.model = model
        self.device = model.device
        self.eos = frozenset(eos)
        config = model.config.get_text_config(decoder=True)
        # With sdpa the mask of a step is known here, for all layers: one line of columns a row.
        self.ready_mask = use_grouped_attention(model)
        self.layer_count = len(DynamicCache(config=config).layers)
        # Only the last column's logits are needed; most models can leave out the others.
        self.last_only = {"logits_to_keep": 1} if takes_logits_to_keep(model) else {}

    def run(self, jobs: Iterable[Job], limits: Limits, hooks: Hooks) -> None:
        """Decode all jobs; hooks hear of each. Raises what hooks.step raises (Cancelled).

        Out of memory halves the number of lanes and starts the unfinished rows again (the same
        seed gives the same text); only a row that does not fit alone becomes an error.
        """
        # The longest prompts first: then a later prompt is never longer than the buffer, and
        # if memory is too small that shows at the start.
        ordered = sorted(jobs, key=lambda job: (-len(job.prompt), job.prompt, -job.max_new))
        for bucket in _buckets(ordered):
            waiting = deque(bucket)
            longest = len(bucket[0].prompt) + max(job.max_new for job in bucket)
            lanes = max(1, min(limits.rows, limits.tokens // longest))
            while waiting:
                batch = _Batch(self, waiting, lanes, limits, hooks)
                try:
                    batch.decode_all()
                except Exception as error:
                    if not out_of_memory(error):
                        raise
                    lanes = self._give_way(batch, waiting, lanes, hooks)

    def _give_way(self, batch: _Batch, waiting: deque[Job], lanes: int, hooks: Hooks) -> int:
        alive = [job for job in batch.lanes if job is not None] + batch.arriving
        batch.forget()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(alive) <= 1:
            for job in alive:
                hooks.done(job, "error", "Out of memory: this request alone does not fit.")
            return lanes
        waiting.extendleft(sorted(alive, key=lambda job: len(job.prompt)))
        fewer = max(1, min(lanes, len(alive)) // 2)
        print(f"Out of memory with {len(alive)} rows: going on with {fewer}.", file=sys.stderr)
        return fewer


def takes_logits_to_keep(model: PreTrainedModel) -> bool:
    """Whether the model can compute the last logits alone."""
    return "logits_to_keep" in inspect.signature(model.forward).parameters


def _buckets(ordered: list[Job]) -> list[list[Job]]:
    """Jobs of like size together, so that one long job does not make room scarce for all."""
    by_size: dict[int, list[Job]] = {}
    for job in ordered:
        by_size.setdefault((len(job.prompt) + job.max_new).bit_length(), []).append(job)
    return [by_size[size] for size in sorted(by_size, reverse=True)]


class _Batch:
    """The lanes of one run, from the first prompt to the last token."""

    def __init__(
        self, engine: LaneEngine, waiting: deque[Job], lanes: int, limits: Limits, hooks: Hooks
    ) -> None:
        self.engine, self.model, self.device = engine, engine.model, engine.device
        self.waiting, self.width, self.limits, self.hooks = waiting, lanes, limits, hooks
        self.forget()

    def forget(self) -> None:
        """Let go of every tensor."""
        self.lanes: list[Job | None] = []
        self.arriving: list[Job] = []
        self.cache: DynamicCache | None = None
        self.mask: torch.Tensor | None = None

    def decode_all(self) -> None:
        """Until nobody waits and no lane is taken."""
        while True:
            self.hooks.step()
            free = self.width - sum(job is not None for job in self.lanes)
            if self.waiting and free * REFILL >= self.width:
                self._admit(free)
            elif not any(job is not None for job in self.lanes):
                return
            else:
                self._shrink()
                self._step()

    # --- taking rows in -------------------------------------------------------------------

    def _admit(self, free: int) -> None:
        jobs = self._next_jobs(free)
        self.arriving = jobs
        for job in jobs:
            job.begin()
        self.hooks.start(jobs)
        prompts = list(dict.fromkeys(job.prompt for job in jobs))
        layers, mask, logits = self._prefill(prompts)
        place = {prompt: row for row, prompt in enumerate(prompts)}
        rows = torch.tensor([place[job.prompt] for job in jobs], device=self.device)
        lanes = self._seat(jobs, layers, mask, rows)
        self.arriving = []
        self._take(lanes, logits.index_select(0, rows))

    def _next_jobs(self, free: int) -> list[Job]:
        """As many waiting jobs as there is room for, within the budget of prompt tokens."""
        jobs: list[Job] = []
        longest, prompts = len(self.waiting[0].prompt), set()
        while self.waiting and len(jobs) < free:
            prompt = self.waiting[0].prompt
            prompts.add(prompt)
            if len(prompts) > 1 and len(prompts) * longest > self.limits.prefill_tokens:
                break
            jobs.append(self.waiting.popleft())
        return jobs

    def _prefill(
        self, prompts: list[tuple[int, ...]]
    ) -> tuple[DynamicCache, torch.Tensor, torch.Tensor]:
        """Read prompts; returns their cache, mask (rows, columns) and next logits."""
        width = max(len(prompt) for prompt in prompts)
        ids = torch.tensor([(0,) * (width - len(p)) + p for p in prompts], device=self.device)
        mask = torch.tensor(
            [[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=self.device
        )
        cache = DynamicCache()
        cache.layers = [GrowingLayer() for _ in range(self.engine.layer_count)]
        output = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
            past_key_values=cache,
            use_cache=True,
            **self.engine.last_only,
        )
        return cache, mask, output.logits[:, -1]

    def _seat(
        self, jobs: list[Job], cache: DynamicCache, mask: torch.Tensor, rows: torch.Tensor
    ) -> list[int]:
        """Give jobs their lanes; returns the numbers of the lanes."""
        if not any(job is not None for job in self.lanes):
            for layer in cache.layers:
                layer.select(rows)
            self.cache, self.lanes = cache, list(jobs)
            self.mask = mask.index_select(0, rows)
            return list(range(len(jobs)))
        self._trim()
        self._grow(len(jobs))
        lanes = [lane for lane, job in enumerate(self.lanes) if job is None][: len(jobs)]
        where = torch.tensor(lanes, device=self.device)
        for layer, other in zip(self.cache.layers, cache.layers, strict=True):
            layer.put(where, other, rows)
        self.mask[where] = 0
        self.mask[where, self.mask.shape[1] - mask.shape[1] :] = mask.index_select(0, rows)
        for lane, job in zip(lanes, jobs, strict=True):
            self.lanes[lane] = job
        return lanes

    def _grow(self, wanted: int) -> None:
        """More lanes, where the batch is narrower than it may be (a prefill budget, a shrink)."""
        missing = wanted - sum(job is None for job in self.lanes)
        if missing <= 0:
            return
        rows = torch.arange(len(self.lanes) + missing, device=self.device)
        self._select(rows.clamp(max=len(self.lanes) - 1))
        self.lanes += [None] * missing

    def _trim(self) -> None:
        used = max(len(job.prompt) + len(job.tokens) for job in self.lanes if job is not None) - 1
        unused = self.mask.shape[1] - used
        if unused >= TRIM:
            for layer in self.cache.layers:
                layer.drop_left(unused)
            self.mask = self.mask[:, unused:].clone()

    def _shrink(self) -> None:
        """Leave out empty lanes when nobody waits for them."""
        alive = [lane for lane, job in enumerate(self.lanes) if job is not None]
        if self.waiting or len(alive) * 4 > len(self.lanes) * 3:
            return
        self._select(torch.tensor(alive, device=self.device))
        self.lanes = [self.lanes[lane] for lane in alive]

    def _select(self, rows: torch.Tensor) -> None:
        for layer in self.cache.layers:
            layer.select(rows)
        self.mask = self.mask.index_select(0, rows)

    # --- going on -------------------------------------------------------------------------

    def _step(self) -> None:
        """One more token for every lane; empty lanes compute something that nobody reads."""
        ids = [[job.tokens[-1] if job else 0] for job in self.lanes]
        positions = [[len(job.prompt) + len(job.tokens) - 1 if job else 0] for job in self.lanes]
        self.mask = torch.nn.functional.pad(self.mask, (0, 1), value=1)
        output = self.model(
            input_ids=torch.tensor(ids, device=self.device),
            attention_mask=self._step_mask(),
            position_ids=torch.tensor(positions, device=self.device),
            past_key_values=self.cache,
            use_cache=True,
        )
        self._take(range(len(self.lanes)), output.logits[:, -1])

    def _step_mask(self) -> torch.Tensor:
        """Additive, (rows, 1, 1, columns), or where the model makes its own: (rows, columns)."""
        if not self.engine.ready_mask:
            return self.mask
        added = torch.zeros_like(self.mask, dtype=self.model.dtype)
        return added.masked_fill_(self.mask == 0, float("-inf"))[:, None, None, :]

    def _take(self, lanes: Iterable[int], logits: torch.Tensor) -> None:
        """Choose the next token of these lanes, and let go of the rows that end with it."""
        lanes = list(lanes)
        jobs = [self.lanes[lane] for lane in lanes]
        settings = torch.tensor(
            [(j.temperature, j.top_p, j.uniform()) if j else (0.0, 1.0, 0.0) for j in jobs],
            dtype=torch.float64,
        )
        temperature, top_p, uniform = settings.unbind(1)
        tokens, broken = choose(
            logits,
            temperature.float().to(self.device),
            top_p.float().to(self.device),
            _on(uniform, self.device),
        )
        tokens, broken = tokens.tolist(), broken.tolist()
        for lane, job, token, bad in zip(lanes, jobs, tokens, broken, strict=True):
            if job is None:
                continue
            end = job.take(token, bad, self.engine.eos)
            if end:
                self.lanes[lane] = None
                self.hooks.done(job, *end)


def _on(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    # Apple's GPUs have no float64.
    return (values.float() if device.type == "mps" else values).to(device)
