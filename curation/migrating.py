"""What migrations of several apps share."""

from collections.abc import Callable
from typing import Any

from django.db.migrations import RunPython


def drop_order_keys_on_the_way_back(app: str, *models: str) -> RunPython:
    """Before keys were a person's own, each was unique among all projects; the way back to that may
    meet the same one twice. They only guard against a second press, so none is missed."""

    def drop(apps: Any, schema_editor: Any) -> None:
        for name in models:
            rows = apps.get_model(app, name)._base_manager.using(schema_editor.connection.alias)
            rows.exclude(order_key=None).update(order_key=None)

    nothing: Callable[..., None] = RunPython.noop
    return RunPython(nothing, drop)
