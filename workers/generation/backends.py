"""``open_backend``: from a ModelSpec to something that generates.

Importing this module loads no model library and no HTTP client; each backend brings its own when
it is opened, and torch lives in the child process only.
"""

from __future__ import annotations

from collections.abc import Collection

from workers.generation.chat.address_pool import AddressPool
from workers.generation.types import Backend, ModelSpec


def open_backend(
    spec: ModelSpec, *, allowed_hosts: Collection[str] = (), pool: AddressPool | None = None
) -> Backend:
    """A backend for the spec. Nothing is started before its first ``generate``.

    allowed_hosts  hosts ("localhost", "10.0.0.5", with a port if wanted: "localhost:8000") that
                   an "openai" address may lead to although they are not public. It comes from
                   the operator's settings, never from what a project's member can edit.
    pool           of an "openai" address: others of this pool ask beside it, within its limits.
    Raises BackendError with the reason where the spec cannot work.
    """
    if spec.backend == "transformers":
        from workers.generation.engine.backend import TransformersBackend

        return TransformersBackend(spec)
    if spec.backend == "vllm":
        from workers.generation.vllm.backend import VLLMBackend

        return VLLMBackend(spec)
    from workers.generation.chat.backend import OpenAIBackend

    return OpenAIBackend(spec, allowed_hosts=allowed_hosts, pool=pool)
