"""Addresses that many runs ask at once, in one process.

Every run that asks has a backend of its own, so that it can be cancelled alone; behind them one event
loop works for all, and what must hold over all of them is kept here: a teacher's limits over its runs,
and the limits of an address over its teachers.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workers.generation.chat.retry_policy import Pace

if TYPE_CHECKING:
    from workers.generation.chat.batch import ChatEndpoint

KEPT = 64  # addresses that nobody asks now: what was sent in the last minute still counts


class Room:
    """Lets so many requests at once through to something. All of it runs in one event loop."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place in the room, in the order of asking."""
        if self.inside < self.most and not self._waiting:
            self.inside += 1
        else:
            await self._turn()
        try:
            yield
        finally:
            self.inside -= 1
            self._let_in()

    async def _turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.inside -= 1  # it was let in and does not come
                self._let_in()
            elif turn in self._waiting:  # else it was passed over already
                self._waiting.remove(turn)
            raise

    def _let_in(self) -> None:
        while self._waiting and self.inside < self.most:
            turn = self._waiting.popleft()
            if not turn.done():
                self.inside += 1
                turn.set_result(None)


@dataclass
class Address:
    """What all teachers at one address with one key share."""

    room: Room = field(default_factory=lambda: Room(1))
    pace: Pace = field(default_factory=Pace)

    def allow(self, endpoints: list[ChatEndpoint]) -> None:
        """As much at once, and in a minute, as the teacher who may most: one who sets less slows
        nobody down, and together they take no more than one of them might."""
        self.room.most = max(int(one.options["concurrency"]) for one in endpoints)
        for limit, option in (("requests", "requests_per_minute"), ("tokens", "tokens_per_minute")):
            given = [int(one.options[option]) for one in endpoints]
            setattr(self.pace, limit, max(given) if all(given) else 0)


@dataclass
class _Entry:
    endpoint: ChatEndpoint
    place: tuple[str, str]
    users: int = 0


class AddressPool:
    """The addresses of one process. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._addresses: dict[tuple[str, str], Address] = {}
        self._owner = os.getpid()

    def join(self, made: ChatEndpoint) -> ChatEndpoint:
        """The endpoint that all backends of the same spec share: `made`, or the one there was."""
        key = made.spec.key
        with self._lock:
            if self._owner != os.getpid():  # forked: loop and connections stayed behind
                self._owner = os.getpid()
                self._entries.clear()
                self._addresses.clear()
            entry = self._entries.get(key)
            if entry is None:
                place = (made.shown, made.spec.api_key_env)
                address = self._addresses.setdefault(place, Address())
                made.room = Room(int(made.options["concurrency"]))
                made.address = address
                entry = self._entries[key] = _Entry(made, place)
            self._entries.move_to_end(key)
            entry.users += 1
            self._allow(entry.place)
            return entry.endpoint

    def leave(self, endpoint: ChatEndpoint) -> list[ChatEndpoint]:
        """The backend asks no more. Returns endpoints that were forgotten: close their connections."""
        with self._lock:
            entry = self._entries.get(endpoint.spec.key)
            if entry is None or entry.endpoint is not endpoint:
                return []
            entry.users -= 1
            idle = [key for key, one in self._entries.items() if not one.users]
            gone = [self._entries.pop(key) for key in idle[: max(0, len(idle) - KEPT)]]
            self._allow(entry.place)
            kept = {one.place for one in self._entries.values()}
            self._addresses = {k: v for k, v in self._addresses.items() if k in kept}
            return [one.endpoint for one in gone]

    def _allow(self, place: tuple[str, str]) -> None:
        here = [one for one in self._entries.values() if one.place == place]
        used = [one.endpoint for one in here if one.users]
        if used:
            self._addresses[place].allow(used)
