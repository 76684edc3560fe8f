"""Bodies are read from ASGI messages up to limits."""

import asyncio
import sys
from typing import Any

import pytest

from app.core.errors import AppError, BadRequest, BodyTooLarge
from app.http.asgi import Message
from app.http.receiving import LimitedBody, announced, parts

_MOST = 1024 * 1024


def read(size: int, part: int, *headers: tuple[bytes, bytes]) -> bytes:
    """Return a body of `size` bytes that comes in parts of `part`, as the application receives it."""
    left = [b"x" * min(part, size - at) for at in range(0, size, part)]

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": bool(left)}

    async def run() -> bytes:
        scope: Any = {"type": "http", "headers": headers or [(b"transfer-encoding", b"chunked")]}
        return b"".join([each async for each, _ in parts(scope, LimitedBody(scope, receive, _MOST).receive)])

    return asyncio.run(run())


@pytest.mark.parametrize(("size", "part"), [(1_000, 1), (64 * 2_000, 64), (_MOST, 100), (_MOST, _MOST)])
def test_it_may_come_in_parts(size: int, part: int) -> None:
    assert len(read(size, part)) == size


@pytest.mark.parametrize(
    ("size", "part", "failure"), [(2_000, 1, BadRequest), (200_000, 20, BadRequest), (_MOST + 1, 4096, BodyTooLarge)]
)
def test_one_in_tiny_parts_or_too_large_is_refused(size: int, part: int, failure: type[AppError]) -> None:
    with pytest.raises(failure):
        read(size, part)


@pytest.mark.parametrize(
    ("length", "number"),
    [("0", 0), ("17", 17), ("0" * 5000, 0), ("0" * 5000 + "17", 17), ("9" * 5000, sys.maxsize), ("", 0), ("-1", 0)],
    ids=lambda value: str(value)[:5],
)
def test_the_announced_length_is_read_however_long(length: str, number: int) -> None:
    assert announced(length) == number


def test_one_that_is_announced_as_too_large_is_not_read() -> None:
    with pytest.raises(BodyTooLarge):
        read(10, 10, (b"content-length", b"0" * 5000 + b"9" * 5000))
