"""Who is at the other end of a connection, behind proxies."""

from collections.abc import Collection, Iterable
from ipaddress import IPv6Address, ip_address, ip_network

_IPV6_HOST_BITS = 64


def client_address(peer: str, forwarded_for: Iterable[str], trusted: Collection[str]) -> str:
    """Return the address of the client: `peer`, or whom trusted proxies say that they speak for.

    Anybody can send `X-Forwarded-For`. So it is read from the right, where the nearest proxy has written, and only
    as long as whoever has written is in `trusted`: addresses, networks, or `*` for all.
    """
    client = peer
    for line in reversed(list(forwarded_for)):
        for address in reversed(line.split(",")):
            if not _is_trusted(client, trusted):
                return client
            client = address.strip()
    return client


def counted(address: str) -> str:
    """Return what requests from `address` are counted under: an IPv6 client has a whole network to itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, _IPV6_HOST_BITS), strict=False))
    return str(parsed)


def _is_trusted(address: str, trusted: Collection[str]) -> bool:
    if "*" in trusted or address in trusted:
        return True
    try:
        parsed = ip_address(address)
        return any(parsed in ip_network(network, strict=False) for network in trusted)
    except ValueError:
        return False
