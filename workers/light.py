"""The Celery application without the libraries of models, which take a quarter of a gigabyte, for the
queues `quick`, `network` and `files`: `celery -A workers.light worker -Q network -P threads -c 16`; and
for the beat: `celery -A workers.light beat`. See curation.celery_app.start_command.

Threads, since what runs here waits for the database, for files and for others' servers.
"""

from workers.app import LIGHT, app

__all__ = ["app"]

app.conf.imports = LIGHT
