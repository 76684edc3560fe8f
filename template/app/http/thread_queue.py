"""The queue for threads: what would make it too long is refused at once, before it has cost much."""

import threading
from typing import Final

from prometheus_client import Counter, Gauge

from app.core import context
from app.core.errors import Unavailable

WAITING: Final = Gauge("thread_queue_requests_waiting", "Requests that wait for a thread.", multiprocess_mode="livesum")
REFUSED: Final = Counter("thread_queue_refused_total", "Requests that found the queue for threads full.")
MESSAGE: Final = "Too many requests are waiting. Try again shortly."


class ThreadQueue:
    """Counts the requests that have one of `threads` or wait for one; refuses those that come when `most` wait.

    A request that has once had a place is not refused later: what it has done would be lost.
    """

    def __init__(self, threads: int, most: int) -> None:
        self._threads, self._room = threads, threads + most
        self._inside = 0
        self._lock = threading.Lock()

    def enter(self, *, is_new: bool = False) -> None:
        """Take a place for the current request, until `leave` is called; `is_new` if it had one in other queues alone.

        Raises:
            Unavailable: too many wait already.
        """
        request = context.current()
        with self._lock:
            if self._inside >= self._room and request is not None and (is_new or not request.is_admitted):
                REFUSED.inc()
                raise Unavailable(MESSAGE)
            waits = self._inside >= self._threads
            self._inside += 1
        if waits:
            WAITING.inc()
        if request is not None:
            request.is_admitted = True

    def leave(self, *_: object) -> None:
        """Give the place back."""
        with self._lock:
            self._inside -= 1
            was_awaited = self._inside >= self._threads
        if was_awaited:
            WAITING.dec()
