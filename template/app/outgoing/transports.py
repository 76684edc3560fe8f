"""What is around the network: time limits, further attempts, and the trace."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import cast

import httpx2

from app.core import context
from app.outgoing.attempts import Attempts
from app.outgoing.calls import begin_call


class Outgoing(httpx2.BaseTransport):
    """Calls `transport` as often as it takes."""

    def __init__(self, attempts: int, transport: httpx2.BaseTransport) -> None:
        self._attempts, self._transport = attempts, transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        attempts = Attempts(request, self._attempts)
        while True:
            attempts.start()
            end = begin_call(request, attempts.made)
            try:
                response = self._transport.handle_request(request)
            except httpx2.TransportError as error:
                end(error)
                context.check_deadline()
                pause = attempts.pause(error)
                if pause is None:
                    raise
            except BaseException as error:
                # The time limit of the request, for example.
                end(error)
                raise
            else:
                end(response)
                pause = attempts.pause(response)
                if pause is None:
                    response.stream = _InTime(cast("httpx2.SyncByteStream", response.stream))
                    return response
                response.close()
            time.sleep(pause)

    def close(self) -> None:
        self._transport.close()


class AsyncOutgoing(httpx2.AsyncBaseTransport):
    """The same for coroutines."""

    def __init__(self, attempts: int, transport: httpx2.AsyncBaseTransport) -> None:
        self._attempts, self._transport = attempts, transport

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        attempts = Attempts(request, self._attempts)
        while True:
            attempts.start()
            end = begin_call(request, attempts.made)
            try:
                response = await self._transport.handle_async_request(request)
            except httpx2.TransportError as error:
                end(error)
                context.check_deadline()
                pause = attempts.pause(error)
                if pause is None:
                    raise
            except BaseException as error:
                # The time limit of the request, for example.
                end(error)
                raise
            else:
                end(response)
                pause = attempts.pause(response)
                if pause is None:
                    response.stream = _AsyncInTime(cast("httpx2.AsyncByteStream", response.stream))
                    return response
                await response.aclose()
            await asyncio.sleep(pause)

    async def aclose(self) -> None:
        await self._transport.aclose()


class _InTime(httpx2.SyncByteStream):
    """A body that is not read beyond the time of the request, however slowly it comes."""

    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self._stream:
                context.check_deadline()
                yield part
        except httpx2.TransportError:
            context.check_deadline()
            raise

    def close(self) -> None:
        self._stream.close()


class _AsyncInTime(httpx2.AsyncByteStream):
    """The same for coroutines."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._stream:
                context.check_deadline()
                yield part
        except httpx2.TransportError:
            context.check_deadline()
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()
