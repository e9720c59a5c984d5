"""How often somebody may do something: counted in Redis, so that all web processes count together.

Every limit of the project stands here. `spend` counts one more and raises TooMany beyond the limit; it
counts and compares in one step, so requests that come at the same moment do not pass together.
"""

import hashlib
import ipaddress
import logging
import re
import threading
import time
from dataclasses import dataclass

import redis
from django.conf import settings
from django.http import HttpRequest

from curation import celery_app
from curation.errors import TooMany

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Limit:
    """At most `most` of `what` within `window` seconds, for each one who does it. `most` is a number, or
    the name of the setting that holds it."""

    name: str
    what: str
    most: int | str
    window: int = 60

    @property
    def highest(self) -> int:
        return getattr(settings, self.most) if isinstance(self.most, str) else self.most


API_REQUESTS = Limit("api", "requests", "API_REQUESTS_PER_MINUTE")
# Wrong tokens from one address. They cannot be guessed, but need not be tried all day either.
WRONG_TOKENS = Limit("refused", "requests with a wrong token from your address", 60)
SEARCHES = Limit("search", "searches", 120)
CHECKS = Limit("check", "checks of a text", 40)
IMPORTS = Limit("import", "imports", "IMPORTS_PER_HOUR", 3600)
# Of things that leave a row behind for good, whatever is done with them afterwards.
NEW_PROJECTS = Limit("project", "new projects", 60, 24 * 3600)
NEW_TOKENS = Limit("token", "new tokens", 200, 24 * 3600)
FLAGS = Limit("flag", "flags", 300, 3600)
NEW_WEBHOOKS = Limit("webhook", "new webhooks", 100, 24 * 3600)
NEW_RUBRICS = Limit("rubric", "changes of a rubric", 200, 3600)

# Failed sign-ins: of a name from an address, from an address with any names, and of a browser in which
# the person has signed in before (see curation/projects/sign_in.py).
SIGN_IN_PAIR = Limit("sign-in:pair", "failed attempts", 10, 300)
SIGN_IN_ADDRESS = Limit("sign-in:address", "failed attempts", 50, 300)
SIGN_IN_BROWSER = Limit("sign-in:browser", "failed attempts", 10, 300)
# Of a name from anywhere: how many cost nobody anything; beyond them a new place has to wait.
SIGN_IN_NAME = Limit("sign-in:name", "failed attempts", 20, 3600)


# Each thread its own: with one for all, redis-py 8.1 let two threads that began at once read from
# one connection, and people who signed in at the same moment met an error.
_own = threading.local()


def client() -> redis.Redis:
    if not hasattr(_own, "client"):
        _own.client = celery_app.broker()
    return _own.client


def key_of(name: str, who: object) -> str:
    """A name in Redis. What people type or send is hashed: it may be long, and nobody needs to read it."""
    return f"chainwright:count:{name}:{hashlib.sha256(str(who).encode()).hexdigest()[:32]}"


def count(limit: Limit, who: object, by: int = 1) -> tuple[int, int]:
    """(how often `who` was counted in this window, seconds until the next one begins), after adding
    `by`. Windows begin at the same moments for all."""
    now = time.time()
    key = f"{key_of(limit.name, who)}:{int(now // limit.window)}"
    try:
        pipe = client().pipeline(transaction=False)
        pipe.incrby(key, by)
        pipe.expire(key, 2 * limit.window)
        counted = int(pipe.execute()[0])
    except redis.RedisError as error:
        # Counting is no reason to refuse work: without a broker, everybody may ask.
        log.warning("requests are not counted, Redis does not answer: %s", error)
        counted = 0
    return counted, limit.window - int(now % limit.window)


def spend(limit: Limit, who: object) -> None:
    """Count one more of `who`. Raises TooMany beyond the limit."""
    counted, wait = count(limit, who)
    if counted > limit.highest:
        raise TooMany(f"Too many {limit.what}: try again in {lasting(wait)}.", wait)


def give_back(limit: Limit, who: object) -> None:
    """Take back one count of `spend`: the attempt was none that the limit is about."""
    count(limit, who, -1)


def lasting(seconds: int) -> str:
    """A waiting time in words: seconds, or minutes rounded up."""
    if seconds < 90:
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    return f"{-(-seconds // 60)} minutes"


def address_of(request: HttpRequest) -> str:
    """Where a request comes from, for counting. Behind a proxy: the address that the proxy saw, which it
    puts last; what comes before that anybody can write. Of IPv6 the network: a single machine has 2^64
    addresses in it. Some proxies add the port, which is another one for each connection: it is left
    out. What is no address at all counts as the proxy itself."""
    peer = request.META.get("REMOTE_ADDR", "")
    known = None
    if settings.BEHIND_PROXY and (seen := request.META.get("HTTP_X_FORWARDED_FOR", "")):
        known = _parsed(seen.rpartition(",")[2].strip())
    known = known or _parsed(peer)
    if known is None:
        return peer
    known = getattr(known, "ipv4_mapped", None) or known
    if known.version == 6:
        return str(ipaddress.ip_network((int(known), 64), strict=False))
    return str(known)


# 192.0.2.1:4711, [2001:db8::1]:4711 and "[2001:db8::1]"
_WITH_PORT = re.compile(r'"?(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[0-9.]+))(?::[0-9]+)?"?')


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    found = _WITH_PORT.fullmatch(text)
    try:
        return ipaddress.ip_address((found["v6"] or found["v4"]) if found else text)
    except ValueError:
        return None
