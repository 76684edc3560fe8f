"""Machines that this service connects to, and whether TLS has to protect what it tells them."""

from collections.abc import Iterable
from ipaddress import ip_address

from app.core.settings import Settings


def need_tls(hosts: Iterable[str], settings: Settings) -> bool:
    """Return whether connections to any of `hosts` have to be encrypted, and the other end to be verified.

    They do in production, except to this machine and to hosts in PLAINTEXT_HOSTS.
    """
    known = {host.lower() for host in settings.plaintext_hosts}
    return settings.is_production and any(not _is_here(host) and host.lower() not in known for host in hosts)


def _is_here(host: str) -> bool:
    if host.startswith(("/", "@")):  # a socket
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
