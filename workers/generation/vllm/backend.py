"""A model under a vLLM server of our own, kept warm between batches.

When the server dies in the middle, it is started again (a bounded number of times) and what had no
answer yet is asked again: the same seeds, so the same texts as far as vLLM keeps to them. A server
that nobody has asked for a while is ended, and its memory with it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from workers.generation.chat import backend as chat_backend
from workers.generation.chat.backend import OpenAIBackend
from workers.generation.chat.batch import EndpointGone
from workers.generation.crash_isolation import Tries
from workers.generation.types import BackendError, Completion, ModelSpec, More, Request
from workers.generation.vllm import engine
from workers.generation.vllm.engine import SERVED_NAME, VLLMEngine

log = logging.getLogger(__name__)

OPTIONS: dict[str, tuple[Any, str]] = {
    "idle_seconds": (300.0, "the server ends when nobody has asked for so long; 0 is never"),
    "restarts": (3, "how often a server that died is replaced in one generate call"),
    "concurrency": (64, "requests in flight at once"),
    "samples_per_request": (8, "samples of one question in one request"),
    "timeout": (1800.0, "seconds for one request, from sending to the last byte"),
}
GROUPS = (1 << 30, 64, 1)  # requests in flight that may be lost at the first, second, third try
HEALTH_SECONDS = 20.0  # so long a server may be deaf before it counts as gone


class VLLMBackend:
    """``Backend`` over a vLLM server that it starts itself; see ModelSpec. Also a context manager."""

    def __init__(self, spec: ModelSpec) -> None:
        known = {**engine.OPTIONS, **OPTIONS}
        unknown = sorted(set(spec.options) - set(known))
        if unknown:
            raise BackendError(
                f"The vllm backend has no option {', '.join(unknown)}; it has {', '.join(known)}."
            )
        self.spec = spec
        self.options = {name: spec.options.get(name, value) for name, (value, _) in OPTIONS.items()}
        self.engine = VLLMEngine(spec)
        self._chat: OpenAIBackend | None = None
        self._chat_start = 0
        self._busy = self._serving = False
        self._closed = threading.Event()
        self._idle: threading.Timer | None = None
        self._chat_backend()  # a wrong option is told now, not at the first batch

    def __enter__(self) -> VLLMBackend:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process number of the server's launcher while it runs."""
        return self.engine.pid

    def log_tail(self) -> str:
        """The end of the server's log, of the running one or of the one that ended last."""
        return self.engine.log_tail()

    def start(self) -> None:
        """Start the server and wait until it answers; ``generate`` does so by itself."""
        self.engine.start()

    def close(self) -> None:
        """End the server and wait until its memory is back. Safe to call twice, and from another
        thread while ``generate`` works (which then raises BackendError)."""
        self._closed.set()
        self._no_timer()
        chat, self._chat = self._chat, None
        if chat:
            chat.close()
        self.engine.stop()

    def cancel(self) -> None:
        """End a running ``generate`` (which then raises BackendError), from another thread. A server
        that is up stays warm: the next run may want it; one that is still starting ends."""
        if self._serving and (chat := self._chat):
            self._closed.set()
            chat.close()
        else:
            self.close()

    def generate(
        self, requests: Sequence[Request], more: More | None = None
    ) -> Iterator[Completion]:
        """Completions as they arrive, one for every request. Closing the iterator cancels.

        Raises BackendError where the server cannot be started, or ``close`` was called meanwhile.
        """
        if self._busy:
            raise BackendError("This backend is still generating; finish or close that first.")
        self._busy = True
        self._no_timer()
        self._closed.clear()
        try:
            yield from _Generation(self, requests, more).completions()
        finally:
            self._busy = self._serving = False
            if self.engine.alive():
                self._end_when_idle()

    def ask(self, requests: Sequence[Request], more: More | None) -> Iterator[Completion]:
        """One try: raises EndpointGone when the server ends; ``in_flight`` then says over what."""
        self.engine.start()
        if self._closed.is_set():
            raise BackendError("The backend was closed while it was generating.")
        chat = self._chat_backend()
        self._serving = True
        try:
            yield from chat.generate(requests, more)
        finally:
            self._serving = False

    @property
    def in_flight(self) -> frozenset[str]:
        """Ids of the requests that the server had when it ended."""
        return self._chat.in_flight if self._chat else frozenset()

    def _chat_backend(self) -> OpenAIBackend:
        """The client for the server's present port."""
        if self._chat is None or self._chat_start != self.engine.starts:
            if self._chat:
                self._chat.close()
            names = chat_backend.OPTIONS.keys() & OPTIONS.keys()
            options = {name: self.options[name] for name in names}
            extra = {"return_token_ids": True} if int(options["samples_per_request"]) > 1 else {}
            spec = ModelSpec(
                backend="openai",
                model=SERVED_NAME,
                base_url=self.engine.url,
                options={**options, "extra_body": extra},
            )
            self._chat = OpenAIBackend(
                spec, allowed_hosts=("127.0.0.1",), key=self.engine.key, gone=self._gone
            )
            self._chat_start = self.engine.starts
        return self._chat

    async def _gone(self) -> str:
        """After a failed request: why the server is gone, or "" when it is well."""
        until = time.monotonic() + HEALTH_SECONDS
        while time.monotonic() < until:
            if not self.engine.alive():
                return self.engine.obituary()
            if await asyncio.to_thread(self.engine.healthy):
                return ""
            await asyncio.sleep(0.1)
        return f"The vLLM server did not answer its health check for {HEALTH_SECONDS:g} seconds."

    def _end_when_idle(self) -> None:
        seconds = float(self.options["idle_seconds"])
        if seconds:
            self._idle = threading.Timer(seconds, self._idle_end)
            self._idle.daemon = True
            self._idle.start()

    def _idle_end(self) -> None:
        if not self._busy:
            self.engine.stop()

    def _no_timer(self) -> None:
        timer, self._idle = self._idle, None
        if timer:
            timer.cancel()


class _Generation:
    """The requests of one ``generate``, over as many servers as it takes."""

    def __init__(
        self, backend: VLLMBackend, requests: Sequence[Request], more: More | None
    ) -> None:
        self.backend, self.more = backend, more
        self.requests: list[Request] = []
        self.open: dict[int, None] = {}
        self.tries = Tries(GROUPS, int(backend.options["restarts"]))
        self.tries.add(self._take(requests))

    def completions(self) -> Iterator[Completion]:
        while numbers := self.tries.next():
            self.open = dict.fromkeys(numbers)
            further = self._further if self.tries.first and self.more else None
            try:
                asked = [self._numbered(n) for n in numbers]
                for completion in self.backend.ask(asked, further):
                    number = int(completion.id)
                    del self.open[number]
                    yield replace(completion, id=self.requests[number].id)
            except EndpointGone as gone:
                suspects = [int(text) for text in self.backend.in_flight]
                log.warning("%s %d requests were under way.", gone, len(suspects))
                self.backend.engine.stop()
                yield from self._after(str(gone), suspects)

    def _after(self, reason: str, suspects: Sequence[int]) -> Iterator[Completion]:
        failed = self.tries.died(list(self.open), suspects)
        if self.tries.restarts < 0:
            reason += " It was restarted as often as allowed; the rest was given up."
        for number in failed:
            yield Completion.failed(self.requests[number].id, reason)

    def _further(self) -> Sequence[Request]:
        numbers = self._take(self.more() if self.more else ())
        if not numbers:
            self.more = None
        self.open.update(dict.fromkeys(numbers))
        return [self._numbered(n) for n in numbers]

    def _take(self, requests: Sequence[Request]) -> range:
        begin = len(self.requests)
        self.requests += requests
        return range(begin, len(self.requests))

    def _numbered(self, number: int) -> Request:
        return replace(self.requests[number], id=str(number))
