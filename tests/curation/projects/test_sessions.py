"""Sessions are kept under a hash of their key, and end as before."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.projects.models import Project, User
from curation.web.sessions import SessionStore, hashed

WORD = "a long enough word"


def come_in(client: Client, name: str = "ada") -> str:
    """The key that the cookie holds."""
    form = {"username": name, "password": WORD}
    assert client.post(reverse("sign_in"), form).status_code == 302
    return client.cookies["sessionid"].value


def with_cookie(key: str) -> int:
    client = Client()
    client.cookies["sessionid"] = key
    return client.get("/").status_code


def test_what_stands_in_the_database_lets_nobody_in(admin_user: User, client: Client) -> None:
    key = come_in(client)
    stored = Session.objects.get().session_key
    assert key not in stored and stored == hashed(key)
    assert with_cookie(key) == 200
    assert with_cookie(stored) == 302


def test_a_row_under_a_plain_key_is_no_session(admin_user: User, client: Client) -> None:
    key = come_in(client)
    Session.objects.filter(session_key=hashed(key)).update(session_key="plain0key")
    assert with_cookie("plain0key") == 302


def test_signing_out_ends_the_session_and_takes_its_row(admin_user: User, client: Client) -> None:
    key = come_in(client)
    client.post(reverse("sign_out"))
    assert with_cookie(key) == 302 and not Session.objects.exists()


def test_a_key_that_somebody_set_before_is_not_the_one_after_signing_in(
    admin_user: User, client: Client
) -> None:
    before = SessionStore()
    before["planted"] = 1
    before.save()
    client.cookies["sessionid"] = before.session_key
    key = come_in(client)
    assert key != before.session_key and with_cookie(before.session_key) == 302
    assert Session.objects.count() == 1


def test_a_changed_password_ends_all_sessions(admin_user: User, client: Client) -> None:
    key = come_in(client)
    admin_user.set_password("another long word")
    admin_user.save()
    assert with_cookie(key) == 302


def test_somebody_who_is_taken_out_stays_signed_in_and_outside(
    project: Project, reviewer: User, client: Client, admin_client: Client
) -> None:
    key = come_in(client, "rudi")
    admin_client.post(reverse("member_remove", args=["eggs", reviewer.pk]))
    assert with_cookie(key) == 200
    assert client.get(reverse("dashboard", args=["eggs"])).status_code == 404


def test_expired_sessions_let_nobody_in_and_are_cleared(admin_user: User, client: Client) -> None:
    key = come_in(client)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert with_cookie(key) == 302
    call_command("clearsessions")
    assert not Session.objects.filter(session_key=hashed(key)).exists()


@pytest.mark.django_db(transaction=True)
def test_the_asynchronous_doors_go_by_the_hash_too() -> None:
    from asgiref.sync import async_to_sync

    async def all_of_it() -> tuple[bool, bool, bool]:
        made = SessionStore()
        await made.aset("a", 1)
        await made.asave()
        key = made.session_key
        stored = [row.session_key async for row in Session.objects.all()]
        read = await SessionStore(key).aget("a") == 1
        there = await made.aexists(key)
        await made.adelete(key)
        return stored == [hashed(key)], read and there, await made.aexists(key)

    assert async_to_sync(all_of_it)() == (True, True, False)
