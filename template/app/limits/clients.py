"""Rate-limit keys for callers that are not authenticated: networks of client addresses."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, NamedTuple

# A client has all addresses of a /64, and a site all networks of a /48 (RFC 6177): it may have more clients, but not
# as many as it has networks.
_IPV6_PREFIXES: Final = ((64, 1), (48, 4))


class Origin(NamedTuple):
    """A network that a request comes from, and how many times as much as one client it may do."""

    key: str
    share: int


def origins(address: str) -> list[Origin]:
    """Return what requests from `address` are counted under, the narrowest first."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return [Origin("unknown", 1)]
    if not isinstance(parsed, IPv6Address):
        return [Origin(str(parsed), 1)]
    if parsed.ipv4_mapped is not None:
        return [Origin(str(parsed.ipv4_mapped), 1)]
    # Without its zone, which a client could write as it likes.
    return [Origin(str(ip_network((int(parsed), length), strict=False)), share) for length, share in _IPV6_PREFIXES]
