"""A brake on guessing passwords: failed sign-ins are counted by name and by address."""

from curation import counting

WINDOW_SECONDS = 300
MAX_FOR_NAME = 10
MAX_FOR_ADDRESS = 50


def _names(name: str, address: str) -> list[tuple[str, int]]:
    return [
        (f"sign-in:name:{name.casefold()[:150]!r}", MAX_FOR_NAME),
        (f"sign-in:address:{address}", MAX_FOR_ADDRESS),
    ]


def too_many(name: str, address: str) -> bool:
    """Whether this name or this address failed too often within these minutes."""
    return any(
        counting.count(what, 0, WINDOW_SECONDS)[0] >= limit for what, limit in _names(name, address)
    )


def count_failure(name: str, address: str) -> None:
    for what, _ in _names(name, address):
        counting.count(what, 1, WINDOW_SECONDS)


def forget(name: str, address: str) -> None:
    """A right password ends the count for that name; the address keeps its own."""
    counting.forget(_names(name, address)[0][0], WINDOW_SECONDS)
