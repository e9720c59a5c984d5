"""A real local HTTP server that misbehaves on order, for the tests of the OpenAI backend.

Raw sockets in threads, because half a body, a hang or a closed connection are not things that a
web framework lets one send.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from workers.generation.backends import open_backend
from workers.generation.types import ModelSpec, Request

FAST = {"backoff": 0.01, "timeout": 2.0, "breaker_pause": 0.1, "patience": 0.5}
KEY = "sk-very-secret-123"


def request(n=0, text="2 + 3?", **kwargs):
    message = {"role": "user", "content": text}
    return Request(f"r{n}", (message,), kwargs.pop("temperature", 0.3), seed=n, **kwargs)


def backend_for(url, allowed=("127.0.0.1",), key="", **options):
    spec = ModelSpec(
        "openai", "some-model", base_url=url, api_key_env=key, options={**FAST, **options}
    )
    return open_backend(spec, allowed_hosts=allowed)


@dataclass
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: dict
    at: float
    raw: bytes = b""


@dataclass
class Reply:
    """What to send. ``cut``: send only so many bytes of the body; ``hang``: seconds of silence."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    hang: float = 0.0
    close: bool = False


def chat(text="The answer is 5.", finish="stop", **message) -> Reply:
    """A good answer."""
    data = {
        "choices": [{"message": {"content": text, **message}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7},
    }
    return Reply(body=json.dumps(data).encode())


class Server:
    """Answers each request with what ``behave(number, received)`` returns."""

    def __init__(self, behave: Callable[[int, Received], Reply]) -> None:
        self.behave = behave
        self.received: list[Received] = []
        self.in_flight = self.most_in_flight = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def close(self) -> None:
        self._closing.set()
        self._socket.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while (received := _read(stream)) is not None:
                with self._lock:
                    number = len(self.received)
                    self.received.append(received)
                    self.in_flight += 1
                    self.most_in_flight = max(self.most_in_flight, self.in_flight)
                try:
                    keep = self._send(connection, self.behave(number, received))
                except OSError:
                    keep = False
                finally:
                    with self._lock:
                        self.in_flight -= 1
                if not keep:
                    return

    def _send(self, connection: socket.socket, reply: Reply) -> bool:
        if reply.hang:
            self._closing.wait(reply.hang)
        if reply.close:
            return False
        headers = {"Content-Type": "application/json", "Content-Length": str(len(reply.body))}
        lines = [f"HTTP/1.1 {reply.status} Whatever"]
        lines += [f"{name}: {value}" for name, value in {**headers, **reply.headers}.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        connection.sendall(head + reply.body[: reply.cut])
        return reply.cut is None


def _read(stream) -> Received | None:
    line = stream.readline().decode("latin-1").split()
    if len(line) < 2:
        return None
    headers = {}
    while (text := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Received(line[1], headers, json.loads(body or b"{}"), time.monotonic(), body)
