"""Which addresses we connect to for a project (models, webhooks), decided at the moment of connecting.

A project's member may type a URL. Without a guard that is a way into the operator's own
network (CVE-2023-47116). So the host is resolved here, every address it gives is judged, and the
connection goes to the very address that was judged: a name that answers differently the second
time (rebinding) gains nothing. Other spellings (``2130706433``, ``0x7f.1``, ``[::ffff:127.0.0.1]``)
are what the resolver makes of them.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

log = logging.getLogger(__name__)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Public by their number, yet the metadata and agent services of some clouds.
CLOUD_INTERNAL = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("168.63.129.16/32"))


class AddressRefused(Exception):
    """The host leads to an address that is not public and that the operator did not allow."""


class BadAddress(ValueError):
    """What was given is no address that could be connected to."""


@dataclass(frozen=True)
class Endpoint:
    """A URL, taken apart. ``allowed``: the operator named this host, wherever it leads."""

    scheme: str
    host: str
    port: int
    path: str
    allowed: bool

    @property
    def host_header(self) -> str:
        """As the Host header wants it: with the port unless it is the scheme's own."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return name if self.port == usual else f"{name}:{self.port}"

    @property
    def entries(self) -> frozenset[str]:
        """How a list of the operator's names exactly this host and port; a host alone stands for
        the usual port of the scheme."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        with_port = f"{name}:{self.port}"
        return frozenset(
            {with_port} if self.host_header == with_port else {with_port, name, self.host}
        )

    @property
    def shown(self) -> str:
        """For messages: no path, and nothing that could be a secret."""
        return f"{self.scheme}://{self.host_header}"

    def url(self, address: str, path: str = "") -> str:
        """A URL that connects to ``address`` (already judged) for ``path`` below the base."""
        name = f"[{address}]" if ":" in address else address
        return f"{self.scheme}://{name}:{self.port}{self.path}{path}"


def parse_url(
    url: str,
    allowed_hosts: Collection[str] = (),
    *,
    what: str = "base URL",
    with_query: bool = False,
) -> Endpoint:
    """Take a URL apart. Raises BadAddress with what is wrong with it; `what` is its name there.

    with_query  a ? may follow the path, and stays a part of it, as does a / at its end
    """
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise BadAddress(f"The {what} holds a blank, a control character or a backslash.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadAddress(f"The {what} is not a URL: {error}.") from error
    if parts.scheme not in ("http", "https"):
        raise BadAddress(f"The {what} must begin with https:// (or http://).")
    if not parts.hostname:
        raise BadAddress(f"The {what} names no host.")
    if parts.username is not None or parts.password is not None:
        raise BadAddress(f"The {what} must not hold a user name or password.")
    if parts.fragment or (parts.query and not with_query):
        raise BadAddress(f"The {what} must not hold a {'#' if with_query else '? or #'}.")
    port = port or {"http": 80, "https": 443}[parts.scheme]
    try:
        # As it goes into the Host header and to the resolver; this also folds wide digits and the like.
        host = parts.hostname.rstrip(".")
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise BadAddress(f"The {what} names a host that cannot be one.") from error
    names = {host, f"{host}:{port}", f"[{host}]", f"[{host}]:{port}"}
    allowed = any(entry.strip().lower().rstrip(".") in names for entry in allowed_hosts)
    path = parts.path.rstrip("/")
    if with_query:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.scheme, host, port, path, allowed)


async def resolve(endpoint: Endpoint) -> list[str]:
    """The addresses to connect to, judged.

    Raises AddressRefused where any address is not public, and OSError where there is none.
    """
    addresses = [endpoint.host] if _is_plain_ipv4(endpoint.host) else await _look_up(endpoint)
    if not addresses:
        raise OSError(f"{endpoint.host} has no address")
    if not endpoint.allowed:
        for text in addresses:
            if not is_public(ipaddress.ip_address(text.partition("%")[0])):
                # The address is for the operator's log: others would learn the inner network by asking.
                log.warning("%s leads to %s, which is not public: refused", endpoint.host, text)
                raise AddressRefused(
                    f"What {endpoint.host} leads to is not a public address. The operator can "
                    "allow the host by name; the workers' log says where it leads."
                )
    return addresses


def _is_plain_ipv4(host: str) -> bool:
    """Whether the host is an IPv4 address in its usual spelling, so that no name must be looked up.
    Other spellings (octal, one number) are left to the system, which says where they lead."""
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False


async def _look_up(endpoint: Endpoint) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{endpoint.host!r} is no host name") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, and so do the ones hidden inside it."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address.teredo:
            inner = address.teredo[1]
        if inner is None and (address in NAT64 or int(address) < 1 << 32):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    elif any(address in network for network in CLOUD_INTERNAL):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )
