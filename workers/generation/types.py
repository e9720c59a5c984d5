"""The words of generation: what is asked of a model, and what comes back.

Plain dataclasses without any dependency, so that the web's tasks, the evaluation and the
command line share them. Nothing here imports a model library.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol, runtime_checkable

# Why a generation ended; "" is not known. length, error and abort cut it off; what was refused or filtered
# by the server is no answer, and would come again.
FINISH_REASONS = ("stop", "length", "error", "abort", "content_filter", "refusal", "")
REFUSED = ("content_filter", "refusal")
CUT_OFF = ("length", "error", "abort")
BACKENDS = ("transformers", "openai", "vllm")
DTYPES = ("float32", "bfloat16", "float16", "auto")
ROLES = ("system", "user", "assistant")


class BackendError(RuntimeError):
    """A backend cannot work at all: wrong spec, model not loadable, key missing.

    Raised by ``open_backend`` or by the first step of ``generate``. What goes wrong with a
    single request is never raised: it comes back as a Completion with an ``error``.
    """


@dataclass(frozen=True)
class Request:
    """One completion to be sampled.

    temperature 0 is greedy. The same request (seed included) gives the same text on the
    transformers backend whatever else is in the batch. max_tokens counts generated tokens.
    ``begin`` are words that the answer is made to begin with (transformers backend alone): the model
    continues them, and they are part of the text that comes back.
    Raises ValueError for values that no backend could use.
    """

    id: str
    messages: tuple[dict[str, Any], ...]
    temperature: float
    top_p: float = 1.0
    seed: int = field(kw_only=True)
    max_tokens: int = field(default=256, kw_only=True)
    begin: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "messages", tuple(self.messages))
        if not self.messages:
            raise ValueError(f"Request {self.id!r} has no messages.")
        for message in self.messages:
            if message.get("role") not in ROLES or not isinstance(message.get("content"), str):
                raise ValueError(
                    f"Request {self.id!r}: each message needs a role ({', '.join(ROLES)}) "
                    "and a text as content."
                )
        if not math.isfinite(self.temperature) or self.temperature < 0:
            raise ValueError(f"temperature must be 0 or more, not {self.temperature!r}.")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, not {self.top_p!r}.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"seed must be a whole number, 0 or more, not {self.seed!r}.")
        if isinstance(self.max_tokens, bool) or not isinstance(self.max_tokens, int):
            raise ValueError(f"max_tokens must be a whole number, not {self.max_tokens!r}.")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, not {self.max_tokens}.")

    def to_dict(self) -> dict[str, Any]:
        """As one JSON object."""
        return {**asdict(self), "messages": [dict(m) for m in self.messages]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Request:
        """Back from ``to_dict``."""
        return cls(**_known_fields(cls, data))


@dataclass(frozen=True)
class Completion:
    """What one request gave.

    completion_tokens counts every generated token, the end token included (as vLLM counts).
    seconds runs from the start of the request's batch (or its sending) to its end. Text and
    reasoning never hold NUL or lone surrogates. Counts of 0 from the OpenAI backend mean that
    the server did not say.

    finish_reason is one of FINISH_REASONS. ``error`` is not empty where the request failed: then there is
    no text. A server that broke off in the middle of its answer gives text, "error" or "abort", and no
    ``error``. ``final``: asking again would give the same; ``halt``: and so would every other request to
    this model, until somebody does something about it (its account is empty).
    """

    id: str
    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    error: str = ""
    reasoning: str = ""
    final: bool = False
    halt: bool = False

    def __post_init__(self) -> None:
        if self.finish_reason not in FINISH_REASONS:
            raise ValueError(f"Unknown finish_reason {self.finish_reason!r}.")

    @classmethod
    def failed(
        cls,
        request_id: str,
        error: str,
        prompt_tokens: int = 0,
        seconds: float = 0.0,
        *,
        final: bool = False,
        halt: bool = False,
    ) -> Completion:
        """A completion that failed, with a reason that a person understands."""
        return cls(
            id=request_id,
            text="",
            finish_reason="error",
            prompt_tokens=prompt_tokens,
            completion_tokens=0,
            seconds=seconds,
            error=storable(error),
            final=final or halt,
            halt=halt,
        )

    @property
    def rationale(self) -> str:
        """One chain of thought: what a reasoning model thought in a <think> block, then the text. The block
        stays open where the model was cut off in the middle of its thought."""
        if not self.reasoning.strip():
            return self.text
        thought = f"<think>\n{self.reasoning.strip()}"
        if not self.text.strip() and self.finish_reason in CUT_OFF:
            return thought
        return f"{thought}\n</think>\n\n{self.text}".rstrip()

    def to_dict(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Completion:
        """Back from ``to_dict``."""
        return cls(**_known_fields(cls, data))


@dataclass(frozen=True)
class ModelSpec:
    """Which model, and how to reach it.

    backend       "transformers" (a folder on this machine), "vllm" (a server that the worker starts
                  for it) or "openai" (a compatible address)
    model         the folder (vllm: or a hub's name, ORG/NAME), or the model's name at the address
    adapter       a PEFT adapter folder (transformers only)
    base_url      for example https://api.openai.com/v1 (openai only)
    api_key_env   the NAME of the environment variable that holds the key, never the key
    dtype         float32, bfloat16, float16 or auto (what the weights are stored in)
    threads       CPU threads of the child process
    options       backend settings; each backend refuses names that it does not know
    """

    backend: str
    model: str
    adapter: str = ""
    base_url: str = ""
    api_key_env: str = ""
    dtype: str = "float32"
    threads: int = 1
    options: dict[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise ValueError(f"Unknown backend {self.backend!r}; known: {', '.join(BACKENDS)}.")
        if not self.model:
            raise ValueError("A model spec needs a model.")
        if self.dtype not in DTYPES:
            raise ValueError(f"Unknown dtype {self.dtype!r}; known: {', '.join(DTYPES)}.")
        if self.threads < 1:
            raise ValueError(f"threads must be at least 1, not {self.threads}.")

    def to_dict(self) -> dict[str, Any]:
        """As one JSON object. Holds no secret."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ModelSpec:
        """Back from ``to_dict``."""
        return cls(**_known_fields(cls, data))

    @property
    def key(self) -> str:
        """The same text for equal specs: to find a warm backend by."""
        return json.dumps(self.to_dict(), sort_keys=True, default=str)


More = Callable[[], Sequence[Request]]


@runtime_checkable
class Backend(Protocol):
    """What can answer requests. One ``generate`` at a time for each backend."""

    def generate(
        self, requests: Sequence[Request], more: More | None = None
    ) -> Iterator[Completion]:
        """Completions in any order, each as soon as it is finished; one for every request.

        ``more`` is asked for further requests, in the caller's own thread, when few are left to be
        sent, until it gives none: so a server never runs dry between two batches. Ids must differ
        over all of them. Closing the iterator early cancels what is still running.
        """
        ...

    def cancel(self) -> None:
        """End a running ``generate`` from another thread; keep what was costly to start, if it can."""
        ...

    def log_tail(self) -> str:
        """The last lines that the model's own process wrote; "" where there is none."""
        ...

    def close(self) -> None:
        """End whatever runs. Safe to call twice; a later ``generate`` starts afresh."""
        ...


def storable(text: str) -> str:
    """Text that every database and UTF-8 file takes: no NUL, no lone surrogates.

    PostgreSQL cannot store NUL, and a lone surrogate (which JSON can carry) cannot be encoded.
    """
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text.encode("utf-8", "replace").decode("utf-8")


def _known_fields(cls: type, data: dict[str, Any]) -> dict[str, Any]:
    names = {f.name for f in fields(cls)}
    unknown = sorted(set(data) - names)
    if unknown:
        raise ValueError(f"{cls.__name__} has no field {', '.join(unknown)}.")
    return dict(data)
