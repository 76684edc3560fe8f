"""Read request bodies from ASGI messages, up to a limit."""

import sys
from collections.abc import AsyncGenerator

from app.core.errors import AppError, BadRequest, BodyTooLarge
from app.http.asgi import Message, Receive, Scope, values

_DIGITS = 18
_PARTS = 1024
_LEAST_PART_BYTES = 64
"""A body may come in a thousand parts, and in more of them that have this length on average: each costs the same."""


class LimitedBody:
    """Limits a body to `most` bytes. A larger or incomplete body is recorded as `failure` and raised."""

    def __init__(self, scope: Scope, receive: Receive, most: int) -> None:
        self.failure: AppError | None = None
        self._receive = receive
        self._most = most
        self._declared = _length(scope)
        self._received, self._parts, self._is_whole = 0, 0, False

    async def receive(self) -> Message:
        """Return the next part of the body, or that the client has gone.

        Raises:
            BodyTooLarge, BadRequest: it is not a whole body of that size.
        """
        if self._declared > self._most:
            raise self._failed(BodyTooLarge())
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self._is_whole:
            # The client disconnected or sent malformed chunks; the server does not tell which.
            raise self._failed(BadRequest())
        self._is_whole = self._is_whole or not message.get("more_body", False)
        self._received += len(message.get("body", b""))
        self._parts += 1
        if self._received > self._most:
            raise self._failed(BodyTooLarge())
        if self._parts > _PARTS + self._received // _LEAST_PART_BYTES:
            raise self._failed(BadRequest("The body comes in too many small parts."))
        return message

    def _failed(self, failure: AppError) -> AppError:
        self.failure = failure
        return failure


async def received(scope: Scope, receive: Receive) -> Receive:
    """Read the whole body, and return a `receive` that replays it, or raises the error from reading it."""
    try:
        return given(b"".join([part async for part in parts(scope, receive)]), receive)
    except AppError as error:
        return given(b"", receive, error)


async def parts(scope: Scope, receive: Receive) -> AsyncGenerator[bytes]:
    """Yield the body, part by part."""
    more = has_body(scope)
    while more:
        message = await receive()
        yield message.get("body", b"")
        more = message.get("more_body", False)


def given(body: bytes, receive: Receive, failure: AppError | None = None) -> Receive:
    """Return a `receive` that yields `body` (or raises `failure`), then delegates to the given one."""
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if failure is not None:
            raise failure
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def has_body(scope: Scope) -> bool:
    """Return whether the request announces a body."""
    return _length(scope) > 0 or bool(values(scope, b"transfer-encoding"))


def announced(length: str) -> int:
    """Return the number in a Content-Length header; 0 if it is none."""
    digits = length.lstrip("0") if length.isdecimal() else ""
    # Python refuses to read thousands of digits.
    return int(digits or 0) if len(digits) <= _DIGITS else sys.maxsize


def _length(scope: Scope) -> int:
    return announced(next(iter(values(scope, b"content-length")), ""))
