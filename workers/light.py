"""The Celery application without the libraries of models, which take a quarter of a gigabyte: for the
queues `quick`, `network` and `files`, and for the beat. `curation.processes` has the commands.

Threads, since what runs here waits for the database, for files and for others' servers.
"""

from workers.app import LIGHT, app

__all__ = ["app"]

app.conf.imports = LIGHT
