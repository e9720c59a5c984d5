"""Counts that take long, kept for a while so that the database does little else than answer people."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache

KEPT_SECONDS = 600
LOCK_SECONDS = 60
T = TypeVar("T")


def remembered(
    key: str,
    make: Callable[[], T],
    *,
    fresh: bool = False,
    seconds: float = 1.0,
    times: float = 5.0,
) -> T:
    """`make()`, made anew when it is older than five `times` as long as it took, and than a second
    (`seconds`).

    Counts over a million rows take seconds; then they are shown a little older, the database spends
    at most a fifth of its time on them, and while one request counts anew the others get what was
    known before. `fresh` counts at once.
    """
    known, until = cache.get(key) or (None, 0.0)
    # add succeeds for one request alone; the lock ends by itself should that request die.
    usable = known is not None and not fresh
    if usable and (time.time() < until or not cache.add(f"{key}:counting", 1, LOCK_SECONDS)):
        return known
    began = time.time()
    made = make()
    ended = time.time()
    good = max(seconds, times * (ended - began))
    cache.set(key, (made, ended + good), KEPT_SECONDS + good)
    cache.delete(f"{key}:counting")
    return made
