"""The Celery application without the libraries of models, which take a quarter of a gigabyte:
`celery -A workers.quick worker -Q quick -P threads -c 8`, `celery -A workers.quick beat`.

Threads, since what runs here waits for the data base and for others' servers.
"""

from workers.app import LIGHT, app

__all__ = ["app"]

app.conf.imports = LIGHT
