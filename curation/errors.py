"""What can go wrong in a service, in three kinds that every door (page, API, command) shows alike."""


class ServiceError(Exception):
    """Says in one sentence what is wrong, where, and what to do. Nothing was changed."""


class Invalid(ServiceError):
    """The input cannot be accepted (HTTP 400)."""


class Conflict(ServiceError):
    """Somebody else was first, or the thing is not in the state that this needs (HTTP 409)."""
