"""The processes of an installation and the command of each: one list for `make run`, containers and units.

`manage.py start NAME` becomes the process NAME; `curation.supervisor` starts all of them on one machine.
"""

import os
import sys

from django.conf import settings

from curation.celery_app import CONCURRENCY, LIGHT_QUEUES, QUEUES

WEB, BEAT = "web", "beat"
PROCESSES = (WEB, *QUEUES, BEAT)
# What shows whether a process is alive: the beat writes its schedule every three minutes.
BEAT_SCHEDULE = "beat"


def command(name: str, host: str = "127.0.0.1", port: int = 8000) -> list[str]:
    """The command of one of PROCESSES, to be started in the folder of `manage.py`.

    host, port: where `web` listens; the others take none.
    """
    celery = [sys.executable, "-m", "celery", "-A"]
    if name == WEB:
        return [
            *(sys.executable, "-m", "gunicorn", "curation.wsgi"),
            *("--bind", f"{bracketed(host)}:{port}"),
            *("--workers", str(web_workers()), "--threads", "3", "--worker-class", "gthread"),
            *("--max-requests", "100000", "--timeout", "60", "--access-logfile", os.devnull),
            # Longer than people think over a question: with gunicorn's 2 seconds nearly every request
            # would open a connection, and now and then meet one that closes.
            *("--keep-alive", "75"),
            # Loaded once, before the workers are forked: they share its memory and start at once.
            *("--no-control-socket", "--preload"),
            *("--worker-tmp-dir", str(settings.HOME)),
        ]
    if name == BEAT:
        schedule = str(settings.HOME / BEAT_SCHEDULE)
        return [*celery, "workers.light", "beat", "--schedule", schedule, "--loglevel", "WARNING"]
    is_light = name in LIGHT_QUEUES
    return [
        *(*celery, "workers.light" if is_light else "workers.app", "worker", "-Q", name),
        *(("-P", "threads") if is_light else ()),
        *("-c", str(CONCURRENCY[name]), "-n", f"{name}@%h", "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle"),
    ]


def bracketed(host: str) -> str:
    """The host as it stands before a port: an address of version 6 in brackets."""
    return f"[{host}]" if ":" in host else host


def web_workers() -> int:
    """One more than there are processors: of two with four threads each on two, measured with 50 reviewers
    who never pause, threads waited so long for their interpreter that a seventh of the time was lost."""
    return min(4, 1 + (os.cpu_count() or 1))
