"""What can go wrong in a service, in kinds that every door (page, API, command) shows alike."""

from typing import Any


class ServiceError(Exception):
    """Says in one sentence what is wrong, where, and what to do. Nothing was changed."""


class Invalid(ServiceError):
    """The input cannot be accepted (HTTP 400)."""


class TooMany(ServiceError):
    """Asked too often in this minute (HTTP 429)."""


class Conflict(ServiceError):
    """Somebody else was first, or the thing is not in the state that this needs (HTTP 409)."""

    # What a page can show beside the message, such as what somebody else decided; JSON as it is.
    more: dict[str, Any] = {}
