"""The Celery application of the `cpu` and `gpu` workers; see also workers/light.py. `curation.processes` has
the commands.

Settings of the queue stand in `curation/celery_app.py`, where the web reads them too.
"""

import os
import socket
import threading
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.settings")
django.setup()

import redis  # noqa: E402  (the apps must be loaded before the tasks are)
from celery.signals import worker_ready, worker_shutting_down  # noqa: E402

from curation.celery_app import LISTENER_PREFIX, LISTENER_SECONDS, app, broker  # noqa: E402

# What loads no model in its own process; the rest is for the `cpu` and `gpu` workers.
LIGHT = (
    "workers.data.tasks",
    "workers.webhooks.tasks",
    "workers.requeue",
    "workers.generation.tasks",
    "workers.evaluation.tasks",
)
app.conf.imports = (
    *LIGHT,
    "workers.scoring.tasks",
    "workers.semantic_search.tasks",
    "workers.agreement.tasks",
    "workers.training.tasks",
)

_stopping = threading.Event()


@worker_ready.connect
def sign_in(sender: Any, **_: Any) -> None:
    """Sign every 2 seconds for each queue this worker listens on, so that pages can say when none
    does. A thread of the main process: it signs also while the pool's child is busy."""
    queues = list(sender.task_consumer.queues and [q.name for q in sender.task_consumer.queues])
    keys = [f"{LISTENER_PREFIX}{name}:{socket.gethostname()}:{os.getpid()}" for name in queues]
    threading.Thread(target=_sign, args=(keys,), name="listener-sign", daemon=True).start()


def _sign(keys: list[str]) -> None:
    client = broker()
    while True:
        try:
            for key in keys:
                client.set(key, 1, ex=LISTENER_SECONDS)
            if _stopping.wait(2):
                client.delete(*keys)
                return
        except redis.RedisError:
            if _stopping.wait(2):  # the broker is away; the sign comes back with it
                return


@worker_shutting_down.connect
def sign_out(**_: Any) -> None:
    _stopping.set()
