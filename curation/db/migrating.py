"""What migrations of several apps share."""

from collections.abc import Callable
from typing import Any

from django.db.migrations import RunPython
from django.db.models import F


def drop_order_keys_on_the_way_back(app: str, *models: str) -> RunPython:
    """Before keys were a person's own, each was unique among all projects; the way back to that may
    meet the same one twice. They only guard against a second press, so none is missed."""

    def drop(apps: Any, schema_editor: Any) -> None:
        for name in models:
            rows = apps.get_model(app, name)._base_manager.using(schema_editor.connection.alias)
            rows.exclude(order_key=None).update(order_key=None)

    nothing: Callable[..., None] = RunPython.noop
    return RunPython(nothing, drop)


def from_wall_times(app: str, *names: str) -> RunPython:
    """Ended work took what passed between its start and its end; what runs now began at its start."""

    def keep(apps: Any, schema_editor: Any) -> None:
        for name in names:
            rows = apps.get_model(app, name)._base_manager.using(schema_editor.connection.alias)
            ended = rows.filter(finished_at__gte=F("started_at"))
            ended.update(worked=F("finished_at") - F("started_at"))
            running = rows.filter(status="running", finished_at__isnull=True)
            running.update(begun_at=F("started_at"))

    return RunPython(keep, RunPython.noop)
