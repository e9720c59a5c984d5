"""Send signed events over HTTP. A plain library: no Django, no database.

Signatures as https://www.standardwebhooks.com describes them (symmetric, `v1`): HMAC-SHA-256 over
`ID.TIMESTAMP.BODY`, in base64. Where a connection may lead says workers.ssrf_guard.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
import re
import ssl
import threading
import time
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from workers.ssrf_guard import AddressRefused, BadAddress, parse_url, resolve

log = logging.getLogger(__name__)
SECONDS = 10.0  # for all of it: name, connection, answer
MOST_READ = 2048  # bytes of an answer: only its status counts, and a few words for the log
MOST_TOLD = 200
LOOK_UPS = 32  # names that are looked up at once


@dataclass(frozen=True)
class Event:
    """What goes to one address. key: the 32 bytes that sign."""

    url: str
    key: bytes
    id: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What came of it. status: the HTTP status, where one came; error: empty where it was delivered."""

    status: int | None
    error: str


def sign(key: bytes, event_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`; timestamp in seconds since 1970."""
    content = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


class Sender:
    """Sends events side by side, in a loop of its own in a thread: whoever calls may be inside a loop,
    or busy with a database. A context manager; at its end what is still on its way is given up.

    allowed_hosts: hosts that need not have public addresses
    """

    def __init__(self, allowed_hosts: Collection[str] = ()) -> None:
        self._allowed = tuple(allowed_hosts)
        self._client = httpx.AsyncClient(
            follow_redirects=False,  # a redirect would lead where nobody looked
            trust_env=False,  # and so would a proxy from the environment
            verify=httpx.create_ssl_context(trust_env=True),
            timeout=SECONDS,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )
        self._loop = asyncio.new_event_loop()
        # Names are looked up in threads: a few that nobody answers for must not hold all of them.
        self._loop.set_default_executor(ThreadPoolExecutor(LOOK_UPS, "webhooks-name"))
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def __enter__(self) -> "Sender":
        self._thread.start()
        return self

    def send(self, event: Event) -> Future[Answer]:
        """What comes of it, within about SECONDS. Never raises for an address that is ill."""
        coroutine = _send(self._client, event, self._allowed)
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._client.aclose()


def send_all(events: Sequence[Event], allowed_hosts: Collection[str] = ()) -> list[Answer]:
    """Send the events side by side; an answer for each, in order."""
    with Sender(allowed_hosts) as sender:
        return [one.result() for one in [sender.send(event) for event in events]]


async def _send(client: httpx.AsyncClient, event: Event, allowed: Collection[str]) -> Answer:
    try:
        # One limit over all: a server that sends a byte now and then would outlast any other.
        async with asyncio.timeout(SECONDS):
            return await _post(client, event, allowed)
    except (TimeoutError, httpx.TimeoutException):
        return Answer(None, f"No answer within {SECONDS:g} seconds.")
    except (BadAddress, AddressRefused) as error:
        return Answer(None, str(error))
    except httpx.ConnectError as error:
        return Answer(None, f"No connection: {_cause(error)}.")
    except httpx.RequestError as error:
        return Answer(None, f"The connection broke: {_words(str(error)) or type(error).__name__}.")
    except OSError as error:
        return Answer(None, f"The host cannot be found: {_words(str(error))}.")
    except Exception as error:
        # Whatever an address makes go wrong here is its own: the others' events go on.
        log.exception("an event could not be sent")
        return Answer(None, f"It cannot be sent to ({type(error).__name__}).")


async def _post(client: httpx.AsyncClient, event: Event, allowed: Collection[str]) -> Answer:
    place = parse_url(event.url, allowed, what="address", with_query=True)
    addresses = await resolve(place)
    now = int(time.time())
    headers = {
        "Host": place.host_header,
        "Content-Type": "application/json",
        "User-Agent": "Chainwright",
        "Accept-Encoding": "identity",
        "webhook-id": event.id,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(event.key, event.id, now, event.body),
    }
    async with client.stream(
        "POST",
        place.url(addresses[0]),
        content=event.body,
        headers=headers,
        # The certificate is checked against the name, not against the address.
        extensions={"sni_hostname": place.host},
    ) as response:
        status = response.status_code
        if 200 <= status < 300:
            return Answer(status, "")
        if 300 <= status < 400:
            return Answer(status, "It redirects, which is not followed: give the final address.")
        said = _words((await _beginning(response)).decode("utf-8", "replace"))
        return Answer(status, f"It answered {status}" + (f": {said}" if said else "."))


async def _beginning(response: httpx.Response) -> bytes:
    content = bytearray()
    async for piece in response.aiter_raw():
        content += piece
        if len(content) >= MOST_READ:
            break
    return bytes(content[:MOST_READ])


def _cause(error: BaseException) -> str:
    cause = error.__cause__
    while cause is not None and not isinstance(cause, ssl.SSLError | OSError):
        cause = cause.__cause__ or cause.__context__
    return _words(str(cause or error)) or type(error).__name__


def _words(text: str) -> str:
    """A stranger's text for a log: one line, nothing that is not to be seen, not too long."""
    plain = re.sub(r"\s+", " ", "".join(s if s.isprintable() else " " for s in text)).strip()
    return plain[:MOST_TOLD].rstrip(".")
