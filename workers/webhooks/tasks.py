"""Sends what waits for webhooks, on the `cpu` queue."""

import logging
import time

from django.conf import settings

from curation import queue
from curation.queue import SEND_WEBHOOKS, app
from curation.webhooks.sending import any_due, note, take_due
from workers.webhooks.post import Event, send_all

log = logging.getLogger(__name__)
AT_ONCE = 10
# Scoring and imports wait in the same queue: beyond this, the rest goes behind them.
SECONDS = 30


@app.task(name=SEND_WEBHOOKS)
def send_webhooks() -> int:
    """Send what is due; returns how many were delivered. A wake-up that finds nothing goes home."""
    until, ill, delivered = time.monotonic() + SECONDS, set(), 0
    # An address that did not answer is left alone for the rest of this time, so that it keeps
    # nobody's events back but its own.
    while time.monotonic() < until and (taken := take_due(AT_ONCE, without=ill)):
        events = [
            Event(one.hook.url, one.hook.key, one.event_id, one.body.encode()) for one in taken
        ]
        for one, answer in zip(taken, send_all(events, settings.WEBHOOK_HOSTS), strict=True):
            note(one, answer.status, answer.error)
            if answer.error:
                ill.add(one.hook_id)
                log.info("webhook %s, attempt %s: %s", one.hook_id, one.attempts, answer.error)
            else:
                delivered += 1
    if any_due():
        queue.send(SEND_WEBHOOKS)
    return delivered
