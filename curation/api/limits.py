"""How often a token may ask. Counted in Redis, so that all web processes count together."""

import logging
import time
from functools import cache as once

import redis
from django.conf import settings
from django.http import HttpRequest

from curation import queue

log = logging.getLogger(__name__)
WINDOW = 60
# Wrong tokens from one address: a secret cannot be guessed, but it need not be tried all day either.
MAX_REFUSED = 60


class TooMany(Exception):
    """Asked too often; `wait` is in seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"Too many requests: try again in {wait} seconds.")
        self.wait = wait


@once
def _client() -> redis.Redis:
    return queue.broker()


def _count(name: str, by: int) -> tuple[int, int]:
    """(how often `name` was counted in this minute, seconds until the next one begins)."""
    now = time.time()
    key = f"chainwright:api:{name}:{int(now // WINDOW)}"
    try:
        pipe = _client().pipeline(transaction=False)
        pipe.incrby(key, by)
        pipe.expire(key, 2 * WINDOW)
        counted = int(pipe.execute()[0])
    except redis.RedisError as error:
        # Counting is no reason to refuse work: without a broker, everybody may ask.
        log.warning("requests are not counted, Redis does not answer: %s", error)
        counted = 0
    return counted, WINDOW - int(now % WINDOW)


def spend(who: str) -> None:
    """Count a request of `who`. Raises TooMany beyond API_REQUESTS_PER_MINUTE."""
    counted, wait = _count(who, 1)
    if counted > settings.API_REQUESTS_PER_MINUTE:
        raise TooMany(wait)


def address_of(request: HttpRequest) -> str:
    return request.META.get("REMOTE_ADDR", "")


def refuse_after_many(request: HttpRequest) -> None:
    """Raises TooMany where this address came with many wrong tokens in this minute."""
    counted, wait = _count(f"refused:{address_of(request)}", 0)
    if counted >= MAX_REFUSED:
        raise TooMany(wait)


def count_refused(request: HttpRequest) -> None:
    _count(f"refused:{address_of(request)}", 1)
