"""One POST to an OpenAI-compatible server, with every way in which it can fail named."""

from __future__ import annotations

import asyncio
import ssl

import httpx

from workers.generation.chat import quota
from workers.generation.chat.answers import as_json, error_body, shown
from workers.generation.chat.retry_policy import retry_after_seconds
from workers.ssrf_guard import Endpoint, resolve

FATAL = {401, 402, 404}  # the same for every request: the others need not be sent
RETRIED = {408, 409, 425, 429}


class CallFailed(Exception):
    """One attempt failed; the message says why, and never holds the key.

    retry    asking again may help
    down     the endpoint itself seems ill (counts for the circuit breaker)
    hold     seconds for which it asked for silence, if it did
    fatal    every other request would fail in the same way
    halt     and so would those of later: the account is empty
    at_most  attempts after which this kind of failure is given up, however many are allowed
    status   the HTTP status, where the server gave one
    """

    def __init__(
        self,
        reason: str,
        *,
        retry: bool,
        down: bool = False,
        hold: float | None = None,
        fatal: bool = False,
        halt: bool = False,
        at_most: int = 1000,
        status: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.retry, self.down, self.hold = retry, down, hold
        self.fatal, self.halt, self.at_most = fatal or halt, halt, at_most


class ChatClient:
    """Sends requests to one endpoint, to its ``path``. Lives in one event loop."""

    def __init__(
        self, endpoint: Endpoint, key: str, options: dict, path: str = "/chat/completions"
    ) -> None:
        self.endpoint, self.options, self.path = endpoint, options, path
        self._key = key
        self._client: httpx.AsyncClient | None = None
        self._preferred = 0
        self.sent = 0
        self.last_failure = ""

    def __repr__(self) -> str:
        return f"ChatClient({self.endpoint.shown})"

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client:
            await client.aclose()

    def forget(self) -> None:
        """Drop connections that belong to an event loop that is gone."""
        self._client = None

    async def post(self, body: dict) -> bytes:
        """The body of a 200 answer. Raises CallFailed or AddressRefused."""
        try:
            async with asyncio.timeout(float(self.options["timeout"])):
                return await self._post(body)
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
            # Waiting once more is enough: each time-out costs minutes.
            failure = CallFailed(
                f"No answer within {float(self.options['timeout']):g} seconds.",
                retry=True,
                down=True,
                at_most=2,
            )
        except httpx.RequestError as error:
            failure = CallFailed(self._transport_reason(error), retry=True, down=True)
        except OSError as error:
            reason = f"{self.endpoint.host} cannot be found: {shown(str(error))}"
            failure = CallFailed(reason, retry=True, down=True)
        except CallFailed as error:
            failure = error
        self.last_failure = f"Last: {failure}"
        raise failure

    async def _post(self, body: dict) -> bytes:
        addresses = await resolve(self.endpoint)
        address = addresses[self._preferred % len(addresses)]
        headers = {"Host": self.endpoint.host_header, "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self.sent += 1
        try:
            async with self._open().stream(
                "POST",
                self.endpoint.url(address, self.path),
                json=body,
                headers=headers,
                # The certificate is checked against the name, not against the address.
                extensions={"sni_hostname": self.endpoint.host},
            ) as response:
                content = await self._read(response)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            self._preferred += 1  # the next attempt tries the host's next address
            raise
        if response.status_code != 200:
            raise self._status_failure(response, content)
        return content

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            count = int(self.options["concurrency"])
            self._client = httpx.AsyncClient(
                follow_redirects=False,
                # No proxy from the environment: it would connect where we did not look.
                trust_env=False,
                verify=httpx.create_ssl_context(trust_env=True),
                timeout=httpx.Timeout(
                    float(self.options["timeout"]), connect=float(self.options["connect_timeout"])
                ),
                limits=httpx.Limits(max_connections=count, max_keepalive_connections=count),
            )
        return self._client

    async def _read(self, response: httpx.Response) -> bytes:
        limit, content = int(self.options["longest_answer"]), bytearray()
        async for piece in response.aiter_bytes():
            content += piece
            if len(content) > limit:
                raise CallFailed(f"The answer is longer than {limit} bytes.", retry=False)
        return bytes(content)

    def _status_failure(self, response: httpx.Response, content: bytes) -> CallFailed:
        status = response.status_code
        if 300 <= status < 400:
            target = shown(response.headers.get("location", ""))
            return CallFailed(
                f"The endpoint redirects to {self._scrub(target)!r}, which is not followed. Give "
                "the final address as base URL.",
                retry=False,
                fatal=True,
            )
        said = self._scrub(error_body(content))
        reason = f"The endpoint answered {status}: {said}" if said else f"It answered {status}."
        wait = retry_after_seconds(response.headers.get("retry-after"))
        if status == 402 or (400 <= status < 500 and quota.is_empty(as_json(content), said, wait)):
            reason = f"The account at this address has no quota left. {reason}"
            return CallFailed(reason, retry=False, halt=True, status=status)
        longest = float(self.options["longest_wait"])
        if wait is not None and wait > longest:
            reason += f" It asks to wait {wait:.0f} seconds, which is longer than {longest:g}."
            return CallFailed(reason, retry=False, status=status)
        return CallFailed(
            reason,
            status=status,
            retry=status in RETRIED or status >= 500,
            down=status >= 500,
            hold=wait if status in (429, 503) else None,
            fatal=status in FATAL,
        )

    def _transport_reason(self, error: httpx.RequestError) -> str:
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            cause = error.__cause__
            while cause is not None and not isinstance(cause, (ssl.SSLError, OSError)):
                cause = cause.__cause__ or cause.__context__
            said = self._scrub(shown(str(cause or error) or type(error).__name__))
            return f"No connection to {self.endpoint.shown}: {said}"
        if isinstance(error, httpx.RemoteProtocolError):
            return "The server closed the connection in the middle of its answer."
        return f"The connection broke: {self._scrub(shown(str(error))) or type(error).__name__}."

    def _scrub(self, text: str) -> str:
        return text.replace(self._key, "[key]") if self._key else text
