"""What requests are counted under while nobody knows who sends them."""

from ipaddress import IPv6Address, ip_address, ip_network

_IPV6_HOST_BITS = 64


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
