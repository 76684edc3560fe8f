"""The client's address and scheme behind trusted proxies (`X-Forwarded-*`)."""

from collections.abc import Collection, Iterable
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from app.http.asgi import Scope, values

ALL = "*"


class Proxies:
    """The proxies whose `X-Forwarded-*` headers are believed: addresses, networks, or `*` for all."""

    def __init__(self, trusted: Collection[str]) -> None:
        self.all = ALL in trusted
        self.networks = [network for each in trusted if (network := _network(each)) is not None]

    def correct(self, scope: Scope) -> None:
        """Set `client` and `scheme` of an ASGI `scope` from the headers of a trusted proxy."""
        peer = scope["client"][0] if scope["client"] else ""
        if not (self.all or self.networks) or not self._trusts(peer):
            return
        if forwarded_for := values(scope, b"x-forwarded-for"):
            scope["client"] = (self.client(peer, forwarded_for), 0)
        # The nearest proxy writes last.
        scheme = ",".join(values(scope, b"x-forwarded-proto")).rpartition(",")[2].strip().lower()
        if scheme in {"http", "https"}:
            scope["scheme"] = scheme

    def client(self, peer: str, forwarded_for: Iterable[str]) -> str:
        """Return the address of the client: `peer`, or whom trusted proxies say that they speak for.

        Anybody can send `X-Forwarded-For`. So it is read from the right, where the nearest proxy has written, and only
        as long as whoever has written is trusted.
        """
        client = peer
        for line in reversed(list(forwarded_for)):
            for entry in reversed(line.split(",")):
                if not self._trusts(client):
                    return client
                client = _address(entry.strip())
        return client

    def _trusts(self, address: str) -> bool:
        if self.all:
            return True
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self.networks)


@cache
def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _address(entry: str) -> str:
    """Return the address in an entry of `X-Forwarded-For`, to which some proxies add a port."""
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    address, _, port = entry.partition(":")
    return address if port.isdecimal() else entry


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
