"""Any OpenAI-compatible address: vLLM, OpenAI, DeepSeek, Ollama, llama.cpp and others.

Many requests are in flight at once on an event loop in a thread of its own, so that they go on
while the caller writes rows. One POST /chat/completions for each request, or for several samples of
one question where the server can (``samples_per_request``).
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Sequence
from typing import Any

from workers.generation.chat.address_pool import AddressPool
from workers.generation.chat.batch import Batch, ChatEndpoint, EndpointGone
from workers.generation.chat.client import ChatClient
from workers.generation.chat.endpoint import parse_endpoint
from workers.generation.chat.retry_policy import Breaker, Pace
from workers.generation.types import BackendError, Completion, ModelSpec, More, Request
from workers.model_keys import key_for

OPTIONS = {
    "concurrency": (32, "requests in flight at once"),
    "samples_per_request": (1, "samples of one question in one request; 1 where it cannot"),
    "requests_per_minute": (0, "sent by this process at most; 0 is no limit"),
    "tokens_per_minute": (0, "of prompts and answers, by this process at most; 0 is no limit"),
    "attempts": (4, "how often one request is sent at most"),
    "timeout": (300.0, "seconds for one request, from sending to the last byte"),
    "connect_timeout": (10.0, "seconds for opening a connection"),
    "backoff": (0.5, "seconds before the second attempt; doubled for each further one"),
    "longest_wait": (60.0, "a Retry-After above this is not waited for"),
    "breaker_failures": (8, "failures in a row after which only probes are sent"),
    "breaker_pause": (5.0, "seconds until the first probe"),
    "patience": (60.0, "seconds that a request waits for a dead endpoint"),
    "longest_answer": (8 << 20, "bytes of an answer at most"),
    "max_tokens_field": ("max_tokens", "some servers want max_completion_tokens"),
    "omit": ((), "fields that the server does not take: seed, temperature, top_p"),
    "extra_body": ({}, "further fields of the request"),
}
OUR_FIELDS = {"model", "messages", "stream", "n", "max_tokens", "max_completion_tokens"}


class OpenAIBackend:
    """``Backend`` over an OpenAI-compatible address; see ModelSpec. Also a context manager.

    ``sent`` counts the HTTP requests that were sent since it was opened. Whoever runs the server
    gives its ``key``, and with ``gone`` a way to ask, after a failure, whether it has ended:
    ``generate`` then raises EndpointGone, and ``in_flight`` names what had been sent. Backends of one
    ``pool`` ask side by side: together they keep the limits of their address.
    """

    def __init__(
        self,
        spec: ModelSpec,
        *,
        allowed_hosts: Collection[str] = (),
        key: str | None = None,
        gone: Callable[[], Awaitable[str]] | None = None,
        pool: AddressPool | None = None,
    ) -> None:
        self.spec = spec
        self.options = _options(spec.options)
        self.endpoint = parse_endpoint(spec.base_url, allowed_hosts)
        if key is None:
            key = key_for(spec.api_key_env, self.endpoint)
        self.client = ChatClient(self.endpoint, key, self.options)
        self.breaker = Breaker(
            threshold=int(self.options["breaker_failures"]),
            pause=float(self.options["breaker_pause"]),
            patience=float(self.options["patience"]),
        )
        self.shared = ChatEndpoint(
            spec=spec,
            options=self.options,
            shown=self.endpoint.shown,
            client=self.client,
            breaker=self.breaker,
            pace=Pace(
                requests=int(self.options["requests_per_minute"]),
                tokens=int(self.options["tokens_per_minute"]),
            ),
            together=int(self.options["samples_per_request"]),
            gone=gone,
        )
        self._pool = pool
        self._joined = False
        self._joining = threading.Lock()  # `close` may come from two threads
        self.in_flight: frozenset[str] = frozenset()
        self._thread: _LoopThread | None = None
        self._task: asyncio.Task | None = None
        self._busy = False

    def __enter__(self) -> OpenAIBackend:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def sent(self) -> int:
        """HTTP requests sent so far."""
        return self.client.sent

    def log_tail(self) -> str:
        """Nothing: the server is somebody else's."""
        return ""

    def close(self) -> None:
        """Close the connections. Safe to call twice, and from another thread while ``generate``
        works (which then raises BackendError); a later ``generate`` opens new ones."""
        thread, self._thread = self._thread, None
        if thread and thread.mine():
            if task := self._task:
                thread.wait(_finish(task))
            if self._pool is None:
                thread.wait(self.client.close())
                thread.stop()
        with self._joining:
            left, self._joined = self._joined, False
        if left:
            for unused in self._pool.leave(self.shared):
                shared_loop().wait(unused.client.close())

    def cancel(self) -> None:
        """End a running ``generate``, from another thread."""
        self.close()

    def generate(
        self, requests: Sequence[Request], more: More | None = None
    ) -> Iterator[Completion]:
        """Completions as they arrive, one for every request. Closing the iterator cancels."""
        if self._busy:
            raise BackendError("This backend is still generating; finish or close that first.")
        if any(request.begin for request in requests):
            raise BackendError("An address cannot be made to begin its answers with given words.")
        self._busy = True
        try:
            yield from self._generate(requests, more)
        finally:
            self._busy = False

    def _generate(self, requests: Sequence[Request], more: More | None) -> Iterator[Completion]:
        thread = self._begin()
        results: queue.SimpleQueue[Completion | None] = queue.SimpleQueue()
        batch = thread.wait(_make(self.shared, results))
        thread.call(batch.add, requests, more is None)
        task = self._task = thread.wait(_begin(batch.work()))
        try:
            while True:
                if more is not None and batch.unsent <= int(self.options["concurrency"]):
                    further = more()
                    more = more if further else None
                    thread.call(batch.add, further, more is None)
                completion = results.get()
                if completion is None:
                    break
                yield completion
            self._raise_what_ended(task)
        finally:
            self._task = None
            self.in_flight = frozenset(batch.in_flight)
            if thread is self._thread:
                thread.wait(_finish(task))

    def _begin(self) -> _LoopThread:
        """The loop that works for this backend, made or joined where it was not yet."""
        if self._thread is None or not self._thread.mine():
            if self._pool is None:
                self._thread = _LoopThread()
                self.client.forget()
                self.shared.pace.new_loop()
            else:
                with self._joining:
                    if not self._joined:
                        self.shared = self._pool.join(self.shared)
                        self._joined = True
                self.client, self.breaker = self.shared.client, self.shared.breaker
                self._thread = shared_loop()
        return self._thread

    def _raise_what_ended(self, task: asyncio.Task) -> None:
        # The queue's end is put by the task's last step: it is done, or about to be.
        if self._thread is None:
            raise BackendError("The backend was closed while it was generating.")
        self._thread.wait(_settled(task))
        if task.cancelled():
            raise BackendError("The backend was closed while it was generating.")
        if error := task.exception():
            if isinstance(error, EndpointGone):
                raise error
            raise BackendError("The batch ended before all its requests.") from error


class _LoopThread:
    """An event loop in a daemon thread."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(
            target=self.loop.run_forever, name="openai-backend", daemon=True
        )
        self.thread.start()

    def mine(self) -> bool:
        """False after a fork: the thread stayed behind."""
        return self.owner == os.getpid()

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run something short on the loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=10)

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Let the loop call something soon, after what it was given before."""
        self.loop.call_soon_threadsafe(function, *arguments)

    def stop(self) -> None:
        """End the loop and its thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=10)
        self.loop.close()


_shared: _LoopThread | None = None
_sharing = threading.Lock()


def shared_loop() -> _LoopThread:
    """The event loop of this process that backends of a pool share; it ends with the process."""
    global _shared
    with _sharing:
        if _shared is None or not _shared.mine():
            _shared = _LoopThread()
        return _shared


async def _begin(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task:
    return asyncio.create_task(coroutine)


async def _make(endpoint: ChatEndpoint, results: queue.SimpleQueue) -> Batch:
    return Batch(endpoint, results)


async def _settled(task: asyncio.Task) -> None:
    await asyncio.wait([task])


async def _finish(task: asyncio.Task) -> None:
    task.cancel()
    await asyncio.wait([task])


def _options(given: dict) -> dict:
    unknown = sorted(set(given) - set(OPTIONS))
    if unknown:
        raise BackendError(
            f"The openai backend has no option {', '.join(unknown)}; it has {', '.join(OPTIONS)}."
        )
    options = {name: given.get(name, default) for name, (default, _) in OPTIONS.items()}
    taken = sorted(OUR_FIELDS & set(options["extra_body"]))
    if taken:
        raise BackendError(f"extra_body may not set {', '.join(taken)}.")
    for name in ("concurrency", "samples_per_request", "attempts", "breaker_failures"):
        if int(options[name]) < 1:
            raise BackendError(f"Option {name} must be at least 1.")
    for name in ("requests_per_minute", "tokens_per_minute"):
        if int(options[name]) < 0:
            raise BackendError(f"Option {name} must be 0 (no limit) or more.")
    return options
