"""Calls to other services, with httpx2: within the time of the request, again where that is safe, in the same trace."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import httpx2

from app.outgoing.transports import AsyncOutgoing, Outgoing

C = TypeVar("C", httpx2.Client, httpx2.AsyncClient)
CONNECTIONS: Final = httpx2.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=30)
SECONDS: Final = 5.0


def client(base_url: str, *, attempts: int = 3, **options: Any) -> httpx2.Client:  # noqa: ANN401 - httpx2's
    """Return a client for functions that block, such as services; make one per other service, and keep it.

    `options` are those of `httpx2.Client`, where 20 connections and 5 seconds for each step take the place of its
    defaults. A `transport` is called in place of the network. A proxy is one that `proxy` names: those of the
    environment do not count.

    Raises:
        TypeError: `mounts` was given, which would go past all of this.
        RequestTimeout: by its methods, once the request that is being answered has used up its time.
        httpx2.TransportError: by its methods, after the last attempt.
    """
    return _made(httpx2.Client, partial(Outgoing, attempts), base_url, options, httpx2.HTTPTransport)


def async_client(base_url: str, *, attempts: int = 3, **options: Any) -> httpx2.AsyncClient:  # noqa: ANN401 - httpx2's
    """Return a client for coroutines; all else is as with `client`."""
    return _made(httpx2.AsyncClient, partial(AsyncOutgoing, attempts), base_url, options, httpx2.AsyncHTTPTransport)


def _made(
    kind: Callable[..., C],
    around: Callable[[Any], Any],
    base_url: str,
    options: dict[str, Any],
    network: Callable[..., Any],
) -> C:
    if "mounts" in options:
        msg = "mounts would call the network without time limits: make a client for each"
        raise TypeError(msg)
    of_connections = {
        name: options.pop(name) for name in ("verify", "cert", "http1", "http2", "proxy") if name in options
    }
    transport = options.pop("transport", None) or network(limits=options.pop("limits", CONNECTIONS), **of_connections)
    return kind(**{"base_url": base_url, "timeout": SECONDS, **options, "transport": around(transport)})
