"""`/healthz`: whether this web process can do its work, for load balancers and monitors.

| answer | when |
| --- | --- |
| 200 `ok` | everything answers |
| 200 `ok, without: broker` | pages work; what is ordered begins when the broker is back |
| 503 `not ok: database, disk` | the database does not answer, or the disk takes no writes |

`/healthz?strict` answers 503 for the broker as well: for a monitor, not for a load balancer, which would
take away pages that work. Nothing more is said, since anybody may ask, by any name or address of the
machine and without TLS. An answer takes at most `SECONDS`, and is kept for one second.
"""

import logging
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse

from curation import celery_app

log = logging.getLogger(__name__)
SECONDS = 2.0
KEPT_SECONDS = 1.0
NEEDED_BYTES = 256 * 1024  # what one page or one order writes, and some


class HealthMiddleware:
    """Answers before all else: a load balancer asks by IP, which ALLOWED_HOSTS would refuse."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != "/healthz":
            return self.get_response(request)
        return answer("strict" in request.GET)


def answer(strict: bool) -> HttpResponse:
    failing = _health.failing()
    needed = [name for name in failing if strict or name != "broker"]
    text = "ok" if not failing else f"ok, without: {', '.join(failing)}"
    if needed:
        text = f"not ok: {', '.join(failing)}"
    response = HttpResponse(text, status=503 if needed else 200, content_type="text/plain")
    response["Cache-Control"] = "no-store"
    return response


def database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def broker() -> None:
    celery_app.broker().ping()


def disk() -> None:
    """Writes to every folder of this machine that Chainwright stores in; nothing is left behind."""
    for folder in folders():
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * NEEDED_BYTES)


def folders() -> set[Path]:
    found = {settings.HOME}
    if settings.ARTIFACTS_URL.startswith("file://"):
        found.add(Path(urlsplit(settings.ARTIFACTS_URL).path))
    if connection.vendor == "sqlite":
        found.add(Path(connection.settings_dict["NAME"]).parent)
    return {folder for folder in found if folder.is_dir()}


CHECKS: dict[str, Callable[[], None]] = {"database": database, "broker": broker, "disk": disk}


class _Found(NamedTuple):
    at: float
    is_well: bool


class _Health:
    """Runs the checks beside each other, in threads of their own: one that hangs is waited for no longer
    than `SECONDS`, and is not begun again before it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, _Found] = {}
        self._running: dict[str, threading.Thread] = {}

    def failing(self) -> list[str]:
        """The names of the parts that do not work, in the order of CHECKS."""
        since = time.monotonic() - KEPT_SECONDS
        with self._lock:
            wanted = [n for n in CHECKS if n not in self._found or self._found[n].at < since]
            threads = [self._thread(name) for name in wanted]
        until = time.monotonic() + SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        with self._lock:
            late = {name for name in wanted if self._found.get(name, _Found(0, False)).at < since}
            return [n for n in CHECKS if n in late or not self._found[n].is_well]

    def _thread(self, name: str) -> threading.Thread:
        running = self._running.get(name)
        if running is None or not running.is_alive():
            running = threading.Thread(target=self._run, args=(name,), daemon=True)
            self._running[name] = running
            running.start()
        return running

    def _run(self, name: str) -> None:
        is_well = False
        try:
            CHECKS[name]()
            is_well = True
        except (Error, redis.RedisError, OSError) as error:
            if name not in self._found or self._found[name].is_well:  # once, not every second
                log.error("%s does not work: %s", name, error)
        finally:
            with self._lock:
                self._found[name] = _Found(time.monotonic(), is_well)


_health = _Health()
