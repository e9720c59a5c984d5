"""How often a token may ask. Counted in Redis, so that all web processes count together."""

from django.conf import settings
from django.http import HttpRequest

from curation.counting import address_of, count

WINDOW = 60
# Wrong tokens from one address: a secret cannot be guessed, but it need not be tried all day either.
MAX_REFUSED = 60


class TooMany(Exception):
    """Asked too often; `wait` is in seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"Too many requests: try again in {wait} seconds.")
        self.wait = wait


def spend(who: str) -> None:
    """Count a request of `who`. Raises TooMany beyond API_REQUESTS_PER_MINUTE."""
    counted, wait = count(who, 1, WINDOW)
    if counted > settings.API_REQUESTS_PER_MINUTE:
        raise TooMany(wait)


def refuse_after_many(request: HttpRequest) -> None:
    """Raises TooMany where this address came with many wrong tokens in this minute."""
    counted, wait = count(f"refused:{address_of(request)}", 0, WINDOW)
    if counted >= MAX_REFUSED:
        raise TooMany(wait)


def count_refused(request: HttpRequest) -> None:
    count(f"refused:{address_of(request)}", 1, WINDOW)
