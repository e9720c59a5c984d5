"""The address of an OpenAI-compatible teacher or judge; what it may lead to says workers.ssrf_guard."""

from collections.abc import Collection

from workers.generation.types import BackendError
from workers.ssrf_guard import BadAddress, Endpoint, parse_url


def parse_endpoint(base_url: str, allowed_hosts: Collection[str] = ()) -> Endpoint:
    """Take a base URL apart. Raises BackendError with what is wrong with it."""
    if not base_url:
        raise BackendError("An OpenAI-compatible teacher needs a base URL (https://HOST/v1).")
    try:
        return parse_url(base_url, allowed_hosts)
    except BadAddress as error:
        raise BackendError(str(error)) from error
