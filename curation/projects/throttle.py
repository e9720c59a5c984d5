"""A brake on guessing passwords: failed sign-ins are counted by name and by address."""

from contextlib import suppress

from django.core.cache import cache

WINDOW_SECONDS = 300
MAX_FOR_NAME = 10
MAX_FOR_ADDRESS = 50


def _keys(name: str, address: str) -> list[tuple[str, int]]:
    return [
        (f"sign-in:name:{name.casefold()[:150]!r}".replace(" ", "_"), MAX_FOR_NAME),
        (f"sign-in:address:{address}", MAX_FOR_ADDRESS),
    ]


def too_many(name: str, address: str) -> bool:
    """Whether this name or this address failed too often within the last minutes."""
    return any(cache.get(key, 0) >= limit for key, limit in _keys(name, address))


def count_failure(name: str, address: str) -> None:
    for key, _ in _keys(name, address):
        # add does nothing where a count stands, so the window begins with the first failure.
        cache.add(key, 0, WINDOW_SECONDS)
        with suppress(ValueError):  # the window ended between the two
            cache.incr(key)


def forget(name: str, address: str) -> None:
    """A right password ends the count for that name; the address keeps its own."""
    cache.delete(_keys(name, address)[0][0])
