"""How long to wait before asking again, and when to stop asking: for one endpoint.

``Pace`` keeps below the limits that a provider names (requests and tokens a minute). Three rules
together keep a run from becoming a retry storm: attempts are bounded for each
request and wait longer each time, with jitter (Brooker, "Exponential Backoff And Jitter", AWS
Architecture Blog, 2015); a Retry-After holds back *all* requests to the endpoint; and after a row
of failures a circuit breaker lets only single probes through (Nygard, "Release It!").
All of it runs in one event loop, so no locks are needed.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

BACKOFF_LONGEST = 30.0


class EndpointDown(Exception):
    """The breaker is open and the caller's patience has run out."""


def backoff_seconds(attempt: int, base: float) -> float:
    """Seconds before the attempt after ``attempt`` (1 is the first): doubling, half of it random."""
    longest = min(BACKOFF_LONGEST, base * 2 ** (attempt - 1))
    return longest * random.uniform(0.5, 1.0)


def retry_after_seconds(header: str | None) -> float | None:
    """What a Retry-After header asks for, in seconds (RFC 9110, 10.2.3); None if it says nothing."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            when = parsedate_to_datetime(header)
        except (ValueError, TypeError):
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        seconds = (when - datetime.now(UTC)).total_seconds()
    if seconds != seconds:  # NaN
        return None
    return max(0.0, seconds)


@dataclass
class Breaker:
    """Opens after ``threshold`` failures in a row; then one probe at a time, ever more rarely.

    threshold  failures in a row
    pause      seconds until the first probe; doubled after each probe that fails, up to 60
    patience   seconds that a request waits at an open breaker before it gives up
    """

    threshold: int
    pause: float
    patience: float
    failures: int = 0
    opened: float = 0.0
    next_probe: float = 0.0
    probes_failed: int = 0
    probing: bool = False
    held_until: float = 0.0
    clock: Callable[[], float] = field(default=time.monotonic)

    @property
    def is_open(self) -> bool:
        """Whether only probes may pass."""
        return self.failures >= self.threshold

    def hold(self, seconds: float) -> None:
        """Let nobody through for a while (Retry-After)."""
        self.held_until = max(self.held_until, self.clock() + seconds)

    async def enter(self, since: float) -> bool:
        """Wait until a request may be sent; true if it is the probe of an open breaker.

        since  when the caller's batch began: time before that does not use up its patience.
        Raises EndpointDown.
        """
        while True:
            now = self.clock()
            if now < self.held_until:
                # A little apart from each other, or all would come back in the same instant.
                await asyncio.sleep(self.held_until - now + random.uniform(0, 0.2))
                continue
            if not self.is_open:
                return False
            if now >= self.next_probe and not self.probing:
                self.probing = True
                return True
            left = max(self.opened, since) + self.patience - now
            if left <= 0:
                raise EndpointDown
            await asyncio.sleep(min(left, max(0.02, self.next_probe - now)))

    def succeeded(self) -> None:
        """The endpoint answered: everything is as new."""
        self.failures = self.probes_failed = 0
        self.probing = False

    def failed(self, probe: bool) -> None:
        """The endpoint did not answer, or answered that it cannot work."""
        now = self.clock()
        self.failures += 1
        if probe:
            self.probing = False
            self.probes_failed += 1
        if self.failures == self.threshold:
            self.opened = now
        if self.is_open and (probe or self.failures == self.threshold):
            self.next_probe = now + min(60.0, self.pause * 2**self.probes_failed)

    def left(self, probe: bool) -> None:
        """A request ended without saying anything about the endpoint (cancelled)."""
        if probe:
            self.probing = False


MINUTE = 60.0


@dataclass
class Pace:
    """Keeps requests and tokens of any 60 seconds below two limits; 0 is no limit.

    A request's tokens are guessed when it is sent (its answer's length is not known) and put right
    when it was answered; so the limit holds over what was really used, as providers count it.
    A single request larger than the whole limit goes alone instead of never.
    """

    requests: int = 0
    tokens: int = 0
    clock: Callable[[], float] = field(default=time.monotonic)
    sent: deque[Sent] = field(default_factory=deque)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def new_loop(self) -> None:
        """Forget who waited: they belonged to an event loop that is gone."""
        self.turn = asyncio.Lock()

    async def enter(self, tokens: int) -> Sent:
        """Wait until one more request of about so many tokens may be sent; in the order of asking."""
        one = Sent(self.clock(), tokens)
        if not self.requests and not self.tokens:
            return one
        async with self.turn:
            while (seconds := self._wait(tokens)) > 0:
                await asyncio.sleep(min(seconds, 1.0))
            one.at = self.clock()
            self.sent.append(one)
        return one

    def _wait(self, tokens: int) -> float:
        """Seconds until there is room."""
        now = self.clock()
        while self.sent and self.sent[0].at <= now - MINUTE:
            self.sent.popleft()
        if not self.sent:
            return 0.0
        full = self.requests and len(self.sent) >= self.requests
        if self.tokens and sum(one.tokens for one in self.sent) + tokens > self.tokens:
            full = True
        return self.sent[0].at + MINUTE - now if full else 0.0


@dataclass(eq=False)
class Sent:
    """One request that counts for a Pace: when it was sent, and its tokens as far as known."""

    at: float
    tokens: int
