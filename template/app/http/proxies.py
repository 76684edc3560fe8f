"""What trusted proxies say about a request: its client, its scheme and its prefix (`X-Forwarded-*`, or `Forwarded`)."""

import re
from collections.abc import Collection, Iterable
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from app.core.entries import is_prefix
from app.http.asgi import Scope, values

ALL = "*"

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_PAIR = re.compile(rf'[ \t]*({_WORD}+)=(?:({_WORD}+)|"((?:[^"\\]|\\.)*)")[ \t]*(;|,|$)')


class Said(NamedTuple):
    """What proxies say, the nearest last: whom they speak for, over which scheme, and which prefix they took away."""

    clients: list[str]
    schemes: list[str]
    prefixes: list[str]


class Proxies:
    """The proxies that are believed: addresses, networks, or `*` for all. A `root_path` is set once for all of them."""

    def __init__(self, trusted: Collection[str], root_path: str | None = None) -> None:
        self.all = ALL in trusted
        self.networks = [network for each in trusted if (network := _network(each)) is not None]
        self.root_path = root_path

    def correct(self, scope: Scope) -> None:
        """Set `client`, `scheme`, `root_path` and `path` of an ASGI `scope` by what trusted proxies say.

        `root_path` is where the service is, "" or such as "/shop", and `path` is the part below it, whether the proxy
        has taken `root_path` away or not.
        """
        root_path = self.root_path or ""
        peer = scope["client"][0] if scope["client"] else ""
        if (self.all or self.networks) and self._trusts(peer):
            said = said_in(scope)
            client, passed = self._followed(peer, said.clients)
            if said.clients:
                scope["client"] = (client, 0)
            # The nearest proxy writes last.
            if said.schemes and said.schemes[-1].lower() in {"http", "https"}:
                scope["scheme"] = said.schemes[-1].lower()
            if self.root_path is None:
                root_path = _joined(said.prefixes[-max(passed, 1) :])
        scope["root_path"] = root_path
        if root_path and f"{scope['path']}/".startswith(f"{root_path}/"):
            scope["path"] = scope["path"].removeprefix(root_path) or "/"

    def _followed(self, peer: str, clients: Iterable[str]) -> tuple[str, int]:
        """Return the address of the client, `peer` or whom trusted proxies speak for, and how many of these there are.

        Anybody can send `X-Forwarded-For`. So it is read from the right, where the nearest proxy has written, and only
        as long as whoever has written is trusted.
        """
        client, passed = peer, 0
        for entry in reversed(list(clients)):
            if not self._trusts(client):
                break
            client = _address(entry)
            passed += 1
        return client, passed

    def _trusts(self, address: str) -> bool:
        if self.all:
            return True
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self.networks)


def said_in(scope: Scope) -> Said:
    """Return what the headers of a request say, whoever has written them.

    `Forwarded` (RFC 7239) counts only without `X-Forwarded-For` and `-Proto`: most proxies write these, and pass on
    whatever `Forwarded` their clients have made up.
    """
    clients, schemes, prefixes = (_entries(scope, b"x-forwarded-" + name) for name in (b"for", b"proto", b"prefix"))
    if not clients and not schemes:
        elements = _forwarded(",".join(values(scope, b"forwarded")))
        clients = [each.get("for", "unknown") for each in elements]
        schemes = [each["proto"] for each in elements if "proto" in each]
    return Said(clients, schemes, prefixes)


def _entries(scope: Scope, name: bytes) -> list[str]:
    return [entry.strip() for line in values(scope, name) for entry in line.split(",")]


def _forwarded(text: str) -> list[dict[str, str]]:
    """Return the elements of a `Forwarded` header: those after the last that is malformed, which a client may send."""
    elements: list[dict[str, str]] = [{}]
    place = 0
    while place < len(text):
        pair = _PAIR.match(text, place)
        if pair is None:
            elements = [{}]
            place = text.find(",", place) + 1 or len(text)
            continue
        name, token, quoted, end = pair.groups()
        elements[-1][name.lower()] = token or re.sub(r"\\(.)", r"\1", quoted)
        if end == ",":
            elements.append({})
        place = pair.end()
    return [each for each in elements if each]


def _joined(prefixes: Iterable[str]) -> str:
    """Return the path below which several proxies have put the service."""
    written = [each.rstrip("/") for each in prefixes]
    return "".join(written) if all(not each or is_prefix(each) for each in written) else ""


@cache
def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _address(entry: str) -> str:
    """Return the address in an entry, to which some proxies add a port."""
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
