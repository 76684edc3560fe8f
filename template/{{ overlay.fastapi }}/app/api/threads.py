"""Threads for what blocks, with queues that do not grow for ever."""

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from functools import cache, cached_property
from typing import Final, TypeVar

from anyio import to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.thread_queue import ThreadQueue

T = TypeVar("T")
Endpoint = Callable[..., object]
_STOPPED: Final = "a function raised StopIteration, as `next` does where nothing is left"


class Threads:
    """So many threads, for which so many requests may wait. They take the next work without the event loop."""

    def __init__(self, number: int, most_waiting: int) -> None:
        self._threads = ThreadPoolExecutor(number, "database")
        self._queue = ThreadQueue(number, most_waiting)

    async def run(self, function: Callable[[], T]) -> T:
        """Return `function()`, which blocks. If the caller is cancelled, a function that has begun runs to its end.

        Raises:
            Unavailable: too many requests wait for a thread.
        """
        self._queue.enter()
        work = self._threads.submit(_in_context(function))
        work.add_done_callback(self._queue.leave)
        return await asyncio.wrap_future(work)


def _in_context(function: Callable[[], T]) -> Callable[[], T]:
    context = copy_context()

    def call() -> T:
        try:
            return context.run(function)
        except StopIteration as error:
            # No future can hold it: its caller would wait for ever.
            raise RuntimeError(_STOPPED) from error

    return call


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
