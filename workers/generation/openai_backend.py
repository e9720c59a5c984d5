"""Any OpenAI-compatible address: vLLM, OpenAI, DeepSeek, Ollama, llama.cpp and others.

Many requests are in flight at once on an event loop in a thread of its own, so that they go on
while the caller writes rows. One POST /chat/completions for each request.
"""

from __future__ import annotations

import asyncio
import os
import queue
import re
import threading
import time
from collections.abc import Collection, Coroutine, Iterator, Sequence
from typing import Any

from workers.generation.addresses import AddressRefused, Endpoint, parse_endpoint
from workers.generation.chat_answers import BadAnswer, read_answer
from workers.generation.chat_client import CallFailed, ChatClient
from workers.generation.patience import Breaker, EndpointDown, backoff_seconds
from workers.generation.types import BackendError, Completion, ModelSpec, Request, storable

OPTIONS = {
    "concurrency": (32, "requests in flight at once"),
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
# A project's member may name the variable, so not every variable of the worker can be one.
KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]*_API_KEY|CHAINWRIGHT_KEY_[A-Z0-9_]+")


class OpenAIBackend:
    """``Backend`` over an OpenAI-compatible address; see ModelSpec. Also a context manager.

    ``sent`` counts the HTTP requests that were sent since it was opened.
    """

    def __init__(self, spec: ModelSpec, *, allowed_hosts: Collection[str] = ()) -> None:
        self.spec = spec
        self.options = _options(spec.options)
        self.endpoint = parse_endpoint(spec.base_url, allowed_hosts)
        key = read_key(spec.api_key_env, self.endpoint)
        self.client = ChatClient(self.endpoint, key, self.options)
        self.breaker = Breaker(
            threshold=int(self.options["breaker_failures"]),
            pause=float(self.options["breaker_pause"]),
            patience=float(self.options["patience"]),
        )
        self._thread: _LoopThread | None = None
        self._busy = False

    def __enter__(self) -> OpenAIBackend:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def sent(self) -> int:
        """HTTP requests sent so far."""
        return self.client.sent

    def close(self) -> None:
        """Close the connections. Safe to call twice; a later ``generate`` opens new ones."""
        thread, self._thread = self._thread, None
        if thread and thread.mine():
            thread.wait(self.client.close())
            thread.stop()

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Completions as they arrive, one for every request. Closing the iterator cancels."""
        if self._busy:
            raise BackendError("This backend is still generating; finish or close that first.")
        self._busy = True
        try:
            yield from self._generate(requests)
        finally:
            self._busy = False

    def _generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        if self._thread is None or not self._thread.mine():
            self._thread = _LoopThread()
            self.client.forget()
        results: queue.SimpleQueue[Completion] = queue.SimpleQueue()
        task = self._thread.wait(_begin(_Batch(self, requests, results).work()))
        try:
            for _ in range(len(requests)):
                yield _next_result(results, task)
        finally:
            self._thread.wait(_finish(task))


class _Batch:
    """The requests of one ``generate``, inside the event loop."""

    def __init__(
        self,
        backend: OpenAIBackend,
        requests: Sequence[Request],
        results: queue.SimpleQueue[Completion],
    ) -> None:
        self.backend, self.client, self.breaker = backend, backend.client, backend.breaker
        self.options, self.results = backend.options, results
        self.requests = iter(requests)
        self.workers = min(int(self.options["concurrency"]), len(requests))
        self.since = self.breaker.clock()
        self.fatal = ""

    async def work(self) -> None:
        """Answer every request, so many at a time."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.workers):
                group.create_task(self._worker())

    async def _worker(self) -> None:
        for request in self.requests:
            began = time.monotonic()
            try:
                self.results.put(await self._complete(request, began))
            except _GivenUp as error:
                seconds = round(time.monotonic() - began, 6)
                self.results.put(Completion.failed(request.id, str(error), seconds=seconds))

    async def _complete(self, request: Request, began: float) -> Completion:
        body = chat_body(self.backend.spec, self.options, request)
        attempts = int(self.options["attempts"])
        for attempt in range(1, attempts + 1):
            if self.fatal:
                raise _GivenUp(self.fatal)
            try:
                answer = read_answer(await self._send(body))
            except (CallFailed, BadAnswer) as error:
                if getattr(error, "fatal", False):
                    self.fatal = str(error)
                last = not error.retry or attempt >= min(
                    attempts, getattr(error, "at_most", attempts)
                )
                if last:
                    tries = f" ({attempt} attempts)" if attempt > 1 else ""
                    raise _GivenUp(f"{error}{tries}") from error
                await asyncio.sleep(backoff_seconds(attempt, float(self.options["backoff"])))
            else:
                return Completion(
                    id=request.id,
                    text=storable(answer.text),
                    finish_reason=answer.finish_reason,
                    prompt_tokens=answer.prompt_tokens,
                    completion_tokens=answer.completion_tokens,
                    seconds=round(time.monotonic() - began, 6),
                    reasoning=storable(answer.reasoning),
                )
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _send(self, body: dict) -> bytes:
        """One attempt, under the breaker's eyes."""
        try:
            probe = await self.breaker.enter(self.since)
        except EndpointDown:
            raise _GivenUp(
                f"The endpoint {self.backend.endpoint.shown} is down: "
                f"{self.breaker.failures} requests in a row failed. {self.client.last_failure}"
            ) from None
        told = False
        try:
            answer = await self.client.post(body)
            self.breaker.succeeded()
            told = True
            return answer
        except CallFailed as error:
            told = True
            if error.hold is not None:
                self.breaker.hold(error.hold)
            if error.down:
                self.breaker.failed(probe)
            else:
                self.breaker.succeeded()
            raise
        except AddressRefused as error:
            raise _GivenUp(str(error)) from error
        finally:
            if not told:
                self.breaker.left(probe)


class _GivenUp(Exception):
    """This request gets no answer; the message is its reason."""


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

    def stop(self) -> None:
        """End the loop and its thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=10)
        self.loop.close()


async def _begin(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task:
    return asyncio.create_task(coroutine)


async def _finish(task: asyncio.Task) -> None:
    task.cancel()
    await asyncio.wait([task])


def _next_result(results: queue.SimpleQueue[Completion], task: asyncio.Task) -> Completion:
    while True:
        try:
            return results.get(timeout=1.0)
        except queue.Empty:
            if task.done() and results.empty():
                raise BackendError("The batch ended before all its requests.") from task.exception()


def chat_body(spec: ModelSpec, options: dict, request: Request) -> dict:
    """The JSON of one request. top_p is left out at 1, as some servers refuse it."""
    body = {
        **options["extra_body"],
        "model": spec.model,
        "messages": [
            {"role": message["role"], "content": storable(message["content"])}
            for message in request.messages
        ],
        "temperature": request.temperature,
        "seed": request.seed,
        options["max_tokens_field"]: request.max_tokens,
        "stream": False,
    }
    if request.top_p < 1:
        body["top_p"] = request.top_p
    for name in options["omit"]:
        body.pop(name, None)
    return body


def read_key(name: str, endpoint: Endpoint) -> str:
    """The key that the variable holds, if it may go to this endpoint; "" where none is named.

    A variable NAME_HOSTS beside it ("api.openai.com,...") ties the key to those hosts, so that
    nobody can send it to a server of their own by editing a teacher.
    Raises BackendError, which never holds the key.
    """
    if not name:
        return ""
    if not KEY_NAME.fullmatch(name):
        raise BackendError(
            f"{name!r} cannot name a key: the variable must be called SOMETHING_API_KEY or "
            "CHAINWRIGHT_KEY_SOMETHING."
        )
    key = os.environ.get(name, "")
    if not key:
        raise BackendError(f"The environment variable {name} is not set on this worker.")
    if not key.isascii() or not key.isprintable():
        raise BackendError(f"The environment variable {name} holds no usable key.")
    hosts = [host.strip().lower() for host in os.environ.get(f"{name}_HOSTS", "").split(",")]
    if any(hosts) and endpoint.host not in hosts:
        raise BackendError(f"The key in {name} may not be sent to {endpoint.host}.")
    if endpoint.scheme == "http" and not endpoint.allowed:
        raise BackendError("A key is sent by https:// only; change the base URL.")
    return key


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
    for name in ("concurrency", "attempts", "breaker_failures"):
        if int(options[name]) < 1:
            raise BackendError(f"Option {name} must be at least 1.")
    return options
