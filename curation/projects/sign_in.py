"""The brake on guessing passwords. Nobody can lock somebody else out with it.

Failed attempts are counted by name and address together, and by address. A browser in which a person
has signed in before carries a signed cookie that says so; its attempts on that name are counted by the
browser alone, so nothing that strangers try keeps a person out there. (OWASP calls these device
cookies: https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies)

Against an attacker with many addresses, attempts on a name from unknown browsers are counted together,
too. Beyond a number of them each place has to wait before an attempt, longer the more there were, but
never longer than LONGEST_WAIT: after it, one attempt from that place is let through.
"""

import secrets
import time
from hashlib import sha256

import redis
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from curation.errors import TooMany
from curation.projects.models import User
from curation.web import rate_limit
from curation.web.rate_limit import give_back, lasting, spend

COOKIE = "known_browser"
COOKIE_AGE = 180 * 24 * 3600
PEOPLE_IN_A_COOKIE = 5
FIRST_WAIT, LONGEST_WAIT = 15, 600  # seconds


def _hashed(person: int) -> str:
    """The account's id, not its name: "Ada" and "ada" may be two people."""
    return sha256(f"person {person}".encode()).hexdigest()[:16]


def _known(request: HttpRequest) -> dict[str, str]:
    """What the browser's cookie says: the people who signed in there, hashed, each with a random id."""
    try:
        known = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=COOKIE_AGE)
    except signing.BadSignature:
        return {}
    return known if isinstance(known, dict) else {}


class Attempt:
    """One try to sign in as `name`. Everything is counted before the password is looked at, so that
    attempts at the same moment do not pass together; a right password takes its own count back."""

    def __init__(self, request: HttpRequest, name: str) -> None:
        self.name = name.casefold()
        self.address = rate_limit.address_of(request)
        person = User.objects.filter(username=name).values_list("pk", flat=True).first() or 0
        browser = _known(request).get(_hashed(person))
        pair = f"{self.address} {self.name}"
        if browser:
            self.counts = [(rate_limit.SIGN_IN_BROWSER, browser)]
        else:
            self.counts = [
                (rate_limit.SIGN_IN_ADDRESS, self.address),
                (rate_limit.SIGN_IN_PAIR, pair),
            ]
        self.is_known = bool(browser)

    def begin(self) -> None:
        """Raises TooMany where this place has failed too often, or has to wait for its turn."""
        for limit, who in self.counts:
            spend(limit, who)
        if not self.is_known:
            failed, _ = rate_limit.count(rate_limit.SIGN_IN_NAME, self.name, 0)
            if failed >= rate_limit.SIGN_IN_NAME.highest:
                self._wait_for_a_turn(failed // rate_limit.SIGN_IN_NAME.highest)
            self.counts.append((rate_limit.SIGN_IN_NAME, self.name))
            rate_limit.count(*self.counts[-1])

    def _wait_for_a_turn(self, times: int) -> None:
        """The first try of a place sets when its turn is; the turn is used up by one attempt."""
        key = rate_limit.key_of("sign-in:turn", f"{self.address} {self.name}")
        now, delay = time.time(), min(FIRST_WAIT * times, LONGEST_WAIT)
        try:
            server = rate_limit.client()
            server.set(key, now + delay, nx=True, ex=delay + LONGEST_WAIT)
            ready = float(server.get(key) or now + delay)
            if ready <= now and server.delete(key):
                return
        except redis.RedisError:
            return  # as everywhere: without a broker nothing is counted
        wait = max(1, round(ready - now))
        raise TooMany(
            "Many attempts to sign in with this name have failed lately, so a browser in which it has "
            f"not signed in before has to wait: try again in {lasting(wait)}.",
            wait,
        )

    def succeeded(self) -> None:
        for limit, who in self.counts:
            give_back(limit, who)


def remember_browser(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Note in the browser that this person has signed in there."""
    known = _known(request)
    person = _hashed(user.pk)
    known[person] = known.pop(person, None) or secrets.token_urlsafe(12)
    kept = dict(list(known.items())[-PEOPLE_IN_A_COOKIE:])
    response.set_cookie(
        COOKIE,
        signing.dumps(kept, salt=COOKIE),
        max_age=COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
