"""Bulkheads: limit how many slow requests run at once, so that threads remain for all others."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Final, NamedTuple

from prometheus_client import Counter, Gauge

from app.auth.policy import name_of
from app.core.errors import Unavailable
from app.core.settings import Settings
from app.http.declared import Endpoint, declare

RUNNING: Final = Gauge(
    "bulkhead_requests_in_progress", "Requests that have a turn.", ["bulkhead"], multiprocess_mode="livesum"
)
WAITING: Final = Gauge(
    "bulkhead_requests_waiting", "Requests that wait for a turn.", ["bulkhead"], multiprocess_mode="livesum"
)
REFUSED: Final = Counter("bulkhead_refused_total", "Requests that found the queue full.", ["bulkhead"])


class Room(NamedTuple):
    """How many requests run at once, how many wait, and the error message for all others."""

    running: int
    waiting: int
    message: str


class Bulkhead:
    """Runs some requests, queues some, and refuses the rest at once."""

    def __init__(self, room: Room, name: str = "unnamed") -> None:
        self.room = room
        self._running, self._waiting, self._refused = RUNNING.labels(name), WAITING.labels(name), REFUSED.labels(name)
        self._turns = asyncio.Semaphore(room.running)
        self._inside = 0

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait for a turn, and keep it.

        Raises:
            Unavailable: the queue is full.
        """
        if self._inside >= self.room.running + self.room.waiting:
            self._refused.inc()
            raise Unavailable(self.room.message)
        self._inside += 1
        try:
            with ExitStack() as waiting:
                waiting.enter_context(self._waiting.track_inprogress())
                async with self._turns:
                    waiting.close()
                    with self._running.track_inprogress():
                        yield
        finally:
            self._inside -= 1


RoomOf = Callable[[Settings], Room]


def bulkhead(room_of: RoomOf) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator: the endpoint shares the room that `room_of` says with all others that name it."""
    return declare("room_of", room_of)


class Bulkheads:
    """The bulkheads of a service: endpoints that name the same room share one."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._found: dict[RoomOf, Bulkhead] = {}

    def of(self, room: RoomOf) -> Bulkhead:
        """Return the bulkhead of `room`."""
        if room not in self._found:
            asked = room(self.settings)
            # At most half of the threads; the other half serves all other requests.
            running = min(asked.running, max(self.settings.database_pool_size // 2, 1))
            self._found[room] = Bulkhead(asked._replace(running=running), name_of(room))
        return self._found[room]
