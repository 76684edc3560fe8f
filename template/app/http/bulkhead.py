"""Endpoints that take long: only so many run at once, so that the threads of all others are not taken, too."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, NamedTuple, TypeVar

from app.core.errors import Unavailable
from app.core.settings import Settings

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Room(NamedTuple):
    """How many requests run at once, how many more wait, and what those are told for whom there is no room."""

    running: int
    waiting: int
    message: str


class Bulkhead:
    """Lets as many requests in as there is room for; the rest is refused at once rather than kept waiting."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._turns = asyncio.Semaphore(room.running)
        self._inside = 0

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait for a turn, and keep it.

        Raises:
            Unavailable: as many as there is room for wait already.
        """
        if self._inside >= self.room.running + self.room.waiting:
            raise Unavailable(self.room.message)
        self._inside += 1
        try:
            async with self._turns:
                yield
        finally:
            self._inside -= 1


RoomOf = Callable[[Settings], Room]


def bulkhead(room_of: RoomOf) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator: the endpoint shares the room that `room_of` says with all others that name it."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__["room_of"] = room_of
        return endpoint

    return mark


def bulkheads(
    endpoints: Iterable[tuple[str, str, Callable[..., Any]]], settings: Settings
) -> Mapping[tuple[str, str], Bulkhead]:
    """Return the bulkhead of each method and path in `endpoints` that has one.

    Raises:
        TypeError: it is declared where the path has variables.
    """

    @cache
    def shared(room_of: RoomOf) -> Bulkhead:
        room = room_of(settings)
        # Half of the threads at the most: the other half is for everybody else.
        return Bulkhead(room._replace(running=min(room.running, max(settings.database_pool_size // 2, 1))))

    found: dict[tuple[str, str], Bulkhead] = {}
    for method, path, endpoint in endpoints:
        room_of = getattr(endpoint, "room_of", None)
        if room_of is not None:
            if "{" in path:
                raise TypeError(f"{endpoint!r} has variables in its path, {path}: @bulkhead cannot be there")
            found[method, path] = shared(room_of)
    return found
