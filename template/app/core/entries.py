"""Lists in settings, and what hosts, origins, networks and prefixes may be.

An entry that can never match is an error, not a closed door.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv6Network, ip_address, ip_network
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

_LABEL = "[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
_ORIGIN = re.compile(rf"([a-z][a-z0-9+.-]*)://(?:{_NAME}|\[(?P<ipv6>[0-9a-f:]+)\])(?::(?P<port>[1-9][0-9]*))?")
_LAST_PORT = 65535
_USUAL_PORTS = {("http", "80"), ("https", "443")}
_MAPPED = IPv6Network("::ffff:0:0/96")
_PREFIX = re.compile(r"(/(?!\.\.?(?:/|$))[A-Za-z0-9._~-]+)+")
_OWN = re.compile(r"/(v[0-9]+|healthz|readyz|metrics|docs|openapi\.json|\.well-known)")


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""The type of a setting that has several values, with commas between them."""


def names(entries: Iterable[str]) -> tuple[str, ...]:
    """Return host names and addresses in lower case.

    Raises:
        ValueError: one is neither; the message says which.
    """
    return tuple(_name(number, each) for number, each in enumerate(entries, 1))


def patterns(entries: Iterable[str]) -> tuple[str, ...]:
    """Return what `Host` headers are compared with, in lower case: names, `*.` before one, addresses, `*` for all.

    Raises:
        ValueError: no `Host` header can match one; the message says which.
    """
    return tuple(_pattern(number, each) for number, each in enumerate(entries, 1))


def origins(entries: Iterable[str]) -> tuple[str, ...]:
    """Return what `Origin` headers are compared with: origins as browsers write them, `*` for all.

    Raises:
        ValueError: no browser can send one; the message says which.
    """
    entries = tuple(entries)
    for number, each in enumerate(entries, 1):
        if each != "*" and not _is_origin(each):
            raise ValueError(
                f"entry {number} is no origin as browsers send it: https://app.example.com, in lower case, with a port "
                "only if it is not the usual one, and no slash at the end; * is for all"
            )
    return entries


def networks(entries: Iterable[str]) -> tuple[str, ...]:
    """Return addresses, networks, and `*` for all.

    Raises:
        ValueError: one is none of these; the message says which.
    """
    entries = tuple(entries)
    for number, each in enumerate(entries, 1):
        try:
            network = ip_network(each, strict=False) if each != "*" else None
        except ValueError:
            network = _MAPPED
        # A peer that is written like that is taken for the IPv4 address that it is.
        if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
            raise ValueError(f"entry {number} is no address, no network like 10.0.0.0/8, and not * for all")
    return entries


def prefix(entry: str) -> str:
    """Return a path below which a service is, such as "/shop", or "" if it is below none.

    Raises:
        ValueError: it is no such path.
    """
    found = entry.rstrip("/")
    if found and not is_prefix(found):
        raise ValueError("write the path alone, like /shop, and none that this service has itself, like /v1")
    return found


def is_prefix(text: str) -> bool:
    """Return whether `text` is such a path, "/shop", and can be told from the service's own paths."""
    return bool(_PREFIX.fullmatch(text)) and not _OWN.fullmatch(text)


def _name(number: int, entry: str) -> str:
    name = entry.lower().removesuffix(".")
    if re.fullmatch(_NAME, name):
        return name
    if _is_ipv6(name):
        return str(ip_address(name.strip("[]")))
    raise ValueError(f"entry {number} is no host name: write it without a scheme, a port and *")


def _pattern(number: int, entry: str) -> str:
    pattern = entry.lower().removesuffix(".")
    if pattern == "*" or re.fullmatch(_NAME, pattern.removeprefix("*.")):
        return pattern
    if _is_ipv6(pattern):
        return f"[{ip_address(pattern.strip('[]'))}]"
    raise ValueError(
        f"entry {number} can match no host: write api.example.com, without a scheme and a port, *.example.com for all "
        "below it, or * for all"
    )


def _is_origin(entry: str) -> bool:
    match = _ORIGIN.fullmatch(entry)
    if match is None or (match[1], match["port"]) in _USUAL_PORTS or int(match["port"] or 1) > _LAST_PORT:
        return False
    # Browsers write an address in its shortest form.
    return match["ipv6"] is None or (_is_ipv6(match["ipv6"]) and str(ip_address(match["ipv6"])) == match["ipv6"])


def _is_ipv6(text: str) -> bool:
    try:
        return ip_address(text[1:-1] if text[:1] + text[-1:] == "[]" else text).version == 6  # noqa: PLR2004 - the version
    except ValueError:
        return False
