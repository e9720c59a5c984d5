"""Where a model key of the installation may go. One function decides it for every path to a server.

A project's admin names the variable that holds a key (`api_key_env`) and the address that is asked.
Both may be a stranger's choice, so the operator says beside each key where it may be sent:
`NAME_HOSTS` lists the hosts for the key in `NAME`. Without that list the key is sent nowhere, and
so no other secret of the worker can be made a key by naming it.
"""

import os
import re
from collections.abc import Iterable, Mapping

from workers.generation.types import BackendError
from workers.ssrf_guard import Endpoint

# Not every variable of the worker can be named as a key. `curation.key_names` says the same.
KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]*_API_KEY|CHAINWRIGHT_KEY_[A-Z0-9_]+")
BAD_NAME = (
    "The key's variable must be called SOMETHING_API_KEY or CHAINWRIGHT_KEY_SOMETHING. Give the name "
    "of the variable, never the key itself."
)


def key_for(name: str, endpoint: Endpoint, environment: Mapping[str, str] | None = None) -> str:
    """The key that the variable `name` holds, if it may be sent to this endpoint.

    Returns "" where no variable is named. `NAME_HOSTS` holds the allowed hosts, with commas: a host
    alone stands for the usual port of its scheme, any other port is listed as HOST:PORT.
    Raises BackendError, which never holds the key, nor a name that cannot be one (somebody may have
    pasted a key there).
    """
    if not name:
        return ""
    if not KEY_NAME.fullmatch(name):
        raise BackendError(BAD_NAME)
    values = os.environ if environment is None else environment
    key, hosts = values.get(name, ""), f"{name}_HOSTS"
    if not key:
        raise BackendError(f"The environment variable {name} is not set on this worker.")
    if not key.isascii() or not key.isprintable():
        raise BackendError(f"The environment variable {name} holds no usable key.")
    listed = {entry.strip().lower().rstrip(".") for entry in values.get(hosts, "").split(",")} - {
        ""
    }
    if not listed:
        raise BackendError(
            f"The key in {name} is not sent anywhere, because {hosts} is not set on this worker. The "
            f"operator lists there which hosts may receive it, for this address: "
            f"{hosts}={endpoint.host_header}"
        )
    if listed.isdisjoint(endpoint.entries):
        raise BackendError(
            f"The key in {name} may not be sent to {endpoint.host_header}: {hosts} on this worker "
            "does not list it."
        )
    if endpoint.scheme == "http" and not endpoint.allowed:
        raise BackendError("A key is sent by https:// only; change the base URL.")
    return key


def environment_of_keys(names: Iterable[str]) -> dict[str, str]:
    """What a child process needs to send these keys: each key together with its list of hosts."""
    wanted = [
        part for name in names if KEY_NAME.fullmatch(name) for part in (name, f"{name}_HOSTS")
    ]
    return {name: os.environ[name] for name in wanted if name in os.environ}
