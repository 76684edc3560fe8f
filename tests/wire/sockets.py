"""Requests written byte by byte, for what a client library would correct or hide."""

from __future__ import annotations

import http.client
import socket
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .answers import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .answers import Headers

TIMEOUT = 5.0


class NoAnswerError(Exception):
    """The server closed the connection, or said nothing that is HTTP."""


def connect(base_url: str) -> socket.socket:
    """Return a connection to the service (plain HTTP only)."""
    parts = urlsplit(base_url)
    address = (parts.hostname or "localhost", parts.port or 80)
    connection = socket.create_connection(address, timeout=TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def head(request: Request, *, host: str | None, version: str = "1.1") -> bytes:
    """Return the request line and fields; `host=None` leaves the Host field out."""
    lines = [f"{request.method} {request.target} HTTP/{version}"]
    lines += [f"Host: {host}"] if host is not None else []
    lines += [f"{name}: {value}" for name, value in request.headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def read_answer(connection: socket.socket, request: Request) -> Answer:
    """Return the next answer on the connection."""
    response = http.client.HTTPResponse(connection, method=request.method)
    try:
        response.begin()
        body = response.read()
    except (http.client.HTTPException, OSError) as error:
        raise NoAnswerError(f"{type(error).__name__}: {error}") from error
    fields = tuple((name.lower(), value) for name, value in response.getheaders())
    return Answer(request, response.status, fields, body)


def exchange(base_url: str, request: Request, *, host: str | None = "localhost", version: str = "1.1") -> Answer:
    """Send exactly this request on a connection of its own and return the answer."""
    closes: Headers = (("Connection", "close"),)
    full = Request(request.method, request.target, request.headers + closes, request.body)
    with closing(connect(base_url)) as connection:
        # An early refusal may reset the connection; the answer may still be readable.
        with suppress(OSError):
            connection.sendall(head(full, host=host, version=version) + request.body)
        return read_answer(connection, full)


def stream(base_url: str, request: Request, chunks: Iterable[bytes]) -> tuple[Answer, int]:
    """Send chunks until an answer begins; return it and how many bytes had been sent."""
    sent = 0
    with closing(connect(base_url)) as connection:
        connection.sendall(head(request, host="localhost"))
        for chunk in chunks:
            try:
                connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            except OSError:
                break
            sent += len(chunk)
            if answer_has_begun(connection):
                break
        return read_answer(connection, request), sent


def answer_has_begun(connection: socket.socket) -> bool:
    """Return whether bytes of an answer are waiting to be read."""
    connection.settimeout(0)
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(TIMEOUT)


def bytes_until_close(base_url: str, request: Request) -> bytes:
    """Send the request with `Connection: close` and return every byte that came back."""
    closes: Headers = (("Connection", "close"),)
    full = Request(request.method, request.target, request.headers + closes)
    received = bytearray()
    deadline = time.monotonic() + TIMEOUT
    with closing(connect(base_url)) as connection:
        connection.sendall(head(full, host="localhost"))
        while time.monotonic() < deadline and (part := connection.recv(65536)):
            received += part
    return bytes(received)
