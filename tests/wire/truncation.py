"""Section 13: a body that ends before it is whole changes nothing, even if what came of it is valid."""

from __future__ import annotations

import json
import socket
import struct
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from . import sockets
from .answers import Request
from .framing import CHUNKED, JSON, ORDERS, expect_unmade
from .registry import check
from .samples import an_order, unique

if TYPE_CHECKING:
    from collections.abc import Callable

    from .service import Service

NOTICED_SECONDS = 0.5  # in which a service that takes the part for the whole has made the order
LINGER = socket.SOL_SOCKET, socket.SO_LINGER
AT_ONCE = struct.pack("ii", 1, 0)


def close(connection: socket.socket) -> bytes:
    """Close the connection."""
    connection.close()
    return b""


def half_close(connection: socket.socket) -> bytes:
    """Say that nothing more is sent, and return what comes back."""
    connection.shutdown(socket.SHUT_WR)
    return sockets.until_silence(connection)[0]


def reset(connection: socket.socket) -> bytes:
    """Close the connection with a reset."""
    connection.setsockopt(*LINGER, AT_ONCE)
    return close(connection)


GOODBYES: dict[str, Callable[[socket.socket], bytes]] = {"closed": close, "half closed": half_close, "reset": reset}


def truncated(body: bytes) -> dict[str, tuple[tuple[str, str], bytes]]:
    """Return the framing and what is sent of a body that ends too early, though what is there is a valid order."""
    chunk = b"%x\r\n%b" % (len(body), body)
    return {
        "a byte is missing": (("Content-Length", str(len(body) + 1)), body),
        "a hundred bytes are missing": (("Content-Length", str(len(body) + 100)), body),
        "the last chunk is missing": (CHUNKED, chunk + b"\r\n"),
        "the end of the last chunk is missing": (CHUNKED, chunk + b"\r\n0\r\n"),
        "the end of the chunk is missing": (CHUNKED, chunk),
        "a byte of the chunk is missing": (CHUNKED, b"%x\r\n%b" % (len(body) + 1, body)),
        "the next chunk is none": (CHUNKED, chunk + b"\r\nx\r\n\r\n"),
    }


@check()
def a_body_that_ends_too_early_makes_no_order(service: Service) -> None:
    sent: dict[str, str] = {}
    for goodbye, leave in GOODBYES.items():
        for about in truncated(b""):
            reference = sent[f"{about}, {goodbye}"] = unique("truncated")
            framing, body = truncated(json.dumps(an_order(reference=reference)).encode())[about]
            fields = (*service.credentials.alice.items(), JSON, framing)
            with closing(sockets.connect(service.base_url)) as connection, suppress(OSError):
                connection.sendall(sockets.head(Request("POST", ORDERS, fields), host="localhost") + body)
                received = leave(connection)
                # It may be refused, or not answered at all.
                fact = f"{about}, {goodbye}: no server error and no success, unlike {received[:40]!r}"
                service.claim(fact, not received or received.startswith(b"HTTP/1.1 4"))
    time.sleep(NOTICED_SECONDS)
    for about, reference in sent.items():
        expect_unmade(service, about, reference)
