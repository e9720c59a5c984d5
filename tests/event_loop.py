"""Runs coroutines in tests. Playwright keeps an event loop running in the thread of the tests once a browser
was opened there, and `asyncio.run` refuses to start beside it: so each coroutine gets a thread of its own."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What the coroutine returns; an exception in it is raised here."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
