"""How much of a thing a person or a project may have. Counted in rows, under a lock: two requests at the
same moment do not both pass. How often something may be done is in `rate_limit`."""

from django.db import models

from curation.errors import Conflict


def lock(row: models.Model) -> None:
    """Hold the row until the transaction ends; what refers to it can still be written by others."""
    row._meta.model._base_manager.select_for_update(no_key=True).get(pk=row.pk)


def refuse_beyond(rows: models.QuerySet, most: int, message: str) -> None:
    """Raises Conflict where there are `most` of `rows`, which stands in the message as {most}. The caller
    holds a lock that everybody who adds such a row takes."""
    if rows.order_by().values("pk")[:most].count() >= most:
        raise Conflict(message.format(most=f"{most:,}"))
