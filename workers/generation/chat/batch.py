"""The requests of one ``generate`` on their way to a chat endpoint, inside its event loop.

So many requests are in flight at once. Samples of the same question go together in one request
where the server can (``n``): its child ``i`` is then asked for with the seed ``seed + i``, as vLLM
counts, so a sample's text does not depend on which others went with it.
"""

from __future__ import annotations

import asyncio
import queue
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from workers.generation.chat.address_pool import Address, Room
from workers.generation.chat.answers import Answer, BadAnswer, read_answers
from workers.generation.chat.client import CallFailed, ChatClient
from workers.generation.chat.retry_policy import Breaker, EndpointDown, Pace, backoff_seconds
from workers.generation.types import Completion, ModelSpec, Request, storable
from workers.ssrf_guard import AddressRefused

Group = tuple[Request, ...]
CHARACTERS_A_TOKEN = 3.5  # only for a first guess of what a prompt will count
REFUSED = (400, 422)  # how servers answer a field that they do not know


class EndpointGone(Exception):
    """The server behind the endpoint ended; the message says why."""


@dataclass
class ChatEndpoint:
    """What all batches of one backend share: the connection, and what was learnt of the server.

    together    samples that one request may ask for; falls to 1 when the server cannot
    mean_tokens of the answers so far: what an answer is expected to count
    gone        asked after a failure of the connection; a text says that the server has ended
    room        how many requests at once, and
    address     what holds for all endpoints at the address, where an AddressPool keeps both
    """

    spec: ModelSpec
    options: dict[str, Any]
    shown: str
    client: ChatClient
    breaker: Breaker
    pace: Pace
    together: int
    mean_tokens: float | None = None
    gone: Callable[[], Awaitable[str]] | None = None
    room: Room | None = None
    address: Address | None = None

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait until one more request may be on its way."""
        async with AsyncExitStack() as places:
            if self.room is not None:
                await places.enter_async_context(self.room.place())
            if self.address is not None:
                await places.enter_async_context(self.address.room.place())
            yield

    def paces(self) -> list[Pace]:
        """Every limit a minute that a request counts for."""
        return [self.pace, self.address.pace] if self.address is not None else [self.pace]

    def body(self, group: Group) -> dict[str, Any]:
        """The JSON of one request. top_p is left out at 1, as some servers refuse it."""
        first, options = group[0], self.options
        body = {
            **options["extra_body"],
            "model": self.spec.model,
            "messages": [
                {"role": message["role"], "content": storable(message["content"])}
                for message in first.messages
            ],
            "temperature": first.temperature,
            "seed": first.seed,
            options["max_tokens_field"]: first.max_tokens,
            "stream": False,
        }
        if len(group) > 1:
            body["n"] = len(group)
        if first.top_p < 1:
            body["top_p"] = first.top_p
        for name in options["omit"]:
            body.pop(name, None)
        return body

    def guess(self, group: Group) -> int:
        """Tokens that a request will probably count, prompt and answers."""
        written = self.mean_tokens if self.mean_tokens is not None else group[0].max_tokens
        return prompt_guess(group[0]) + round(written * len(group))

    def learn(self, answers: Sequence[Answer]) -> None:
        """Take the lengths of answers into the mean."""
        for answer in answers:
            if answer.completion_tokens:
                before = self.mean_tokens
                now = float(answer.completion_tokens)
                self.mean_tokens = now if before is None else 0.95 * before + 0.05 * now


@dataclass
class Batch:
    """Answers requests, so many at a time; further ones may be added while it works.

    Results are put as Completions, and None when no more will come. ``in_flight`` holds the ids of
    requests that were sent and have no answer yet.
    """

    endpoint: ChatEndpoint
    results: queue.SimpleQueue[Completion | None]
    waiting: deque[Group] = field(default_factory=deque)
    in_flight: set[str] = field(default_factory=set)
    unsent: int = 0
    complete: bool = False
    fatal: str = ""
    halt: bool = False

    def __post_init__(self) -> None:
        self.since = self.endpoint.breaker.clock()
        self._changed = asyncio.Event()
        self._working = 0

    def add(self, requests: Sequence[Request], last: bool) -> None:
        """More requests, in the loop's own thread; ``last`` says that none will follow."""
        self.waiting.extend(together(requests, self.endpoint.together))
        self.unsent += len(requests)
        self.complete = last
        self._changed.set()

    async def work(self) -> None:
        """Answer everything until the last request has its answer. Raises EndpointGone."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(int(self.endpoint.options["concurrency"])):
                    group.create_task(self._worker())
        except* EndpointGone as gone:
            raise gone.exceptions[0] from None
        finally:
            self.results.put(None)

    async def _worker(self) -> None:
        while (group := await self._next()) is not None:
            self._working += 1
            try:
                async with self.endpoint.place():
                    await self._answer(group)
            finally:
                self._working -= 1
                self._changed.set()

    async def _next(self) -> Group | None:
        """The next group; None when all is answered (a working one may still put groups back)."""
        while not self.waiting:
            if self.complete and not self._working:
                self._changed.set()
                return None
            self._changed.clear()
            await self._changed.wait()
        group = self.waiting.popleft()
        self.unsent -= len(group)
        return group

    def _put_back(self, groups: Iterable[Group]) -> None:
        for group in groups:
            self.waiting.appendleft(group)
            self.unsent += len(group)
        self._changed.set()

    async def _answer(self, group: Group) -> None:
        began = time.monotonic()
        self.in_flight.update(request.id for request in group)
        try:
            answers: Sequence[Answer | BadAnswer] = await self._complete(group)
        except GivenUp as error:
            if len(group) > 1 and error.status in REFUSED:
                await self._try_alone(group, error)
                return
            self._fail(group, str(error), began, final=error.final)
            return
        for request, answer in zip(group, answers, strict=False):
            if isinstance(answer, Answer):
                self._done(request, answer, began)
            elif answer.retry:
                self._put_back([(request,)])
            else:
                self._fail((request,), str(answer), began, final=True)
        missing = group[len(answers) :]
        if missing:  # the server takes no n and said so by giving less
            self.endpoint.together = 1
            self._put_back([(request,) for request in reversed(missing)])

    async def _try_alone(self, group: Group, refused: GivenUp) -> None:
        """A request for several samples was refused: is it the n, or the question itself?"""
        began = time.monotonic()
        try:
            (answer,) = await self._complete(group[:1])
        except GivenUp as error:
            if error.status in REFUSED:
                self._fail(group, str(error), began)  # the others would be refused as well
            else:
                self._fail(group[:1], str(error), began)
                self._put_back([(request,) for request in reversed(group[1:])])
            return
        self.endpoint.together = 1
        self._done(group[0], answer, began)
        self._put_back([(request,) for request in reversed(group[1:])])

    def _done(self, request: Request, answer: Answer, began: float) -> None:
        self.in_flight.discard(request.id)
        self.results.put(
            Completion(
                id=request.id,
                text=storable(answer.text),
                finish_reason=answer.finish_reason,
                prompt_tokens=answer.prompt_tokens,
                completion_tokens=answer.completion_tokens,
                seconds=round(time.monotonic() - began, 6),
                reasoning=storable(answer.reasoning),
            )
        )

    def _fail(self, group: Group, reason: str, began: float, *, final: bool = False) -> None:
        seconds = round(time.monotonic() - began, 6)
        for request in group:
            self.in_flight.discard(request.id)
            failed = Completion.failed(
                request.id, reason, seconds=seconds, final=final, halt=self.halt
            )
            self.results.put(failed)

    async def _complete(self, group: Group) -> list[Answer | BadAnswer]:
        """Answers to a group, at least one; a lone request's is an Answer. Raises GivenUp."""
        attempts = int(self.endpoint.options["attempts"])
        body = self.endpoint.body(group)
        for attempt in range(1, attempts + 1):
            if self.fatal:
                raise GivenUp(self.fatal)
            try:
                return await self._attempt(group, body)
            except (CallFailed, BadAnswer) as error:
                if getattr(error, "fatal", False):
                    self.fatal = str(error)
                    self.halt = getattr(error, "halt", False)
                at_most = min(attempts, getattr(error, "at_most", attempts))
                if not error.retry or attempt >= at_most:
                    tries = f" ({attempt} attempts)" if attempt > 1 else ""
                    status = getattr(error, "status", None)
                    same = isinstance(error, BadAnswer) and not error.retry
                    raise GivenUp(f"{error}{tries}", status, final=same) from error
                pause = backoff_seconds(attempt, float(self.endpoint.options["backoff"]))
                if getattr(error, "status", None) == 429 and error.hold is None:
                    self.endpoint.breaker.hold(pause)  # too fast for all, not for this one alone
                await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _attempt(self, group: Group, body: dict[str, Any]) -> list[Answer | BadAnswer]:
        endpoint = self.endpoint
        guessed = endpoint.guess(group)
        counted = [await pace.enter(guessed) for pace in endpoint.paces()]
        try:
            answers = read_answers(await self._send(body), len(group))
        except (CallFailed, BadAnswer, GivenUp):
            for one in counted:
                one.tokens = prompt_guess(group[0])
            raise
        good = [answer for answer in answers if isinstance(answer, Answer)]
        endpoint.learn(good)
        used = sum(answer.prompt_tokens + answer.completion_tokens for answer in good)
        for one in counted:
            one.tokens = used or guessed
        if len(group) == 1 and not good:
            raise answers[0]
        return answers

    async def _send(self, body: dict[str, Any]) -> bytes:
        """One attempt, under the breaker's eyes."""
        endpoint, breaker = self.endpoint, self.endpoint.breaker
        try:
            probe = await breaker.enter(self.since)
        except EndpointDown:
            raise GivenUp(
                f"The endpoint {endpoint.shown} is down: {breaker.failures} requests in a row "
                f"failed. {endpoint.client.last_failure}"
            ) from None
        told = False
        try:
            answer = await endpoint.client.post(body)
            breaker.succeeded()
            told = True
            return answer
        except CallFailed as error:
            if error.down and endpoint.gone and (reason := await endpoint.gone()):
                raise EndpointGone(reason) from error
            told = True
            if error.hold is not None:
                breaker.hold(error.hold)
            if error.down:
                breaker.failed(probe)
            else:
                breaker.succeeded()
            raise
        except AddressRefused as error:
            raise GivenUp(str(error)) from error
        finally:
            if not told:
                breaker.left(probe)


class GivenUp(Exception):
    """These requests get no answer; the message is their reason, ``status`` the server's, if any.
    ``final``: the server would answer the same again."""

    def __init__(self, reason: str, status: int | None = None, *, final: bool = False) -> None:
        super().__init__(reason)
        self.status, self.final = status, final


def prompt_guess(request: Request) -> int:
    """Tokens of a prompt, before any server counted them."""
    return round(sum(len(m["content"]) for m in request.messages) / CHARACTERS_A_TOKEN) + 1


def together(requests: Iterable[Request], most: int) -> list[Group]:
    """Neighbours that differ only in id and by one in their seed go together, ``most`` at a time.

    Greedy ones (temperature 0) stay alone: they would all be the same text.
    """
    groups: list[list[Request]] = []
    for request in requests:
        last = groups[-1] if groups else []
        if last and len(last) < most and _follows(last[-1], request):
            last.append(request)
        else:
            groups.append([request])
    return [tuple(group) for group in groups]


def _follows(one: Request, two: Request) -> bool:
    return (
        two.seed == one.seed + 1
        and two.temperature == one.temperature > 0
        and two.top_p == one.top_p
        and two.max_tokens == one.max_tokens
        and two.messages == one.messages
    )
