"""Backends that stay open between batches, so that a model is loaded once.

A few small models on the CPU may stand side by side. A vLLM server takes most of an accelerator's
memory for itself: before it starts, every other model here ends, and before another model starts,
it ends. Addresses of others cost nothing here and stay open.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Collection

from workers.generation.backends import open_backend
from workers.generation.types import Backend, ModelSpec


class WarmBackends:
    """Open backends by spec; at most ``most`` hold a model of this machine."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._open: OrderedDict[str, tuple[ModelSpec, Backend]] = OrderedDict()

    def get(self, spec: ModelSpec, allowed_hosts: Collection[str] = ()) -> Backend:
        """The open backend for the spec; others are closed as far as it needs their memory.

        Raises BackendError where the spec cannot work; see open_backend.
        """
        if spec.key not in self._open:
            self._make_room(spec)
            self._open[spec.key] = spec, open_backend(spec, allowed_hosts=allowed_hosts)
            # What is loaded now stays: the collector need not walk over it for each few hundred
            # rationales (a third of the worker's CPU beside a fast engine).
            gc.collect()
            gc.freeze()
        self._open.move_to_end(spec.key)
        return self._open[spec.key][1]

    def drop(self, spec: ModelSpec) -> None:
        """Close the backend for the spec, if it is open."""
        _, backend = self._open.pop(spec.key, (spec, None))
        if backend:
            backend.close()
            gc.unfreeze()

    def close(self) -> None:
        """Close all, so that another job gets their memory."""
        while self._open:
            self._open.popitem()[1][1].close()

    def _make_room(self, spec: ModelSpec) -> None:
        if spec.backend == "openai":
            return
        local = [one for one, _ in self._open.values() if one.backend != "openai"]
        if spec.backend == "vllm":
            leaving = local
        else:
            leaving = [one for one in local if one.backend == "vllm"]
            others = [one for one in local if one.backend != "vllm"]
            leaving += others[: max(0, len(others) - self.most + 1)]
        for one in leaving:
            self.drop(one)
