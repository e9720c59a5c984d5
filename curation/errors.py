"""What can go wrong in a service, in kinds that every door (page, API, command) shows alike."""

from typing import Any


class ServiceError(Exception):
    """Says in one sentence what is wrong, where, and what to do. Nothing was changed."""


class Invalid(ServiceError):
    """The input cannot be accepted (HTTP 400)."""


class TooMany(ServiceError):
    """Asked too often (HTTP 429); it can be tried again in `wait` seconds."""

    def __init__(self, message: str, wait: int) -> None:
        super().__init__(message)
        self.wait = wait


class Conflict(ServiceError):
    """Somebody else was first, or the thing is not in the state that this needs (HTTP 409)."""

    # What a page can show beside the message, such as what somebody else decided; JSON as it is.
    more: dict[str, Any] = {}
