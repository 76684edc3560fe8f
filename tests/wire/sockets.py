"""Requests written byte by byte, for what a client library would correct or hide."""

from __future__ import annotations

import http.client
import io
import socket
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import urlsplit

from .answers import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .answers import Headers

TIMEOUT = 30.0  # for what has to come; only a service that does not send it takes so long
SILENCE_SECONDS = 1.0  # after which nothing more is expected on a connection that stays open

THOUGHT_SECONDS = 0.05  # between segments that are to arrive one by one


class Heard(NamedTuple):
    """What came back on one connection: the answers, and whether the server then closed it."""

    answers: list[Answer]
    closed: bool


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


def read_answer(connection: socket.socket | Received, request: Request) -> Answer:
    """Return the next answer on the connection."""
    response = http.client.HTTPResponse(cast("socket.socket", connection), method=request.method)
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


def converse(base_url: str, *requests: Request, apart: bool = False, patient: bool = True) -> Heard:
    """Send the requests without waiting, and return all that comes back until the server closes or falls silent.

    Silence counts once each request is answered. After an answer that says so, the connection has to be closed. If not
    `patient`, it counts at once: for what a server may rightly wait for the rest of.

    With `apart`, each head and each body is a segment of its own, as from a client that thinks in between.
    """
    parts = [part for each in requests for part in (head(each, host="localhost"), each.body) if part]
    with closing(connect(base_url)) as connection:
        # A server that has refused may close before it has read the rest.
        with suppress(OSError):
            for part in parts if apart else [b"".join(parts)]:
                connection.sendall(part)
                time.sleep(THOUGHT_SECONDS if apart else 0)
        received, closed = until_silence(connection, requests if patient else ())
    return Heard(answers_in(received, requests), closed)


def until_silence(connection: socket.socket, requests: Sequence[Request] = ()) -> tuple[bytes, bool]:
    """Return what comes on the connection, and whether the server closed it in the end."""
    received = bytearray()
    connection.settimeout(TIMEOUT if requests else SILENCE_SECONDS)
    try:
        while part := connection.recv(65536):
            received += part
            connection.settimeout(TIMEOUT if more_has_to_come(bytes(received), requests) else SILENCE_SECONDS)
    except TimeoutError:
        return bytes(received), False
    except OSError:
        pass
    return bytes(received), True


def more_has_to_come(received: bytes, requests: Sequence[Request]) -> bool:
    """Return whether a request is not answered yet, or the connection not closed though an answer said so."""
    stream_, count, closes = Received(received), 0, False
    while count < len(requests) and not closes:
        # A head that is cut off would be taken for a whole one.
        if b"\r\n\r\n" not in received[stream_.tell() :]:
            return True
        try:
            answer = read_answer(stream_, requests[count])
        except NoAnswerError:
            return True
        count, closes = count + 1, answer.header("connection") == "close"
    return closes


class Received(io.BytesIO):
    """Bytes for one response after the other: each would close what it has read from."""

    def makefile(self, _mode: str) -> Received:
        """Return the stream itself, as a socket returns one."""
        return self

    def close(self) -> None:
        """Stay open."""


def answers_in(received: bytes, requests: Sequence[Request]) -> list[Answer]:
    """Return the answers that these bytes spell; those beyond the requests are attributed to the last one."""
    stream_, found = Received(received), list[Answer]()
    while stream_.tell() < len(received):
        request = requests[min(len(found), len(requests) - 1)]
        found.append(read_answer(stream_, request))
    return found


def is_held(base_url: str, client: str) -> bool:
    """Return whether the service has a connection to this port of a client, as the kernel writes it."""
    port = f":{urlsplit(base_url).port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()]
    return any(local.endswith(port) and remote.endswith(client) for _, local, remote, *_ in lines)
