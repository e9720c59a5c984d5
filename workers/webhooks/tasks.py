"""Sends what waits for webhooks, on the `quick` queue."""

import logging
import threading
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, wait

from django.conf import settings

from curation.celery_app import SEND_WEBHOOKS, app
from curation.webhooks.models import WebhookDelivery
from curation.webhooks.sending import note, take_due
from workers.webhooks.post import Answer, Event, Sender

log = logging.getLogger(__name__)
AT_ONCE = 64
# An address that took longer than this gets one event at a time, so that its own wait.
SLOW = 2.0
LOOK_EVERY = 0.25  # whether new events came while others are on their way

# Each decision sends a wake-up: one of them works in this process, and the others tell it to look again.
_asked_for = threading.Event()
_at_work = threading.Lock()


@app.task(name=SEND_WEBHOOKS)
def send_webhooks() -> int:
    """Send what is due; returns how many were delivered. A wake-up that finds nothing goes home."""
    delivered = 0
    _asked_for.set()
    while _asked_for.is_set() and _at_work.acquire(blocking=False):
        try:
            delivered += _deliver()
        finally:
            _at_work.release()
    return delivered


def _deliver() -> int:
    """Send until nothing is due and nothing on its way. Each address has its share of what is on its
    way at once, so none waits for another's answers."""
    delivered, slow = 0, set()
    under_way: dict[Future[Answer], tuple[WebhookDelivery, float]] = {}
    with Sender(settings.WEBHOOK_HOSTS) as sender:
        while True:
            _asked_for.clear()
            busy = Counter(one.hook_id for one, _ in under_way.values())
            for one in take_due(AT_ONCE - len(under_way), busy, slow):
                event = Event(one.hook.url, one.hook.key, one.event_id, one.body.encode())
                under_way[sender.send(event)] = one, time.monotonic()
            if not under_way:
                return delivered
            ended: set[Future[Answer]] = set()
            while not ended and not _asked_for.is_set():
                ended, _ = wait(under_way, LOOK_EVERY, FIRST_COMPLETED)
            for future in ended:
                one, began = under_way.pop(future)
                if time.monotonic() - began > SLOW:
                    slow.add(one.hook_id)
                delivered += _note(one, future.result())


def _note(one: WebhookDelivery, answer: Answer) -> bool:
    note(one, answer.status, answer.error)
    if answer.error:
        log.info("webhook %s, attempt %s: %s", one.hook_id, one.attempts, answer.error)
    return not answer.error
