"""The one place that names tasks and sends them. Imported by the web: knows Celery, no worker code.

Rows are the truth of all work; a message is only a wake-up that carries ids. A wake-up that cannot
be sent (no broker) or gets lost is sent again by the beat from the rows.
"""

import base64
import json
import logging
from collections import Counter
from urllib.parse import urlsplit

import redis
from celery import Celery
from celery.schedules import schedule
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

# What a piece of work waits for decides its queue, so that nothing waits behind work of another kind
# (docs/decisions/0018): `cpu` and `gpu` calculate, `network` waits for the servers of others, `files`
# reads and writes files and rows, `quick` is for what is done in a moment.
CPU, GPU, QUICK, NETWORK, FILES = "cpu", "gpu", "quick", "network", "files"
QUEUES = (CPU, GPU, QUICK, NETWORK, FILES)
# Which Celery application serves a queue: `quick` loads no library of models.
LIGHT_QUEUES = (QUICK, NETWORK, FILES)
# How many tasks one process works at. Files are read and written by Python, a few at a time; a
# server of others is waited for by as many as there are connections to the database.
CONCURRENCY = {CPU: 1, GPU: 1, QUICK: 8, NETWORK: 16, FILES: 4}

# name of the task -> its queue
RUN_IMPORT = "imports.run"
CHECK_REFERENCES = "questions.check_references"
FILL_RUN = "generation.fill"
ASK_ADDRESSES = "generation.ask_addresses"
TRY_TEACHER = "generation.try_teacher"
TRY_ADDRESS = "generation.try_address"
SCORE_PROJECT = "scoring.score"
CHECK_TEXT = "scoring.check"
FREEZE_DATASET = "datasets.freeze"
CHECK_DATASET = "datasets.check"
RUN_GATES = "datasets.gates"
TRAIN = "training.train"
EVALUATE = "evaluation.evaluate"
EVALUATE_ADDRESSES = "evaluation.ask_addresses"
COUNT_AGREEMENT = "agreement.count"
RUN_BULK = "reviews.bulk"
RUN_DELETION = "reviews.delete"
SEARCH_MEANING = "meaning.search"
EMBED_TEXTS = "meaning.embed"
SEND_WEBHOOKS = "webhooks.send"
PUT_BACK = "beat.put_back"
SWEEP = "beat.sweep"
QUEUE_OF = {
    RUN_IMPORT: FILES,
    CHECK_REFERENCES: FILES,
    SCORE_PROJECT: CPU,
    CHECK_TEXT: CPU,
    COUNT_AGREEMENT: CPU,
    RUN_BULK: QUICK,
    CHECK_DATASET: FILES,
    RUN_GATES: FILES,
    RUN_DELETION: QUICK,
    SEARCH_MEANING: CPU,
    EMBED_TEXTS: CPU,
    FREEZE_DATASET: FILES,
    SEND_WEBHOOKS: QUICK,
    PUT_BACK: QUICK,
    SWEEP: QUICK,
    TRY_ADDRESS: NETWORK,
    TRY_TEACHER: GPU,
    FILL_RUN: GPU,
    ASK_ADDRESSES: NETWORK,
    TRAIN: GPU,
    EVALUATE: GPU,
    EVALUATE_ADDRESSES: NETWORK,
}

app = Celery("chainwright")
app.conf.update(
    broker_url=settings.REDIS_URL,
    # Nobody reads results: rows say how work went, and a result store would be a second truth.
    task_ignore_result=True,
    # Pickle would let whoever reaches the broker run code in a worker.
    task_serializer="json",
    accept_content=["json"],
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in QUEUES],
    task_default_queue=CPU,
    task_default_exchange=CPU,
    task_default_routing_key=CPU,
    # A wake-up is acknowledged when its work has been written, so a killed worker's comes again.
    task_acks_late=True,
    # acks_late alone loses the message when the pool's child is killed by SIGKILL.
    task_reject_on_worker_lost=True,
    # One at a time: a worker that sits on prefetched wake-ups starves the others.
    worker_prefetch_multiplier=1,
    # Redis hands an unacknowledged message out again after this; above the longest task, and a
    # doubled wake-up finds its row taken and goes home (curation.jobs.begin).
    broker_transport_options={
        "visibility_timeout": 12 * 3600,
        "socket_timeout": 15,
        "socket_connect_timeout": 3,
        "retry_policy": {"max_retries": 1, "interval_start": 0, "timeout": 3.0},
    },
    # A worker that starts before its broker waits for it instead of ending.
    broker_connection_timeout=3,
    broker_connection_retry_on_startup=True,
    # A page must not hang on a broker that is away: the row is there, and the beat wakes it.
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1},
    # Losing the broker for a moment is no reason to drop an hour of work: its rows are kept anyway.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    # The beat's schedule: what has gone silent is put back. A wake-up that nobody took is no debt.
    beat_schedule={
        "put-back": {"task": PUT_BACK, "schedule": schedule(15.0), "options": {"expires": 15}},
        "sweep": {"task": SWEEP, "schedule": schedule(3600.0), "options": {"expires": 3600}},
    },
    task_routes={name: {"queue": queue} for name, queue in QUEUE_OF.items()},
    timezone="UTC",
    # A worker keeps models of its children warm in the pool's process; it is not recycled.
    worker_max_tasks_per_child=None,
    # Our own format, and no events that nobody reads.
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
)


def send(task: str, *ids: int) -> None:
    """Send a wake-up when the running transaction commits. Never raises for a broker that is away."""
    transaction.on_commit(lambda: _send_now(task, ids))


def _send_now(task: str, ids: tuple[int, ...]) -> None:
    try:
        app.send_task(task, args=list(ids), queue=QUEUE_OF[task])
    except (OperationalError, redis.RedisError, OSError) as error:
        log.warning("the wake-up %s%s was not sent (%s); the beat sends it again", task, ids, error)


def broker() -> redis.Redis:
    """A client of the broker with short time-outs: pages ask through it, and do without where it is
    away. By itself redis-py would try for seconds."""
    url, once_more = settings.REDIS_URL, Retry(NoBackoff(), 1)
    if url.startswith("redis+socket://"):
        path = urlsplit(url).path
        return redis.Redis(unix_socket_path=path, socket_timeout=2, retry=once_more)
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, retry=once_more)


def start_command(name: str) -> str:
    """The command that starts a worker for the queue, for pages and errors."""
    return f"python manage.py start {name}"


LONGEST_LOOK = 2000  # messages of a queue that are read at most


WakeUp = tuple[str, tuple[int, ...]]  # task, ids


def wake_ups_in(name: str) -> Counter[WakeUp]:
    """The wake-ups that lie in the queue, and how many of each. Raises RedisError.

    Of a queue longer than LONGEST_LOOK only those that come first are counted.
    """
    return Counter(read_wake_up(raw) for raw in broker().lrange(name, -LONGEST_LOOK, -1))


def read_wake_up(raw: bytes) -> WakeUp:
    """Task and ids of a message as it lies in the broker."""
    message = json.loads(raw)
    body = message["body"]
    if message["properties"]["body_encoding"] == "base64":
        body = base64.b64decode(body)
    return message["headers"]["task"], tuple(json.loads(body)[0])


LISTENER_PREFIX = "chainwright:listens:"
LISTENER_SECONDS = 8  # a worker signs every 2 seconds; three missed signs and it counts as gone


def listeners() -> dict[str, int] | None:
    """How many workers listen on each queue now; None when the broker does not answer."""
    known = cache.get("listeners")
    if known is None:
        try:
            client = broker()
            known = {
                name: sum(1 for _ in client.scan_iter(f"{LISTENER_PREFIX}{name}:*", count=500))
                for name in QUEUES
            }
        except redis.RedisError:
            known = {}
        cache.set("listeners", known, 2)
    return known or None
