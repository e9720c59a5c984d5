"""Counting in Redis, so that all web processes count together: what brakes guessing and haste."""

import logging
import threading
import time

import redis
from django.conf import settings
from django.http import HttpRequest

from curation import queue

log = logging.getLogger(__name__)


# Each thread its own: with one for all, redis-py 8.1 let two threads that began at once read from
# one connection, and people who signed in at the same moment met an error.
_own = threading.local()


def _client() -> redis.Redis:
    if not hasattr(_own, "client"):
        _own.client = queue.broker()
    return _own.client


def count(name: str, by: int, window: int) -> tuple[int, int]:
    """(how often `name` was counted in this window, seconds until the next one begins). Windows are
    `window` seconds long and begin at the same moments for all."""
    now = time.time()
    key = f"chainwright:count:{name}:{int(now // window)}"
    try:
        pipe = _client().pipeline(transaction=False)
        pipe.incrby(key, by)
        pipe.expire(key, 2 * window)
        counted = int(pipe.execute()[0])
    except redis.RedisError as error:
        # Counting is no reason to refuse work: without a broker, everybody may ask.
        log.warning("requests are not counted, Redis does not answer: %s", error)
        counted = 0
    return counted, window - int(now % window)


def forget(name: str, window: int) -> None:
    """Begin again with `name`."""
    try:
        _client().delete(f"chainwright:count:{name}:{int(time.time() // window)}")
    except redis.RedisError as error:
        log.warning("a count is not forgotten, Redis does not answer: %s", error)


def address_of(request: HttpRequest) -> str:
    """Whose request it is. Behind a proxy: the address that the proxy saw, which it puts last; what
    stands before that anybody can write."""
    if settings.BEHIND_PROXY and (seen := request.META.get("HTTP_X_FORWARDED_FOR", "")):
        return seen.rpartition(",")[2].strip()
    return request.META.get("REMOTE_ADDR", "")
