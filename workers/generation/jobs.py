"""One request on its way through the child process, and what the decoding loop tells of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch


class Cancelled(Exception):
    """The caller no longer wants the rest."""


@dataclass(eq=False)
class Job:
    """One request on its way. ``prompt`` are token ids; ``max_new`` counts generated tokens."""

    index: int
    prompt: tuple[int, ...]
    max_new: int
    temperature: float
    top_p: float
    seed: int
    tokens: list[int] = field(default_factory=list)
    started: float = 0.0
    rng: random.Random = field(default_factory=random.Random)  # `begin` seeds it
    ended: bool = False

    def begin(self) -> None:
        """Start, or start again: the same seed gives the same numbers."""
        self.tokens = []
        self.rng = random.Random(self.seed)
        self.started = time.monotonic()

    def take(self, token: int, broken: bool, eos: frozenset[int]) -> tuple[str, str] | None:
        """Add a token. When the row ends with it: the reason (stop, length, error), a message."""
        end: tuple[str, str] | None
        if broken:
            message = "The model's output is not a number (NaN or infinite); try dtype float32."
            end = ("error", message)
        else:
            self.tokens.append(token)
            if token in eos:
                end = ("stop", "")
            else:
                end = ("length", "") if len(self.tokens) >= self.max_new else None
        self.ended = end is not None
        return end

    def uniform(self) -> float:
        """The number that chooses the next token."""
        return self.rng.random() if self.temperature > 0 else 0.0


@dataclass
class Hooks:
    """What the engine tells: rows that start, a row that ended, and each step.

    ``done(job, reason, message)``, reason stop, length or error (then with a message).
    ``step`` may raise Cancelled.
    """

    start: Callable[[list[Job]], None]
    done: Callable[[Job, str, str], None]
    step: Callable[[], None]


@dataclass
class Limits:
    """rows: lanes at once. tokens: room for keys and values, in tokens over all lanes."""

    rows: int
    tokens: int
    prefill_tokens: int = 8192


def out_of_memory(error: BaseException) -> bool:
    """Whether the error says that memory ran out, on a GPU or on the CPU."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )
