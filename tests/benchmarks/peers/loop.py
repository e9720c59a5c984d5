"""The closed loop: people who take the next item, submit it and take the next, without a pause.

Knows no product. An `Adapter` is one person with an HTTP client and cookies of their own.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.benchmarks.peers.meters import cpu_seconds, machine_seconds, percentiles

MOST_FAILURES = 200  # of one person in a stretch, who then gives up
SIGN_INS_AT_ONCE = 4  # hashing a password is slow by design


@dataclass
class Item:
    """What one person works on: its id in the product and what the adapter needs to submit it."""

    id: Any
    data: dict[str, Any] = field(default_factory=dict)


class HttpError(Exception):
    """An answer with an error status; `status` and the beginning of its `text`."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.text = response.text[:400]
        where = f"{response.request.method} {response.request.url}"
        super().__init__(f"{where} -> {self.status}: {self.text[:160]}")


class Adapter:
    """One person at a product. Subclasses raise HttpError (`self.ok(response)`) for a failed request."""

    def __init__(self, url: str, user: str, password: str, project: Any) -> None:
        self.url, self.user, self.password, self.project = url, user, password, project
        self.client = httpx.AsyncClient(base_url=url, timeout=120, trust_env=False)

    @staticmethod
    def ok(response: httpx.Response) -> httpx.Response:
        if response.status_code >= 400:
            raise HttpError(response)
        return response

    async def login(self) -> None:
        """Sign in and load what a browser loads once. Not timed."""
        raise NotImplementedError

    async def next_item(self) -> Item | None:
        """The next item for this person; None when there is none left."""
        raise NotImplementedError

    async def submit(self, item: Item) -> None:
        """Send the whole review of the item, a verdict on each of its four solutions, and finish it."""
        raise NotImplementedError

    async def close(self) -> None:
        await self.client.aclose()


@dataclass
class Tally:
    """What all people of a turn did and met in one stretch of time."""

    overlap: int
    next_s: list[float] = field(default_factory=list)
    submit_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    holders: dict[Any, set[int]] = field(default_factory=lambda: defaultdict(set))
    done_by: dict[Any, set[int]] = field(default_factory=lambda: defaultdict(set))
    held_twice: int = 0
    ran_dry: int = 0

    def failed(self, step: str, error: Exception) -> None:
        text = getattr(error, "text", "") or repr(error)
        locked = " (database is locked)" if "database is locked" in text else ""
        what = f"{step} {getattr(error, 'status', type(error).__name__)}{locked}"
        self.errors[what] += 1
        self.samples.setdefault(what, text[:200])


async def run_turn(
    make: Callable[[int], Adapter],
    people: int,
    *,
    warm_s: float,
    seconds: float,
    overlap: int,
    roots: list[int],
) -> dict[str, Any]:
    """One turn of `people` persons at one product; returns its figures.

    make(i) gives the adapter of person i. First all sign in, then they work for `warm_s` seconds that do
    not count, then for `seconds` that do: whoever takes a turn does so with the same warm-up. roots: the
    process trees of the server, whose processor time is metered. What is submitted more often than
    `overlap` by different persons is counted as done twice, also where one of them was in the warm-up.
    """
    adapters = [make(number) for number in range(people)]
    gate = asyncio.Semaphore(SIGN_INS_AT_ONCE)

    async def come_in(adapter: Adapter) -> None:
        async with gate:
            await adapter.login()

    try:
        await asyncio.gather(*(come_in(adapter) for adapter in adapters))
        warm = await _stretch(adapters, warm_s, Tally(overlap))
        timed = Tally(overlap, holders=warm.holders, done_by=warm.done_by)
        earlier = sum(len(by) > overlap for by in warm.done_by.values())
        own, server, machine = time.process_time(), cpu_seconds(roots), machine_seconds()
        began = time.perf_counter()
        await _stretch(adapters, seconds, timed)
        wall = time.perf_counter() - began
        own, server = time.process_time() - own, cpu_seconds(roots) - server
        others = machine_seconds() - machine - own - server
    finally:
        await asyncio.gather(*(adapter.close() for adapter in adapters))
    submitted = len(timed.submit_s)
    per_item = 1000 / max(1, submitted)
    return {
        "people": people,
        "seconds": wall,
        "warm_up_submitted": len(warm.submit_s),
        "next": percentiles(timed.next_s),
        "submit": percentiles(timed.submit_s),
        "submitted": submitted,
        "submitted_per_s": submitted / wall,
        "held_twice": timed.held_twice,
        "done_twice": sum(len(by) > overlap for by in timed.done_by.values()) - earlier,
        "errors": timed.errors,
        "warm_up_errors": warm.errors,
        "error_samples": {**warm.samples, **timed.samples},
        "ran_dry": timed.ran_dry,
        "server_ms": per_item * server,
        "client_ms": per_item * own,
        "other_cores": others / wall,
    }


async def _stretch(adapters: list[Adapter], seconds: float, tally: Tally) -> Tally:
    until = time.perf_counter() + seconds
    await asyncio.gather(*(_work(n, one, until, tally) for n, one in enumerate(adapters)))
    return tally


async def _work(person: int, adapter: Adapter, until: float, tally: Tally) -> None:
    failures = 0
    while time.perf_counter() < until and failures <= MOST_FAILURES:
        began = time.perf_counter()
        try:
            item = await adapter.next_item()
        except (HttpError, httpx.HTTPError) as error:
            tally.failed("next", error)
            failures += 1
            await asyncio.sleep(0.05)
            continue
        tally.next_s.append(time.perf_counter() - began)
        if item is None:
            tally.ran_dry += 1
            return
        held = tally.holders[item.id]
        tally.held_twice += len(held - {person}) >= tally.overlap
        held.add(person)
        began = time.perf_counter()
        try:
            await adapter.submit(item)
            tally.submit_s.append(time.perf_counter() - began)
            tally.done_by[item.id].add(person)
        except (HttpError, httpx.HTTPError) as error:
            tally.failed("submit", error)
            failures += 1
            await asyncio.sleep(0.05)
        finally:
            held.discard(person)
