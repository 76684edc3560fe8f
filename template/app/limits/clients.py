"""Rate-limit keys for callers that are not authenticated: networks of client addresses."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, NamedTuple

# A client has all addresses of a /64, and a site all networks of a /48 (RFC 6177): it may have more clients, but not
# as many as it has networks.
_IPV6_PREFIXES: Final = ((64, 1), (48, 4))
_LONGEST: Final = 64


class Origin(NamedTuple):
    """A network that a request comes from, and how many times as much as one client it may do."""

    key: str
    share: int


def origins_of(address: str) -> tuple[Origin, ...]:
    """Return what requests from `address` are counted under, the narrowest first."""
    # What follows in a longer one is its zone.
    return _parsed(address[:_LONGEST])


@lru_cache(maxsize=4096)
def _parsed(address: str) -> tuple[Origin, ...]:
    try:
        parsed = ip_address(address)
    except ValueError:
        return (Origin("unknown", 1),)
    if not isinstance(parsed, IPv6Address):
        return (Origin(str(parsed), 1),)
    if parsed.ipv4_mapped is not None:
        return (Origin(str(parsed.ipv4_mapped), 1),)
    # Without its zone, which a client could write as it likes.
    networks = [(ip_network((int(parsed), length), strict=False), share) for length, share in _IPV6_PREFIXES]
    return tuple(Origin(str(network), share) for network, share in networks)
