"""The brake on guessing passwords, and that nobody can be locked out with it."""

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from curation.projects import sign_in as brake
from curation.projects.models import User
from curation.web import rate_limit

RIGHT = "a long enough word"
PLACE = "10.1.1.1"


@pytest.fixture(autouse=True)
def one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test runs into the next window."""
    for limit in vars(rate_limit).values():
        if isinstance(limit, rate_limit.Limit):
            monkeypatch.setattr(limit, "window", 24 * 3600)


def attempt(name: str, word: str, address: str = PLACE, client: Client | None = None) -> str:
    """What the page says: "in", "wrong" or "wait"."""
    answer = (client or Client()).post(
        reverse("sign_in"), {"username": name, "password": word}, REMOTE_ADDR=address
    )
    if answer.status_code == 302:
        return "in"
    html = answer.content.decode()
    if "do not belong together" in html:
        return "wrong"
    assert "try again in" in html, html
    return "wait"


def fail(name: str, times: int, address: str = PLACE) -> list[str]:
    return [attempt(name, "wrong", address) for _ in range(times)]


def from_many_addresses(name: str, times: int) -> None:
    """An attacker with an address for each attempt."""
    for n in range(times):
        fail(name, 1, f"10.9.{n // 250}.{n % 250 + 1}")


def test_guessing_a_name_from_one_address_is_braked(admin_user: User, reviewer: User) -> None:
    most = rate_limit.SIGN_IN_PAIR.highest
    assert fail("ada", most) == ["wrong"] * most
    assert attempt("Ada", "wrong") == "wait"  # the same name in other letters
    assert attempt("ada", RIGHT) == "wait"
    assert attempt("rudi", RIGHT) == "in"


def test_a_stranger_at_another_address_locks_no_name(admin_user: User) -> None:
    fail("ada", 2 * rate_limit.SIGN_IN_PAIR.highest, "203.0.113.9")
    assert attempt("ada", RIGHT) == "in"


def test_a_stranger_at_the_same_address_locks_no_name_in_a_browser_it_signed_in_with(
    admin_user: User,
) -> None:
    known = Client()
    assert attempt("ada", RIGHT, client=known) == "in"
    known.post(reverse("sign_out"))
    for name in ("ada", *(f"name{n}" for n in range(8))):
        fail(name, rate_limit.SIGN_IN_PAIR.highest)
    assert attempt("ada", RIGHT) == "wait"  # another browser at this address
    assert attempt("ada", RIGHT, client=known) == "in"


def test_guessing_in_a_known_browser_is_braked_too(admin_user: User) -> None:
    known = Client()
    attempt("ada", RIGHT, client=known)
    known.post(reverse("sign_out"))
    got = [attempt("ada", "wrong", client=known) for _ in range(11)]
    assert got == ["wrong"] * 10 + ["wait"]


def test_a_cookie_that_somebody_made_up_or_of_another_name_is_no_known_browser(
    admin_user: User, reviewer: User
) -> None:
    rudis = Client()
    attempt("rudi", RIGHT, client=rudis)
    rudis.post(reverse("sign_out"))
    made_up = Client()
    made_up.cookies[brake.COOKIE] = rudis.cookies[brake.COOKIE].value[:-3] + "abc"
    fail("ada", rate_limit.SIGN_IN_PAIR.highest)
    fail("rudi", rate_limit.SIGN_IN_PAIR.highest)
    assert attempt("ada", RIGHT, client=rudis) == "wait"
    assert attempt("rudi", RIGHT, client=made_up) == "wait"
    assert attempt("rudi", RIGHT, client=rudis) == "in"


def test_somebody_whose_name_differs_in_case_only_makes_no_browser_known(admin_user: User) -> None:
    User.objects.create_user("Ada", password=RIGHT)
    others = Client()
    assert attempt("Ada", RIGHT, client=others) == "in"
    others.post(reverse("sign_out"))
    fail("ada", rate_limit.SIGN_IN_PAIR.highest)
    assert attempt("ada", RIGHT, client=others) == "wait"
    assert attempt("Ada", RIGHT, client=others) == "in"


def test_an_address_that_fails_with_many_names_waits(reviewer: User) -> None:
    for n in range(rate_limit.SIGN_IN_ADDRESS.highest):
        fail(f"name{n}", 1)
    assert attempt("rudi", RIGHT) == "wait"
    assert attempt("rudi", RIGHT, "10.1.1.2") == "in"


def test_a_good_sign_in_clears_no_count_of_the_address(admin_user: User, reviewer: User) -> None:
    """Else an attacker who has an account would sign in with it after every 49 guesses."""
    for n in range(rate_limit.SIGN_IN_ADDRESS.highest - 1):
        fail(f"name{n}", 1)
    assert attempt("rudi", RIGHT) == "in"
    assert fail("bob", 1) == ["wrong"]
    assert attempt("ada", RIGHT) == "wait"


def test_people_who_sign_in_at_one_address_are_not_counted(reviewer: User) -> None:
    for _ in range(rate_limit.SIGN_IN_ADDRESS.highest + 1):
        assert attempt("rudi", RIGHT) == "in"


def test_many_addresses_against_one_name_wait_longer_and_longer(
    admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = {"now": 1_800_000_000.0}
    monkeypatch.setattr(brake.time, "time", lambda: clock["now"])
    known = Client()
    assert attempt("ada", RIGHT, client=known) == "in"
    known.post(reverse("sign_out"))
    most = rate_limit.SIGN_IN_NAME.highest
    from_many_addresses("ada", most)
    new = "198.51.100.7"
    # Each new address waits before its first attempt ...
    assert (
        attempt("ada", "wrong", new) == "wait" and attempt("ada", RIGHT, "198.51.100.8") == "wait"
    )
    clock["now"] += brake.FIRST_WAIT - 2
    assert attempt("ada", RIGHT, new) == "wait"
    # ... then has one, and waits again.
    clock["now"] += 3
    assert attempt("ada", "wrong", new) == "wrong"
    assert attempt("ada", "wrong", new) == "wait"
    # The person comes in: at once where they have been before, elsewhere after the wait.
    assert attempt("ada", RIGHT, client=known) == "in"
    assert attempt("ada", RIGHT, "198.51.100.8") == "in"
    # A name that nobody has looks the same.
    from_many_addresses("nobody", most)
    assert attempt("nobody", "wrong", new) == "wait"


def test_no_wait_is_longer_than_the_longest(
    admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate_limit.count(rate_limit.SIGN_IN_NAME, "ada", 1_000_000)
    assert attempt("ada", RIGHT) == "wait"
    now = brake.time.time()
    monkeypatch.setattr(brake.time, "time", lambda: now + brake.LONGEST_WAIT + 1)
    assert attempt("ada", RIGHT) == "in"


def test_behind_a_proxy_an_address_is_what_the_proxy_saw_and_not_what_is_claimed(
    reviewer: User, client: Client, settings: Any
) -> None:
    settings.BEHIND_PROXY = True
    for _ in range(rate_limit.SIGN_IN_ADDRESS.highest):
        rate_limit.count(rate_limit.SIGN_IN_ADDRESS, "203.0.113.9")
    for seen, answer in (("1.2.3.4, 203.0.113.9", 200), ("203.0.113.9, 203.0.113.8", 302)):
        form = {"username": "rudi", "password": RIGHT}
        asked = client.post(reverse("sign_in"), form, HTTP_X_FORWARDED_FOR=seen)
        assert asked.status_code == answer


@pytest.mark.parametrize(
    ("seen", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9:51234", "203.0.113.9"),
        ("[2001:db8::9]:51234", "2001:db8::/64"),
        ("[2001:db8::9]", "2001:db8::/64"),
        ('"[2001:db8::9]:4711"', "2001:db8::/64"),
        ("2001:db8::9", "2001:db8::/64"),
        ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
        ("unknown", "192.0.2.1"),
        ("203.0.113.9:51234:7", "192.0.2.1"),
        ("203.0.113.9,", "192.0.2.1"),
    ],
)
def test_the_port_that_a_proxy_adds_makes_no_new_place(
    seen: str, address: str, settings: Any
) -> None:
    settings.BEHIND_PROXY = True
    meta = {"HTTP_X_FORWARDED_FOR": seen, "REMOTE_ADDR": "192.0.2.1"}
    assert rate_limit.address_of(RequestFactory().get("/", **meta)) == address


def test_guesses_from_changing_ports_of_one_address_are_braked(
    reviewer: User, client: Client, settings: Any
) -> None:
    settings.BEHIND_PROXY = True
    for n in range(rate_limit.SIGN_IN_PAIR.highest + 1):
        form = {"username": "rudi", "password": "wrong"}
        seen = f"203.0.113.9:{50000 + n}"
        page = client.post(reverse("sign_in"), form, HTTP_X_FORWARDED_FOR=seen).content.decode()
    assert "try again in" in page


def test_one_network_of_ipv6_is_one_place(reviewer: User) -> None:
    for n in range(rate_limit.SIGN_IN_PAIR.highest):
        fail("rudi", 1, f"2001:db8::{n + 1:x}")
    assert attempt("rudi", RIGHT, "2001:db8::ffff") == "wait"
    assert attempt("rudi", RIGHT, "2001:db8:0:1::1") == "in"
