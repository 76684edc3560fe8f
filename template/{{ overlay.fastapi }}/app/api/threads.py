"""Threads for what blocks, with queues that do not grow for ever."""

import inspect
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, cached_property
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.thread_queue import ThreadQueue

T = TypeVar("T")
Endpoint = Callable[..., object]


class Threads:
    """So many threads, for which so many requests may wait."""

    def __init__(self, number: int, most_waiting: int) -> None:
        self._threads = CapacityLimiter(number)
        self._queue = ThreadQueue(number, most_waiting)

    async def run(self, function: Callable[[], T]) -> T:
        """Return `function()`, which blocks.

        Raises:
            Unavailable: too many requests wait for a thread.
        """
        self._queue.enter()
        try:
            return await to_thread.run_sync(function, limiter=self._threads)
        finally:
            self._queue.leave()


class OwnThreads:
    """A queue for FastAPI's own threads, which run endpoints that are no coroutines."""

    def __init__(self, most_waiting: int) -> None:
        self._most_waiting = most_waiting

    @cached_property
    def _queue(self) -> ThreadQueue:
        # They belong to the event loop, and a service may have changed their number when it started.
        return ThreadQueue(int(to_thread.current_default_thread_limiter().total_tokens), self._most_waiting)

    async def call(self, endpoint: Endpoint, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Call `app`, whose `endpoint` may need a thread until its answer begins.

        Raises:
            Unavailable: too many requests wait for a thread.
        """
        if not _needs_thread(endpoint):
            await app(scope, receive, send)
            return
        self._queue.enter(is_new=True)
        with ExitStack() as place:
            place.callback(self._queue.leave)

            async def send_and_leave(message: Message) -> None:
                # Clients may take their time from now on.
                place.close()
                await send(message)

            await app(scope, receive, send_and_leave)


@cache
def _needs_thread(endpoint: Endpoint) -> bool:
    """Return whether FastAPI calls `endpoint` in a thread."""
    return inspect.isfunction(endpoint) and not inspect.iscoroutinefunction(endpoint)
